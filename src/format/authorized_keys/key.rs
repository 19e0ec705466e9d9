//! A public key as OpenSSH writes it: `TYPE BASE64 COMMENT`.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// The types of keys that may log in (`ssh -Q key-plain`, OpenSSH 9.9), without DSA.
const SORTS: &[&str] = &[
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
];

/// DSA: switched off in OpenSSH 7.0 and removed in 10.0.
const DSA: &str = "ssh-dss";

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    sort: String,
    blob: Vec<u8>,
    comment: String,
}

/// Why a text is no public key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PublicKeyError {
    /// There is no second word.
    #[error("read the key: it is not a type, base64 and a comment in one line")]
    Shape,
    /// DSA.
    #[error("take a key of type ssh-dss: OpenSSH does not accept those any more")]
    Dsa,
    /// The first word is no type of a key.
    #[error("read the key: {sort:?} is not a type of key")]
    Sort {
        /// The word.
        sort: String,
    },
    /// The second word is not base64.
    #[error("read the key: what follows {sort} is not base64")]
    Base64 {
        /// The type.
        sort: String,
    },
    /// The blob is of another type, or cut off.
    #[error("read the key: what follows {sort} is no key of that type")]
    Blob {
        /// The type.
        sort: String,
    },
}

impl PublicKeyError {
    /// Whether it is a key, of a type that is broken.
    #[must_use]
    pub fn is_weak(&self) -> bool {
        *self == Self::Dsa
    }
}

/// Whether a word is a type of a key, DSA included.
pub(super) fn is_type(word: &str) -> bool {
    SORTS.contains(&word) || word == DSA
}

impl PublicKey {
    /// Reads `TYPE BASE64[ COMMENT]`.
    ///
    /// # Errors
    /// [`PublicKeyError`].
    pub fn parse(text: &str) -> Result<Self, PublicKeyError> {
        let text = text.trim();
        if text.chars().any(|one| one.is_control() && one != '\t') {
            return Err(PublicKeyError::Shape);
        }
        let (sort, rest) = text.split_once([' ', '\t']).ok_or(PublicKeyError::Shape)?;
        if sort == DSA {
            return Err(PublicKeyError::Dsa);
        }
        if !SORTS.contains(&sort) {
            return Err(PublicKeyError::Sort { sort: sort.to_owned() });
        }
        let rest = rest.trim_start();
        let (encoded, comment) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
        let blob = STANDARD
            .decode(encoded)
            .or_else(|_| STANDARD_NO_PAD.decode(encoded))
            .map_err(|_| PublicKeyError::Base64 { sort: sort.to_owned() })?;
        if !is_of(&blob, sort) {
            return Err(PublicKeyError::Blob { sort: sort.to_owned() });
        }
        Ok(Self { sort: sort.to_owned(), blob, comment: comment.trim().to_owned() })
    }

    /// The type.
    #[must_use]
    pub fn sort(&self) -> &str {
        &self.sort
    }

    /// The key itself (RFC 4253, section 6.6).
    #[must_use]
    pub fn blob(&self) -> &[u8] {
        &self.blob
    }

    /// The key itself in base64.
    #[must_use]
    pub fn encoded(&self) -> String {
        STANDARD.encode(&self.blob)
    }

    /// The comment; empty when there is none.
    #[must_use]
    pub fn comment(&self) -> &str {
        &self.comment
    }

    /// The length of an RSA key's modulus in bits (RFC 4253, section 6.6); nothing for keys of other types.
    #[must_use]
    pub fn rsa_bits(&self) -> Option<usize> {
        let fields = fields(&self.blob).filter(|_| self.sort == "ssh-rsa")?;
        let modulus = fields.get(2)?;
        let significant = modulus.iter().skip_while(|byte| **byte == 0);
        let first = usize::try_from(significant.clone().next()?.leading_zeros()).ok()?;
        (significant.count() * 8).checked_sub(first)
    }

    /// The fingerprint as `ssh-keygen -l` shows it: `SHA256:` and base64 without padding.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(&self.blob)))
    }
}

/// Whether a blob begins with the name of its type and is made of whole fields, each with its length in
/// four bytes before it (RFC 4251, section 5).
fn is_of(blob: &[u8], sort: &str) -> bool {
    fields(blob).is_some_and(|fields| fields.len() > 1 && fields.first() == Some(&sort.as_bytes()))
}

fn fields(blob: &[u8]) -> Option<Vec<&[u8]>> {
    let mut rest = blob;
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let (length, behind) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (field, behind) = behind.split_at_checked(length)?;
        fields.push(field);
        rest = behind;
    }
    Some(fields)
}
