//! Opens age-encrypted secrets with the identities of this seat.

use std::io::Read as _;
use std::path::Path;

use age::armor::ArmoredReader;
use age::{Decryptor, Identity};

use crate::model::Secret;

/// The largest secret, in bytes: it is held in memory.
const LARGEST: u64 = 4 * 1024 * 1024;

/// What opens secrets.
#[derive(Default)]
pub struct Identities(Vec<Box<dyn Identity + Send + Sync>>);

impl std::fmt::Debug for Identities {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Identities({})", self.0.len())
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
    /// None of the identities opens the secret, or it is damaged.
    #[error("open the secret: {0}")]
    Open(String),
}

impl Identities {
    /// Adds the identities of a file: age's own (`AGE-SECRET-KEY-1…`, comments allowed) or an
    /// unencrypted OpenSSH private key.
    ///
    /// # Errors
    /// [`IdentityError::Read`].
    pub fn add_file(&mut self, path: &Path) -> Result<(), IdentityError> {
        let failed = |reason: String| IdentityError::Read { path: path.display().to_string(), reason };
        let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        let text = zeroize::Zeroizing::new(text);
        if text.contains("-----BEGIN") {
            let name = Some(path.display().to_string());
            let identity = age::ssh::Identity::from_buffer(text.as_bytes(), name)
                .map_err(|error| failed(error.to_string()))?;
            match identity {
                age::ssh::Identity::Unencrypted(_) => self.0.push(Box::new(identity)),
                age::ssh::Identity::Encrypted(_) => {
                    return Err(failed("it is protected by a passphrase".to_owned()));
                }
                age::ssh::Identity::Unsupported(_) => {
                    return Err(failed("this sort of SSH key cannot open secrets".to_owned()));
                }
            }
            return Ok(());
        }
        let before = self.0.len();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let identity: age::x25519::Identity =
                line.parse().map_err(|error: &str| failed(error.to_owned()))?;
            self.0.push(Box::new(identity));
        }
        if self.0.len() == before { Err(failed("it holds no identity".to_owned())) } else { Ok(()) }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Opens an age file, armoured or not.
    ///
    /// # Errors
    /// [`IdentityError::Open`].
    pub fn open(&self, sealed: &[u8]) -> Result<Secret, IdentityError> {
        let failed = |error: &dyn std::fmt::Display| IdentityError::Open(error.to_string());
        let decryptor = Decryptor::new(ArmoredReader::new(sealed)).map_err(|error| failed(&error))?;
        let identities = self.0.iter().map(|identity| identity.as_ref() as &dyn Identity);
        let reader = decryptor.decrypt(identities).map_err(|error| failed(&error))?;
        let mut opened = Vec::with_capacity(sealed.len());
        reader.take(LARGEST + 1).read_to_end(&mut opened).map_err(|error| failed(&error))?;
        if opened.len() as u64 > LARGEST {
            return Err(IdentityError::Open(format!("it holds more than {LARGEST} bytes")));
        }
        Ok(Secret::new(opened))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use age::secrecy::ExposeSecret as _;

    #[test]
    fn a_secret_opens_with_its_identity_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let (mine, theirs) = (age::x25519::Identity::generate(), age::x25519::Identity::generate());
        let file = folder.path().join("identity");
        std::fs::write(&file, format!("# made now\n{}\n", mine.to_string().expose_secret())).unwrap();
        let mut identities = Identities::default();
        identities.add_file(&file).unwrap();
        let for_me = age::encrypt(&mine.to_public(), b"hush").unwrap();
        let for_them = age::encrypt_and_armor(&theirs.to_public(), b"hush").unwrap();
        assert_eq!(identities.open(&for_me).unwrap().expose(), b"hush");
        assert!(identities.open(for_them.as_bytes()).is_err());
        assert!(identities.open(b"damaged").is_err());
        assert!(Identities::default().open(&for_me).is_err());
    }

    #[test]
    fn an_identity_file_without_identity_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("identity");
        std::fs::write(&file, "# nothing\n").unwrap();
        assert!(Identities::default().add_file(&file).is_err());
        std::fs::write(&file, "AGE-SECRET-KEY-1NOTONE\n").unwrap();
        assert!(Identities::default().add_file(&file).is_err());
        assert!(Identities::default().add_file(&folder.path().join("none")).is_err());
    }
}
