//! A run that makes only what a saved plan holds.

use std::collections::BTreeMap;

use super::run::Chosen;
use crate::apply::Barred;
use crate::event::StepOutcome;
use crate::model::{MachineName, ResourceId};
use crate::plan::{Bound, Plan, SavedMachine, SavedPlan};

/// So many resources are named in a note.
const NAMED: usize = 3;

/// What of a machine's plan is made, and what is not.
#[derive(Clone, Debug, Default)]
pub(super) struct Binding {
    pub(super) plan: Plan,
    pub(super) stale: BTreeMap<usize, String>,
    pub(super) unplanned: Vec<ResourceId>,
    settled: Vec<ResourceId>,
}

impl Binding {
    /// Binds a plan to the saved one; without one, all of it is made.
    pub(super) fn new(plan: Plan, saved: Option<&SavedMachine>, announced: Option<&Chosen>) -> Self {
        let announced = |id: &ResourceId| announced.is_some_and(|is| is(id));
        match saved.map(|saved| saved.bind(&plan, &announced)) {
            None => Self { plan, ..Self::default() },
            Some(Bound { plan, stale, unplanned, settled }) => Self { plan, stale, unplanned, settled },
        }
    }

    /// What a person should know of what is not made.
    pub(super) fn notes(&self) -> Vec<String> {
        let settled = (!self.settled.is_empty())
            .then(|| format!("already as desired, though the plan file has it: {}", named(&self.settled)));
        let unplanned = (!self.unplanned.is_empty()).then(|| {
            format!("pending, and not made since it is not in the plan file: {}", named(&self.unplanned))
        });
        settled.into_iter().chain(unplanned).collect()
    }
}

/// The part of a saved plan that is about a machine.
pub(super) fn saved_machine<'a>(
    plan: Option<&'a SavedPlan>,
    machine: &MachineName,
) -> Option<&'a SavedMachine> {
    plan?.machines.iter().find(|one| one.name == *machine)
}

/// The steps that must not be made, as a walk takes them.
pub(super) fn barred(stale: &BTreeMap<usize, String>) -> Barred {
    stale.iter().map(|(index, reason)| (*index, StepOutcome::Refused(reason.clone()))).collect()
}

fn named(ids: &[ResourceId]) -> String {
    let names: Vec<String> = ids.iter().take(NAMED).map(ToString::to_string).collect();
    match ids.len().checked_sub(NAMED).filter(|more| *more > 0) {
        Some(more) => format!("{} and {more} more", names.join(", ")),
        None => names.join(", "),
    }
}
