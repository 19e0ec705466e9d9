//! Carries bytes to and from machines; knows no word of what they mean.

mod channel;
mod error;

pub use channel::{Channel, Connector, Output, Session, Tally};
pub use error::TransportError;
