//! What happens, in the log of `-v`. Names and indices only: no content, no value.

use crate::event::{Event, Happening, StepOutcome};

/// Notes an event.
pub(super) fn note(event: &Event) {
    let machine = &event.machine;
    match &event.what {
        Happening::Connecting => tracing::debug!("{machine}: connecting"),
        Happening::Connected => tracing::info!("{machine}: logged in"),
        Happening::FactsDiffer { differences } => {
            tracing::info!("{machine}: {}", safe(&differences.join("; ")));
        }
        Happening::Planned(plan) => {
            let (steps, blocked) = (plan.steps.len(), plan.blocked.len());
            tracing::info!("{machine}: {steps} to change, {blocked} blocked, {} in order", plan.in_order);
        }
        Happening::Unsupported(reason) => tracing::info!("{machine}: {}", safe(reason)),
        Happening::Failed(failure) => tracing::info!("{machine}: failed to {}", safe(&failure.message)),
        Happening::StepStarted { index } => tracing::debug!("{machine}: step {index} started"),
        Happening::StepEnded { index, outcome } => match outcome {
            StepOutcome::Changed => tracing::debug!("{machine}: step {index} changed"),
            StepOutcome::Refused(_) => tracing::info!("{machine}: step {index} refused"),
            StepOutcome::Failed(_) => tracing::info!("{machine}: step {index} failed"),
            StepOutcome::Skipped(need) => {
                tracing::info!("{machine}: step {index} skipped, it needs step {need}");
            }
            StepOutcome::Held(reason) => tracing::info!("{machine}: step {index} not made: {}", safe(reason)),
            StepOutcome::NotReached => tracing::info!("{machine}: step {index} not reached"),
            StepOutcome::Reverted => tracing::info!("{machine}: step {index} put back"),
        },
        Happening::Verified(left) => tracing::info!("{machine}: verified, {} left", left.steps.len()),
    }
}

/// What a machine said may steer a terminal.
fn safe(text: &str) -> String {
    crate::report::safe::line(text, crate::report::Style::PLAIN)
}
