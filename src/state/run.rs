//! A run as it is written down on a machine before it changes anything.

use std::fmt;

use super::entry::Entry;
use super::error::RecordError;
use super::form;
use crate::model::{Digest, ResourceId};

/// The name of a run: `20261124-052301-3f9a0c`, the controller's time in UTC and three random bytes.
/// The time is for people; nothing is decided by it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(String);

impl RunId {
    /// Takes a text as a run's name: 1 to 40 ASCII letters, digits and `-`, not starting with `-`.
    /// `None` for anything else; so it is safe as a folder's name and as an argument.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        (plain && !text.is_empty() && !text.starts_with('-') && text.len() <= 40)
            .then(|| Self(text.to_owned()))
    }

    /// A name of the letters, digits and `-` of a text, at most 40 of them; what else is in it is left out.
    #[must_use]
    pub fn from_plain(text: &str) -> Self {
        let plain = |one: &char| one.is_ascii_alphanumeric() || *one == '-';
        let name: String = text.chars().filter(plain).skip_while(|one| *one == '-').take(40).collect();
        Self(if name.is_empty() { "run".to_owned() } else { name })
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

/// A run: what it set out to do.
#[derive(Clone, Debug)]
pub struct RunDocument {
    /// Its name.
    pub id: RunId,
    /// Who runs it: `user@host` of the controller.
    pub who: String,
    /// When it began by the controller's clock, RFC 3339 in UTC. For people.
    pub when: String,
    /// What it was: `apply`, `undo RUN`, …
    pub what: String,
    /// The inventory's file name and digest.
    pub inventory: (String, Digest),
    /// The digest of the roles, templates and files that went with it, when it is known.
    pub beside: Option<Digest>,
    /// Its steps in their order; progress names them by their index.
    pub steps: Vec<RunStep>,
}

/// One step of a run.
#[derive(Clone, Debug)]
pub struct RunStep {
    /// The resource.
    pub id: ResourceId,
    /// The verb: create, update, remove, …
    pub action: String,
    /// Its entry in the record afterwards; `None` when it is removed or released by this step, and only
    /// then. A step that only restarts something has its entry as it is.
    pub entry: Option<Entry>,
    /// Its entry before.
    pub former: Option<Entry>,
    /// Resources whose change it follows: when the step is not made although they have changed, it is
    /// still owed.
    pub because: Vec<ResourceId>,
    /// Whether it belongs to the guarded transaction at the end.
    pub guarded: bool,
}

impl RunDocument {
    /// As it is written: JSON, one step a line, the same bytes for the same run. Secrets that are not
    /// sealed are left out.
    ///
    /// # Errors
    /// [`RecordError::Unwritable`] when it would not be read again, because it is too large.
    pub fn to_json(&self) -> Result<Vec<u8>, RecordError> {
        form::write_run(self)
    }

    /// Reads what [`RunDocument::to_json`] wrote. `path` is where it came from, for messages.
    ///
    /// # Errors
    /// [`RecordError`] when it cannot be understood, or is newer than this fleetprov.
    pub fn read(bytes: &[u8], path: &str) -> Result<Self, RecordError> {
        form::read_run(bytes, path)
    }
}
