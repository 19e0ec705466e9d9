//! Exit codes, and which of two is worse.

use crate::event::{Failure, FailureKind, StepOutcome};
use crate::fleet::Outcome;
use crate::report::MachineReport;

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// Nothing to do, or all done.
    Done,
    /// Changes pending.
    Pending,
    /// Partly applied.
    Partly,
    /// Machines unreachable.
    Unreachable,
    /// Refused.
    Refused,
    /// Any other error.
    Error,
    /// Bad input.
    BadInput,
    /// Interrupted.
    Interrupted,
}

impl Exit {
    /// From best to worst.
    const ORDER: [Self; 8] = [
        Self::Done,
        Self::Pending,
        Self::Partly,
        Self::Unreachable,
        Self::Refused,
        Self::Error,
        Self::BadInput,
        Self::Interrupted,
    ];

    /// The number a caller sees.
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Error => 1,
            Self::Pending => 2,
            Self::Partly => 3,
            Self::Unreachable => 4,
            Self::Refused => 5,
            Self::BadInput => 6,
            Self::Interrupted => 130,
        }
    }

    /// The worse of two.
    pub(super) fn or_worse(self, other: Self) -> Self {
        let rank = |exit: Self| Self::ORDER.iter().position(|one| *one == exit);
        if rank(other) > rank(self) { other } else { self }
    }

    /// What a machine's failure means.
    pub(super) fn of(failure: &Failure) -> Self {
        match failure.kind {
            FailureKind::Unreachable => Self::Unreachable,
            FailureKind::Refused => Self::Refused,
            FailureKind::Interrupted => Self::Interrupted,
            FailureKind::Other => Self::Error,
        }
    }

    /// What a machine's plan means, when it is only looked at.
    pub(super) fn of_plan(report: &MachineReport<'_>) -> Self {
        Self::of_looked_at(report, Self::Error)
    }

    fn of_looked_at(report: &MachineReport<'_>, blocked: Self) -> Self {
        let mut exit = report.failure.map_or(Exit::Done, Exit::of);
        if report.unsupported.is_some() {
            exit = exit.or_worse(Exit::Pending);
        }
        if !report.unplanned.is_empty() {
            exit = exit.or_worse(Exit::Pending);
        }
        if report.stale.is_some_and(|stale| !stale.is_empty()) {
            exit = exit.or_worse(Exit::Refused);
        }
        if let Some(plan) = report.plan {
            if !plan.steps.is_empty() {
                exit = exit.or_worse(Exit::Pending);
            }
            if !plan.blocked.is_empty() {
                exit = exit.or_worse(blocked);
            }
        }
        exit
    }

    /// What the plan of an undo means: what is not undone was refused.
    pub(super) fn of_undo(report: &MachineReport<'_>) -> Self {
        Self::of_looked_at(report, Self::Refused)
    }

    /// What the outcome of an undo means, besides what its steps do.
    pub(super) fn of_undone(outcome: &Outcome) -> Self {
        let refused = outcome.plan.as_ref().is_some_and(|plan| !plan.blocked.is_empty());
        if refused { Self::Refused } else { Self::Done }
    }

    /// What an apply's outcome means.
    pub(super) fn of_outcome(outcome: &Outcome) -> Self {
        let mut exit = outcome.failure.as_ref().map_or(Exit::Done, Exit::of);
        for step in &outcome.steps {
            exit = exit.or_worse(match step {
                StepOutcome::Changed => Exit::Done,
                StepOutcome::Failed(_)
                | StepOutcome::Skipped(_)
                | StepOutcome::Held(_)
                | StepOutcome::NotReached => Exit::Partly,
                StepOutcome::Refused(_) | StepOutcome::Reverted => Exit::Refused,
            });
        }
        if let Some(left) = &outcome.left {
            // What the saved plan does not have was not to be made.
            let is_planned = |id| !outcome.unplanned.contains(id);
            if !left.blocked.is_empty() || left.steps.iter().any(|step| is_planned(&step.id)) {
                exit = exit.or_worse(Exit::Partly);
            }
        }
        if !outcome.unplanned.is_empty() {
            exit = exit.or_worse(Exit::Pending);
        }
        exit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_one_wins() {
        assert_eq!(Exit::Done.or_worse(Exit::Pending), Exit::Pending);
        assert_eq!(Exit::Refused.or_worse(Exit::Unreachable), Exit::Refused);
        assert_eq!(Exit::Interrupted.or_worse(Exit::BadInput).code(), 130);
        assert_eq!(Exit::Partly.or_worse(Exit::Unreachable).code(), 4);
    }
}
