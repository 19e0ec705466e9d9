//! Errors in what a person wrote, with the place, what was expected and the nearest name.

use std::collections::HashMap;

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
pub struct Diagnostics {
    all: Vec<Diagnostic>,
    /// Those that start at the same byte, so that finding an equal one does not cost more with
    /// every problem.
    starts: HashMap<Option<usize>, Vec<usize>>,
}

impl Diagnostics {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one; an equal one is kept once.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        let here = self.starts.entry(diagnostic.span.as_ref().map(Span::start)).or_default();
        if !here.iter().any(|at| self.all.get(*at) == Some(&diagnostic)) {
            here.push(self.all.len());
            self.all.push(diagnostic);
        }
    }

    /// Adds all of another collection.
    pub fn append(&mut self, other: Self) {
        for diagnostic in other.all {
            self.push(diagnostic);
        }
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// In the order of their places: file by file, from top to bottom.
    #[must_use]
    pub fn sorted(&self) -> Vec<&Diagnostic> {
        let mut all: Vec<&Diagnostic> = self.all.iter().collect();
        all.sort_by_cached_key(|diagnostic| {
            diagnostic.span.as_ref().map(|span| (span.source().name().to_owned(), span.start()))
        });
        all
    }
}

/// The valid name nearest to a wrong one, when it is near enough to be what was meant
/// (Damerau–Levenshtein distance of at most a third of the longer one's length, or one, but never
/// all of it).
#[must_use]
pub fn nearest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(wrong, name), name))
        .filter(|(distance, name)| {
            let longer = wrong.chars().count().max(name.chars().count());
            *distance <= (longer / 3).max(1) && *distance < longer
        })
        .min()
        .map(|(_, name)| name.to_owned())
}

/// Names as what is expected: "`a`", or "one of a, b". They keep their order.
#[must_use]
pub fn one_of(names: &[&str]) -> String {
    match names {
        [only] => format!("`{only}`"),
        several => format!("one of {}", several.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered_only_when_near() {
        assert_eq!(nearest("drolpet", ["droplet", "hs-nas"]), Some("droplet".to_owned()));
        assert_eq!(nearest("x", ["droplet", "hs-nas"]), None);
        assert_eq!(nearest("x", ["a"]), None, "nothing of it is left");
        assert_eq!(nearest("pth", ["path", "mode"]), Some("path".to_owned()));
    }

    #[test]
    fn an_equal_problem_is_kept_once() {
        let source = super::super::source::Source::new("t", "ab");
        let mut problems = Diagnostics::new();
        for (start, message) in [(0, "x"), (1, "x"), (0, "y"), (0, "x")] {
            problems.push(Diagnostic::at(&Span::new(&source, start, 2), message));
        }
        problems.push(Diagnostic::placeless("x"));
        problems.push(Diagnostic::placeless("x"));
        assert_eq!(problems.len(), 4);
    }
}
