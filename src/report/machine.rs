//! One machine's part in a report, and what it comes down to.

use std::collections::BTreeMap;

use crate::event::{Failure, FailureKind, StepOutcome};
use crate::model::{MachineName, ResourceId};
use crate::plan::Plan;
use crate::resource::Action;

/// What is known of one machine. Plans, summaries, outcomes and JSON are all made from it.
#[derive(Clone, Copy, Debug)]
pub struct MachineReport<'a> {
    /// The machine.
    pub name: &'a MachineName,
    /// What it says of itself that the inventory does not, one sentence each.
    pub notes: &'a [String],
    /// What has come out of an apply that a person should know, one sentence each.
    pub learned: &'a [String],
    /// What would change or was to change; none when it could not be asked.
    pub plan: Option<&'a Plan>,
    /// How each step of the plan ended. Empty when the plan was not applied.
    pub steps: &'a [StepOutcome],
    /// What was left to do when it was looked at again after the apply.
    pub left: Option<&'a Plan>,
    /// What stopped the work on it.
    pub failure: Option<&'a Failure>,
    /// Why it is not touched, when that is no fault of the run.
    pub unsupported: Option<&'a str>,
    /// Steps that are not made, by their indices, and why: a saved plan has them otherwise.
    pub stale: Option<&'a BTreeMap<usize, String>>,
    /// Changes that are not made and not part of the plan, because the saved plan does not have them.
    pub unplanned: &'a [ResourceId],
    /// When the report is about drift, and the plan its drifted part: how many changes are not in it
    /// because it is the inventory that moved.
    pub pending: Option<usize>,
}

/// What became of a machine, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Nothing to do.
    InOrder,
    /// All changes are made and nothing is left.
    Done,
    /// There are changes to make.
    Pending,
    /// It moved away from what was applied.
    Drifted,
    /// It did not; what else there is to do was not asked.
    NoDrift,
    /// There is nothing to do but what cannot be done.
    Blocked,
    /// It is not touched: its platform is not supported.
    Unsupported,
    /// The apply ended and something is left.
    Partly,
    /// No change was made, all were refused; or the machine refuses as a whole.
    Refused,
    /// It cannot be reached, or went away.
    Unreachable,
    /// The run ended before it was done.
    Interrupted,
    /// It cannot be worked on, or every change failed.
    Failed,
}

impl Status {
    /// The words of the summary.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::InOrder => "in order",
            Self::Done => "done",
            Self::Pending => "pending",
            Self::Drifted => "drifted",
            Self::NoDrift => "no drift",
            Self::Blocked => "blocked",
            Self::Unsupported => "unsupported",
            Self::Partly => "partly",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
        }
    }
}

impl<'a> MachineReport<'a> {
    /// A machine of which nothing is known yet.
    #[must_use]
    pub fn new(name: &'a MachineName) -> Self {
        Self {
            name,
            notes: &[],
            learned: &[],
            plan: None,
            steps: &[],
            left: None,
            failure: None,
            unsupported: None,
            stale: None,
            unplanned: &[],
            pending: None,
        }
    }

    /// Whether its plan was applied, or begun to be.
    #[must_use]
    pub fn was_applied(&self) -> bool {
        !self.steps.is_empty() || self.left.is_some()
    }

    /// How many steps are not made because a saved plan has them otherwise.
    pub(super) fn refused(&self) -> usize {
        self.stale.map_or(0, BTreeMap::len)
    }

    /// How many changes are still to make.
    pub(super) fn remaining(&self) -> usize {
        match (self.left, self.plan) {
            (Some(left), _) if self.was_applied() => left.steps.len(),
            (_, Some(plan)) => plan.steps.len().saturating_sub(self.refused()) + self.unplanned.len(),
            (_, None) => 0,
        }
    }

    /// Whether all that is left was not to be made.
    fn is_unplanned(&self, left: &Plan) -> bool {
        left.blocked.is_empty() && left.steps.iter().all(|step| self.unplanned.contains(&step.id))
    }

    /// What became of it.
    #[must_use]
    pub fn status(&self) -> Status {
        if self.unsupported.is_some() {
            return Status::Unsupported;
        }
        if let Some(failure) = self.failure {
            return match failure.kind {
                FailureKind::Unreachable => Status::Unreachable,
                FailureKind::Refused => Status::Refused,
                FailureKind::Interrupted => Status::Interrupted,
                FailureKind::Other => Status::Failed,
            };
        }
        let Some(plan) = self.plan else { return Status::Interrupted };
        if self.pending.is_some() && (plan.blocked.is_empty() || !plan.steps.is_empty()) {
            return if plan.steps.is_empty() { Status::NoDrift } else { Status::Drifted };
        }
        if plan.steps.is_empty() {
            return match (plan.blocked.is_empty(), self.unplanned.is_empty()) {
                (true, true) => Status::InOrder,
                (true, false) => Status::Pending,
                (false, _) => Status::Blocked,
            };
        }
        if !self.was_applied() {
            return if self.refused() < plan.steps.len() { Status::Pending } else { Status::Refused };
        }
        let ended = Ended::of(self.steps);
        let all = ended.changed == plan.steps.len();
        match self.left {
            Some(left) if all && left.is_empty() => Status::Done,
            Some(left) if all && self.is_unplanned(left) => Status::Pending,
            _ if ended.changed > 0 => Status::Partly,
            _ if ended.refused + ended.reverted > 0 && ended.failed == 0 => Status::Refused,
            _ => Status::Failed,
        }
    }
}

/// How many changes of each sort a plan has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) create: usize,
    pub(super) update: usize,
    pub(super) replace: usize,
    pub(super) remove: usize,
    pub(super) release: usize,
    pub(super) restart: usize,
    pub(super) blocked: usize,
    pub(super) in_order: usize,
}

impl Counts {
    /// Those of a machine's plan that are made.
    pub(super) fn made(machine: &MachineReport<'_>) -> Self {
        let Some(plan) = machine.plan else { return Self::default() };
        match machine.stale.filter(|stale| !stale.is_empty()) {
            None => Self::of(plan),
            Some(stale) => Self::of(&plan.only(|index, _| !stale.contains_key(&index))),
        }
    }

    pub(super) fn of(plan: &Plan) -> Self {
        let mut counts = Self { blocked: plan.blocked.len(), in_order: plan.in_order, ..Self::default() };
        for step in &plan.steps {
            *match step.difference.action {
                Action::Create => &mut counts.create,
                Action::Update => &mut counts.update,
                Action::Replace => &mut counts.replace,
                Action::Remove => &mut counts.remove,
                Action::Release => &mut counts.release,
                Action::Restart => &mut counts.restart,
            } += 1;
        }
        counts
    }
}

/// How many steps ended which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) changed: usize,
    pub(super) failed: usize,
    pub(super) refused: usize,
    pub(super) skipped: usize,
    pub(super) held: usize,
    pub(super) not_reached: usize,
    pub(super) reverted: usize,
}

impl Ended {
    pub(super) fn of(steps: &[StepOutcome]) -> Self {
        let mut ended = Self::default();
        for step in steps {
            *match step {
                StepOutcome::Changed => &mut ended.changed,
                StepOutcome::Failed(_) => &mut ended.failed,
                StepOutcome::Refused(_) => &mut ended.refused,
                StepOutcome::Skipped(_) => &mut ended.skipped,
                StepOutcome::Held(_) => &mut ended.held,
                StepOutcome::NotReached => &mut ended.not_reached,
                StepOutcome::Reverted => &mut ended.reverted,
            } += 1;
        }
        ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Failure;
    use crate::model::MachineName;
    use crate::report::samples::{plan, step};

    fn some_plan(steps: usize) -> Plan {
        plan((0..steps).map(|_| step("file", "/f", "role x", Action::Create, Vec::new())).collect(), 1)
    }

    fn status(steps: &[StepOutcome], left: Option<&Plan>) -> Status {
        let name = MachineName::new("m").unwrap();
        let plan = some_plan(steps.len());
        MachineReport { plan: Some(&plan), steps, left, ..MachineReport::new(&name) }.status()
    }

    #[test]
    fn before_an_apply_the_plan_decides() {
        let name = MachineName::new("m").unwrap();
        let of = |plan: &Plan| MachineReport { plan: Some(plan), ..MachineReport::new(&name) }.status();
        assert_eq!(of(&some_plan(0)), Status::InOrder);
        assert_eq!(of(&some_plan(2)), Status::Pending);
        let blocked = crate::plan::Blocked {
            id: crate::model::ResourceId::new("file", "/f"),
            origin: crate::report::samples::origin("role x"),
            reason: "x".to_owned(),
        };
        let mut stuck = some_plan(0);
        stuck.blocked.push(blocked.clone());
        assert_eq!(of(&stuck), Status::Blocked);
        let mut both = some_plan(1);
        both.blocked.push(blocked);
        assert_eq!(of(&both), Status::Pending);
        assert_eq!(MachineReport::new(&name).status(), Status::Interrupted);
        let unsupported = MachineReport { unsupported: Some("no"), ..MachineReport::new(&name) };
        assert_eq!(unsupported.status(), Status::Unsupported);
    }

    #[test]
    fn after_an_apply_the_steps_and_what_is_left_decide() {
        use StepOutcome::{Changed, NotReached, Skipped};
        let (refused, failed) = (StepOutcome::Refused("r".to_owned()), StepOutcome::Failed("f".to_owned()));
        let (nothing, something) = (some_plan(0), some_plan(1));
        let cases: &[(&[StepOutcome], Option<&Plan>, Status)] = &[
            (&[Changed, Changed], Some(&nothing), Status::Done),
            (&[Changed, Changed], Some(&something), Status::Partly),
            (&[Changed, Changed], None, Status::Partly),
            (&[Changed, failed.clone()], Some(&something), Status::Partly),
            (&[refused.clone(), refused.clone()], Some(&something), Status::Refused),
            (&[refused, failed.clone()], Some(&something), Status::Failed),
            (&[failed, Skipped(0)], Some(&something), Status::Failed),
            (&[NotReached], None, Status::Failed),
        ];
        for (steps, left, expected) in cases {
            assert_eq!(status(steps, *left), *expected, "{steps:?}");
        }
    }

    #[test]
    fn a_failure_decides_before_all_else() {
        let name = MachineName::new("m").unwrap();
        let plan = some_plan(1);
        let kinds = [
            (FailureKind::Unreachable, Status::Unreachable),
            (FailureKind::Refused, Status::Refused),
            (FailureKind::Interrupted, Status::Interrupted),
            (FailureKind::Other, Status::Failed),
        ];
        for (kind, expected) in kinds {
            let failure = Failure { kind, message: "m".to_owned() };
            let report =
                MachineReport { plan: Some(&plan), failure: Some(&failure), ..MachineReport::new(&name) };
            assert_eq!(report.status(), expected);
        }
    }
}
