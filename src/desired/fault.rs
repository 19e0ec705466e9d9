//! What is wrong, before it has a place.

use handlebars::{RenderError, RenderErrorReason};

use crate::model::{Diagnostic, Span};

/// A problem without its place.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct Fault {
    message: String,
    expected: Option<String>,
    nearest: Option<String>,
    about: Option<String>,
}

impl Fault {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), expected: None, nearest: None, about: None }
    }

    pub(super) fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    pub(super) fn nearest_of<'a>(mut self, wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.nearest = crate::model::nearest(wrong, names);
        self
    }

    /// The name as it stands in the template.
    pub(super) fn about(mut self, name: &str) -> Self {
        self.about = Some(name.to_owned());
        self
    }

    /// What [`Fault::about`] was told.
    pub(super) fn name(&self) -> Option<&str> {
        self.about.as_deref()
    }

    pub(super) fn at(self, span: &Span) -> Diagnostic {
        let mut diagnostic = Diagnostic::at(span, self.message);
        diagnostic.expected = self.expected;
        diagnostic.nearest = self.nearest;
        diagnostic
    }
}

impl From<Fault> for RenderError {
    fn from(fault: Fault) -> Self {
        RenderErrorReason::NestedError(Box::new(fault)).into()
    }
}
