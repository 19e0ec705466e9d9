//! From a line and column of a template to a place in the file it stands in.

use std::sync::Arc;

use crate::model::{Source, Span};

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
                let tag = text.get(start..).unwrap_or_default();
                let tag = tag.get(..tag_length(tag)).unwrap_or_default();
                let shown = span.source().text().get(span.start()..span.end()).unwrap_or_default();
                // The same tag may stand in the value more than once: count those before it.
                let before = text.get(..start).unwrap_or_default().matches(tag).count();
                match shown.match_indices(tag).nth(before) {
                    Some((at, _)) if !tag.is_empty() => span.within(at, at + tag.len()),
                    _ => (*span).clone(),
                }
            }
        }
    }
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
