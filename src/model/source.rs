//! The text a person wrote, and places in it, so that an error can point.

use std::fmt;
use std::sync::Arc;

/// One text with the name it is known by (a path as the person gave it, or `built-in roles/x.yaml`).
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    name: String,
    text: String,
}

impl Source {
    /// A text and its name.
    #[must_use]
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self { name: name.into(), text: text.into() })
    }

    /// The name to print.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// A stretch of a source, in bytes: `start..end`.
#[derive(Clone, PartialEq, Eq)]
pub struct Span {
    source: Arc<Source>,
    start: usize,
    end: usize,
}

impl Span {
    /// A stretch of a source; both ends are pulled back into the text and onto character borders.
    #[must_use]
    pub fn new(source: &Arc<Source>, start: usize, end: usize) -> Self {
        let floor = |wanted: usize| {
            let mut at = wanted.min(source.text.len());
            while !source.text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let start = floor(start);
        Self { source: Arc::clone(source), start, end: floor(end).max(start) }
    }

    /// The source this is a part of.
    #[must_use]
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// First byte.
    #[must_use]
    pub fn start(&self) -> usize {
        self.start
    }

    /// Byte behind the last one.
    #[must_use]
    pub fn end(&self) -> usize {
        self.end
    }

    /// Line and column of the start, both from 1; the column counts characters.
    #[must_use]
    pub fn line_and_column(&self) -> (usize, usize) {
        let before = self.source.text.get(..self.start).unwrap_or_default();
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        (line, column)
    }

    /// A stretch inside this one, counted in bytes from its start.
    #[must_use]
    pub fn within(&self, start: usize, end: usize) -> Self {
        Self::new(&self.source, self.start + start, (self.start + end).min(self.end))
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.line_and_column();
        write!(formatter, "{}:{line}:{column}", self.source.name)
    }
}

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

impl Spanned<String> {
    /// The place of a part of the text, in bytes of the text.
    ///
    /// Quotes around the text are passed over. A text that stands otherwise in its file (folded, with
    /// escapes, filled in) has no parts there: then it is the whole place.
    #[must_use]
    pub fn part(&self, start: usize, end: usize) -> Span {
        let shown = self.span.source.text.get(self.span.start..self.span.end).unwrap_or_default();
        match shown.find(&self.value) {
            Some(at) if !self.value.is_empty() => self.span.within(at + start, at + end),
            _ => self.span.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_characters() {
        let source = Source::new("f.yaml", "a: ü\nbé: x\n");
        let at = source.text().find('x').unwrap();
        assert_eq!(Span::new(&source, at, at + 1).line_and_column(), (2, 5));
        assert_eq!(format!("{:?}", Span::new(&source, 0, 1)), "f.yaml:1:1");
        let text = Spanned { value: "ü".to_owned(), span: Span::new(&source, 3, 5) };
        assert_eq!(text.part(0, 2), text.span);
        let quoted = Source::new("q", "a: 'b c'");
        let text = Spanned { value: "b c".to_owned(), span: Span::new(&quoted, 3, 8) };
        assert_eq!((text.part(2, 3).start(), text.part(2, 3).end()), (6, 7));
        let other = Spanned { value: "x".to_owned(), span: Span::new(&quoted, 3, 8) };
        assert_eq!(other.part(0, 1), other.span);
        let inside = Span::new(&source, 4, 4);
        assert_eq!(inside.start(), 3, "pulled back to a character border");
    }
}
