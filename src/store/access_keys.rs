//! The access keys of this seat: one for each machine, made here, sealed to this seat's identity.
//!
//! They lie in the seat's own folder, `FLEET/keys/MACHINE.age` in it, and are opened in memory only. While a
//! key is exchanged there are two: the one that is to come, `MACHINE.next.age`, and the one that is to go,
//! `MACHINE.former.age`. Whatever is there is shown to the machine, so that an exchange can be cut anywhere.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use age::secrecy::ExposeSecret as _;
use russh::keys::PrivateKey;
use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::private::Ed25519Keypair;
use zeroize::Zeroizing;

use super::seat_folder::{IDENTITY, seat_identity};
use super::secrets::Identities;
use crate::model::{FleetName, MachineName, Secret};

/// The file of the seat's age recipient beside its identity: what keys are sealed to.
const RECIPIENT: &str = "recipient";

/// The largest file that is taken for a sealed key, in bytes.
const LARGEST: u64 = 64 * 1024;

/// Why an access key cannot be made, kept or opened.
#[derive(Debug, thiserror::Error)]
pub enum AccessKeyError {
    /// A file or folder cannot be read.
    #[error("read {path}: {reason}")]
    Read {
        /// Which.
        path: String,
        /// The system's word.
        reason: String,
    },
    /// A file or folder cannot be written.
    #[error("write {path}: {reason}")]
    Write {
        /// Which.
        path: String,
        /// The system's word.
        reason: String,
    },
    /// A sealed key cannot be opened.
    #[error("open {path}: {reason}; this seat's identity is {identity}")]
    Open {
        /// Which.
        path: String,
        /// Why not.
        reason: String,
        /// The file of the identity that should open it.
        identity: String,
    },
    /// There is no such key.
    #[error("find a key of this seat for {0}")]
    Missing(MachineName),
    /// The system gives no random numbers.
    #[error("get random numbers from the system: {0}")]
    Random(String),
}

/// Which of a machine's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one that opens it.
    Current,
    /// The one that is to take its place.
    Next,
    /// The one whose place was taken, until it is gone from the machine.
    Former,
}

impl Which {
    /// All, in the order in which they are shown to a machine.
    pub const ALL: [Self; 3] = [Self::Current, Self::Next, Self::Former];

    fn suffix(self) -> &'static str {
        match self {
            Self::Current => "age",
            Self::Next => "next.age",
            Self::Former => "former.age",
        }
    }
}

/// The access keys of this seat for one fleet.
#[derive(Clone, Debug)]
pub struct AccessKeys {
    seat: PathBuf,
    folder: PathBuf,
}

impl AccessKeys {
    /// Those for a fleet, in a seat's folder.
    #[must_use]
    pub fn new(seat: &Path, fleet: &FleetName) -> Self {
        Self { seat: seat.to_path_buf(), folder: seat.join(fleet.as_str()).join("keys") }
    }

    /// The file of a key, whether it is there or not.
    #[must_use]
    pub fn path(&self, machine: &MachineName, which: Which) -> PathBuf {
        self.folder.join(format!("{machine}.{}", which.suffix()))
    }

    /// Whether a key is there.
    #[must_use]
    pub fn has(&self, machine: &MachineName, which: Which) -> bool {
        self.path(machine, which).is_file()
    }

    /// Opens a key: its text in OpenSSH's form.
    ///
    /// # Errors
    /// [`AccessKeyError::Read`], [`AccessKeyError::Open`].
    pub fn open(
        &self,
        machine: &MachineName,
        which: Which,
        identities: &Identities,
    ) -> Result<Secret, AccessKeyError> {
        let path = self.path(machine, which);
        let failed = |reason: String| AccessKeyError::Read { path: path.display().to_string(), reason };
        let length = std::fs::metadata(&path).map_err(|error| failed(error.to_string()))?.len();
        if length > LARGEST {
            return Err(failed("it is too large for a sealed key".to_owned()));
        }
        let sealed = std::fs::read(&path).map_err(|error| failed(error.to_string()))?;
        identities.open(&format!("key for {machine}"), &sealed).map_err(|error| AccessKeyError::Open {
            path: path.display().to_string(),
            reason: error.to_string(),
            identity: self.seat.join(IDENTITY).display().to_string(),
        })
    }

    /// The public half of a key, as a line of `authorized_keys`.
    ///
    /// # Errors
    /// As [`AccessKeys::open`].
    pub fn public(
        &self,
        machine: &MachineName,
        which: Which,
        identities: &Identities,
    ) -> Result<String, AccessKeyError> {
        let secret = self.open(machine, which, identities)?;
        let failed = |reason: String| AccessKeyError::Open {
            path: self.path(machine, which).display().to_string(),
            reason,
            identity: self.seat.join(IDENTITY).display().to_string(),
        };
        let key = PrivateKey::from_openssh(secret.expose()).map_err(|error| failed(error.to_string()))?;
        key.public_key().to_openssh().map_err(|error| failed(error.to_string()))
    }

    /// Makes a key, seals it, and gives its public half. One that is there already is given as it is.
    /// `comment` stands in the public half.
    ///
    /// # Errors
    /// [`AccessKeyError`].
    pub fn make(
        &self,
        machine: &MachineName,
        which: Which,
        comment: &str,
        identities: &Identities,
    ) -> Result<String, AccessKeyError> {
        if self.has(machine, which) {
            return self.public(machine, which, identities);
        }
        let path = self.path(machine, which);
        let failed = |reason: String| AccessKeyError::Write { path: path.display().to_string(), reason };
        let mut seed = Zeroizing::new([0_u8; 32]);
        getrandom::fill(seed.as_mut()).map_err(|error| AccessKeyError::Random(error.to_string()))?;
        let mut key = PrivateKey::from(Ed25519Keypair::from_seed(&seed));
        key.set_comment(comment);
        let text = key.to_openssh(LineEnding::LF).map_err(|error| failed(error.to_string()))?;
        let recipient = self.recipient()?;
        let sealed = age::encrypt(&recipient, text.as_bytes()).map_err(|error| failed(error.to_string()))?;
        write_private(&path, &sealed)?;
        key.public_key().to_openssh().map_err(|error| failed(error.to_string()))
    }

    /// Puts the next key in the place of the current one, which becomes the former one.
    ///
    /// # Errors
    /// [`AccessKeyError::Write`].
    pub fn promote(&self, machine: &MachineName) -> Result<(), AccessKeyError> {
        let [current, next, former] = Which::ALL.map(|which| self.path(machine, which));
        if !next.is_file() {
            return Ok(());
        }
        if current.is_file() {
            rename(&current, &former)?;
        }
        rename(&next, &current)
    }

    /// Forgets the former key.
    ///
    /// # Errors
    /// [`AccessKeyError::Write`].
    pub fn forget(&self, machine: &MachineName, which: Which) -> Result<(), AccessKeyError> {
        let path = self.path(machine, which);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(AccessKeyError::Write { path: path.display().to_string(), reason: error.to_string() })
            }
            _ => Ok(()),
        }
    }

    /// The machines that this seat has a key for.
    #[must_use]
    pub fn machines(&self) -> Vec<MachineName> {
        let mut machines: Vec<MachineName> = std::fs::read_dir(&self.folder)
            .into_iter()
            .flatten()
            .filter_map(|entry| {
                let name = entry.ok()?.file_name();
                MachineName::new(name.to_str()?.split_once('.')?.0).ok()
            })
            .collect();
        machines.sort_unstable();
        machines.dedup();
        machines
    }

    /// What keys of this seat are sealed to; its identity is made when there is none.
    ///
    /// # Errors
    /// [`AccessKeyError`].
    pub fn recipient(&self) -> Result<age::x25519::Recipient, AccessKeyError> {
        seat_recipient(&self.seat)
    }

    /// What opens the keys: this seat's identity, when there is one.
    ///
    /// # Errors
    /// [`AccessKeyError::Read`].
    pub fn identities(&self) -> Result<Identities, AccessKeyError> {
        let mut own = Identities::default();
        if let Some(identity) = seat_identity(&self.seat) {
            own.add_file(&identity).map_err(|error| AccessKeyError::Read {
                path: identity.display().to_string(),
                reason: error.to_string(),
            })?;
        }
        Ok(own)
    }

    /// The name under which this seat is enrolled in the fleet, when it is.
    #[must_use]
    pub fn seat_name(&self) -> Option<String> {
        let text = std::fs::read_to_string(self.folder.with_file_name("seat")).ok()?;
        Some(text.trim().to_owned()).filter(|name| !name.is_empty())
    }

    /// Keeps the name under which this seat is enrolled.
    ///
    /// # Errors
    /// [`AccessKeyError::Write`].
    pub fn enrol_as(&self, name: &str) -> Result<(), AccessKeyError> {
        write_private(&self.folder.with_file_name("seat"), format!("{name}\n").as_bytes())
    }
}

fn rename(from: &Path, to: &Path) -> Result<(), AccessKeyError> {
    std::fs::rename(from, to)
        .map_err(|error| AccessKeyError::Write { path: to.display().to_string(), reason: error.to_string() })
}

/// Writes a file whole or not at all, for this user alone: 0600, in folders of 0700 where they are made.
fn write_private(path: &Path, bytes: &[u8]) -> Result<(), AccessKeyError> {
    let failed = |error: std::io::Error| AccessKeyError::Write {
        path: path.display().to_string(),
        reason: error.to_string(),
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    make_private_folder(folder).map_err(failed)?;
    // A temporary file is made with mode 0600.
    let mut file = tempfile::Builder::new().prefix(".fleetprov-key-").tempfile_in(folder).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

fn make_private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests;

/// What is sealed to a seat; its identity is made when there is none.
///
/// # Errors
/// [`AccessKeyError`].
pub fn seat_recipient(seat: &Path) -> Result<age::x25519::Recipient, AccessKeyError> {
    let identity = seat.join(IDENTITY);
    let path = seat.join(RECIPIENT);
    let read = |path: &Path| {
        let failed = |reason: String| AccessKeyError::Read { path: path.display().to_string(), reason };
        let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        text.trim().parse().map_err(|error: &str| failed(error.to_owned()))
    };
    if path.is_file() {
        return read(&path);
    }
    let made = if identity.is_file() {
        // One that was brought along, or whose making was cut off.
        let failed = |reason: String| AccessKeyError::Read { path: identity.display().to_string(), reason };
        let text = std::fs::read_to_string(&identity).map_err(|error| failed(error.to_string()))?;
        let text = Zeroizing::new(text);
        let line = text.lines().map(str::trim).find(|line| line.starts_with("AGE-SECRET-KEY-"));
        let line = line
            .ok_or_else(|| failed(format!("its recipient is not known; write it into {}", path.display())))?;
        let identity: age::x25519::Identity = line.parse().map_err(|error: &str| failed(error.to_owned()))?;
        identity
    } else {
        let made = age::x25519::Identity::generate();
        let text = Zeroizing::new(format!("{}\n", made.to_string().expose_secret()));
        write_private(&identity, text.as_bytes())?;
        made
    };
    let recipient = made.to_public();
    write_private(&path, format!("{recipient}\n").as_bytes())?;
    Ok(recipient)
}
