//! Identity files: what they hold, and what a passphrase keeps closed.

use age::secrecy::SecretString;
use age::{Identity, ssh, x25519};

use super::recipients::Recipient;
use super::{begin, open_with};
use crate::model::Secret;

/// An identity, ready for use.
pub(super) struct Held {
    pub(super) identity: Box<dyn Identity + Send + Sync>,
    /// To whom something is sealed that it opens.
    pub(super) recipient: Option<Recipient>,
}

/// The identities of one file.
pub(super) enum Kept {
    Open(Vec<Held>),
    Locked(Locked),
    /// It could not be unlocked, and nobody is asked again.
    Failed {
        path: String,
        reason: String,
    },
}

/// An identity file that a passphrase opens.
pub(super) enum Locked {
    /// age's own, sealed with a passphrase.
    Age { path: String, sealed: Vec<u8> },
    /// An OpenSSH private key.
    Ssh { path: String, key: Box<ssh::EncryptedKey> },
}

impl Locked {
    pub(super) fn path(&self) -> &str {
        match self {
            Self::Age { path, .. } | Self::Ssh { path, .. } => path,
        }
    }

    /// Its recipient, as far as it shows while it is locked.
    pub(super) fn recipient(&self) -> Option<Recipient> {
        match self {
            Self::Age { .. } => None,
            Self::Ssh { key, .. } => of_ssh(&ssh::Identity::Encrypted((**key).clone())),
        }
    }

    /// Opens it.
    ///
    /// # Errors
    /// Why it stays closed.
    pub(super) fn unlock(&self, passphrase: SecretString) -> Result<Vec<Held>, String> {
        match self {
            Self::Age { sealed, .. } => {
                let text = open_with(&passphrase, sealed).map_err(|error| match error {
                    super::IdentityError::Open(reason) => reason,
                    other => other.to_string(),
                })?;
                of_text(text.expose())
            }
            Self::Ssh { key, .. } => {
                let key = key.decrypt(passphrase).map_err(|error| super::words(&error))?;
                Ok(vec![held(ssh::Identity::Unencrypted(key))])
            }
        }
    }
}

/// Reads an identity file of any sort.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(bytes: &[u8], path: &str) -> Result<Kept, String> {
    let has = |mark: &str| bytes.windows(mark.len()).any(|part| part == mark.as_bytes());
    if bytes.starts_with(b"age-encryption.org/") || has("-----BEGIN AGE ENCRYPTED FILE-----") {
        return match begin(bytes) {
            Ok(file) if file.is_scrypt() => {
                Ok(Kept::Locked(Locked::Age { path: path.to_owned(), sealed: bytes.to_vec() }))
            }
            Ok(_) => Err("it is an age file that is not sealed with a passphrase".to_owned()),
            Err(super::IdentityError::Open(reason)) => Err(reason),
            Err(error) => Err(error.to_string()),
        };
    }
    if !has("-----BEGIN") {
        return of_text(bytes).map(Kept::Open);
    }
    // age wants the line ends of Unix.
    let bytes =
        zeroize::Zeroizing::new(bytes.iter().copied().filter(|byte| *byte != b'\r').collect::<Vec<u8>>());
    match ssh::Identity::from_buffer(bytes.as_slice(), None).map_err(|error| error.to_string())? {
        ssh::Identity::Encrypted(key) => {
            Ok(Kept::Locked(Locked::Ssh { path: path.to_owned(), key: Box::new(key) }))
        }
        identity @ ssh::Identity::Unencrypted(_) => Ok(Kept::Open(vec![held(identity)])),
        ssh::Identity::Unsupported(_) => Err("this sort of SSH key cannot open secrets".to_owned()),
    }
}

/// age's own identities, one a line.
fn of_text(bytes: &[u8]) -> Result<Vec<Held>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut found = Vec::new();
    for line in lines {
        let identity: x25519::Identity = line.parse().map_err(|error: &str| error.to_owned())?;
        let recipient = Recipient::parse(&identity.to_public().to_string()).ok();
        found.push(Held { identity: Box::new(identity), recipient });
    }
    if found.is_empty() { Err("it holds no identity".to_owned()) } else { Ok(found) }
}

fn held(identity: ssh::Identity) -> Held {
    let recipient = of_ssh(&identity);
    Held { identity: Box::new(identity), recipient }
}

fn of_ssh(identity: &ssh::Identity) -> Option<Recipient> {
    let recipient = ssh::Recipient::try_from(identity.clone()).ok()?;
    Recipient::parse(&recipient.to_string()).ok()
}

/// A passphrase as age takes it.
pub(super) fn as_text(passphrase: &Secret) -> Option<SecretString> {
    std::str::from_utf8(passphrase.expose()).ok().map(|text| SecretString::from(text.to_owned()))
}
