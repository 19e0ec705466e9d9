//! Reads a private key, from a file or from memory.

use std::path::Path;

use russh::keys::{self, PrivateKey, decode_secret_key};
use tokio::io::AsyncReadExt;
use zeroize::Zeroizing;

use crate::model::Secret;
use crate::transport::error::TransportError;
use crate::transport::platform::check_private;

/// The largest file that is taken for a key, in bytes. An RSA key of 16,384 bits has 13 KiB.
const LARGEST: u64 = 64 * 1024;

/// Reads an OpenSSH or PEM private key without a passphrase, of which nobody but its owner can know.
pub(super) async fn read_key(path: &Path) -> Result<PrivateKey, TransportError> {
    let failed = |reason: String| TransportError::Identity { identity: path.display().to_string(), reason };
    let unreadable = |error: std::io::Error| failed(error.to_string());

    // Looked at before it is opened: opening a named pipe would wait for a writer.
    let metadata = tokio::fs::metadata(path).await.map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(failed("it is not a file".to_owned()));
    }
    let file = tokio::fs::File::open(path).await.map_err(unreadable)?;
    let metadata = file.metadata().await.map_err(unreadable)?;
    check_private(path, &metadata).map_err(failed)?;
    if metadata.len() > LARGEST {
        return Err(failed("it is too large for a private key".to_owned()));
    }
    // With room for everything, so that growing leaves no copies behind.
    let mut text = Zeroizing::new(String::with_capacity(usize::try_from(LARGEST).unwrap_or(0)));
    file.take(LARGEST).read_to_string(&mut text).await.map_err(unreadable)?;
    decode(&text).map_err(|reason| {
        if reason == PROTECTED {
            failed(format!(
                "{PROTECTED}; load it into the SSH agent (ssh-add '{}') and leave the key file out, so that the agent is asked",
                path.display()
            ))
        } else {
            failed(reason)
        }
    })
}

/// Reads a private key that is held in memory; `name` is for messages.
pub(super) fn held_key(name: &str, key: &Secret) -> Result<PrivateKey, TransportError> {
    let failed = |reason: String| TransportError::Identity { identity: name.to_owned(), reason };
    let text = std::str::from_utf8(key.expose()).map_err(|_| failed("it is no text".to_owned()))?;
    decode(text).map_err(failed)
}

const PROTECTED: &str = "it is protected by a passphrase";

fn decode(text: &str) -> Result<PrivateKey, String> {
    // Said in the armour of PEM files; the library would only find the content unreadable.
    let armoured = |line: &str| {
        line.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY") || line.starts_with("Proc-Type: 4,ENCRYPTED")
    };
    if text.lines().any(armoured) {
        return Err(PROTECTED.to_owned());
    }
    if text.trim_start().starts_with("ssh-") || text.trim_start().starts_with("ecdsa-") {
        return Err("it is a public key; the private one is the file without `.pub`".to_owned());
    }
    decode_secret_key(text, None).map_err(|error| match error {
        keys::Error::KeyIsEncrypted => PROTECTED.to_owned(),
        keys::Error::CouldNotReadKey => "it is no private key in OpenSSH or PEM form".to_owned(),
        other => format!("it is damaged or of an unsupported kind ({other})"),
    })
}
