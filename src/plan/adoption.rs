//! What was there before fleetprov was: it is let go of when it leaves the inventory, never removed.

use std::collections::BTreeSet;

use crate::model::{Aspects, ResourceId};
use crate::resource::{Declared, Former, is_place, kind};
use crate::state::{Entry, Ledger};

/// The entry of a declared resource in the record once it is as desired. `there` names the aspects of
/// it that were there before this plan and are still there when its turn comes: what an earlier step
/// makes or takes away does not count.
pub(super) fn entry(
    one: &Declared,
    former: Option<&Entry>,
    there: &BTreeSet<String>,
    ledger: &Ledger,
    salt: &str,
) -> Entry {
    let id = one.resource.id();
    let wanted = one.resource.wanted();
    let by_aspect = kind(id.kind).is_some_and(|kind| kind.adopts_by_aspect);
    let is_ours = |name: &String| {
        former.is_some_and(|entry| entry.applied.contains_key(name)) || is_anothers(one, &id, name, ledger)
    };
    let found = there.iter().filter(|name| wanted.contains_key(*name) && !is_ours(name));
    let kept = former.into_iter().flat_map(|entry| &entry.former.adopted);
    let adopted = if by_aspect {
        kept.filter(|name| wanted.contains_key(*name)).chain(found).cloned().collect()
    } else {
        kept.cloned().collect()
    };
    let is_adopted = match former {
        Some(former) => former.adopted,
        None => !by_aspect && !there.is_empty() && !rests_on_ours(one, ledger),
    };
    Entry {
        applied: wanted.iter().map(|(name, aspect)| (name.clone(), aspect.sealed(salt))).collect(),
        former: Former { remains: one.resource.remains(), adopted },
        adopted: is_adopted,
        after: one.after.iter().chain(&one.follows).cloned().collect(),
        unfinished: false,
        id,
    }
}

/// The aspects of which something was there before a plan and is when their turn comes.
pub(super) fn there(before: Option<Aspects>, then: &Aspects) -> BTreeSet<String> {
    then.keys()
        .filter(|name| before.as_ref().is_none_or(|before| before.contains_key(*name)))
        .cloned()
        .collect()
}

/// Whether an aspect is there because of another resource of ours: a place that several stand in, or a
/// key that has moved from one set of a file to another.
fn is_anothers(one: &Declared, id: &ResourceId, name: &str, ledger: &Ledger) -> bool {
    let holder = one.resource.path().map(|path| format!("{path}#"));
    ledger.entries.values().filter(|entry| !entry.adopted && !entry.former.adopted.contains(name)).any(
        |entry| {
            let is_place = is_place(name);
            let is_itself = is_place && entry.id.to_string() == name;
            let shares = is_place
                || (entry.id.kind == id.kind
                    && holder.as_ref().is_some_and(|holder| entry.id.target.starts_with(holder)));
            is_itself || (shares && entry.applied.contains_key(name))
        },
    )
}

/// Whether one of the resources that make it what it is, is ours already; or it is a file that was made for
/// parts of ours.
fn rests_on_ours(one: &Declared, ledger: &Ledger) -> bool {
    // A file's resource is spelled as the place that it is for its parts.
    let place = one.resource.id().to_string();
    let was_made = |entry: &Entry| {
        !entry.adopted && entry.applied.contains_key(&place) && !entry.former.adopted.contains(&place)
    };
    one.resource.rests_on().iter().any(|id| ledger.entries.get(id).is_some_and(|entry| !entry.adopted))
        || (is_place(&place) && ledger.entries.values().any(was_made))
}

#[cfg(test)]
mod tests;
