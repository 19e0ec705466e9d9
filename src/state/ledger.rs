//! What fleetprov owns on a machine: the record and its last run, merged.

use std::collections::BTreeMap;

use super::entry::Entry;
use super::error::RecordError;
use super::kept::{Kept, Login};
use super::merge::merge;
use super::progress::{Progress, StepEnd};
use super::record;
use super::run::{RunDocument, RunId};
use crate::model::{Aspects, Digest, FleetName, MachineName, ResourceId};

/// How many digests of inventories, and of what lay beside them, a machine remembers: those of the last
/// twenty applies that had others.
const INVENTORIES: usize = 40;

/// What fleetprov owns on a machine.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// What it owns.
    pub entries: BTreeMap<ResourceId, Entry>,
    /// What it may own: a run that was cut off by a crash may have made it, and nothing says so. It is
    /// owned only when what is there is what was to be made ([`Ledger::decide`]).
    pub undecided: BTreeMap<ResourceId, Entry>,
    /// Restarts and reloads that are still owed, and the resources they are owed for.
    pub owed: BTreeMap<ResourceId, Vec<ResourceId>>,
    /// The last run, when it did not come to its end or was put back.
    pub cut: Option<CutRun>,
    /// The run whose guarded steps are about to be put back.
    pub armed: Option<RunId>,
    /// The last run that began, whatever became of it.
    pub last: Option<RunId>,
    /// Digests of the inventories that were applied and of the roles, templates and files that went with them,
    /// at most 40, the newest last: those of the last apply are the last two.
    pub inventories: Vec<Digest>,
    /// The login it was last applied under.
    pub login: Option<Login>,
    /// Whether there were runs before, and the record of what they made is gone.
    pub is_lost: bool,
    /// What the next apply is bound to: the digest of record and progress as they were read, or `absent`.
    pub seen: String,
}

/// A run that did not come to its end, or was put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CutRun {
    /// Its name.
    pub id: RunId,
    /// Who ran it: `user@host`.
    pub who: String,
    /// When it began, by that controller's clock. For people.
    pub when: String,
    /// What it was: `apply`, …
    pub what: String,
    /// The steps that were made, in their order.
    pub done: Vec<ResourceId>,
    /// The steps that were not reached, or begun and perhaps not made, in their order.
    pub open: Vec<ResourceId>,
    /// Whether its guarded steps were put back.
    pub reverted: bool,
    /// Whether all that was done is known.
    pub certain: bool,
}

impl Default for Ledger {
    /// That of a machine fleetprov has never applied anything to.
    fn default() -> Self {
        Self {
            entries: BTreeMap::new(),
            undecided: BTreeMap::new(),
            owed: BTreeMap::new(),
            cut: None,
            armed: None,
            last: None,
            inventories: Vec::new(),
            login: None,
            is_lost: false,
            seen: "absent".to_owned(),
        }
    }
}

impl Ledger {
    /// Merges what a machine keeps: its record and as much of the last run as its progress says.
    ///
    /// # Errors
    /// [`RecordError`] when something is there that cannot be used; it says what to do.
    pub fn read(kept: &Kept, fleet: &FleetName, machine: &MachineName) -> Result<Self, RecordError> {
        record::read(kept, fleet, machine)
    }

    /// The file `record` for a run that is about to begin: a heading line that names it, and JSON. What
    /// the run sets out to do is not in it, but in its [`RunDocument`].
    ///
    /// # Errors
    /// [`RecordError::Unwritable`] when it would not be read again, because it is too large.
    pub fn to_record(
        &self,
        run: &RunId,
        fleet: &FleetName,
        machine: &MachineName,
        login: &Login,
    ) -> Result<Vec<u8>, RecordError> {
        super::form::write_record(self, run, fleet, machine, login)
    }

    /// What is owned after a run whose outcomes the controller heard to its end. A step that is not
    /// among `ended` was not begun. What was seen and the login stay as they were.
    #[must_use]
    pub fn after(&self, run: &RunDocument, ended: &[(usize, StepEnd)]) -> Self {
        merge(self.clone(), run, &Progress::heard(ended), true)
    }

    /// Whether an inventory, or the roles, templates and files that go with it, are older than the last ones
    /// applied: they were applied, and others since.
    #[must_use]
    pub fn is_older(&self, inventory: &Digest, beside: Option<&Digest>) -> bool {
        let newest = self.inventories.len().saturating_sub(if beside.is_some() { 2 } else { 1 });
        let older = self.inventories.get(..newest).unwrap_or_default();
        older.contains(inventory) || beside.is_some_and(|beside| older.contains(beside))
    }

    /// Decides whether an undecided resource is ours, by what is there ([`Entry::is_as_applied`]). One
    /// that is not, is forgotten.
    pub fn decide(&mut self, id: &ResourceId, observed: &Aspects, wanted: &Aspects, key: &str) {
        if let Some(entry) = self.undecided.remove(id)
            && entry.is_as_applied(observed, wanted, key)
        {
            self.entries.entry(id.clone()).or_insert(entry);
        }
    }

    /// Remembers an inventory as the last one applied.
    pub(super) fn applied(&mut self, inventory: Digest) {
        self.inventories.retain(|known| *known != inventory);
        self.inventories.push(inventory);
        let surplus = self.inventories.len().saturating_sub(INVENTORIES);
        self.inventories.drain(..surplus);
    }
}

#[cfg(test)]
mod tests;
