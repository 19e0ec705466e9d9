//! Reads what a machine keeps into a ledger.

use super::error::RecordError;
use super::form;
use super::kept::Kept;
use super::ledger::Ledger;
use super::merge::merge;
use super::progress::Progress;
use super::run::{RunDocument, RunId};
use crate::model::{Digest, FleetName, MachineName};

/// See [`Ledger::read`].
pub(super) fn read(kept: &Kept, fleet: &FleetName, machine: &MachineName) -> Result<Ledger, RecordError> {
    let path = |below: &str| format!("{}/{below}", kept.state);
    let damaged = |path: String, reason: &str| RecordError::Damaged { path, reason: reason.to_owned() };
    if let Some(reason) = &kept.unreadable {
        return Err(RecordError::Unreadable { path: kept.state.clone(), reason: reason.clone() });
    }
    let armed = match &kept.armed {
        Some(run) => {
            let run = RunId::new(run);
            Some(run.ok_or_else(|| damaged(path("guard/armed"), "it does not name a run"))?)
        }
        None => None,
    };
    let Some(record) = &kept.record else {
        return Ok(Ledger { armed, is_lost: kept.has_runs, ..Ledger::default() });
    };
    let (run, mut ledger) = form::read_record(record, &path("record"), fleet, machine)?;
    Digest::parse(&kept.seen).map_err(|_| damaged(path("record"), "the machine gives no digest of it"))?;
    ledger.seen.clone_from(&kept.seen);
    ledger.armed = armed;
    let document = path(&format!("runs/{run}/run"));
    let Some(bytes) = &kept.run else {
        let reason = "it is missing, so what the last run did is not known";
        return Err(of_run(damaged(document, reason)));
    };
    let read = RunDocument::read(bytes, &document).map_err(of_run)?;
    if read.id != run {
        return Err(of_run(damaged(document, "it is the document of another run")));
    }
    // Without a progress nobody can tell what was done: it is written before the record names the run.
    let progress = Progress::read(kept.progress.as_deref().unwrap_or_default(), read.steps.len());
    Ok(merge(ledger, &read, &progress, progress.is_certain(&kept.boot)))
}

/// What is damaged is the document of a run, and not the record.
fn of_run(error: RecordError) -> RecordError {
    match error {
        RecordError::Damaged { path, reason } => RecordError::RunDamaged { path, reason },
        other => other,
    }
}
