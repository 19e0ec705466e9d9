//! A place for a secret that an editor works on: this user's alone, in memory where there is one, wiped
//! when it goes.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A folder with one file.
pub(super) struct Place {
    folder: TempDir,
    file: PathBuf,
}

impl Place {
    /// Writes the value where only this user gets at it, 0600 in a folder 0700: in `$XDG_RUNTIME_DIR` or
    /// `/dev/shm`, or where temporary files go when neither is kept in memory.
    pub(super) fn new(name: &str, value: &[u8]) -> std::io::Result<Self> {
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let folder = runtime
            .into_iter()
            .chain([PathBuf::from("/dev/shm")])
            .filter(|folder| folder.is_absolute() && is_in_memory(folder))
            .find_map(|folder| private_folder(&folder).ok());
        let folder = match folder {
            Some(folder) => folder,
            None => {
                let folder = private_folder(&std::env::temp_dir())?;
                // Programs that back up a disk leave out what is marked so (bford.info/cachedir).
                let mark = "Signature: 8a477f597d28d172789f06886806bc55\n";
                std::fs::write(folder.path().join("CACHEDIR.TAG"), mark)?;
                folder
            }
        };
        let file = folder.path().join(name.rsplit('/').next().unwrap_or("secret"));
        let place = Self { folder, file };
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&place.file)?.write_all(value)?;
        Ok(place)
    }

    /// The folder.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The file with the value.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }
}

/// What the editor left beside the file, a copy or a journal, holds the value as well.
impl Drop for Place {
    fn drop(&mut self) {
        wipe(self.folder.path());
    }
}

/// Overwrites every file below a folder. What cannot be overwritten is removed with the folder.
fn wipe(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            wipe(&entry.path());
        } else if kind.is_file() {
            let _ = overwrite(&entry.path());
        }
    }
}

fn overwrite(path: &Path) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).open(path)?;
    let length = file.metadata()?.len();
    std::io::copy(&mut std::io::Read::take(std::io::repeat(0), length), &mut file)?;
    file.sync_all()
}

fn private_folder(parent: &Path) -> std::io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("fleetprov-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir_in(parent)
}

/// Whether a folder's files never reach a disk, but for swapping.
#[cfg(target_os = "linux")]
fn is_in_memory(folder: &Path) -> bool {
    // TMPFS_MAGIC of linux/magic.h.
    rustix::fs::statfs(folder).is_ok_and(|facts| facts.f_type == 0x0102_1994)
}

#[cfg(not(target_os = "linux"))]
fn is_in_memory(_: &Path) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_value_is_this_users_alone_and_wiped_with_what_lies_beside_it() {
        let place = Place::new("web/token", b"hush").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(place.folder()), mode(place.file())), (0o700, 0o600));
        assert_eq!(place.file().file_name().unwrap(), "token");
        // Kept by a second name and an open handle, so that what was wiped can be looked at.
        let outside = tempfile::tempdir_in(place.folder().parent().unwrap()).unwrap();
        let kept = outside.path().join("kept");
        std::fs::create_dir(place.folder().join("below")).unwrap();
        std::fs::write(place.folder().join("below/copy"), b"hush").unwrap();
        std::fs::hard_link(place.folder().join("below/copy"), &kept).unwrap();
        // What a link leads to is somebody else's.
        let theirs = outside.path().join("theirs");
        std::fs::write(&theirs, b"stay").unwrap();
        std::os::unix::fs::symlink(&theirs, place.folder().join("link")).unwrap();
        let folder = place.folder().to_owned();
        drop(place);
        assert!(!folder.exists());
        assert_eq!(std::fs::read(&kept).unwrap(), [0; 4]);
        assert_eq!(std::fs::read(&theirs).unwrap(), b"stay");
    }
}
