//! The public halves of the seats' access keys, beside the inventory: `keys/seats/SEAT/MACHINE.pub`, and the age
//! recipient of each seat, `keys/seats/SEAT/recipient`. They are no secret and are meant to be committed.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::project::{LoadError, folder_of, read_source, unreadable};
use crate::desired::SeatKeys;
use crate::model::Digest;

/// The folder of the seats' public halves. A machine's own key that was brought along may lie beside it, by the
/// machine's name, so that the seats have a folder of their own.
const SEATS: &str = "seats";

/// The folder of the links' public halves beside those of the seats.
pub(super) const LINKS: &str = "links";

/// The file of a seat's recipient.
const RECIPIENT: &str = "recipient";

/// Why a public half cannot be kept.
#[derive(Debug, thiserror::Error)]
#[error("write {path}: {reason}")]
pub struct EnrolmentError {
    path: String,
    reason: String,
}

impl EnrolmentError {
    pub(super) fn of(path: &Path, error: &std::io::Error) -> Self {
        Self { path: path.display().to_string(), reason: error.to_string() }
    }
}

/// The public halves of all seats for all machines, sorted by seat and machine.
pub(super) fn seat_keys(folder: &Path) -> Result<Vec<SeatKeys>, LoadError> {
    let mut found = Vec::new();
    for (seat, place) in entries(&folder.join("keys").join(SEATS))? {
        if !place.is_dir() {
            continue;
        }
        for (name, path) in entries(&place)? {
            if let Some(machine) = name.strip_suffix(".pub") {
                let source = read_source(&path)?;
                found.push(SeatKeys { seat: seat.clone(), machine: machine.to_owned(), source });
            }
        }
    }
    Ok(found)
}

/// Name and path of everything in a folder, sorted; nothing when there is no such folder.
pub(super) fn entries(folder: &Path) -> Result<Vec<(String, PathBuf)>, LoadError> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let entry = entry.map_err(|error| unreadable(folder, &error))?;
        if let Ok(name) = entry.file_name().into_string() {
            found.push((name, entry.path()));
        }
    }
    found.sort();
    Ok(found)
}

/// What one seat has beside an inventory.
#[derive(Clone, Debug)]
pub struct Enrolment {
    folder: PathBuf,
}

impl Enrolment {
    /// That of a seat beside the inventory in `folder`.
    #[must_use]
    pub fn new(folder: &Path, seat: &str) -> Self {
        Self { folder: folder.join("keys").join(SEATS).join(seat) }
    }

    /// The recipient that is enrolled under this name, when there is one.
    #[must_use]
    pub fn recipient(&self) -> Option<String> {
        let text = std::fs::read_to_string(self.folder.join(RECIPIENT)).ok()?;
        Some(text.trim().to_owned())
    }

    /// Writes the seat's recipient. Whether something changed.
    ///
    /// # Errors
    /// [`EnrolmentError`].
    pub fn write_recipient(&self, recipient: &str) -> Result<bool, EnrolmentError> {
        write(&self.folder.join(RECIPIENT), &format!("{recipient}\n"))
    }

    /// The file of a machine's public halves.
    #[must_use]
    pub fn public_path(&self, machine: &str) -> PathBuf {
        self.folder.join(format!("{machine}.pub"))
    }

    /// Writes a machine's public halves, the current one first. Whether something changed.
    ///
    /// # Errors
    /// [`EnrolmentError`].
    pub fn write_public(&self, machine: &str, lines: &[String]) -> Result<bool, EnrolmentError> {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        write(&self.public_path(machine), &text)
    }

    /// Takes everything of the seat away: it is not enrolled any more. Whether it was.
    ///
    /// # Errors
    /// [`EnrolmentError`].
    pub fn remove(&self) -> Result<bool, EnrolmentError> {
        match std::fs::remove_dir_all(&self.folder) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => {
                Err(EnrolmentError { path: self.folder.display().to_string(), reason: error.to_string() })
            }
        }
    }

    /// Takes a machine's public halves away. Whether there were any.
    ///
    /// # Errors
    /// [`EnrolmentError`].
    pub fn remove_public(&self, machine: &str) -> Result<bool, EnrolmentError> {
        let path = self.public_path(machine);
        match std::fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(EnrolmentError { path: path.display().to_string(), reason: error.to_string() }),
        }
    }
}

/// Writes a text whole or not at all, when it is not there already. Whether something changed.
pub(super) fn write(path: &Path, text: &str) -> Result<bool, EnrolmentError> {
    let failed = |error: std::io::Error| EnrolmentError {
        path: path.display().to_string(),
        reason: error.to_string(),
    };
    if std::fs::read(path).is_ok_and(|there| Digest::of(&there) == Digest::of(text.as_bytes())) {
        return Ok(false);
    }
    let folder = folder_of(path);
    std::fs::create_dir_all(&folder).map_err(failed)?;
    let mut builder = tempfile::Builder::new();
    // It is no secret, and others of the project's readers are to read it.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    let mut file = builder.prefix(".fleetprov-").tempfile_in(&folder).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_halves_are_written_read_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        assert!(seat_keys(folder.path()).unwrap().is_empty());
        let here = Enrolment::new(folder.path(), "cc-pc");
        assert!(here.write_recipient("age1x").unwrap());
        assert!(!here.write_recipient("age1x").unwrap());
        assert_eq!(here.recipient().as_deref(), Some("age1x"));
        here.write_public("droplet", &["ssh-ed25519 A".to_owned()]).unwrap();
        write(&folder.path().join("keys/links/nas/deploy.pub"), "").unwrap();
        std::fs::write(folder.path().join("keys/droplet"), "a key that was brought along").unwrap();
        let found = seat_keys(folder.path()).unwrap();
        let names: Vec<_> = found.iter().map(|one| (one.seat.as_str(), one.machine.as_str())).collect();
        assert_eq!(names, [("cc-pc", "droplet")]);
        assert_eq!(found[0].source.text(), "ssh-ed25519 A\n");
        assert!(here.remove_public("droplet").unwrap());
        assert!(!here.remove_public("droplet").unwrap());
    }
}
