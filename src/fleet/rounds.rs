//! Runs of more than one round: values that are born on one machine fill blanks on others.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::run::{Job, Outcome, Prepared, Run};
use crate::event::StepOutcome;
use crate::model::{MachineName, ResourceId};
use crate::plan::Plan;
use crate::resource::{Answers, Declared, Observation, Surroundings};

/// What the machine tells for others, by the resource it is of.
pub(super) fn exports(
    declared: &[Declared],
    observation: &Observation,
    surroundings: &Surroundings,
) -> Vec<(ResourceId, String)> {
    let answers = declared.iter().zip(&observation.answers);
    let told = answers.filter_map(|(one, answers)| {
        let value = one.resource.export(Answers::new(answers, surroundings))?;
        Some((one.resource.id(), value))
    });
    told.collect()
}

impl Run<'_> {
    /// Looks again at the machines of these jobs, in the place of what was prepared for them. The others stay as
    /// they are prepared, and so does the order.
    pub async fn renew(&self, prepared: Vec<Prepared>, jobs: Vec<Job>) -> Vec<Prepared> {
        let again: BTreeSet<MachineName> = jobs.iter().map(|job| job.machine.clone()).collect();
        let order: Vec<MachineName> = prepared.iter().map(|one| one.machine.clone()).collect();
        let (former, mut all): (Vec<_>, Vec<_>) =
            prepared.into_iter().partition(|one| again.contains(&one.machine));
        for one in former {
            one.let_go().await;
        }
        all.extend(self.prepare(jobs).await);
        all.sort_by_key(|one| order.iter().position(|name| *name == one.machine));
        all
    }
}

impl Prepared {
    /// Ends the session that is held, if one is.
    pub async fn let_go(self) {
        if let Ok(ready) = self.result {
            ready.let_go().await;
        }
    }
}

impl Outcome {
    /// What became of a machine in two rounds: what the first one changed, and then the second one.
    #[must_use]
    pub fn preceded_by(mut self, first: &Self) -> Self {
        let Some(before) = first.plan.as_deref() else { return self };
        let made: Vec<usize> = first
            .steps
            .iter()
            .enumerate()
            .filter(|(_, outcome)| **outcome == StepOutcome::Changed)
            .map(|(index, _)| index)
            .collect();
        let before = before.only(|index, _| made.contains(&index));
        let count = before.steps.len();
        if count == 0 {
            return self;
        }
        let after = self.plan.as_deref().cloned().unwrap_or_default();
        let mut steps = before.steps;
        steps.extend(after.steps.into_iter().map(|mut step| {
            step.needs.iter_mut().for_each(|need| *need += count);
            step
        }));
        let guarded_from = after.guarded_from.map(|first| first + count);
        self.plan = Some(Arc::new(Plan { steps, guarded_from, ..after }));
        self.steps.splice(0..0, std::iter::repeat_n(StepOutcome::Changed, count));
        self
    }
}
