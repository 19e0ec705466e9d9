//! What would change on a machine: a closed list, computed from what is desired and observed. Pure.

mod compute;
mod order;

pub use compute::{Blocked, Plan, Step};
pub use order::{Cycle, order};
