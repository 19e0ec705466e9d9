//! Lays an overlay over an inventory: other addresses, platforms and services, the same fleet.

#[cfg(test)]
mod tests;

use crate::model::{Diagnostic, Diagnostics, Entry, Node, Value, one_of};

/// Keys an overlay may hold.
const TOP: &[&str] = &["machines", "services", "vars", "known-hosts"];
/// Keys an overlay may hold for a machine.
const MACHINE: &[&str] = &["connect", "platform", "init", "home", "state", "privilege", "vars"];

/// Merges the overlay into the inventory: maps merge, other values replace (a null takes away).
///
/// A service whose `kind` the overlay gives is replaced as a whole, so that options of another
/// backend do not stay behind; a machine that gets another `ssh` loses its former addresses with the old
/// one: they are those of another computer. Places keep pointing into the file each part came from. What an
/// overlay may not change is added to `problems`.
pub(super) fn apply(inventory: &mut Node, overlay: Node, problems: &mut Diagnostics) {
    let entries = match overlay.value {
        Value::Map(entries) => entries,
        Value::Null => return,
        _ => {
            problems.push(
                Diagnostic::at(&overlay.span, format!("the overlay is {}", overlay.kind().phrase()))
                    .expected("a map"),
            );
            return;
        }
    };
    for entry in entries {
        match entry.key.text.as_str() {
            "machines" => machines(inventory, entry, problems),
            "services" => services(inventory, entry),
            "vars" | "known-hosts" => put(inventory, entry),
            other => {
                let message = format!("an overlay cannot change `{other}`");
                problems.push(refused(&entry, message, TOP));
            }
        }
    }
}

fn refused(entry: &Entry, message: String, allowed: &[&str]) -> Diagnostic {
    Diagnostic::at(&entry.key.span, message)
        .expected(one_of(allowed))
        .nearest_of(&entry.key.text, allowed.iter().copied())
}

fn machines(inventory: &mut Node, overlay: Entry, problems: &mut Diagnostics) {
    let Value::Map(entries) = overlay.value.value else {
        // The shape is reported where the inventory is read.
        put(inventory, overlay);
        return;
    };
    for entry in entries {
        let name = entry.key.text.as_str();
        let declared = find(inventory, "machines").and_then(|machines| find(machines, name));
        let Some(machine) = declared else {
            let names = inventory.get("machines").map(keys).unwrap_or_default();
            problems.push(
                Diagnostic::at(&entry.key.span, format!("the inventory has no machine `{name}`"))
                    .expected("a machine of the inventory: an overlay adds none")
                    .nearest_of(name, names),
            );
            continue;
        };
        let Value::Map(parts) = entry.value.value else {
            problems.push(
                Diagnostic::at(
                    &entry.value.span,
                    format!("machine `{name}` is {} in the overlay", entry.value.kind().phrase()),
                )
                .expected("a map"),
            );
            continue;
        };
        for part in parts {
            if MACHINE.contains(&part.key.text.as_str()) {
                if part.key.text == "connect" && part.value.get("ssh").is_some() {
                    forget_former(machine);
                }
                put(machine, part);
            } else {
                let message = format!("an overlay cannot change `{}` of machine `{name}`", part.key.text);
                problems.push(refused(&part, message, MACHINE));
            }
        }
    }
}

fn services(inventory: &mut Node, overlay: Entry) {
    let Some(declared) = find(inventory, "services") else {
        put(inventory, overlay);
        return;
    };
    let Value::Map(entries) = overlay.value.value else {
        *declared = overlay.value;
        return;
    };
    for entry in entries {
        match find(declared, &entry.key.text) {
            Some(service) if entry.value.get("kind").is_some() => *service = entry.value,
            _ => put(declared, entry),
        }
    }
}

/// Takes the former address out of a machine's `connect`.
fn forget_former(machine: &mut Node) {
    if let Some(Node { value: Value::Map(entries), .. }) = find(machine, "connect") {
        entries.retain(|entry| !matches!(entry.key.text.as_str(), "was" | "was-key"));
    }
}

/// Sets one key of a map: maps merge, other values replace.
fn put(map: &mut Node, entry: Entry) {
    if map.value == Value::Null {
        map.value = Value::Map(Vec::new());
    }
    let Value::Map(entries) = &mut map.value else { return };
    match entries.iter_mut().find(|known| known.key.text == entry.key.text) {
        None => entries.push(entry),
        Some(known) => merge(known, entry),
    }
}

fn merge(known: &mut Entry, over: Entry) {
    match (&known.value.value, over.value.value) {
        (Value::Map(_), Value::Map(entries)) => {
            for entry in entries {
                put(&mut known.value, entry);
            }
        }
        (_, value) => {
            known.value = Node { value, span: over.value.span };
            known.key = over.key;
        }
    }
}

fn find<'a>(map: &'a mut Node, key: &str) -> Option<&'a mut Node> {
    match &mut map.value {
        Value::Map(entries) => {
            entries.iter_mut().find(|entry| entry.key.text == key).map(|entry| &mut entry.value)
        }
        _ => None,
    }
}

fn keys(map: &Node) -> Vec<&str> {
    match &map.value {
        Value::Map(entries) => entries.iter().map(|entry| entry.key.text.as_str()).collect(),
        _ => Vec::new(),
    }
}
