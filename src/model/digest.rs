//! SHA-256 digests, the one measure by which contents are compared.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// A SHA-256 digest (32 bytes), shown as 64 lower-case hexadecimal digits as `sha256sum` does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// The text is not 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a SHA-256 digest")]
pub struct DigestParseError;

impl Digest {
    /// The digest of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest of a key followed by some bytes, as `{ printf %s KEY; cat; } | sha256sum` gives it.
    #[must_use]
    pub fn keyed(key: &str, bytes: &[u8]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(key.as_bytes());
        hasher.update(bytes);
        Self(hasher.finalize().into())
    }

    /// The digest of everything a reader gives, and how many bytes that was.
    ///
    /// # Errors
    /// What the reader returns.
    pub fn of_reader(reader: &mut impl std::io::Read) -> std::io::Result<(Self, u64)> {
        let mut hasher = Sha256::new();
        let mut buffer = vec![0_u8; 64 * 1024];
        let mut length = 0_u64;
        loop {
            let count = reader.read(&mut buffer)?;
            if count == 0 {
                return Ok((Self(hasher.finalize().into()), length));
            }
            hasher.update(buffer.get(..count).unwrap_or_default());
            length += count as u64;
        }
    }

    /// Reads 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`DigestParseError`] for anything else.
    pub fn parse(text: &str) -> Result<Self, DigestParseError> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(DigestParseError);
        }
        let mut bytes = [0_u8; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| DigestParseError)?;
            if pair.starts_with('+') {
                return Err(DigestParseError);
            }
            *byte = u8::from_str_radix(pair, 16).map_err(|_| DigestParseError)?;
        }
        Ok(Self(bytes))
    }

    /// The first 12 hexadecimal digits, enough for a person to tell two apart.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string().chars().take(12).collect()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Digest({})", self.short())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_agree_with_sha256sum() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::of(b"").to_string(), empty);
        assert_eq!(Digest::parse(empty).unwrap(), Digest::of(b""));
        assert_eq!(Digest::keyed("k", b"v"), Digest::of(b"kv"));
        assert_eq!(Digest::of_reader(&mut &b"kv"[..]).unwrap(), (Digest::of(b"kv"), 2));
        assert!(Digest::parse("e3").is_err());
        assert!(Digest::parse(&"+1".repeat(32)).is_err());
    }
}
