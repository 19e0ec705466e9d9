//! Text files of a person's project that are changed: read with their digest, replaced whole.

use std::io::Write as _;
use std::path::Path;

use super::project::folder_of;
use crate::model::Digest;

/// Why a text file cannot be read or replaced.
#[derive(Debug, thiserror::Error)]
pub enum TextFileError {
    /// It cannot be read.
    #[error("read {path}: {reason}")]
    Read {
        /// The file.
        path: String,
        /// The system's word.
        reason: String,
    },
    /// It has changed since it was read, or is there and was not.
    #[error("write {path}: it has changed since it was read")]
    Moved {
        /// The file.
        path: String,
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

/// Reads a text with the digest of its bytes; `None` when there is no such file.
///
/// # Errors
/// [`TextFileError::Read`], for what is no UTF-8 as well.
pub fn read_text(path: &Path) -> Result<Option<(String, Digest)>, TextFileError> {
    let failed = |reason: String| TextFileError::Read { path: path.display().to_string(), reason };
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error.to_string())),
    };
    let digest = Digest::of(&bytes);
    let text = String::from_utf8(bytes).map_err(|_| failed("it is no UTF-8 text".to_owned()))?;
    Ok(Some((text, digest)))
}

/// Puts another text into a file, whole or not at all: the old one or the new one is there, also when the
/// power goes. Owner, group and mode stay; a link stays one, and its file is replaced.
///
/// `was` is the digest of what the new text was made from, `None` when there was no file. What happens to the
/// file between the last look at it and the rename, a few milliseconds, is lost.
///
/// # Errors
/// [`TextFileError::Moved`] when the file is not what `was` says, and nothing is changed;
/// [`TextFileError::Write`], also when its owner cannot be kept.
pub fn replace_text(path: &Path, text: &str, was: Option<&Digest>) -> Result<(), TextFileError> {
    let failed = |error: std::io::Error| TextFileError::Write {
        path: path.display().to_string(),
        reason: error.to_string(),
    };
    let moved = || TextFileError::Moved { path: path.display().to_string() };
    let target = if path.is_symlink() { path.canonicalize().map_err(failed)? } else { path.to_path_buf() };
    let folder = folder_of(&target);
    let mut builder = tempfile::Builder::new();
    builder.prefix(".fleetprov-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(&folder).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    if was.is_some() {
        let metadata = std::fs::metadata(&target).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => moved(),
            _ => failed(error),
        })?;
        keep(file.as_file(), &metadata).map_err(failed)?;
    }
    file.as_file().sync_all().map_err(failed)?;
    match was {
        Some(was) => {
            let now = std::fs::read(&target).map_err(failed)?;
            if Digest::of(&now) != *was {
                return Err(moved());
            }
            file.persist(&target).map_err(|error| failed(error.error))?;
        }
        None => {
            file.persist_noclobber(&target).map_err(|error| match error.error.kind() {
                std::io::ErrorKind::AlreadyExists => moved(),
                _ => failed(error.error),
            })?;
        }
    }
    // Windows cannot flush a folder.
    #[cfg(unix)]
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
    Ok(())
}

/// Gives a new file the owner, group and mode of the old one.
fn keep(file: &std::fs::File, old: &std::fs::Metadata) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let new = file.metadata()?;
        if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
            std::os::unix::fs::fchown(file, Some(old.uid()), Some(old.gid()))?;
        }
    }
    file.set_permissions(old.permissions())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_text_is_replaced_whole_with_its_mode_and_through_a_link() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("fleet.yaml"), folder.path().join("link.yaml"));
        std::fs::write(&path, "old\r\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("fleet.yaml", &link).unwrap();
        let (text, digest) = read_text(&link).unwrap().unwrap();
        assert_eq!((text.as_str(), &digest), ("old\r\n", &Digest::of(b"old\r\n")));
        replace_text(&link, "new\r\n", Some(&digest)).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new\r\n");
        assert!(link.is_symlink());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o640);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "nothing else is left");
    }

    #[test]
    fn a_file_that_changed_meanwhile_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("known_hosts");
        assert!(read_text(&path).unwrap().is_none());
        replace_text(&path, "one\n", None).unwrap();
        let (_, digest) = read_text(&path).unwrap().unwrap();
        assert!(matches!(replace_text(&path, "two\n", None), Err(TextFileError::Moved { .. })));
        std::fs::write(&path, "somebody else\n").unwrap();
        let error = replace_text(&path, "two\n", Some(&digest)).unwrap_err();
        assert_eq!(error.to_string(), format!("write {}: it has changed since it was read", path.display()));
        assert_eq!(std::fs::read(&path).unwrap(), b"somebody else\n");
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(replace_text(&path, "two\n", Some(&digest)), Err(TextFileError::Moved { .. })));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left");
    }

    #[test]
    fn what_is_no_text_or_has_no_folder_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, b"\xff\xfe").unwrap();
        assert!(read_text(&path).unwrap_err().to_string().ends_with("it is no UTF-8 text"));
        let missing = folder.path().join("no/such");
        assert!(matches!(replace_text(&missing, "x", None), Err(TextFileError::Write { .. })));
    }
}
