//! One guarded change on a machine.

use std::path::PathBuf;
use std::sync::Arc;

use crate::model::{MachinePath, Secret};
use crate::shell::{Call, Library};

/// A call on the machine, with the bytes that follow it on the stream.
///
/// The function checks the state it is bound to (an argument, as observed by the probe) and refuses
/// when the machine has moved since.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Where the function is defined.
    pub library: Library,
    /// The call.
    pub call: Call,
    /// Bytes the function reads with `fp_take`; it has to read all or none of them.
    pub payload: Option<Payload>,
    /// Run as the owner of this folder when that is not root (contract C9: root never writes
    /// through a folder that another user can replace).
    pub within: Option<MachinePath>,
}

/// Bytes that travel to a machine.
#[derive(Clone, Debug)]
pub enum Payload {
    /// Bytes at hand.
    Bytes(Arc<[u8]>),
    /// A file on the controller's disk.
    Local {
        /// Where it is.
        path: PathBuf,
        /// How many bytes of it travel.
        length: u64,
    },
    /// Secret bytes.
    Secret(Secret),
}

impl Payload {
    /// How many bytes travel.
    #[must_use]
    pub fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Local { length, .. } => *length,
            Self::Secret(secret) => secret.expose().len() as u64,
        }
    }
}
