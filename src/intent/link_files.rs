//! The key and the host keys of a link between two machines, by name. This is the only place that
//! knows where they are.
//!
//! In this version whoever sets the machines up puts them there; fleetprov only uses them.

/// The private key with which the machine whose runner's home this is opens `other`.
#[must_use]
pub fn key(home: &str, other: &str) -> String {
    format!("{home}/.ssh/fleetprov-{other}")
}

/// The pinned host keys of the machines that a machine opens.
#[must_use]
pub fn known_hosts(home: &str) -> String {
    format!("{home}/.ssh/fleetprov-known_hosts")
}
