//! Errors in what a person wrote, with the place, what was expected and the nearest name.

use super::source::Span;

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong, one line, lower case, no full stop.
    pub message: String,
    /// Where.
    pub span: Option<Span>,
    /// What would be right here.
    pub expected: Option<String>,
    /// The nearest valid name.
    pub nearest: Option<String>,
    /// Other places that matter, each with a few words ("first given here", "used here").
    pub related: Vec<(Span, String)>,
}

impl Diagnostic {
    /// A problem at a place.
    #[must_use]
    pub fn at(span: &Span, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            span: Some(span.clone()),
            expected: None,
            nearest: None,
            related: Vec::new(),
        }
    }

    /// A problem of a whole run or file, with no place of its own.
    #[must_use]
    pub fn placeless(message: impl Into<String>) -> Self {
        Self { message: message.into(), span: None, expected: None, nearest: None, related: Vec::new() }
    }

    /// Adds what would be right.
    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    /// Adds the nearest of the valid names, when one is near.
    #[must_use]
    pub fn nearest_of<'a>(mut self, wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.nearest = nearest(wrong, names);
        self
    }

    /// Adds another place that matters.
    #[must_use]
    pub fn related(mut self, span: &Span, note: impl Into<String>) -> Self {
        self.related.push((span.clone(), note.into()));
        self
    }
}

/// Problems gathered on the way, so that all of a file's are shown at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one; an equal one is kept once.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        if !self.0.contains(&diagnostic) {
            self.0.push(diagnostic);
        }
    }

    /// Adds all of another collection.
    pub fn append(&mut self, other: Self) {
        for diagnostic in other.0 {
            self.push(diagnostic);
        }
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// In the order of their places: file by file, from top to bottom.
    #[must_use]
    pub fn sorted(&self) -> Vec<&Diagnostic> {
        let mut all: Vec<&Diagnostic> = self.0.iter().collect();
        all.sort_by_key(|diagnostic| {
            diagnostic.span.as_ref().map(|span| (span.source().name().to_owned(), span.start()))
        });
        all
    }
}

/// The valid name nearest to a wrong one, when it is near enough to be what was meant
/// (Damerau–Levenshtein distance of at most a third of the longer one's length, and at least one).
#[must_use]
pub fn nearest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(wrong, name), name))
        .filter(|(distance, name)| *distance <= (wrong.chars().count().max(name.chars().count()) / 3).max(1))
        .min()
        .map(|(_, name)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered_only_when_near() {
        assert_eq!(nearest("drolpet", ["droplet", "hs-nas"]), Some("droplet".to_owned()));
        assert_eq!(nearest("x", ["droplet", "hs-nas"]), None);
        assert_eq!(nearest("pth", ["path", "mode"]), Some("path".to_owned()));
    }
}
