//! From a line and column of a template to a place in the file it stands in.

use std::sync::Arc;

use crate::model::{Source, Span, Spanned};

/// Where a template's text stands.
pub(super) enum Place<'a> {
    /// It is a whole file.
    File(&'a Arc<Source>),
    /// It is a single value of a YAML file.
    Scalar {
        /// The value's place, with its quotes or its `|`.
        span: &'a Span,
        /// The value's text, unquoted.
        text: &'a str,
    },
}

impl Place<'_> {
    /// The tag that begins at a line and column of the template, both from 1, counted in
    /// characters; up to the tag's end or the line's.
    ///
    /// In a YAML value that is folded or has escapes the text is another than what the file shows;
    /// then the whole value is pointed at.
    pub(super) fn tag(&self, line: usize, column: usize) -> Span {
        match self {
            Self::File(source) => {
                let start = offset(source.text(), line, column).unwrap_or(source.text().len());
                let end = start + tag_length(source.text().get(start..).unwrap_or_default());
                Span::new(source, start, end)
            }
            Self::Scalar { span, text } => {
                let Some(start) = offset(text, line, column) else { return (*span).clone() };
                let length = tag_length(text.get(start..).unwrap_or_default());
                let whole = Spanned { value: (*text).to_owned(), span: (*span).clone() };
                let part = whole.part(start, start + length);
                if part != **span {
                    return part;
                }
                // A `|` or folded text: look for the tag; it may stand there more than once.
                let tag = text.get(start..start + length).unwrap_or_default();
                let shown = span.source().text().get(span.start()..span.end()).unwrap_or_default();
                let before = text.get(..start).unwrap_or_default().matches(tag).count();
                match shown.match_indices(tag).nth(before) {
                    Some((at, _)) if !tag.is_empty() => span.within(at, at + tag.len()),
                    _ => (*span).clone(),
                }
            }
        }
    }
}

/// The line and column of the tag that mentions `name`: the one at the given place, or the first behind
/// it. handlebars knows no places inside a block's `else if`, only the block's own.
pub(super) fn mention(text: &str, name: &str, line: usize, column: usize) -> (usize, usize) {
    let Some(start) = offset(text, line, column) else { return (line, column) };
    let rest = text.get(start..).unwrap_or_default();
    for (at, _) in rest.match_indices("{{") {
        let tag = rest.get(at..).unwrap_or_default();
        if tag.get(..tag_length(tag)).is_some_and(|tag| tag.contains(name)) {
            return line_and_column(text, start + at);
        }
    }
    (line, column)
}

/// The line and column of a byte, both from 1, counted in characters.
pub(super) fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
    (before.matches('\n').count() + 1, column)
}

/// Whether nothing but blanks stands at and behind a line and column.
pub(super) fn is_end(text: &str, line: usize, column: usize) -> bool {
    offset(text, line, column).is_none_or(|start| text.get(start..).is_none_or(|rest| rest.trim().is_empty()))
}

fn offset(text: &str, line: usize, column: usize) -> Option<usize> {
    let line_start =
        if line <= 1 { 0 } else { text.match_indices('\n').nth(line - 2).map(|(at, _)| at + 1)? };
    let rest = text.get(line_start..)?;
    let inside = rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(at, _)| at);
    Some(line_start + inside)
}

fn tag_length(text: &str) -> usize {
    let line = text.lines().next().unwrap_or_default();
    line.find("}}").map_or(line.len(), |at| at + 2)
}
