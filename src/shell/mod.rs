//! Scripts as values: what is sent to a machine's shell, and how its data is kept apart from its code.

mod call;
pub mod posix;

pub use call::{Call, Library};
