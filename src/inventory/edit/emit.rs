//! Writes a value in the layout of its neighbours.

use super::content::Content;
use super::layout::{self, Layout};
use super::outline::{Body, Piece};
use super::quoting::quoted;
use saphyr_parser::ScalarStyle;

/// Up to this many columns a list or map without example is written on one line.
const WIDTH: usize = 100;

/// Writes values by the habits of a file. `samples` are always the values that stand at the same place of
/// the neighbours: they decide about lines and quotes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Writer {
    pub(super) layout: Layout,
}

impl Writer {
    /// An entry as lines of its own, the first one `column` from the left; `spaces` stand between the
    /// `:` and a value on the same line.
    pub(super) fn pair(
        &self,
        key: &str,
        content: &Content,
        samples: &[&Piece],
        column: usize,
        spaces: usize,
    ) -> Vec<String> {
        let shown = quoted(key, self.key_style(), false);
        let head = format!("{}{shown}:", " ".repeat(column));
        if !is_block(self, content, samples, head.chars().count()) {
            return vec![format!("{head}{}{}", " ".repeat(spaces), self.inline(content, samples, false))];
        }
        let mut lines = vec![head];
        match content {
            Content::Map(entries) => {
                lines.extend(self.pairs(entries, samples, column + self.layout.step));
            }
            Content::List(contents) => {
                let samples = items(samples);
                for content in contents {
                    lines.extend(self.item(content, &samples, column + self.layout.dash));
                }
            }
            _ => {}
        }
        lines
    }

    fn pairs(&self, entries: &[(String, Content)], samples: &[&Piece], column: usize) -> Vec<String> {
        let lines = |(key, value): &(String, Content)| self.pair(key, value, &below(samples, key), column, 1);
        entries.iter().flat_map(lines).collect()
    }

    fn item(&self, content: &Content, samples: &[&Piece], column: usize) -> Vec<String> {
        let dash = format!("{}- ", " ".repeat(column));
        match content {
            Content::Map(entries) if is_block(self, content, samples, dash.len()) => {
                let mut lines = self.pairs(entries, samples, column + 2);
                if let Some(first) = lines.first_mut() {
                    *first = format!("{dash}{}", first.trim_start_matches(' '));
                }
                lines
            }
            _ => vec![format!("{dash}{}", self.inline(content, samples, false))],
        }
    }

    /// A value on one line.
    pub(super) fn inline(&self, content: &Content, samples: &[&Piece], in_flow: bool) -> String {
        let around = |open: char, close: char, padded: bool, parts: Vec<String>| {
            let space = if padded && !parts.is_empty() { " " } else { "" };
            format!("{open}{space}{}{space}{close}", parts.join(", "))
        };
        match content {
            Content::Map(entries) => {
                let part =
                    |(key, value): &(String, Content)| self.flow_pair(key, value, &below(samples, key));
                around('{', '}', self.layout.padded_maps, entries.iter().map(part).collect())
            }
            Content::List(contents) => {
                let samples = items(samples);
                let parts = contents.iter().map(|content| self.inline(content, &samples, true)).collect();
                around('[', ']', self.layout.padded_lists, parts)
            }
            Content::Text(text) if self.layout.quoted_keys => quoted(text, self.key_style(), in_flow),
            Content::Text(text) => quoted(text, layout::usual_quotes(samples), in_flow),
            Content::Flag(_) | Content::Number(_) => content.word().unwrap_or_default(),
        }
    }

    fn key_style(&self) -> ScalarStyle {
        if self.layout.quoted_keys { ScalarStyle::DoubleQuoted } else { ScalarStyle::Plain }
    }

    /// An entry of a map in braces.
    pub(super) fn flow_pair(&self, key: &str, content: &Content, samples: &[&Piece]) -> String {
        format!("{}: {}", quoted(key, self.key_style(), true), self.inline(content, samples, true))
    }
}

/// Whether a value takes lines of its own: as most of its neighbours do; without any, when it holds
/// lists or maps or is too wide.
fn is_block(writer: &Writer, content: &Content, samples: &[&Piece], column: usize) -> bool {
    let is_map = match content {
        Content::Map(entries) if !entries.is_empty() => true,
        Content::List(items) if !items.is_empty() => false,
        _ => return false,
    };
    let usual = layout::mostly_block(samples, is_map);
    usual.unwrap_or_else(|| {
        content.is_nested() || column + 1 + writer.inline(content, samples, false).chars().count() > WIDTH
    })
}

/// The values under a key of the samples.
pub(super) fn below<'a>(samples: &[&'a Piece], key: &str) -> Vec<&'a Piece> {
    samples.iter().filter_map(|sample| sample.pair(key)).map(|pair| &pair.value).collect()
}

/// The items of all samples that are lists.
fn items<'a>(samples: &[&'a Piece]) -> Vec<&'a Piece> {
    let mut all = Vec::new();
    for sample in samples {
        if let Body::List { items, .. } = &sample.body {
            all.extend(items);
        }
    }
    all
}
