//! The way to a machine and the rights there.

use super::address;
use super::names::Names;
use super::scalar;
use crate::inventory::fleet::{Connect, Former, PrivilegeKind};
use crate::model::{Diagnostic, Diagnostics, Fields, Node, Spanned, Value};

pub(super) fn read(
    node: &Node,
    title: &str,
    names: &Names<'_>,
    problems: &mut Diagnostics,
) -> Option<Connect> {
    let what = format!("`connect` of {title}");
    let mut fields = Fields::open(node, what.as_str(), problems)?;
    let said = fields.flag("local");
    let local = said == Some(true);
    let id = fields.text("id");
    let ssh = fields.text("ssh");
    let key = fields.text("key");
    let was = fields.text("was");
    let was_key = fields.text("was-key");
    let jumps = fields.texts("jump");
    let problems = fields.problems();
    let login = ssh.as_ref().map(|ssh| address::parse(ssh, problems));
    let before = was.as_ref().map(|was| address::parse(was, problems));
    let jumps: Vec<_> = jumps
        .iter()
        .filter_map(|text| {
            let machine = names.managed(text, "be jumped through", problems)?;
            if !names.has_ssh(&text.value) {
                problems.push(
                    Diagnostic::at(&text.span, format!("`{}` has no SSH address", text.value))
                        .expected("a machine whose `connect` has `ssh`"),
                );
                return None;
            }
            Some(machine)
        })
        .collect();
    if let Some(id) = id.as_ref().filter(|id| !is_machine_id(&id.value)) {
        problems.push(
            Diagnostic::at(&id.span, format!("`{}` is not a machine id", id.value))
                .expected("32 hexadecimal digits, as /etc/machine-id holds"),
        );
    }
    match (local, &ssh, &id) {
        (false, None, _) => {
            let problem = Diagnostic::at(&node.span, format!("{what} leads nowhere"))
                .expected("`ssh: USER@HOST` or `local: true`");
            let keys: &[&str] = if said.is_some() { &["ssh"] } else { &["ssh", "local"] };
            fields.missing_one_of(keys, problem);
        }
        (true, Some(ssh), None) => {
            fields.problems().push(
                Diagnostic::at(&ssh.span, format!("{what} has `local` and `ssh`, and no `id`"))
                    .expected("an `id:` that says on which computer it is local, or only one of the two"),
            );
        }
        _ => {}
    }
    if local && ssh.is_none() {
        for (key, place) in [
            ("key", key.as_ref().map(|key| &key.span)),
            ("was", was.as_ref().map(|was| &was.span)),
            ("jump", jumps.first().map(|jump| &jump.span)),
        ] {
            if let Some(place) = place {
                let problem = Diagnostic::at(place, format!("{what} has `{key}` and no `ssh`"))
                    .expected("`ssh: USER@HOST` beside it");
                fields.missing_one_of(&["ssh"], problem);
            }
        }
    }
    if let (Some(key), None) = (&was_key, &was) {
        let problem = Diagnostic::at(&key.span, format!("{what} has `was-key` and no `was`"))
            .expected("`was: USER@HOST` beside it: the address that key opens");
        fields.missing_one_of(&["was"], problem);
    }
    if let (Some(Some(now)), Some(Some(before)), None) = (&login, &before, &was_key)
        && (&now.user, &now.host.value, now.port) == (&before.user, &before.host.value, before.port)
    {
        fields.problems().push(
            Diagnostic::at(&before.host.span, format!("{what} has the same address in `was` and `ssh`"))
                .expected("the address before the change, or no `was`")
                .related(&now.host.span, "the address now"),
        );
    }
    fields.close();
    let former = match before {
        None => None,
        Some(before) => Some(former(before?, was_key)),
    };
    let (user, host, port) = match login {
        None => (None, None, address::PORT),
        Some(login) => {
            let login = login?;
            (Some(login.user), Some(login.host), login.port)
        }
    };
    Some(Connect { local, id: id.map(|id| id.value), user, host, port, key, jumps, former })
}

fn former(login: address::Login, key: Option<Spanned<String>>) -> Former {
    Former { user: login.user, host: login.host, port: login.port, key }
}

/// `/etc/machine-id`: 32 lower-case hexadecimal digits (machine-id(5)).
fn is_machine_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

pub(super) fn privilege(node: &Node, problems: &mut Diagnostics) -> Option<PrivilegeKind> {
    let expected = "sudo, doas or `{sudo: {password: {secret: NAME}}}`";
    match &node.value {
        Value::Scalar { text, .. } => match text.as_str() {
            "sudo" => Some(PrivilegeKind::Sudo(None)),
            "doas" => Some(PrivilegeKind::Doas),
            _ => {
                problems.push(
                    Diagnostic::at(&node.span, format!("`privilege` is `{text}`"))
                        .expected(expected)
                        .nearest_of(text, ["sudo", "doas"]),
                );
                None
            }
        },
        Value::Map(_) => {
            let mut fields = Fields::open(node, "`privilege`", problems)?;
            let sudo = fields.required_node("sudo");
            let password = sudo.and_then(|sudo| {
                let mut inner = Fields::open(sudo, "`sudo`", fields.problems())?;
                let password = inner.required_node("password");
                let password = password.and_then(|node| scalar::secret(node, "`password`", inner.problems()));
                inner.close();
                password
            });
            fields.close();
            password.map(|password| PrivilegeKind::Sudo(Some(password)))
        }
        _ => {
            let message = format!("`privilege` is {}", node.kind().phrase());
            problems.push(Diagnostic::at(&node.span, message).expected(expected));
            None
        }
    }
}
