//! What was heard last of machines' past runs: a cache below `.fleetprov/` beside the inventory. The
//! machines' own journals are the truth; this is for when they do not answer.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::history::{PastRun, RunFate};
use crate::model::{FleetName, MachineName};
use crate::state::RunId;

/// The shape of the file. Another one is not read.
const VERSION: u32 = 1;
/// The most bytes that are read.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Past runs by machine, as they were heard of last.
pub type RememberedRuns = BTreeMap<MachineName, Vec<PastRun>>;

/// Why the cache cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("write {path}: {reason}")]
pub struct HistoryError {
    path: String,
    reason: String,
}

#[derive(Serialize, Deserialize)]
struct FileForm {
    version: u32,
    machines: BTreeMap<String, Vec<RunForm>>,
}

#[derive(Serialize, Deserialize)]
struct RunForm {
    run: String,
    who: String,
    when: String,
    what: String,
    inventory: String,
    steps: usize,
    changed: usize,
    failed: usize,
    refused: usize,
    fate: String,
    can_be_undone: bool,
}

/// What was heard last of the machines of a fleet whose inventory lies in `folder`. Nothing when the
/// cache is not there or makes no sense: it is no more than that.
#[must_use]
pub fn remembered_runs(folder: &Path, fleet: &FleetName) -> RememberedRuns {
    let path = file(folder, fleet);
    let small = std::fs::metadata(&path).is_ok_and(|found| found.is_file() && found.len() <= LARGEST);
    let bytes = if small { std::fs::read(&path).unwrap_or_default() } else { Vec::new() };
    let Ok(form) = serde_json::from_slice::<FileForm>(&bytes) else { return RememberedRuns::new() };
    if form.version != VERSION {
        return RememberedRuns::new();
    }
    let machines = form.machines.into_iter().filter_map(|(name, runs)| {
        let runs = runs.into_iter().filter_map(from_form).collect();
        Some((MachineName::new(&name).ok()?, runs))
    });
    machines.collect()
}

/// Keeps what was heard now, atomically, for this user alone (0600 in a folder of 0700, where the system
/// knows such modes).
///
/// # Errors
/// [`HistoryError`].
pub fn remember_runs(folder: &Path, fleet: &FleetName, runs: &RememberedRuns) -> Result<(), HistoryError> {
    let path = file(folder, fleet);
    let failed =
        |error: std::io::Error| HistoryError { path: path.display().to_string(), reason: error.to_string() };
    let own = folder.join(".fleetprov");
    make_folder(&own).map_err(failed)?;
    make_folder(&own.join("history")).map_err(failed)?;
    let ignore = own.join(".gitignore");
    if !ignore.exists() {
        std::fs::write(&ignore, "*\n").map_err(failed)?;
    }
    let machines = runs
        .iter()
        .map(|(name, runs)| (name.as_str().to_owned(), runs.iter().map(to_form).collect()))
        .collect();
    let bytes = serde_json::to_vec(&FileForm { version: VERSION, machines })
        .map_err(|error| failed(std::io::Error::other(error)))?;
    // A temporary file is its owner's alone (0600), and stays so under its new name.
    let mut temporary = tempfile::NamedTempFile::new_in(own.join("history")).map_err(failed)?;
    temporary.write_all(&bytes).map_err(failed)?;
    temporary.as_file().sync_all().map_err(failed)?;
    temporary.persist(&path).map_err(|error| failed(error.error))?;
    Ok(())
}

fn file(folder: &Path, fleet: &FleetName) -> PathBuf {
    folder.join(".fleetprov").join("history").join(format!("{fleet}.json"))
}

fn make_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn to_form(run: &PastRun) -> RunForm {
    RunForm {
        run: run.id.to_string(),
        who: run.who.clone(),
        when: run.when.clone(),
        what: run.what.clone(),
        inventory: run.inventory.clone(),
        steps: run.steps,
        changed: run.changed,
        failed: run.failed,
        refused: run.refused,
        fate: run.fate.word().to_owned(),
        can_be_undone: run.can_be_undone,
    }
}

fn from_form(form: RunForm) -> Option<PastRun> {
    Some(PastRun {
        id: RunId::new(&form.run)?,
        who: form.who,
        when: form.when,
        what: form.what,
        inventory: form.inventory,
        steps: form.steps,
        changed: form.changed,
        failed: form.failed,
        refused: form.refused,
        fate: *RunFate::ALL.iter().find(|fate| fate.word() == form.fate)?,
        can_be_undone: form.can_be_undone,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs() -> RememberedRuns {
        let run = PastRun {
            id: RunId::new("20261124-052301-3f9a0c").unwrap(),
            who: "root@cc-pc".to_owned(),
            when: "2026-11-24T05:23:01Z".to_owned(),
            what: "apply".to_owned(),
            inventory: "lab.yaml".to_owned(),
            steps: 5,
            changed: 3,
            failed: 1,
            refused: 1,
            fate: RunFate::Cut,
            can_be_undone: true,
        };
        RememberedRuns::from([(MachineName::new("droplet").unwrap(), vec![run])])
    }

    #[test]
    fn what_was_heard_is_remembered_for_its_fleet_alone() {
        let folder = tempfile::tempdir().unwrap();
        let fleet = |name: &str| FleetName::new(name).unwrap();
        assert!(remembered_runs(folder.path(), &fleet("lab")).is_empty());
        remember_runs(folder.path(), &fleet("lab"), &runs()).unwrap();
        assert_eq!(remembered_runs(folder.path(), &fleet("lab")), runs());
        assert!(remembered_runs(folder.path(), &fleet("other")).is_empty());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
            assert_eq!(mode(&file(folder.path(), &fleet("lab"))), 0o600);
            assert_eq!(mode(&folder.path().join(".fleetprov")), 0o700);
        }
    }

    #[test]
    fn a_cache_that_makes_no_sense_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let fleet = FleetName::new("lab").unwrap();
        remember_runs(folder.path(), &fleet, &runs()).unwrap();
        let path = file(folder.path(), &fleet);
        for text in ["", "{", r#"{"version": 2, "machines": {}}"#, r#"{"version": 1, "machines": []}"#] {
            std::fs::write(&path, text).unwrap();
            assert!(remembered_runs(folder.path(), &fleet).is_empty(), "{text}");
        }
        remember_runs(folder.path(), &fleet, &runs()).unwrap();
        let text = std::fs::read_to_string(&path).unwrap().replace("20261124-", "../../20261124-");
        std::fs::write(&path, text).unwrap();
        let left = remembered_runs(folder.path(), &fleet);
        assert!(left.values().all(Vec::is_empty), "{left:?}");
    }
}
