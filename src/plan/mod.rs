//! What would change on a machine: a closed list, computed from what is desired, applied and observed. Pure.

mod adoption;
mod awaiting;
mod class;
mod compute;
mod departure;
mod foreseen;
mod guarded;
mod making;
mod order;
mod part;

pub use class::{Class, Threefold, classify};
pub use compute::{Blocked, Known, Plan, Step};
pub use departure::{Departure, departures};
pub use order::{Cycle, order};
