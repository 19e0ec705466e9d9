//! The address of a key in a JSON document: an RFC 6901 pointer that names keys of objects only.

use std::fmt::{Display, Formatter};
use std::str::FromStr;

use super::JsonError;

/// The keys on the way to a value, outermost first; at least one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pointer {
    keys: Vec<String>,
}

impl Pointer {
    /// The pointer through these keys.
    ///
    /// # Errors
    /// [`JsonError::Pointer`] when there is no key: the whole document has an owner of its own.
    pub fn new<Key: Into<String>>(keys: impl IntoIterator<Item = Key>) -> Result<Self, JsonError> {
        let keys: Vec<String> = keys.into_iter().map(Into::into).collect();
        if keys.is_empty() {
            return Err(JsonError::Pointer { text: String::new() });
        }
        Ok(Self { keys })
    }

    /// The objects around the key, the innermost first; none for a key of the document itself.
    pub fn around(&self) -> Vec<Self> {
        (1..self.keys.len())
            .rev()
            .map(|length| Self { keys: self.keys.iter().take(length).cloned().collect() })
            .collect()
    }

    /// The keys, outermost first; never empty.
    pub fn keys(&self) -> &[String] {
        &self.keys
    }
}

impl FromStr for Pointer {
    type Err = JsonError;

    /// Reads `/key/key`. In a key, `~1` stands for `/` and `~0` for `~`.
    fn from_str(text: &str) -> Result<Self, JsonError> {
        let refuse = || JsonError::Pointer { text: text.to_owned() };
        let keys = text.strip_prefix('/').ok_or_else(refuse)?;
        keys.split('/')
            .map(|key| unescape(key).ok_or_else(refuse))
            .collect::<Result<_, _>>()
            .map(|keys| Self { keys })
    }
}

fn unescape(key: &str) -> Option<String> {
    let mut parts = key.split('~');
    let mut plain = parts.next()?.to_owned();
    for part in parts {
        let (sign, rest) = match part.strip_prefix('0') {
            Some(rest) => ('~', rest),
            None => ('/', part.strip_prefix('1')?),
        };
        plain.push(sign);
        plain.push_str(rest);
    }
    Some(plain)
}

impl Display for Pointer {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        self.keys
            .iter()
            .try_for_each(|key| write!(formatter, "/{}", key.replace('~', "~0").replace('/', "~1")))
    }
}
