//! Who moved: the inventory, the machine, or both.

use crate::model::{Aspect, Aspects};
use crate::state::Entry;

/// Why something differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// The inventory moved: what is there is what was applied last, or nothing ever was.
    Pending,
    /// The machine moved: what was applied last is still desired.
    Drifted,
    /// Both moved.
    Both,
}

impl Class {
    /// The word of reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Drifted => "drifted",
            Self::Both => "both",
        }
    }

    /// Whether the machine moved.
    #[must_use]
    pub fn is_drift(self) -> bool {
        self != Self::Pending
    }
}

/// One aspect that differs, with its three values. A missing one means that it is not there, or that
/// nothing is known of it.
#[derive(Clone, Debug)]
pub struct Threefold {
    /// The aspect's name.
    pub name: String,
    /// What the inventory asks.
    pub desired: Option<Aspect>,
    /// What was applied last.
    pub applied: Option<Aspect>,
    /// What is there.
    pub observed: Option<Aspect>,
    /// Who moved.
    pub class: Class,
}

/// Classes a difference, and gives the aspects it is about. `key` is the run's.
#[must_use]
pub fn classify(
    wanted: &Aspects,
    observed: &Aspects,
    entry: Option<&Entry>,
    key: &str,
) -> (Class, Vec<Threefold>) {
    let mut aspects = Vec::new();
    for (name, desired) in wanted {
        let there = observed.get(name);
        if there.is_some_and(|there| desired.is(there, key) == Some(true)) {
            continue;
        }
        let applied = entry.and_then(|entry| entry.applied.get(name));
        aspects.push(Threefold {
            name: name.clone(),
            desired: Some(desired.clone()),
            applied: applied.cloned(),
            observed: there.cloned(),
            class: class_of(desired, applied, there, entry, key),
        });
    }
    let mut classes = aspects.iter().map(|aspect| aspect.class);
    let class = match classes.next() {
        Some(first) if classes.all(|other| other == first) => first,
        Some(_) => Class::Both,
        // What differs is beside the aspects: marker lines, keys that have left their set.
        None => match entry {
            Some(entry) if !entry.unfinished && is_desired_still(wanted, entry, key) => Class::Drifted,
            _ => Class::Pending,
        },
    };
    (class, aspects)
}

fn class_of(
    desired: &Aspect,
    applied: Option<&Aspect>,
    observed: Option<&Aspect>,
    entry: Option<&Entry>,
    key: &str,
) -> Class {
    let Some(entry) = entry.filter(|entry| !entry.unfinished) else { return Class::Pending };
    let inventory_moved = applied.is_none_or(|applied| desired.is(applied, key) != Some(true));
    let machine_moved = match (applied, observed) {
        // A digest of a secret made with another key tells nothing; when the inventory stands still,
        // it has to be the machine that moved.
        (Some(applied), Some(observed)) => applied.is(observed, key).is_none_or(|same| !same),
        (None, None) => false,
        // The resource is there without this aspect ever having been applied.
        (None, Some(_)) => entry.applied.is_empty(),
        (Some(_), None) => true,
    };
    let cannot_tell =
        matches!((applied, observed), (Some(applied), Some(observed)) if applied.is(observed, key).is_none());
    match (inventory_moved, machine_moved) {
        (true, true) if !cannot_tell => Class::Both,
        (true, _) => Class::Pending,
        (false, _) => Class::Drifted,
    }
}

fn is_desired_still(wanted: &Aspects, entry: &Entry, key: &str) -> bool {
    wanted.len() == entry.applied.len()
        && wanted.iter().all(|(name, desired)| {
            entry.applied.get(name).is_some_and(|applied| desired.is(applied, key) == Some(true))
        })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::{Digest, ResourceId, Secret};
    use crate::resource::Former;

    fn aspects(values: &[(&str, &str)]) -> Aspects {
        values.iter().map(|(name, value)| ((*name).to_owned(), Aspect::plain(*value))).collect()
    }

    fn entry(applied: Aspects) -> Entry {
        Entry {
            id: ResourceId::new("file", "/a"),
            applied,
            former: Former::default(),
            adopted: false,
            after: BTreeSet::new(),
            unfinished: false,
        }
    }

    fn class(desired: &str, applied: Option<&str>, observed: Option<&str>) -> Class {
        let of = |value: Option<&str>| value.map(|value| aspects(&[("mode", value)])).unwrap_or_default();
        let entry = applied.map(|applied| entry(of(Some(applied))));
        classify(&of(Some(desired)), &of(observed), entry.as_ref(), "").0
    }

    #[test]
    fn a_difference_is_pending_drifted_or_both() {
        assert_eq!(class("1", None, None), Class::Pending);
        assert_eq!(class("1", None, Some("2")), Class::Pending);
        assert_eq!(class("2", Some("1"), Some("1")), Class::Pending);
        assert_eq!(class("1", Some("1"), Some("2")), Class::Drifted);
        assert_eq!(class("1", Some("1"), None), Class::Drifted);
        assert_eq!(class("2", Some("1"), Some("3")), Class::Both);
        assert_eq!(class("2", Some("1"), None), Class::Both);
    }

    #[test]
    fn aspects_of_different_classes_make_both() {
        let applied = entry(aspects(&[("mode", "1"), ("owner", "a"), ("group", "g")]));
        let wanted = aspects(&[("mode", "2"), ("owner", "a"), ("group", "g")]);
        let observed = aspects(&[("mode", "1"), ("owner", "b"), ("group", "g")]);
        let (class, threefold) = classify(&wanted, &observed, Some(&applied), "");
        assert_eq!(class, Class::Both);
        let told: Vec<_> = threefold.iter().map(|one| (one.name.as_str(), one.class)).collect();
        assert_eq!(told, [("mode", Class::Pending), ("owner", Class::Drifted)]);
    }

    #[test]
    fn what_a_cut_run_left_is_pending() {
        let mut applied = entry(aspects(&[("mode", "2")]));
        applied.unfinished = true;
        let (class, _) = classify(&aspects(&[("mode", "2")]), &aspects(&[("mode", "1")]), Some(&applied), "");
        assert_eq!(class, Class::Pending);
    }

    #[test]
    fn a_secret_that_the_inventory_changed_is_pending_and_one_it_did_not_has_drifted() {
        let secret = |text: &str| Aspect::Secret(Secret::new(text.as_bytes().to_vec()));
        let of = |aspect: Aspect| Aspects::from([("content".to_owned(), aspect)]);
        let there = of(Aspect::Keyed(Digest::keyed("run", b"old")));
        let applied = |text: &str| entry(of(secret(text).sealed("salt")));
        let class = |applied: Entry| classify(&of(secret("new")), &there, Some(&applied), "run").0;
        assert_eq!(class(applied("old")), Class::Pending);
        assert_eq!(class(applied("new")), Class::Drifted);
    }
}
