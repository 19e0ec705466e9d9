//! What happened in a run, as data. Reports render it; nothing else does.

use std::sync::Arc;

use crate::model::MachineName;
use crate::plan::Plan;

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Event {
    /// The machine it happened to.
    pub machine: MachineName,
    /// What happened.
    pub what: Happening,
}

/// What can happen to a machine in a run.
#[derive(Clone, Debug)]
pub enum Happening {
    /// It is being logged in to.
    Connecting,
    /// It has been logged in to and is being asked.
    Connected,
    /// It differs from what the inventory says of it; its resources were resolved again.
    FactsDiffer {
        /// What differs, one sentence each.
        differences: Vec<String>,
    },
    /// Its plan is known.
    Planned(Arc<Plan>),
    /// It is not touched, for a reason that is no fault of the run.
    Unsupported(String),
    /// It cannot be worked on.
    Failed(Failure),
    /// A step is under way.
    StepStarted {
        /// The step's index in the plan.
        index: usize,
    },
    /// A step has ended.
    StepEnded {
        /// The step's index in the plan.
        index: usize,
        /// How it ended.
        outcome: StepOutcome,
    },
    /// After the apply it was looked at again; the plan that is left.
    Verified(Arc<Plan>),
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepOutcome {
    /// The change is made.
    Changed,
    /// The machine had moved since it was looked at, so nothing was done; what it said.
    Refused(String),
    /// The change failed; what the machine said.
    Failed(String),
    /// A step it needs has failed; that one's index.
    Skipped(usize),
    /// A machine it waits for did not come so far; which, and why: "it waits for hub, whose change failed".
    Held(String),
    /// It could cut the way in and was made, and has been put back.
    Reverted,
    /// The run ended before it was begun.
    NotReached,
}

/// Why a machine cannot be worked on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which sort, for the exit code.
    pub kind: FailureKind,
    /// In words, a fragment that fits after "failed to".
    pub message: String,
}

/// The sorts of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// It cannot be reached, or went away.
    Unreachable,
    /// It refuses: host key, login, rights, or it moved since the plan was shown.
    Refused,
    /// The run was interrupted.
    Interrupted,
    /// Anything else.
    Other,
}
