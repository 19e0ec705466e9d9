//! What a YAML file says, before anyone asks what it means: text, lists and maps with their places.

use super::source::Span;

/// One node of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// Where it stands.
    pub span: Span,
}

/// The shapes a node can have. Scalars stay text: whether `0644` is a number or a mode is for the
/// field that reads it to say, so that YAML's own guesses (`no`, `1.10`, `0644`) never lose anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nothing, `~` or `null`, unquoted.
    Null,
    /// A text; `plain` when it stood without quotes.
    Scalar {
        /// The text after unquoting.
        text: String,
        /// Whether it stood without quotes.
        plain: bool,
    },
    /// A list.
    List(Vec<Node>),
    /// A map in the order it was written; no two keys are equal.
    Map(Vec<Entry>),
}

/// One key of a map and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: Key,
    /// The value.
    pub value: Node,
}

/// A key and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The key's text.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

/// The shape of a node by name, for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// Nothing.
    Null,
    /// A single value.
    Scalar,
    /// A list.
    List,
    /// A map.
    Map,
}

impl NodeKind {
    /// With its article, as it reads in a sentence.
    #[must_use]
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Scalar => "a single value",
            Self::List => "a list",
            Self::Map => "a map",
        }
    }

    /// How it is written, for what is expected.
    #[must_use]
    pub fn pattern(self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Scalar => "a text",
            Self::List => "a list: `- ITEM` on each line, or `[ITEM, ITEM]`",
            Self::Map => "a map: `KEY: VALUE` on each line, or `{KEY: VALUE}`",
        }
    }
}

impl Node {
    /// A text node.
    #[must_use]
    pub fn text(text: impl Into<String>, span: Span) -> Self {
        Self { value: Value::Scalar { text: text.into(), plain: false }, span }
    }

    /// Its shape.
    #[must_use]
    pub fn kind(&self) -> NodeKind {
        match self.value {
            Value::Null => NodeKind::Null,
            Value::Scalar { .. } => NodeKind::Scalar,
            Value::List(_) => NodeKind::List,
            Value::Map(_) => NodeKind::Map,
        }
    }

    /// Its text, when it is a single value.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The value under a key, when it is a map that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        match &self.value {
            Value::Map(entries) => {
                entries.iter().find(|entry| entry.key.text == key).map(|entry| &entry.value)
            }
            _ => None,
        }
    }
}
