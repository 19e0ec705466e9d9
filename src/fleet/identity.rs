//! What a run is called on the machines it changes.

use crate::model::{Digest, FleetName};
use crate::state::RunId;

/// What a run is called, who runs it and from which inventory. For people, but for the fleet's name.
#[derive(Clone, Debug)]
pub struct RunIdentity {
    /// The fleet.
    pub fleet: FleetName,
    /// The run's name.
    pub run: RunId,
    /// Who runs it: `user@host` of the controller.
    pub who: String,
    /// When it began by the controller's clock, RFC 3339 in UTC.
    pub when: String,
    /// What it is: `apply`, `undo RUN`.
    pub what: String,
    /// The inventory's file name and its digest.
    pub inventory: (String, Digest),
}

impl RunIdentity {
    /// What others get to read while the run holds a machine's lock.
    #[must_use]
    pub fn holder(&self) -> String {
        format!("{} since {}, run {}", self.who, self.when, self.run)
    }
}
