//! What a resource is called: its kind and its target.

use std::fmt;

/// The identity of a resource on its machine: two resources with the same identity are a conflict.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId {
    /// The kind's name, such as `file`.
    pub kind: &'static str,
    /// What it is about: a path, a unit's name, a package's name.
    pub target: String,
}

impl ResourceId {
    /// Kind and target.
    #[must_use]
    pub fn new(kind: &'static str, target: impl Into<String>) -> Self {
        Self { kind, target: target.into() }
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.kind, self.target)
    }
}
