//! A record and a run that followed it, made into one.

use std::collections::{BTreeMap, BTreeSet};

use super::ledger::{CutRun, Ledger};
use super::progress::{Progress, StepEnd, StepState};
use super::run::{RunDocument, RunStep};
use crate::model::ResourceId;

/// What is owned after a run that came as far as `progress` says. When that is not `certain`, any step
/// without an end may have been made, and what was made may be lost.
pub(super) fn merge(mut ledger: Ledger, run: &RunDocument, progress: &Progress, certain: bool) -> Ledger {
    let states: Vec<(&RunStep, StepState)> =
        run.steps.iter().enumerate().map(|(index, step)| (step, progress.step(index))).collect();
    for (step, state) in &states {
        own(&mut ledger, step, *state, certain);
    }
    ledger.owed = owed(std::mem::take(&mut ledger.owed), &states, certain);
    ledger.applied(run.inventory.1);
    run.beside.into_iter().for_each(|beside| ledger.applied(beside));
    ledger.last = Some(run.id.clone());
    ledger.cut =
        (!progress.is_ended() || progress.is_reverted()).then(|| cut(run, &states, progress, certain));
    ledger
}

/// Owns what a step made, as far as it is known.
fn own(ledger: &mut Ledger, step: &RunStep, state: StepState, certain: bool) {
    let former = ledger.entries.get(&step.id).or(step.former.as_ref()).cloned();
    let after = match (state, &step.entry) {
        (StepState::Ended(StepEnd::Changed), entry) if certain => {
            ledger.undecided.remove(&step.id);
            entry.clone()
        }
        // Nothing was done, or it was put back.
        (StepState::Ended(StepEnd::Refused | StepEnd::Skipped | StepEnd::Reverted), _) => former,
        (StepState::Untouched, _) if certain => former,
        // It may be gone or not, and what is gone already is found to be so.
        (_, None) => former.map(|former| former.in_doubt(None)),
        (StepState::Started | StepState::Ended(StepEnd::Changed), Some(entry)) => {
            Some(entry.clone().in_doubt(former.as_ref()))
        }
        (StepState::Ended(StepEnd::Failed), Some(entry)) => Some(match former {
            Some(former) => former.in_doubt(Some(entry)),
            None => entry.clone().in_doubt(None),
        }),
        (StepState::Untouched, Some(entry)) => match former {
            Some(former) => Some(former.in_doubt(Some(entry))),
            None => {
                ledger.undecided.insert(step.id.clone(), entry.clone());
                None
            }
        },
    };
    match after {
        Some(entry) => {
            ledger.undecided.remove(&step.id);
            ledger.entries.insert(step.id.clone(), entry)
        }
        None => ledger.entries.remove(&step.id),
    };
}

/// What is owed after the run: what was owed before or is owed by the run, and was not done.
fn owed(
    mut owed: BTreeMap<ResourceId, Vec<ResourceId>>,
    states: &[(&RunStep, StepState)],
    certain: bool,
) -> BTreeMap<ResourceId, Vec<ResourceId>> {
    let moved: BTreeSet<&ResourceId> = states
        .iter()
        .filter(|(_, state)| match state {
            StepState::Started | StepState::Ended(StepEnd::Changed | StepEnd::Failed) => true,
            StepState::Untouched => !certain,
            StepState::Ended(StepEnd::Refused | StepEnd::Skipped | StepEnd::Reverted) => false,
        })
        .map(|(step, _)| &step.id)
        .collect();
    for (step, state) in states {
        if *state == StepState::Ended(StepEnd::Changed) {
            owed.remove(&step.id);
            continue;
        }
        let because: Vec<&ResourceId> = step.because.iter().filter(|id| moved.contains(id)).collect();
        if !because.is_empty() {
            let list = owed.entry(step.id.clone()).or_default();
            list.extend(because.into_iter().cloned());
            list.sort();
            list.dedup();
        }
    }
    owed
}

fn cut(run: &RunDocument, states: &[(&RunStep, StepState)], progress: &Progress, certain: bool) -> CutRun {
    let those = |wanted: fn(StepState) -> bool| {
        states.iter().filter(|(_, state)| wanted(*state)).map(|(step, _)| step.id.clone()).collect()
    };
    CutRun {
        id: run.id.clone(),
        who: run.who.clone(),
        when: run.when.clone(),
        what: run.what.clone(),
        done: those(|state| state == StepState::Ended(StepEnd::Changed)),
        open: those(|state| matches!(state, StepState::Untouched | StepState::Started)),
        reverted: progress.is_reverted(),
        certain,
    }
}
