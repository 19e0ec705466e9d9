//! How the observed state differs from the desired one, and the operations that mend it.

use super::operation::Operation;

/// The outcome of comparing one resource.
#[derive(Clone, Debug)]
pub enum Comparison {
    /// Nothing to do.
    InOrder,
    /// Something to do.
    Differs(Difference),
}

/// What differs and what would be done.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The sort of change.
    pub action: Action,
    /// What a person gets to read.
    pub details: Vec<Detail>,
    /// What the machine gets to do, in order.
    pub operations: Vec<Operation>,
}

/// The sort of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is not there yet.
    Create,
    /// It is there and differs.
    Update,
    /// Something else is in its place and is replaced.
    Replace,
    /// It is there and should not be.
    Remove,
    /// It is left as it is, and fleetprov forgets it.
    Release,
    /// Nothing of it differs, but what it depends on changes: it is restarted.
    Restart,
}

impl Action {
    /// The verb of the report.
    #[must_use]
    pub fn verb(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Replace => "replace",
            Self::Remove => "remove",
            Self::Release => "release",
            Self::Restart => "restart",
        }
    }
}

/// One thing that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Detail {
    /// A named value: `mode 0644 → 0600`, `enabled no → yes`.
    Value {
        /// What it is.
        name: String,
        /// What is there, when anything is.
        from: Option<String>,
        /// What will be there.
        to: String,
    },
    /// A text, shown as a unified diff.
    Text {
        /// What it is: a path or a part of one.
        name: String,
        /// What is there; `None` when nothing is, or when it was too large to fetch.
        from: Option<Vec<u8>>,
        /// What will be there.
        to: Vec<u8>,
    },
    /// Contents that are binary or too large to show.
    Summary {
        /// What it is.
        name: String,
        /// What is there, in words: size and short digest.
        from: Option<String>,
        /// What will be there, in words.
        to: String,
    },
    /// A secret content differs. Neither side is shown.
    Secret {
        /// What it is.
        name: String,
        /// Whether something is there now.
        existed: bool,
    },
    /// A sentence.
    Note(String),
}

impl Detail {
    /// A named value that differs.
    #[must_use]
    pub fn value(name: impl Into<String>, from: Option<&str>, to: impl Into<String>) -> Self {
        Self::Value { name: name.into(), from: from.map(str::to_owned), to: to.into() }
    }

    /// A named yes or no that differs.
    #[must_use]
    pub fn flag(name: impl Into<String>, to: bool) -> Self {
        let word = |flag: bool| if flag { "yes" } else { "no" };
        Self::value(name, Some(word(!to)), word(to))
    }
}
