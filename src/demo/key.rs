//! Key pairs made at run time: one for each machine's host, one for each way to it.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use russh::keys::PrivateKey;
use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::private::Ed25519Keypair;
use zeroize::Zeroizing;

use super::error::DemoError;

/// A fresh ed25519 key.
///
/// # Errors
/// [`DemoError::System`] when the system has no random numbers.
pub(super) fn fresh() -> Result<PrivateKey, DemoError> {
    let mut seed = Zeroizing::new([0_u8; 32]);
    getrandom::fill(seed.as_mut())
        .map_err(|error| DemoError::system("get random numbers from the system", error))?;
    Ok(PrivateKey::from(Ed25519Keypair::from_seed(&seed)))
}

/// Writes a private key that only this user can read, in OpenSSH's format.
///
/// # Errors
/// [`DemoError::System`] when the file cannot be written.
pub(super) fn write(key: &PrivateKey, path: &Path) -> Result<(), DemoError> {
    let failed = |reason: String| DemoError::system(format!("write {}", path.display()), reason);
    let text = key.to_openssh(LineEnding::LF).map_err(|error| failed(error.to_string()))?;
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| failed(error.to_string()))
}

/// The line of a `known_hosts` file that pins a host key.
///
/// # Errors
/// [`DemoError::System`] when the key cannot be written as text.
pub(super) fn pin(port: u16, key: &PrivateKey) -> Result<String, DemoError> {
    let key = key.public_key().to_openssh().map_err(|error| DemoError::system("write a host key", error))?;
    Ok(format!("[127.0.0.1]:{port} {key}\n"))
}
