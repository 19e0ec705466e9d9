//! A machine: managed, with a platform and a way there, or unmanaged.

use super::connect;
use super::names::Names;
use super::scalar::{self, declared, key_span};
use crate::inventory::fleet::{Machine, Managed, Membership, PrivilegeKind};
use crate::model::{
    Diagnostic, Diagnostics, Entry, Fields, Init, MachineName, MachinePath, Node, Platform, Spanned,
};

/// Keys that only make sense where somebody logs in.
const MANAGED_KEYS: &[&str] = &["connect", "platform", "init", "home", "state", "privilege", "roles"];

pub(super) fn read(entry: &Entry, names: &Names<'_>, problems: &mut Diagnostics) -> Option<Machine> {
    let name = declared(&entry.key, MachineName::new, problems);
    let title = format!("machine `{}`", entry.key.text);
    let mut fields = Fields::open(&entry.value, title.as_str(), problems)?;
    let tier = fields.required_text("tier").and_then(|tier| names.tier(&tier, fields.problems()));
    let membership = match fields.node("unmanaged") {
        Some(_) => unmanaged(&mut fields, &entry.value, &title),
        None => managed(&mut fields, &title, names).map(|managed| Membership::Managed(Box::new(managed))),
    };
    let roles = scalar::roles(&mut fields, "roles");
    let vars = scalar::map_node(&mut fields, "vars");
    fields.close();
    Some(Machine {
        name: name?,
        span: entry.key.span.clone(),
        tier: tier?,
        membership: membership?,
        roles,
        vars,
    })
}

fn unmanaged(fields: &mut Fields<'_>, machine: &Node, title: &str) -> Option<Membership> {
    let word = fields.text("unmanaged");
    let place = key_span(machine, "unmanaged");
    for key in MANAGED_KEYS {
        if fields.node(key).is_some() {
            let problem =
                Diagnostic::at(key_span(machine, key), format!("{title} is unmanaged and has `{key}`"))
                    .expected(format!("either `unmanaged` or `{key}`"))
                    .related(place, "said to be unmanaged here");
            fields.problems().push(problem);
        }
    }
    let word = word?;
    if MachineName::new(&word.value).is_err() {
        let problem = Diagnostic::at(&word.span, format!("`unmanaged` is `{}`", word.value))
            .expected("a word: phone, tablet, browser, cloud-agent, saas or the like");
        fields.problems().push(problem);
        return None;
    }
    Some(Membership::Unmanaged(word))
}

fn managed(fields: &mut Fields<'_>, title: &str, names: &Names<'_>) -> Option<Managed> {
    let platform = fields.choice("platform", Platform::ALL);
    let init = fields.choice("init", Init::ALL);
    let home = fields.text("home").and_then(|home| absolute(fields, "home", &home));
    let state = fields.text("state").and_then(|state| folder(fields, "state", &state));
    let privilege = fields.node("privilege").map(|node| connect::privilege(node, fields.problems()));
    let connect = fields.node("connect").map(|node| connect::read(node, title, names, fields.problems()));
    match (fields.node("platform"), &connect) {
        (None, None) => {
            let problem = Diagnostic::at(fields.span(), format!("{title} is neither managed nor unmanaged"))
                .expected("`platform:` and `connect:`, or `unmanaged:`");
            fields.missing_one_of(&["platform", "connect", "unmanaged"], problem);
        }
        (None, Some(_)) => fields.missing("platform"),
        (Some(_), None) => fields.missing("connect"),
        (Some(_), Some(_)) => {}
    }
    let platform = platform?;
    Some(Managed {
        platform,
        init: init.unwrap_or(if platform == Platform::Debian { Init::Systemd } else { Init::Sysv }),
        connect: connect??,
        privilege: match privilege {
            None => PrivilegeKind::default(),
            Some(privilege) => privilege?,
        },
        home,
        state,
    })
}

/// An absolute path that can be made and belong to one user alone.
fn folder(fields: &mut Fields<'_>, key: &str, text: &Spanned<String>) -> Option<String> {
    let path = absolute(fields, key, text)?;
    if path == "/" {
        let problem = Diagnostic::at(&text.span, format!("`{key}` is the root folder"))
            .expected("a folder of its own, such as /share/fleetprov");
        fields.problems().push(problem);
        return None;
    }
    Some(path)
}

fn absolute(fields: &mut Fields<'_>, key: &str, text: &Spanned<String>) -> Option<String> {
    match MachinePath::new(&text.value) {
        Ok(path) => Some(path.as_str().to_owned()),
        Err(error) => {
            let problem =
                Diagnostic::at(&text.span, format!("`{key}`: {error}")).expected("an absolute path");
            fields.problems().push(problem);
            None
        }
    }
}
