//! What of a plan a person has to agree to in so many words.

use crate::model::Digest;
use crate::plan::{Plan, Step};
use crate::resource::Action;
use crate::state::Ledger;

/// More removals than this on one machine need consent.
const MANY: usize = 10;
/// From so many resources on, the removal of more than half of them needs consent.
const SOME: usize = 4;

/// Something a plan does that a mistake in the inventory does as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// It removes many of the machine's resources: more than 10, or more than half of at least 4.
    Prune {
        /// How many it removes.
        removals: usize,
        /// How many fleetprov owns there.
        owned: usize,
    },
    /// The inventory, or the roles, templates and files beside it, were applied before, and others since.
    Older,
}

impl Consent {
    /// What happens, as a sentence's end behind the machine's name or "this".
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Prune { removals, owned } => {
                format!("removes {removals} of the {owned} resources that fleetprov owns there")
            }
            Self::Older => {
                "goes back to an inventory, roles, templates or files older than the last applied there"
                    .to_owned()
            }
        }
    }

    /// The option that agrees to it beforehand.
    #[must_use]
    pub fn option(self) -> &'static str {
        match self {
            Self::Prune { .. } => "--allow-prune",
            Self::Older => "--allow-older",
        }
    }

    /// For whoever looks at the plan.
    pub(super) fn note(self) -> String {
        format!("this {}; with --yes it needs {}", self.words(), self.option())
    }
}

/// What a plan for a machine needs consent to.
pub(super) fn needed(
    plan: &Plan,
    ledger: &Ledger,
    inventory: &Digest,
    beside: Option<&Digest>,
) -> Vec<Consent> {
    if plan.steps.is_empty() {
        return Vec::new();
    }
    let goes = |step: &&Step| step.difference.action == Action::Remove && step.entry.is_none();
    let removals = plan.steps.iter().filter(goes).count();
    let owned = ledger.entries.len();
    let is_many = removals > MANY || (owned >= SOME && 2 * removals > owned);
    let prune = is_many.then_some(Consent::Prune { removals, owned });
    prune.into_iter().chain(ledger.is_older(inventory, beside).then_some(Consent::Older)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::{Aspects, ResourceId, Source, Span};
    use crate::resource::{Difference, Former, Origin};
    use crate::state::Entry;

    fn id(number: usize) -> ResourceId {
        ResourceId::new("file", format!("/f{number}"))
    }

    fn entry(number: usize) -> Entry {
        Entry {
            id: id(number),
            applied: Aspects::new(),
            former: Former::default(),
            adopted: false,
            after: BTreeSet::new(),
            unfinished: false,
        }
    }

    fn plan(steps: impl Iterator<Item = (usize, Action)>) -> Plan {
        let source = Source::new("test.yaml", "test");
        let origin = Origin { from: "role test".to_owned(), span: Span::new(&source, 0, 4) };
        let steps = steps.map(|(number, action)| {
            let difference = Difference { action, details: Vec::new(), operations: Vec::new() };
            let is_declared = !matches!(action, Action::Remove | Action::Release);
            let step = Step::new(id(number), origin.clone(), difference, Vec::new());
            Step { entry: is_declared.then(|| entry(number)), ..step }
        });
        Plan { steps: steps.collect(), ..Plan::default() }
    }

    fn ledger(owned: usize) -> Ledger {
        Ledger {
            entries: (0..owned).map(|number| (id(number), entry(number))).collect(),
            ..Ledger::default()
        }
    }

    #[test]
    fn many_removals_need_consent() {
        let now = Digest::of(b"now");
        for (removals, owned, expected) in [
            (1, 1, false),
            (3, 3, false),
            (2, 4, false),
            (3, 4, true),
            (10, 20, false),
            (11, 200, true),
            (0, 4, false),
        ] {
            let plan = plan((0..removals).map(|number| (number, Action::Remove)));
            let needed = needed(&plan, &ledger(owned), &now, None);
            let consent = Consent::Prune { removals, owned };
            assert_eq!(needed, if expected { vec![consent] } else { vec![] }, "{removals} of {owned}");
        }
        // What is let go of stays, and what is declared is not pruned.
        let kept =
            plan((0..20).map(|number| (number, if number < 10 { Action::Release } else { Action::Update })));
        assert_eq!(needed(&kept, &ledger(20), &now, None), []);
    }

    #[test]
    fn an_older_inventory_needs_consent_when_it_changes_something() {
        let (old, new) = (Digest::of(b"old"), Digest::of(b"new"));
        let ledger = Ledger { inventories: vec![old, new], ..ledger(1) };
        let change = plan(std::iter::once((0, Action::Update)));
        assert_eq!(needed(&change, &ledger, &old, None), [Consent::Older]);
        assert_eq!(needed(&change, &ledger, &new, None), []);
        assert_eq!(needed(&change, &ledger, &Digest::of(b"never seen"), None), []);
        assert_eq!(needed(&Plan::default(), &ledger, &old, None), []);
    }

    #[test]
    fn so_do_older_roles_with_the_same_inventory() {
        let [old, new, roles, newer] =
            ["old", "new", "roles", "newer"].map(|text| Digest::of(text.as_bytes()));
        let change = plan(std::iter::once((0, Action::Update)));
        let ledger = |inventories: &[Digest]| Ledger { inventories: inventories.into(), ..ledger(1) };
        let is_older = |applied: &[Digest], inventory: &Digest, beside: &Digest| {
            !needed(&change, &ledger(applied), inventory, Some(beside)).is_empty()
        };
        // The inventory stays, the roles move: of the last apply are the last two.
        let applied = [roles, old, newer];
        assert!(is_older(&applied, &old, &roles));
        assert!(!is_older(&applied, &old, &newer));
        assert!(!is_older(&applied, &old, &Digest::of(b"never seen")));
        assert!(!is_older(&applied, &new, &newer));
        // The roles stay, the inventory moves.
        assert!(is_older(&[old, new, roles], &old, &roles));
        assert!(!is_older(&[old, new, roles], &new, &roles));
        assert!(!is_older(&[], &new, &roles));
    }
}
