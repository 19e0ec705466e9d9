//! `fleetprov demo`: a small fleet inside this computer, planned, applied, disturbed and mended.

mod drift;
mod error;
mod inventory;
mod key;
mod login;
mod machine;
mod place;
mod server;
mod session;
mod stage;
mod story;
#[cfg(test)]
mod tests;

pub use error::DemoError;
pub use story::{DemoOptions, run};
