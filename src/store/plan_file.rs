//! Plan files on the controller's disk.

use std::io::Write as _;
use std::path::Path;

use super::project::folder_of;
use crate::plan::{PlanFileError, SavedPlan};

/// Why a plan file cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum PlanStoreError {
    /// It cannot be read.
    #[error("read {path}: {reason}")]
    Read {
        /// The file.
        path: String,
        /// The system's word.
        reason: String,
    },
    /// It is not what it should be.
    #[error("use {path}: failed to {error}")]
    Unusable {
        /// The file.
        path: String,
        /// What is wrong.
        error: PlanFileError,
    },
    /// It cannot be written.
    #[error("write {path}: {reason}")]
    Write {
        /// The file.
        path: String,
        /// The system's word.
        reason: String,
    },
}

/// Reads a plan file.
///
/// # Errors
/// [`PlanStoreError`].
pub fn read_plan(path: &Path) -> Result<SavedPlan, PlanStoreError> {
    let shown = path.display().to_string();
    let bytes = std::fs::read(path)
        .map_err(|error| PlanStoreError::Read { path: shown.clone(), reason: error.to_string() })?;
    SavedPlan::read(&bytes).map_err(|error| PlanStoreError::Unusable { path: shown, error })
}

/// Whether a plan file can be written: that its folder is there and takes new files, and that it is no folder
/// itself. Nothing is left there.
///
/// # Errors
/// [`PlanStoreError::Write`].
pub fn check_plan_place(path: &Path) -> Result<(), PlanStoreError> {
    if path.is_dir() {
        return Err(unwritten(path, "it is a folder".to_owned()));
    }
    temporary(path).map(drop)
}

/// Writes a plan file, whole or not at all, and readable by nobody else (0600). One that is there is
/// replaced.
///
/// # Errors
/// [`PlanStoreError`].
pub fn write_plan(path: &Path, plan: &SavedPlan) -> Result<(), PlanStoreError> {
    let failed = |error: std::io::Error| unwritten(path, error.to_string());
    let bytes = plan.to_json().map_err(|error| unwritten(path, error.to_string()))?;
    let mut file = temporary(path)?;
    file.write_all(&bytes).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// A new file beside a plan file's place, with mode 0600.
fn temporary(path: &Path) -> Result<tempfile::NamedTempFile, PlanStoreError> {
    let made = tempfile::Builder::new().prefix(".fleetprov-plan-").tempfile_in(folder_of(path));
    made.map_err(|error| {
        // The name of the temporary file, which the error has as well, would mean nothing to anybody.
        let words = error.to_string();
        let word = words.split(" at path ").next().unwrap_or_default();
        unwritten(path, word.to_owned())
    })
}

fn unwritten(path: &Path, reason: String) -> PlanStoreError {
    PlanStoreError::Write { path: path.display().to_string(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Digest;

    fn plan(who: &str) -> SavedPlan {
        SavedPlan {
            version: "0.1.0".to_owned(),
            fleet: "lab".to_owned(),
            inventory: ("fleet.yaml".to_owned(), Digest::of(b"x")),
            when: "2026-11-29T01:00:00Z".to_owned(),
            who: who.to_owned(),
            machines: Vec::new(),
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_plan_file_is_its_owners_alone_and_replaced_whole() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.json");
        std::fs::write(&path, "old").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        write_plan(&path, &plan("me@here")).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        assert_eq!(read_plan(&path).unwrap(), plan("me@here"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
    }

    #[test]
    fn what_cannot_be_read_or_written_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("no/such/p.json");
        let words = |error: PlanStoreError| error.to_string();
        assert!(
            words(read_plan(&missing).unwrap_err()).starts_with(&format!("read {}: ", missing.display()))
        );
        let error = words(write_plan(&missing, &plan("me")).unwrap_err());
        assert!(error.starts_with(&format!("write {}: ", missing.display())), "{error}");
        assert!(!error.contains(".fleetprov-plan-"), "{error}");
        assert_eq!(words(check_plan_place(&missing).unwrap_err()), error);
        assert!(words(check_plan_place(folder.path()).unwrap_err()).ends_with(": it is a folder"));
        assert!(check_plan_place(&folder.path().join("new")).is_ok());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left");
        let other = folder.path().join("other");
        std::fs::write(&other, "fleet: lab\n").unwrap();
        let error = words(read_plan(&other).unwrap_err());
        assert!(error.contains("it is no plan file of fleetprov"), "{error}");
    }
}
