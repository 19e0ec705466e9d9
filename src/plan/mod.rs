//! What would change on a machine: a closed list, computed from what is desired, applied and observed. Pure.

mod adoption;
mod awaiting;
mod class;
mod compute;
mod departure;
mod fingerprint;
mod force;
mod foreseen;
mod guarded;
mod making;
mod order;
mod part;
mod saved;

pub use class::{Class, Threefold, classify};
pub use compute::{Blocked, Known, Plan, Step};
pub use departure::{Departure, departures};
pub use force::{Forced, forced};
pub use guarded::arrange;
pub use order::{Cycle, order};
pub use saved::{Bound, PlanFileError, SavedMachine, SavedPlan, SavedStep, Seen};
