//! Where an entry is added or taken out, whichever way its map is written.

use super::content::Content;
use super::document::Document;
use super::lines::Splices;
use super::outline::{Body, Pair, Piece};
use super::{block, flow};
use crate::model::Diagnostic;

/// A map, or the place of one that is not there yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Holder<'a> {
    /// The map; nothing, when the first entry makes it.
    pub(super) map: &'a Piece,
    /// The entry whose value it is; `None` for the whole document.
    pub(super) pair: Option<&'a Pair>,
    /// Whether it stands inside of braces or brackets.
    pub(super) in_flow: bool,
}

impl<'a> Holder<'a> {
    /// The whole document.
    pub(super) fn root(document: &'a Document<'_>) -> Self {
        Self { map: &document.outline, pair: None, in_flow: false }
    }

    /// The map under one of this map's keys.
    pub(super) fn below(self, pair: &'a Pair) -> Self {
        Self { map: &pair.value, pair: Some(pair), in_flow: self.is_flow() }
    }

    /// Whether this map's entries stand inside of braces.
    pub(super) fn is_flow(self) -> bool {
        self.in_flow || matches!(self.map.body, Body::Map { flow: true, .. })
    }

    /// The place behind the `:` and the anchor of the map, and the end of what stands there for an empty
    /// map.
    pub(super) fn gap(self, text: &str) -> Option<(usize, usize)> {
        let colon = self.pair?.colon? + 1;
        if self.map.is_absent() {
            // A value that is not written has its place somewhere behind.
            return Some((colon, colon));
        }
        if self.map.anchor == 0 {
            return Some((colon, self.map.end));
        }
        let written = text.get(self.map.start..self.map.end)?;
        let anchor = written.find(char::is_whitespace).unwrap_or(written.len());
        Some((self.map.start + anchor, self.map.end))
    }
}

/// Adds an entry behind the last one.
pub(super) fn add(
    document: &Document<'_>,
    holder: Holder<'_>,
    key: &str,
    content: &Content,
    samples: &[&Piece],
) -> Result<Splices, Diagnostic> {
    match &holder.map.body {
        Body::Map { flow: false, entries } if !entries.is_empty() => {
            block::add_behind(document, entries, key, content, samples)
        }
        Body::Map { flow: true, entries } if !entries.is_empty() => {
            Ok(flow::add_behind(document, entries, key, content, samples))
        }
        Body::Map { .. } if holder.in_flow || holder.pair.is_none() => {
            flow::add_first(document, holder, key, content, samples)
        }
        Body::Map { .. } => block::add_first(document, holder, key, content, samples),
        Body::Scalar { .. } if holder.map.is_null() && holder.in_flow => {
            flow::add_first(document, holder, key, content, samples)
        }
        Body::Scalar { .. } if holder.map.is_null() && holder.pair.is_some() => {
            block::add_first(document, holder, key, content, samples)
        }
        _ => Err(no_map(document, holder.map)),
    }
}

/// Takes an entry out.
pub(super) fn remove(
    document: &Document<'_>,
    holder: Holder<'_>,
    index: usize,
) -> Result<Splices, Diagnostic> {
    match &holder.map.body {
        Body::Map { flow: false, entries } => block::remove(document, holder, entries, index),
        Body::Map { flow: true, entries } => Ok(flow::remove(document, holder.map, entries, index)),
        _ => Err(no_map(document, holder.map)),
    }
}

/// What cannot be edited because it is written another way.
fn no_map(document: &Document<'_>, piece: &Piece) -> Diagnostic {
    let what = if matches!(piece.body, Body::Alias(_)) { "an alias stands" } else { "another value stands" };
    Diagnostic::at(&document.place(piece), format!("{what} where a map is to be edited"))
        .expected("a map, written out")
}
