//! Many machines at once: how many, in what order, and what one's trouble means to the others.

mod course;
mod failure;
mod identity;
mod memory;
mod run;
#[cfg(test)]
mod tests;

pub use identity::RunIdentity;
pub use run::{Job, Nonces, Outcome, Prepared, Ready, Resolve, Run, RunOptions};
