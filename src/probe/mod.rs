//! Asks a machine everything its resources want to know: one script, one round trip.

mod answers;
mod confirmation;
mod conversation;
mod error;
mod opening;
mod script;
mod sending;
mod steps;

pub(crate) use confirmation::Confirmation;
pub(crate) use conversation::Performed;
pub use conversation::{Conversation, Limits, Opened};
pub use error::ProbeError;
pub use sending::Hold;
pub use steps::{StepReport, StepResult};
