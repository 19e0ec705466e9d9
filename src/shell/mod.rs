//! Scripts as values: what is sent to a machine's shell, and how its data is kept apart from its code.

mod call;
pub mod frames;
#[cfg(test)]
mod keep_tests;
pub mod posix;
pub mod program;
#[cfg(test)]
mod quoting_tests;
#[cfg(test)]
mod silence_tests;

pub use call::{Call, Library};
