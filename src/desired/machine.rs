//! What templates and expansion know of a machine without asking it.

use super::scope::{Scope, entry, map};
use crate::intent::folders;
use crate::inventory::{Fleet, Machine, Managed, Membership, PrivilegeKind, ServiceKind, Setting};
use crate::model::{Entry, Facts, Node, Platform, Span, Value};
use crate::resource::link_files;

/// The facts of a managed machine as its inventory declares them; of an unmanaged one, none.
///
/// A local machine without a login is taken to be run by its administrator; the probe says who it
/// really is.
#[must_use]
pub fn facts_of(machine: &Machine) -> Option<Facts> {
    match &machine.membership {
        Membership::Managed(managed) => Some(facts(managed)),
        Membership::Unmanaged(_) => None,
    }
}

fn facts(managed: &Managed) -> Facts {
    let platform = managed.platform;
    let user = managed.connect.user.clone().unwrap_or_else(|| {
        if platform == Platform::Windows { "Administrator".to_owned() } else { "root".to_owned() }
    });
    Facts {
        platform,
        init: managed.init,
        home: managed.home.clone().unwrap_or_else(|| platform.default_home(&user)),
        root: user == "root" || managed.privilege != PrivilegeKind::Login,
        user,
        state: managed.state.clone(),
    }
}

/// What every template of a machine sees: `fleet`, `machine`, `machines`, `services`, `vars`.
/// Values of the machine's `facts` win over what the inventory says of it.
pub(super) fn scope(fleet: &Fleet, machine: &Machine, facts: &Facts) -> Scope {
    let span = &machine.span;
    let start = Span::new(&fleet.source, 0, 0);
    let text = |text: &str| Node::text(text, span.clone());
    let home = folders::runner_home(facts);
    let mut own = values(machine, facts, home);
    own.insert(0, entry("name", text(machine.name.as_str())));
    own.push(entry("tier", text(machine.tier.value.as_str())));
    own.push(entry("known-hosts", text(&link_files::known_hosts(home))));
    let machines = fleet
        .machines
        .iter()
        .filter_map(|other| {
            let facts = facts_of(other)?;
            Some(entry(other.name.as_str(), map(values(other, &facts, home), &other.span)))
        })
        .collect();
    Scope::default()
        .with("fleet", map(vec![entry("name", text(fleet.name.as_str()))], span))
        .with("machine", map(own, span))
        .with("machines", map(machines, &start))
        .with("services", map(services(fleet), &start))
        .with("vars", vars(fleet, machine, &start))
}

/// What is known of a machine; `home` is where the one that asks keeps its keys for the others.
fn values(machine: &Machine, facts: &Facts, home: &str) -> Vec<Entry> {
    let text = |text: String| Node::text(text, machine.span.clone());
    let flag = |flag: bool| Node {
        value: Value::Scalar { text: flag.to_string(), plain: true },
        span: machine.span.clone(),
    };
    let connect = match &machine.membership {
        Membership::Managed(managed) => Some(&managed.connect),
        Membership::Unmanaged(_) => None,
    };
    let host = connect.and_then(|connect| connect.host.as_ref());
    let port = connect.map_or(22, |connect| connect.port);
    let nothing = Node { value: Value::Null, span: machine.span.clone() };
    vec![
        entry("platform", text(facts.platform.to_string())),
        entry("init", text(facts.init.to_string())),
        entry("user", text(facts.user.clone())),
        entry("home", text(facts.home.clone())),
        entry("root", flag(facts.root)),
        entry("address", host.map_or(nothing, |host| Node::text(host.value.clone(), host.span.clone()))),
        entry("port", text(port.to_string())),
        entry("key", text(link_files::key(home, machine.name.as_str()))),
    ]
}

/// Git services' `remote` and `branch`; notification services' `url`, and `topic` or `topic-secret`, which
/// is a secret's name or sealed text. Storages are for legs.
fn services(fleet: &Fleet) -> Vec<Entry> {
    fleet
        .services
        .iter()
        .filter_map(|service| {
            let text = |text: &str| Node::text(text, service.span.clone());
            let values = match &service.kind {
                ServiceKind::Git { remote, branch } => vec![
                    entry("remote", Node::text(remote.value.clone(), remote.span.clone())),
                    entry("branch", text(branch)),
                ],
                ServiceKind::Notify { url, topic } => {
                    let nothing = || Node { value: Value::Null, span: service.span.clone() };
                    let (open, secret) = match topic {
                        None => (nothing(), nothing()),
                        Some(Setting::Plain(topic)) => {
                            (Node::text(topic.value.clone(), topic.span.clone()), nothing())
                        }
                        Some(Setting::Secret(topic)) => {
                            (nothing(), Node::text(topic.from.as_text(), topic.span.clone()))
                        }
                    };
                    vec![
                        entry("url", Node::text(url.value.clone(), url.span.clone())),
                        entry("topic", open),
                        entry("topic-secret", secret),
                    ]
                }
                ServiceKind::Cloud | ServiceKind::Rclone { .. } => return None,
            };
            Some(entry(service.name.as_str(), map(values, &service.span)))
        })
        .collect()
}

/// The fleet's values under the machine's own; maps are not merged, a machine's value replaces.
fn vars(fleet: &Fleet, machine: &Machine, span: &Span) -> Node {
    let mut entries: Vec<Entry> = Vec::new();
    for node in [&fleet.vars, &machine.vars].into_iter().flatten() {
        if let Value::Map(own) = &node.value {
            entries.retain(|entry| !own.iter().any(|over| over.key.text == entry.key.text));
            entries.extend(own.iter().cloned());
        }
    }
    map(entries, span)
}
