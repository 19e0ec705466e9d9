//! Asks a machine everything its resources want to know: one script, one round trip.

mod answers;
mod conversation;
mod error;
mod opening;
mod script;
mod sending;
mod steps;

pub use conversation::{Conversation, Limits, Opened};
pub use error::ProbeError;
pub use sending::Hold;
pub use steps::{StepReport, StepResult};
