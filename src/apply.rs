//! Walks a plan on a machine: one script, one stream, one verification.

use crate::event::StepOutcome;
use crate::plan::Plan;
use crate::probe::{Conversation, ProbeError, StepReport, StepResult};
use crate::resource::{Observation, Operation, Payload};
use crate::shell::{Library, posix, program};

/// What a machine reported of the steps of a plan, and how it looked afterwards.
#[derive(Debug)]
pub struct Applied {
    /// For each step of the plan, how it ended.
    pub outcomes: Vec<StepOutcome>,
    /// What the machine answered after the last step, or why it did not.
    pub observation: Result<Observation, ProbeError>,
}

/// Something that happened to a step, by its index.
#[derive(Clone, Debug)]
pub enum StepNews {
    /// It is under way.
    Started(usize),
    /// It has ended.
    Ended(usize, StepOutcome),
}

/// Makes the changes of a plan and looks at the machine again over the same session.
///
/// A step whose needs failed is skipped; the others go on. When the session breaks, the steps that
/// were not reported are [`StepOutcome::NotReached`].
pub async fn apply(
    conversation: &mut Conversation,
    plan: &Plan,
    tell: &mut (dyn FnMut(StepNews) + Send),
) -> Applied {
    let operations = plan.steps.iter().flat_map(|step| &step.difference.operations);
    let unsent = conversation.unsent(operations.clone().map(|operation| operation.library));
    let script = script(plan, &unsent);
    let payloads: Vec<Payload> = operations.filter_map(|operation| operation.payload.clone()).collect();
    let mut outcomes = vec![StepOutcome::NotReached; plan.steps.len()];
    let mut note = |report: StepReport| {
        let outcome = match report.result {
            StepResult::Started => return tell(StepNews::Started(report.index)),
            StepResult::Changed => StepOutcome::Changed,
            StepResult::Refused(reason) => StepOutcome::Refused(reason),
            StepResult::Failed(reason) => StepOutcome::Failed(reason),
            StepResult::Skipped(need) => StepOutcome::Skipped(need),
        };
        if let Some(place) = outcomes.get_mut(report.index) {
            *place = outcome.clone();
            tell(StepNews::Ended(report.index, outcome));
        }
    };
    let observation = conversation.perform(&script, &payloads, plan.steps.len(), &mut note).await;
    Applied { outcomes, observation }
}

/// The script that walks a plan. Values are data: quoted, and quoted again where a call itself travels as one.
fn script(plan: &Plan, libraries: &[Library]) -> String {
    let mut script = program::more_definitions(libraries);
    script.push_str("fp_apply_begin\n");
    for (index, step) in plan.steps.iter().enumerate() {
        let operations = &step.difference.operations;
        let total: u64 = operations.iter().map(length).sum();
        let needs: Vec<String> = step.needs.iter().map(ToString::to_string).collect();
        script.push_str(&format!("if fp_step {index} {total} {}; then\n{{\n", needs.join(" ")));
        let calls: Vec<String> = operations.iter().map(call).collect();
        script.push_str(&calls.join(" &&\n"));
        if calls.is_empty() {
            script.push(':');
        }
        script.push_str("\n} >\"$fp_output\" 2>&1\nfp_stepped $?\nfi\n");
    }
    script.push_str("fp_apply_end\n");
    script
}

fn length(operation: &Operation) -> u64 {
    operation.payload.as_ref().map_or(0, Payload::length)
}

fn call(operation: &Operation) -> String {
    let length = length(operation);
    let plain = posix::command(&operation.call);
    let command = match &operation.within {
        Some(folder) => {
            format!("fp_within {} {}", posix::quote(folder.as_str()), posix::quote(&plain))
        }
        None => plain,
    };
    format!("{{ fp_left={length}; {command}; fp_operated $? {length}; }}")
}

impl Applied {
    /// Whether every step was made.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.outcomes.iter().all(|outcome| *outcome == StepOutcome::Changed)
    }
}
