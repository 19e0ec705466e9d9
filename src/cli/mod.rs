//! The command line: arguments to runs, outcomes to exit codes. The only place that prints or asks.

mod arguments;
mod asking;
mod check;
mod demo;
mod exit;
mod hidden;
mod history;
mod identities;
mod keys;
mod links;
mod load;
mod log;
mod main;
mod offboard;
mod onboard;
mod preparation;
mod progress;
mod proof;
mod render;
mod runs;
mod saved;
mod secret;
mod secret_uses;
mod surface;

pub use main::main;
