//! Carries bytes to and from machines; knows no word of what they mean.

mod channel;
mod error;
mod known_hosts;
mod local;
mod memory;
mod platform;
mod pump;
mod routing;
mod ssh;
mod tally;

pub use channel::{Channel, Connector, Output, Session, Tally};
pub use error::TransportError;
pub use known_hosts::{KnownHosts, KnownHostsError, Pinned, Revoked, Unpinned, Verdict, host_key};
pub use local::LocalConnector;
pub use memory::{Conversation, MemoryConnector};
pub use routing::RoutingConnector;
pub use ssh::{SshConnector, SshOptions};
