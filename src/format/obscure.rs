//! The form in which rclone stores passwords in its configuration file.
//!
//! It is base64url without padding over a 16-byte initialisation vector and the plain text under
//! AES-256 in counter mode, with a key that is published in rclone's source
//! (`fs/config/obscure/obscure.go`). **It is not encryption**: whoever reads the stored text can
//! read the password. Treat it as the secret itself.
//!
//! rclone picks the vector at random, so its text differs each time. Here the vector is derived
//! from the plain text, so that the stored text is stable and can be compared.

use aes::Aes256;
use aes::cipher::{KeyIvInit, StreamCipher};
use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use ctr::Ctr128BE;
use sha2::{Digest, Sha256};
use thiserror::Error;
use zeroize::Zeroizing;

/// The size of AES's block, and so of the initialisation vector, in bytes.
const VECTOR_SIZE: usize = 16;

/// The fixed key of rclone's `obscure` command; a public fact, no secret.
const PUBLISHED_KEY: [u8; 32] = [
    0x9c, 0x93, 0x5b, 0x48, 0x73, 0x0a, 0x55, 0x4d, 0x6b, 0xfd, 0x7c, 0x63, 0xc8, 0x86, 0xa9, 0x2b, 0xd3,
    0x90, 0x19, 0x8e, 0xb8, 0x12, 0x8a, 0xfb, 0xf4, 0xde, 0x16, 0x2b, 0x8b, 0x95, 0xf6, 0x38,
];

/// Keeps the derived vectors apart from every other digest of the same bytes.
const DERIVATION_DOMAIN: &[u8] = b"fleetprov rclone obscure vector v1";

/// rclone decodes with Go's `RawURLEncoding`, which takes no padding and ignores stray last bits.
const ENCODING: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// Why a stored text is not in rclone's form. The text itself is never shown: it is a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RevealError {
    /// The text is not base64url without padding.
    #[error("decode the obscured text: it is not base64url without padding")]
    Encoding,
    /// The text is shorter than its initialisation vector.
    #[error("decode the obscured text: it holds {length} bytes, fewer than the {VECTOR_SIZE} of its vector")]
    TooShort {
        /// The number of bytes found.
        length: usize,
    },
}

fn apply_key_stream(vector: [u8; VECTOR_SIZE], bytes: &mut [u8]) {
    Ctr128BE::<Aes256>::new(&PUBLISHED_KEY.into(), &vector.into()).apply_keystream(bytes);
}

/// The text that rclone would store for `plain` with this initialisation vector.
///
/// The text can begin with `-`: where it becomes an argument, put `--` before it.
pub fn obscure(plain: &[u8], vector: [u8; VECTOR_SIZE]) -> String {
    // The buffer is wiped, because it holds the plain text for a moment; it never grows, so no
    // copy of it stays behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(VECTOR_SIZE + plain.len()));
    bytes.extend_from_slice(&vector);
    bytes.extend_from_slice(plain);
    if let Some(hidden) = bytes.get_mut(VECTOR_SIZE..) {
        apply_key_stream(vector, hidden);
    }
    ENCODING.encode(bytes.as_slice())
}

/// An initialisation vector that depends on the plain text and on where it is used.
///
/// `context` names the place, for instance the remote and its key, so that one password used in
/// two places gives two texts, and a reader cannot see that they are the same. A vector that
/// repeats would matter if the form protected anything; it does not (see the module's page).
pub fn deterministic_iv(plain: &[u8], context: &str) -> [u8; VECTOR_SIZE] {
    let mut hasher = Sha256::new();
    // Lengths before the parts, so that no two pairs of context and text run together.
    for part in [DERIVATION_DOMAIN, context.as_bytes(), plain] {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let digest = hasher.finalize();
    let mut vector = [0; VECTOR_SIZE];
    for (to, from) in vector.iter_mut().zip(digest.iter()) {
        *to = *from;
    }
    vector
}

/// The plain text of what rclone stored. It is wiped when dropped.
///
/// # Errors
/// [`RevealError`] when the text is not in rclone's form. A text in that form always reveals
/// something: the form has no check sum.
pub fn reveal(stored: &str) -> Result<Zeroizing<Vec<u8>>, RevealError> {
    let bytes = Zeroizing::new(ENCODING.decode(stored).map_err(|_| RevealError::Encoding)?);
    let (vector, hidden) =
        bytes.split_first_chunk::<VECTOR_SIZE>().ok_or(RevealError::TooShort { length: bytes.len() })?;
    let mut plain = Zeroizing::new(hidden.to_vec());
    apply_key_stream(*vector, &mut plain);
    Ok(plain)
}

#[cfg(test)]
mod tests;
