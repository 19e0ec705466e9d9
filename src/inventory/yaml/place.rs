//! Places: from the parser's character counts to bytes of the source.

use std::sync::Arc;

use crate::model::{Source, Span};

const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Converts the parser's character indices to spans.
///
/// saphyr-parser 0.3 counts characters (`Marker::index`), a carriage return and a line feed as two;
/// this was compared with its events on texts with umlauts, comments and both line ends.
pub(in crate::inventory) struct Places<'a> {
    source: &'a Arc<Source>,
    text: &'a str,
    /// Bytes of the source before `text`: a byte order mark, or none.
    skipped: usize,
    /// The byte of every character and of the end; nothing when each character is one byte.
    bytes: Option<Vec<usize>>,
}

impl<'a> Places<'a> {
    pub(in crate::inventory) fn new(source: &'a Arc<Source>) -> Self {
        let whole = source.text();
        let text = whole.strip_prefix(BYTE_ORDER_MARK).unwrap_or(whole);
        let bytes = (!text.is_ascii())
            .then(|| text.char_indices().map(|(byte, _)| byte).chain(std::iter::once(text.len())).collect());
        Self { source, text, skipped: whole.len() - text.len(), bytes }
    }

    /// The text without its byte order mark.
    pub(in crate::inventory) fn text(&self) -> &'a str {
        self.text
    }

    /// The span of the characters `start..end`.
    pub(in crate::inventory) fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.source, self.byte(start), self.byte(end))
    }

    /// The span of one character. Where only white space follows, the place right behind the last
    /// visible character: what is missing is missing there.
    pub(in crate::inventory) fn point(&self, at: usize) -> Span {
        let span = self.span(at, at.saturating_add(1));
        let whole = self.source.text();
        if whole.get(span.start()..).is_some_and(|rest| rest.trim().is_empty()) {
            let end = whole.trim_end().len();
            return Span::new(self.source, end, end);
        }
        span
    }

    /// The span without white space at its end; the parser's may hold some.
    pub(in crate::inventory) fn trimmed(&self, span: &Span) -> Span {
        let text = self.source.text().get(span.start()..span.end()).unwrap_or_default();
        Span::new(self.source, span.start(), span.start() + text.trim_end().len())
    }

    fn byte(&self, character: usize) -> usize {
        let byte = match &self.bytes {
            None => character,
            Some(bytes) => bytes.get(character).copied().unwrap_or(self.text.len()),
        };
        self.skipped + byte.min(self.text.len())
    }
}
