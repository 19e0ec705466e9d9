//! What a file is to hold: bytes at hand, a file on the controller, or a secret.

use std::path::PathBuf;
use std::sync::Arc;

use super::answer::ObserveError;
use crate::model::{Digest, Secret, SecretFrom};

/// The content of a file.
#[derive(Clone, Debug)]
pub enum Content {
    /// Bytes at hand.
    Bytes(Arc<[u8]>),
    /// A file on the controller's disk, streamed when it is needed.
    Local {
        /// Where it is.
        path: PathBuf,
        /// Its length in bytes when the inventory was loaded.
        length: u64,
        /// Its digest when the inventory was loaded.
        digest: Digest,
    },
    /// Secret bytes.
    Secret(Secret),
    /// A secret that is not at hand (`validate` and `render` need no identity).
    Sealed(SecretFrom),
}

/// Why nothing can be done with a sealed secret.
#[must_use]
pub fn sealed(from: &SecretFrom) -> ObserveError {
    ObserveError::Conflict(match from {
        SecretFrom::Name(name) => format!(
            "the secret {name} is not at hand: it needs a file {name}.age in the secrets folder, and an --identity \
             that opens it"
        ),
        SecretFrom::Sealed(_) => {
            "a value sealed in place is not at hand: it needs an --identity that opens it".to_owned()
        }
    })
}

impl Content {
    /// Whether it may not be shown.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        matches!(self, Self::Secret(_) | Self::Sealed(_))
    }
}

/// One file a resource would write, for `render`.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// Where on the machine (absolute), or a name such as `crontab.root#ID` for what is not a file of its own.
    pub path: String,
    /// What it holds.
    pub content: Content,
}
