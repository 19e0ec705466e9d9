//! Asks a machine everything its resources want to know: one script, one round trip.

mod answers;
mod conversation;
mod script;

pub use conversation::{Conversation, Limits, ProbeError, StepReport, StepResult};
