//! Places: from the parser's character counts to bytes of the source.

use std::sync::Arc;

use saphyr_parser::ScalarStyle;

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

    /// The span of a single value, its anchor included. The parser's goes on to the end of a comment behind
    /// closing quotes.
    pub(in crate::inventory) fn scalar(&self, span: &Span, style: ScalarStyle) -> Span {
        let trimmed = self.trimmed(span);
        let quote = match style {
            ScalarStyle::SingleQuoted => '\'',
            ScalarStyle::DoubleQuoted => '"',
            ScalarStyle::Plain | ScalarStyle::Literal | ScalarStyle::Folded => return trimmed,
        };
        let written = self.source.text().get(span.start()..span.end()).unwrap_or_default();
        let mut inside = behind_properties(written);
        if written.get(inside..).is_some_and(|rest| rest.starts_with(quote)) {
            inside += 1;
        }
        let mut rest = written.get(inside..).unwrap_or_default().char_indices().peekable();
        while let Some((at, one)) = rest.next() {
            let next = rest.peek().map(|(_, next)| *next);
            if one == '\\' && quote == '"' || one == '\'' && quote == one && next == Some(one) {
                rest.next();
            } else if one == quote {
                return Span::new(self.source, span.start(), span.start() + inside + at + 1);
            }
        }
        trimmed
    }

    /// The span of an alias: its name has neither white space nor brackets nor commas.
    pub(in crate::inventory) fn alias(&self, span: &Span) -> Span {
        let written = self.source.text().get(span.start()..span.end()).unwrap_or_default();
        let is_end = |one: char| one.is_whitespace() || matches!(one, ',' | '[' | ']' | '{' | '}');
        Span::new(self.source, span.start(), span.start() + written.find(is_end).unwrap_or(written.len()))
    }

    /// The byte behind the bracket that closes a list or map, from the place of the event that ends it;
    /// `None` when there is no bracket. The parser's place goes on to the end of a comment behind
    /// the bracket, and is that of the comma before it when there is one.
    pub(in crate::inventory) fn behind_bracket(&self, end: &Span) -> Option<usize> {
        let text = self.source.text();
        let is_there = |at: usize, what: &[char]| text.get(at..).is_some_and(|rest| rest.starts_with(what));
        if self.trimmed(end).end() == end.start() {
            return None;
        }
        let mut at = next_visible(text, end.start());
        if is_there(at, &[',']) {
            at = next_visible(text, at + 1);
        }
        is_there(at, &[']', '}']).then_some(at + 1)
    }

    fn byte(&self, character: usize) -> usize {
        let byte = match &self.bytes {
            None => character,
            Some(bytes) => bytes.get(character).copied().unwrap_or(self.text.len()),
        };
        self.skipped + byte.min(self.text.len())
    }
}

/// The first byte, from a place on, that is neither white space nor part of a comment.
pub(in crate::inventory) fn next_visible(text: &str, from: usize) -> usize {
    let mut at = from;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let visible = rest.trim_start();
        at += rest.len() - visible.len();
        // A `#` begins a comment only behind white space.
        let apart = text.get(..at).is_some_and(|before| before.ends_with([' ', '\t', '\n']));
        if !(visible.starts_with('#') && apart) {
            return at;
        }
        at += visible.find('\n').unwrap_or(visible.len());
    }
}

/// Where a value begins behind its anchor and tag.
fn behind_properties(written: &str) -> usize {
    let mut at = 0;
    loop {
        let rest = written.get(at..).unwrap_or_default();
        if !rest.starts_with(['&', '!']) {
            return at;
        }
        let word = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let behind = rest.get(word..).unwrap_or_default();
        at += word + behind.len() - behind.trim_start().len();
    }
}
