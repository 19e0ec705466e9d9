//! What a resource is, aspect by aspect: what is desired, what was applied and what is there are
//! three values of the same sort, so that a difference can be classed.

use std::collections::BTreeMap;
use std::fmt;

use super::digest::Digest;
use super::secret::Secret;

/// One aspect of a resource: its mode, its content, whether it runs.
#[derive(Clone, Debug)]
pub enum Aspect {
    /// A short text that may be shown.
    Plain(String),
    /// The digest of a content that may be shown, but is too long to be kept.
    Digest(Digest),
    /// A secret content, as it is desired.
    Secret(Secret),
    /// A secret content, as it is there: a digest made with the run's key ([`Digest::keyed`]).
    Keyed(Digest),
    /// A secret content, as it was applied: a digest made with a key that is kept beside it.
    Sealed {
        /// The key, made for this one record.
        salt: String,
        /// The digest made with it.
        digest: Digest,
    },
}

/// The aspects of one resource by their names. One that is missing is not there at all.
pub type Aspects = BTreeMap<String, Aspect>;

impl Aspect {
    /// A text.
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        Self::Plain(text.into())
    }

    /// Whether two values are the same; `None` when that cannot be told, as for two digests of secrets
    /// made with different keys. `key` is the run's.
    #[must_use]
    pub fn is(&self, other: &Self, key: &str) -> Option<bool> {
        match (self, other) {
            (Self::Plain(one), Self::Plain(other)) => Some(one == other),
            (Self::Digest(one), Self::Digest(other)) | (Self::Keyed(one), Self::Keyed(other)) => {
                Some(one == other)
            }
            (Self::Secret(one), Self::Secret(other)) => Some(one.expose() == other.expose()),
            (Self::Secret(secret), Self::Keyed(digest)) | (Self::Keyed(digest), Self::Secret(secret)) => {
                Some(Digest::keyed(key, secret.expose()) == *digest)
            }
            (Self::Secret(secret), Self::Sealed { salt, digest })
            | (Self::Sealed { salt, digest }, Self::Secret(secret)) => {
                Some(Digest::keyed(salt, secret.expose()) == *digest)
            }
            (Self::Sealed { salt, digest }, Self::Sealed { salt: other_salt, digest: other_digest })
                if salt == other_salt =>
            {
                Some(digest == other_digest)
            }
            (Self::Keyed(_) | Self::Sealed { .. }, Self::Keyed(_) | Self::Sealed { .. }) => None,
            _ => Some(false),
        }
    }

    /// As it may be kept: a secret becomes a digest made with `salt`.
    #[must_use]
    pub fn sealed(&self, salt: &str) -> Self {
        match self {
            Self::Secret(secret) => {
                Self::Sealed { salt: salt.to_owned(), digest: Digest::keyed(salt, secret.expose()) }
            }
            other => other.clone(),
        }
    }

    /// Whether a secret takes part.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        matches!(self, Self::Secret(_) | Self::Keyed(_) | Self::Sealed { .. })
    }
}

impl fmt::Display for Aspect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(text) => formatter.write_str(text),
            Self::Digest(digest) => write!(formatter, "sha256 {}", digest.short()),
            Self::Secret(_) | Self::Keyed(_) | Self::Sealed { .. } => formatter.write_str("<secret>"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_compared_by_whatever_digest_there_is() {
        let secret = |text: &str| Aspect::Secret(Secret::new(text.as_bytes().to_vec()));
        let there = Aspect::Keyed(Digest::keyed("run", b"one"));
        let kept = secret("one").sealed("salt");
        assert_eq!(secret("one").is(&there, "run"), Some(true));
        assert_eq!(there.is(&secret("two"), "run"), Some(false));
        assert_eq!(kept.is(&secret("one"), "run"), Some(true));
        assert_eq!(secret("two").is(&kept, "run"), Some(false));
        assert_eq!(kept.is(&there, "run"), None);
        assert_eq!(kept.is(&secret("one").sealed("other"), "run"), None);
        assert_eq!(kept.is(&Aspect::plain("one"), "run"), Some(false));
        assert!(!format!("{kept} {there} {}", secret("one")).contains("one"));
    }
}
