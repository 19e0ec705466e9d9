//! The demo's one temporary folder: made, locked, removed; and what a killed demo left is found.

use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::error::DemoError;

/// What the folders of all demos begin with.
const PREFIX: &str = "fleetprov-demo-";

/// How often a folder is made anew when another demo takes it for a dead one's: between making and
/// locking it there is a moment in which it looks like one.
const TRIES: usize = 5;

/// A temporary folder that only this user can read. It is locked (flock(2) on the folder itself) for
/// as long as this process lives, which tells it from one that a killed demo left. Dropped, it is gone.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    /// Held for its lock.
    _lock: File,
}

impl Place {
    /// Makes a folder in `parent`.
    ///
    /// # Errors
    /// [`DemoError::System`] when that is refused.
    pub(super) fn make(parent: &Path) -> Result<Self, DemoError> {
        let failed = |error: std::io::Error| {
            DemoError::system(format!("make a temporary folder in {}", parent.display()), error)
        };
        let parent = parent.canonicalize().map_err(failed)?;
        for _ in 0..TRIES {
            let made = tempfile::Builder::new().prefix(PREFIX).tempdir_in(&parent).map_err(failed)?;
            let Ok(lock) = File::open(made.path()) else { continue };
            match lock.try_lock() {
                Ok(()) => {}
                Err(std::fs::TryLockError::WouldBlock) => continue,
                // A file system without locks: nobody can take the folder for a dead one's then.
                Err(std::fs::TryLockError::Error(_)) => {}
            }
            if is_same(made.path(), &lock) {
                return Ok(Self { path: made.keep(), _lock: lock });
            }
        }
        Err(failed(std::io::Error::other("other demos keep removing it")))
    }

    /// Where it is: absolute, without links.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the folder.
    ///
    /// # Errors
    /// [`DemoError::System`] when something in it cannot be removed.
    pub(super) fn remove(self) -> Result<(), DemoError> {
        std::fs::remove_dir_all(&self.path)
            .map_err(|error| DemoError::system(format!("remove {}", self.path.display()), error))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // After `remove` there is nothing left; otherwise the run has failed already.
        let _gone = std::fs::remove_dir_all(&self.path);
    }
}

/// Removes the folders that demos of this user left in `parent` because they were killed. Gives how many.
pub(super) fn sweep(parent: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(parent) else { return 0 };
    let ours = rustix::process::geteuid().as_raw();
    entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX))
        .filter(|entry| {
            entry.path().symlink_metadata().is_ok_and(|metadata| metadata.is_dir() && metadata.uid() == ours)
        })
        .filter(|entry| {
            // Who holds the lock lives. It is kept while the folder goes away.
            let path = entry.path();
            let Ok(lock) = File::open(&path) else { return false };
            lock.try_lock().is_ok() && is_same(&path, &lock) && std::fs::remove_dir_all(&path).is_ok()
        })
        .count()
}

/// Whether the folder at a path is the one that was opened.
fn is_same(path: &Path, opened: &File) -> bool {
    match (path.symlink_metadata(), opened.metadata()) {
        (Ok(there), Ok(here)) => (there.dev(), there.ino()) == (here.dev(), here.ino()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_living_demo_keeps_its_folder_and_a_dead_one_loses_it() {
        let parent = tempfile::tempdir().unwrap();
        let living = Place::make(parent.path()).unwrap();
        let dead = parent.path().join(format!("{PREFIX}dead"));
        std::fs::create_dir_all(dead.join("machines/a")).unwrap();
        std::fs::write(dead.join("machines/a/file"), "x").unwrap();
        std::fs::create_dir(parent.path().join("other")).unwrap();
        std::os::unix::fs::symlink("other", parent.path().join(format!("{PREFIX}link"))).unwrap();
        assert_eq!(sweep(parent.path()), 1);
        assert!(!dead.exists());
        assert!(living.path().is_dir());
        assert_eq!(sweep(parent.path()), 0);
        let path = living.path().to_owned();
        living.remove().unwrap();
        assert!(!path.exists());
        let mut left: Vec<_> =
            std::fs::read_dir(parent.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, [format!("{PREFIX}link").as_str(), "other"]);
    }

    #[test]
    fn a_dropped_place_is_gone() {
        let parent = tempfile::tempdir().unwrap();
        let place = Place::make(parent.path()).unwrap();
        std::fs::write(place.path().join("x"), "x").unwrap();
        drop(place);
        assert_eq!(std::fs::read_dir(parent.path()).unwrap().count(), 0);
    }
}
