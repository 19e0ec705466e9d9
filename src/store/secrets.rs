//! Opens age-encrypted secrets with the identities of this seat.

mod folder;
mod identity;
mod recipients;
mod rekey;
mod sealing;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io::Read as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use age::armor::ArmoredReader;
use age::secrecy::SecretString;
use age::{DecryptError, Decryptor, Identity, scrypt};
use zeroize::Zeroizing;

use crate::model::Secret;
use identity::{Held, Kept, Locked};

pub use folder::{SecretError, SecretFolder};
pub use recipients::{Recipient, RecipientError, Recipients};
pub use rekey::{Rekeyed, rekey};
pub use sealing::SealError;

/// The largest secret, in bytes: it is held in memory.
const LARGEST: u64 = 4 * 1024 * 1024;

/// The most work a passphrase may cost, as the exponent of scrypt's N: four times what age itself asks
/// for (18), and 1 GiB of memory.
const MOST_WORK: u8 = 20;

/// Asks for a passphrase; what it opens is named so that the person knows which one. `None` when none is
/// given.
pub type AskPassphrase = Box<dyn Fn(&str) -> Option<Secret> + Send + Sync>;

/// What to do about what only a passphrase opens.
#[derive(Default)]
pub enum Passphrases {
    /// Nobody can be asked, so an identity that needs one is an error.
    #[default]
    Unavailable,
    /// What needs one stays closed, without an error.
    LeftAlone,
    /// Somebody is asked, once for each identity and each secret.
    Asked(AskPassphrase),
}

/// What opens secrets.
#[derive(Default)]
pub struct Identities {
    passphrases: Passphrases,
    kept: Mutex<Vec<Kept>>,
    /// Passphrases that opened a secret: others may be sealed with the same one.
    heard: Mutex<Vec<SecretString>>,
}

impl fmt::Debug for Identities {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Identities({})", self.kept().len())
    }
}

/// Why an identity cannot be used or a secret cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The identity file cannot be read.
    #[error("read the identity {path}: {reason}")]
    Read {
        /// Which.
        path: String,
        /// Why not.
        reason: String,
    },
    /// An identity that may be needed stays closed.
    #[error("unlock the identity {path}: {reason}")]
    Locked {
        /// Which.
        path: String,
        /// Why.
        reason: String,
    },
    /// None of the identities opens the secret, or it is damaged.
    #[error("open the secret: {0}")]
    Open(String),
}

impl Identities {
    /// None yet; what needs a passphrase is dealt with as told.
    #[must_use]
    pub fn new(passphrases: Passphrases) -> Self {
        Self { passphrases, ..Self::default() }
    }

    /// Adds the identities of a file: age's own (`AGE-SECRET-KEY-1…`, comments allowed), such a file
    /// sealed with a passphrase (`age -p`), or an OpenSSH private key, with a passphrase or without. One
    /// that needs a passphrase is opened when it is first needed.
    ///
    /// # Errors
    /// [`IdentityError::Read`].
    pub fn add_file(&mut self, path: &Path) -> Result<(), IdentityError> {
        let shown = path.display().to_string();
        let failed = |reason: String| IdentityError::Read { path: shown.clone(), reason };
        let bytes = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
        let read = identity::read(&Zeroizing::new(bytes), &shown).map_err(failed)?;
        self.kept.get_mut().unwrap_or_else(PoisonError::into_inner).push(read);
        Ok(())
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept().is_empty()
    }

    /// To whom something has to be sealed so that these identities open it. An age file with a passphrase
    /// has to be opened for that; an OpenSSH key says it while it is locked.
    ///
    /// # Errors
    /// [`IdentityError::Locked`].
    pub fn recipients(&self) -> Result<Vec<Recipient>, IdentityError> {
        let mut found = Vec::new();
        for kept in self.kept().iter_mut() {
            match kept {
                Kept::Locked(locked) if locked.recipient().is_some() => found.extend(locked.recipient()),
                kept => found.extend(self.unlocked(kept)?.iter().filter_map(|held| held.recipient.clone())),
            }
        }
        Ok(found)
    }

    /// Opens an age file, armoured or not; `name` says to a person which one.
    ///
    /// # Errors
    /// [`IdentityError::Open`], and [`IdentityError::Locked`] when an identity that could not be unlocked
    /// might have opened it.
    pub fn open(&self, name: &str, sealed: &[u8]) -> Result<Secret, IdentityError> {
        if begin(sealed)?.is_scrypt() {
            return self.open_by_passphrase(name, sealed);
        }
        if self.is_empty() {
            let reason = "no identity is given, and this seat has none of its own";
            return Err(IdentityError::Open(reason.to_owned()));
        }
        let mut locked = None;
        // What is open is tried first, so that nobody is asked for nothing.
        let mut kept = self.kept();
        kept.sort_by_key(|one| !matches!(one, Kept::Open(_)));
        for kept in kept.iter_mut() {
            let held = match self.unlocked(kept) {
                Ok(held) => held,
                Err(error) => {
                    locked = locked.or(Some(error));
                    continue;
                }
            };
            let held = held.iter().map(|held| held.identity.as_ref() as &dyn Identity);
            match begin(sealed)?.decrypt(held) {
                Ok(reader) => return whole(reader, sealed.len()),
                Err(DecryptError::NoMatchingKeys) => {}
                Err(error) => return Err(IdentityError::Open(words(&error))),
            }
        }
        Err(locked.unwrap_or_else(|| IdentityError::Open(words(&DecryptError::NoMatchingKeys))))
    }

    fn open_by_passphrase(&self, name: &str, sealed: &[u8]) -> Result<Secret, IdentityError> {
        let failed = |reason: &str| IdentityError::Open(reason.to_owned());
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        for passphrase in heard.iter() {
            if let Ok(secret) = open_with(passphrase, sealed) {
                return Ok(secret);
            }
        }
        let Passphrases::Asked(ask) = &self.passphrases else {
            return Err(failed("it is sealed with a passphrase, and there is no terminal to ask for it on"));
        };
        let passphrase =
            ask(&format!("the secret {name}")).ok_or_else(|| failed("no passphrase was given"))?;
        let passphrase =
            identity::as_text(&passphrase).ok_or_else(|| failed("the passphrase is not text"))?;
        let secret = open_with(&passphrase, sealed)?;
        heard.push(passphrase);
        Ok(secret)
    }

    /// What one entry holds, unlocked if need be. A lock is tried once; who gets it wrong runs the command
    /// again.
    fn unlocked<'a>(&self, kept: &'a mut Kept) -> Result<&'a [Held], IdentityError> {
        if let Kept::Locked(locked) = kept {
            let opened = match &self.passphrases {
                Passphrases::LeftAlone => return Ok(&[]),
                Passphrases::Unavailable => {
                    Err("it is protected by a passphrase, and there is no terminal to ask for it on"
                        .to_owned())
                }
                Passphrases::Asked(ask) => unlock(locked, ask),
            };
            *kept = match opened {
                Ok(held) => Kept::Open(held),
                Err(reason) => Kept::Failed { path: locked.path().to_owned(), reason },
            };
        }
        match kept {
            Kept::Open(held) => Ok(held),
            Kept::Failed { path, reason } => {
                Err(IdentityError::Locked { path: path.clone(), reason: reason.clone() })
            }
            Kept::Locked(_) => Ok(&[]),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unlock(locked: &Locked, ask: &AskPassphrase) -> Result<Vec<Held>, String> {
    let passphrase = ask(&format!("the identity {}", locked.path())).ok_or("no passphrase was given")?;
    let passphrase = identity::as_text(&passphrase).ok_or("the passphrase is not text")?;
    locked.unlock(passphrase)
}

/// Reads the head of an age file, armoured or not.
fn begin(sealed: &[u8]) -> Result<Decryptor<ArmoredReader<std::io::BufReader<&[u8]>>>, IdentityError> {
    Decryptor::new(ArmoredReader::new(sealed)).map_err(|error| IdentityError::Open(words(&error)))
}

/// Opens what is sealed with a passphrase alone.
fn open_with(passphrase: &SecretString, sealed: &[u8]) -> Result<Secret, IdentityError> {
    let mut identity = scrypt::Identity::new(passphrase.clone());
    identity.set_max_work_factor(MOST_WORK);
    let reader = begin(sealed)?
        .decrypt(std::iter::once(&identity as &dyn Identity))
        .map_err(|error| IdentityError::Open(words(&error)))?;
    whole(reader, sealed.len())
}

/// Reads all of it, into memory that is wiped.
fn whole(reader: impl std::io::Read, sealed: usize) -> Result<Secret, IdentityError> {
    // As long as the sealed bytes at once: growing would leave copies behind.
    let mut opened = Zeroizing::new(Vec::with_capacity(sealed));
    reader
        .take(LARGEST + 1)
        .read_to_end(&mut opened)
        .map_err(|_| IdentityError::Open("it is damaged".to_owned()))?;
    if opened.len() as u64 > LARGEST {
        return Err(IdentityError::Open(format!("it holds more than {LARGEST} bytes")));
    }
    Ok(Secret::new(std::mem::take(&mut *opened)))
}

/// age's reasons in our words: its own are sentences, in the language of the system.
fn words(error: &DecryptError) -> String {
    match error {
        DecryptError::NoMatchingKeys => "none of the identities opens it".to_owned(),
        DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => {
            "the passphrase is wrong, or it is damaged".to_owned()
        }
        DecryptError::ExcessiveWork { required, .. } => {
            format!("its passphrase asks for more work than is allowed (2^{required}, at most 2^{MOST_WORK})")
        }
        DecryptError::UnknownFormat => "it is no age file of a known version".to_owned(),
        DecryptError::Io(_) | DecryptError::InvalidHeader | DecryptError::InvalidMac => {
            "it is no age file, or it is damaged".to_owned()
        }
    }
}
