//! Many machines at once: how many, in what order, and what one's trouble means to the others.

mod applying;
mod audit;
mod binding;
mod consent;
mod course;
mod failure;
mod identity;
mod memory;
mod reach;
mod recall;
mod rounds;
mod run;
mod settle;
#[cfg(test)]
mod tests;
mod undoing;

pub use consent::Consent;
pub use identity::RunIdentity;
pub use run::{Chosen, Job, Nonces, Outcome, Prepared, Ready, Resolve, Run, RunOptions};
