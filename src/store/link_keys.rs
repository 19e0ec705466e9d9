//! The public halves of the links' keys, beside the inventory: `keys/links/MACHINE/NAME.pub`, where MACHINE has the
//! private half. They are no secret and are meant to be committed. And the host keys of what links open.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::enrolment::{EnrolmentError, LINKS, entries, write};
use super::project::{LoadError, read_source};
use crate::desired::{Link, LinkHalf, address};
use crate::inventory::Fleet;
use crate::model::MachineName;
use crate::transport::KnownHosts;

/// The folder of the links' public halves.
#[derive(Clone, Debug)]
pub struct LinkKeys {
    folder: PathBuf,
}

impl LinkKeys {
    /// That beside the inventory in `folder`.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.join("keys").join(LINKS) }
    }

    /// All public halves, sorted by machine and name.
    ///
    /// # Errors
    /// [`LoadError::Read`].
    pub fn halves(&self) -> Result<Vec<LinkHalf>, LoadError> {
        let mut found = Vec::new();
        for (machine, place) in entries(&self.folder)? {
            if !place.is_dir() {
                continue;
            }
            for (name, path) in entries(&place)? {
                if let Some(key) = name.strip_suffix(".pub") {
                    let source = read_source(&path)?;
                    found.push(LinkHalf { machine: machine.clone(), key: key.to_owned(), source });
                }
            }
        }
        Ok(found)
    }

    /// The file of a public half.
    #[must_use]
    pub fn path(&self, machine: &MachineName, key: &str) -> PathBuf {
        self.folder.join(machine.as_str()).join(format!("{key}.pub"))
    }

    /// Writes a public half, in the place of a former one. Whether something changed.
    ///
    /// # Errors
    /// [`EnrolmentError`].
    pub fn write(&self, machine: &MachineName, key: &str, line: &str) -> Result<bool, EnrolmentError> {
        write(&self.path(machine, key), &format!("{line}\n"))
    }

    /// Takes a public half away, and the folder of its machine when it was the last. Whether there was one.
    ///
    /// # Errors
    /// [`EnrolmentError`].
    pub fn remove(&self, machine: &MachineName, key: &str) -> Result<bool, EnrolmentError> {
        let path = self.path(machine, key);
        match std::fs::remove_file(&path) {
            Ok(()) => {
                // Fails while there are others in it.
                let _ = std::fs::remove_dir(self.folder.join(machine.as_str()));
                Ok(true)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(EnrolmentError::of(&path, &error)),
        }
    }
}

/// The lines that pin what links open, by host and port. A file that cannot be read pins nothing; whoever
/// connects says what is wrong with it.
pub(super) fn link_hosts(
    fleet: &Fleet,
    links: &[Link],
    file: &str,
    text: &str,
) -> BTreeMap<(String, u16), Vec<String>> {
    let Ok(known) = KnownHosts::parse(file, text) else { return BTreeMap::new() };
    let addresses = links.iter().filter_map(|link| address(fleet, &link.opens.whom));
    addresses.map(|(host, port)| ((host.clone(), port), known.lines_of(&host, port))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_written_replaced_read_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let keys = LinkKeys::new(folder.path());
        let (nas, pc) = (MachineName::new("nas").unwrap(), MachineName::new("pc").unwrap());
        assert!(keys.halves().unwrap().is_empty());
        assert!(keys.write(&pc, "nas", "ssh-ed25519 A").unwrap());
        assert!(!keys.write(&pc, "nas", "ssh-ed25519 A").unwrap());
        assert!(keys.write(&pc, "nas", "ssh-ed25519 B").unwrap());
        assert!(keys.write(&nas, "web.git", "ssh-ed25519 C").unwrap());
        let halves = keys.halves().unwrap();
        let shown: Vec<_> =
            halves.iter().map(|half| (&*half.machine, &*half.key, half.source.text())).collect();
        assert_eq!(shown, [("nas", "web.git", "ssh-ed25519 C\n"), ("pc", "nas", "ssh-ed25519 B\n")]);
        assert!(keys.remove(&pc, "nas").unwrap());
        assert!(!keys.remove(&pc, "nas").unwrap());
        assert!(!folder.path().join("keys/links/pc").exists());
    }
}
