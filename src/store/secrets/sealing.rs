//! Seals values to recipients.

use std::io::Write as _;

use age::Encryptor;
use age::armor::{ArmoredWriter, Format};

use super::LARGEST;
use super::recipients::Recipients;
use crate::model::Secret;

/// Why nothing was sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// There is nobody to seal it to.
    #[error("seal to nobody: there are no recipients")]
    Nobody,
    /// More than is held in memory.
    #[error("seal {0} bytes: a secret has at most {LARGEST}")]
    TooLarge(usize),
    /// Anything else.
    #[error("seal: {0}")]
    Failed(String),
}

impl Recipients {
    /// Seals a value to all of them, as armoured text: git and editors may change the line ends of a text,
    /// but not of bytes that they take for one.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn seal(&self, secret: &Secret) -> Result<String, SealError> {
        if self.is_empty() {
            return Err(SealError::Nobody);
        }
        let value = secret.expose();
        if value.len() as u64 > LARGEST {
            return Err(SealError::TooLarge(value.len()));
        }
        let keys = self.iter().map(super::Recipient::key);
        let encryptor =
            Encryptor::with_recipients(keys).map_err(|error| SealError::Failed(error.to_string()))?;
        let written = || -> std::io::Result<Vec<u8>> {
            let armour = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor)?;
            let mut writer = encryptor.wrap_output(armour)?;
            writer.write_all(value)?;
            writer.finish()?.finish()
        };
        let bytes = written().map_err(|error| SealError::Failed(error.to_string()))?;
        String::from_utf8(bytes).map_err(|error| SealError::Failed(error.to_string()))
    }
}
