//! Where an inventory speaks of a machine, outside of the machine's own entry.

use crate::model::{Node, Span, Value};

/// One place that names a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// The way there: `links.deploy.to`, `machines.hs-pc.connect.jump`.
    pub way: String,
    /// The text that names it.
    pub span: Span,
    /// Whether it can only mean this machine, so that the inventory is wrong without it. Otherwise it is
    /// a role's input or a variable with the same text.
    pub certain: bool,
}

/// All places that name a machine, in the order of the text, each once. A resource's `awaits` is
/// written in a role, where a role's input may name the machine.
pub(super) fn of(inventory: &Node, machine: &str) -> Vec<Mention> {
    let mut found = Vec::new();
    walk(inventory, &mut Vec::new(), machine, &mut found);
    found.sort_by_key(|mention| mention.span.start());
    // An alias has the place of its anchor.
    found.dedup_by(|one, other| one.span == other.span);
    found
}

fn walk<'a>(node: &'a Node, way: &mut Vec<&'a str>, machine: &str, found: &mut Vec<Mention>) {
    match &node.value {
        Value::Null => {}
        Value::Scalar { text, .. } => {
            let is_end = text.strip_prefix(machine).is_some_and(|rest| rest.starts_with(':'));
            let certain = match meaning(way) {
                Meaning::Machine if text == machine => Some(true),
                Meaning::End if is_end => Some(true),
                Meaning::Free if text == machine || is_end => Some(false),
                _ => None,
            };
            if let Some(certain) = certain {
                found.push(Mention { way: way.join("."), span: node.span.clone(), certain });
            }
        }
        Value::List(items) => {
            for item in items {
                walk(item, way, machine, found);
            }
        }
        Value::Map(entries) => {
            for entry in entries {
                if way.as_slice() == ["machines"] && entry.key.text == machine {
                    continue;
                }
                way.push(&entry.key.text);
                walk(&entry.value, way, machine, found);
                way.pop();
            }
        }
    }
}

/// What a text at a place of the inventory speaks of.
enum Meaning {
    /// A machine or service by its name.
    Machine,
    /// An end of a leg: `MACHINE:/path`.
    End,
    /// Whatever a role or template makes of it.
    Free,
    /// Something else.
    Other,
}

fn meaning(way: &[&str]) -> Meaning {
    match way {
        ["tiers", _, "primary" | "hub"]
        | ["machines", _, "connect", "jump"]
        | ["surfaces", _, "home"]
        | ["links", _, "from" | "to"]
        | ["backups", _, "run-on"] => Meaning::Machine,
        ["backups", _, "from" | "to"] => Meaning::End,
        ["tiers", _, "roles" | "roles-of", ..] | ["machines", _, "roles" | "vars", ..] | ["vars", ..] => {
            Meaning::Free
        }
        _ => Meaning::Other,
    }
}
