//! What is to be written into an inventory, before it is known how.

use crate::model::{Entry, Key, Node, Span, Value};

/// A value to write; its layout and quotes follow from what stands around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A text, quoted where YAML needs it or the neighbours do it.
    Text(String),
    /// `true` or `false`.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// A list.
    List(Vec<Content>),
    /// A map, in this order; no key twice.
    Map(Vec<(String, Content)>),
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl Content {
    /// The single value as it is written without quotes; `None` for lists and maps.
    pub(super) fn word(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Flag(flag) => Some(flag.to_string()),
            Self::Number(number) => Some(number.to_string()),
            Self::List(_) | Self::Map(_) => None,
        }
    }

    /// Whether it is a list or map that holds lists or maps.
    pub(super) fn is_nested(&self) -> bool {
        let holds_more = |content: &Self| match content {
            Self::List(items) => !items.is_empty(),
            Self::Map(entries) => !entries.is_empty(),
            _ => false,
        };
        match self {
            Self::List(items) => items.iter().any(holds_more),
            Self::Map(entries) => entries.iter().any(|(_, value)| holds_more(value)),
            _ => false,
        }
    }

    /// The same as a node, all of it at one place.
    pub(super) fn node(&self, span: &Span) -> Node {
        let value = match self {
            Self::List(items) => Value::List(items.iter().map(|item| item.node(span)).collect()),
            Self::Map(entries) => Value::Map(
                entries
                    .iter()
                    .map(|(key, value)| Entry {
                        key: Key { text: key.clone(), span: span.clone() },
                        value: value.node(span),
                    })
                    .collect(),
            ),
            single => Value::Scalar { text: single.word().unwrap_or_default(), plain: false },
        };
        Node { value, span: span.clone() }
    }

    /// Where a node first says something else: the way there (`connect.ssh`, empty for the node
    /// itself) and the place. The order of keys means nothing, nor do quotes.
    pub(super) fn difference(&self, node: &Node) -> Option<(String, Span)> {
        let other = || Some((String::new(), node.span.clone()));
        match (self, &node.value) {
            (Self::Map(wanted), Value::Map(found)) => {
                for entry in found {
                    let Some((key, value)) = wanted.iter().find(|(key, _)| *key == entry.key.text) else {
                        return Some((entry.key.text.clone(), entry.key.span.clone()));
                    };
                    if let Some((way, span)) = value.difference(&entry.value) {
                        return Some((
                            if way.is_empty() { key.clone() } else { format!("{key}.{way}") },
                            span,
                        ));
                    }
                }
                let missing = wanted.iter().find(|(key, _)| node.get(key).is_none());
                missing.map(|(key, _)| (key.clone(), node.span.clone()))
            }
            (Self::Map(wanted), Value::Null) if wanted.is_empty() => None,
            (Self::List(wanted), Value::List(found)) => {
                if wanted.len() != found.len() {
                    return other();
                }
                wanted.iter().zip(found).find_map(|(wanted, found)| wanted.difference(found))
            }
            (Self::List(_) | Self::Map(_), _) => other(),
            (single, Value::Scalar { text, .. }) if single.word().as_ref() == Some(text) => None,
            _ => other(),
        }
    }
}
