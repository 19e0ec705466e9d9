//! What a run is called on the machines it changes.

use std::time::SystemTime;

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
    /// The digest of the roles, templates and files that go with the inventory, when there is one.
    pub beside: Option<Digest>,
    /// The run that this one puts back, when that is what it does.
    pub undoes: Option<RunId>,
}

impl RunIdentity {
    /// A run that begins at `now` by the controller's clock. `random` is a random word of at least six
    /// letters and digits, so that two runs of the same second have different names.
    #[must_use]
    pub fn new(
        fleet: FleetName,
        what: &str,
        who: &str,
        inventory: (String, Digest),
        now: SystemTime,
        random: &str,
    ) -> Self {
        let now = jiff::Timestamp::try_from(now).unwrap_or_default();
        let plain: String = random.chars().filter(char::is_ascii_alphanumeric).take(6).collect();
        let name = format!("{}-{plain}", now.strftime("%Y%m%d-%H%M%S"));
        Self {
            fleet,
            run: RunId::from_plain(&name),
            who: who.to_owned(),
            when: now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            what: what.to_owned(),
            inventory,
            beside: None,
            undoes: None,
        }
    }

    /// The same with roles, templates and files of this digest.
    #[must_use]
    pub fn with(mut self, beside: Digest) -> Self {
        self.beside = Some(beside);
        self
    }

    /// The same as a run that puts another one back.
    #[must_use]
    pub fn undoing(mut self, run: RunId) -> Self {
        self.what = format!("undo {run}");
        self.undoes = Some(run);
        self
    }

    /// What others get to read while the run holds a machine's lock.
    #[must_use]
    pub fn holder(&self) -> String {
        format!("{} since {}, run {}", self.who, self.when, self.run)
    }
}
