//! From nodes to a fleet, every problem gathered on the way.

mod address;
mod backup;
mod connect;
mod document;
mod endpoint;
mod homes;
mod legs;
mod link;
mod logins;
mod machine;
mod names;
mod scalar;
mod service;
mod surface;
#[cfg(test)]
mod tests;
mod tier;

pub use address::split as login;
pub use document::{parse, parse_partly};
