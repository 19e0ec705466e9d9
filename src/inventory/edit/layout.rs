//! How a file is laid out, as its own text shows: what most of it does is done again.

use std::collections::BTreeMap;

use saphyr_parser::ScalarStyle;

use super::lines;
use super::outline::{Body, Pair, Piece};

/// The habits of one file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// How much further to the right the keys of a map below a key stand.
    pub(super) step: usize,
    /// How much further to the right the `-` of a list below a key stands.
    pub(super) dash: usize,
    /// Whether braces have a space inside.
    pub(super) padded_maps: bool,
    /// Whether brackets have a space inside.
    pub(super) padded_lists: bool,
    /// Whether every key stands in double quotes, as in JSON.
    pub(super) quoted_keys: bool,
}

impl Layout {
    /// What most of a file does; two spaces where it shows nothing.
    pub(super) fn of(text: &str, root: &Piece) -> Self {
        let mut steps = Votes::default();
        let mut dashes = Votes::default();
        let mut maps = Votes::default();
        let mut lists = Votes::default();
        for piece in root.all() {
            match &piece.body {
                Body::Map { flow: true, entries } if !entries.is_empty() => {
                    maps.add(usize::from(is_padded(text, piece)));
                }
                Body::List { flow: true, items } if !items.is_empty() => {
                    lists.add(usize::from(is_padded(text, piece)));
                }
                _ => {}
            }
            for pair in piece.entries() {
                let Some(column) = lines::own_column(text, pair.key.start) else { continue };
                let (votes, first) = match &pair.value.body {
                    Body::Map { flow: false, entries } => {
                        (&mut steps, entries.first().map(|inner| &inner.key))
                    }
                    Body::List { flow: false, items } => (&mut dashes, items.first()),
                    _ => continue,
                };
                let inner = first.map(|first| lines::line_start(text, first.start)).map(|line| {
                    let rest = text.get(line..).unwrap_or_default();
                    rest.len() - rest.trim_start_matches(' ').len()
                });
                if let Some(further) = inner.and_then(|inner| inner.checked_sub(column)) {
                    votes.add(further);
                }
            }
        }
        let step = steps.most().filter(|step| *step > 0).unwrap_or(2);
        Self {
            step,
            dash: dashes.most().unwrap_or(step),
            padded_maps: maps.most() == Some(1),
            padded_lists: lists.most() == Some(1),
            quoted_keys: has_quoted_keys(root),
        }
    }
}

/// Whether all keys stand in double quotes.
fn has_quoted_keys(root: &Piece) -> bool {
    let is_quoted =
        |pair: &Pair| matches!(pair.key.body, Body::Scalar { style: ScalarStyle::DoubleQuoted, .. });
    !root.entries().is_empty() && root.all().into_iter().flat_map(Piece::entries).all(is_quoted)
}

/// Whether a space follows the bracket that opens a list or map.
fn is_padded(text: &str, piece: &Piece) -> bool {
    let written = text.get(piece.start..piece.end).unwrap_or_default();
    let inside = written.find(['{', '[']).and_then(|at| written.get(at + 1..)).unwrap_or_default();
    inside.starts_with(' ')
}

/// Counts what is done how often.
#[derive(Default)]
struct Votes(BTreeMap<usize, usize>);

impl Votes {
    fn add(&mut self, what: usize) {
        *self.0.entry(what).or_default() += 1;
    }

    /// What is done most often; of several the smallest.
    fn most(&self) -> Option<usize> {
        self.0.iter().max_by_key(|(what, count)| (**count, usize::MAX - **what)).map(|(what, _)| *what)
    }
}

/// Whether lists and maps like the ones at hand mostly stand on lines of their own; `None` when there
/// are none. When as many do as do not, the last one decides.
pub(super) fn mostly_block(samples: &[&Piece], is_map: bool) -> Option<bool> {
    let blocks: Vec<bool> = samples
        .iter()
        .filter_map(|sample| match &sample.body {
            Body::Map { flow, entries } if is_map && !entries.is_empty() => Some(!flow),
            Body::List { flow, items } if !is_map && !items.is_empty() => Some(!flow),
            _ => None,
        })
        .collect();
    let count = blocks.iter().filter(|block| **block).count();
    match (count * 2).cmp(&blocks.len()) {
        std::cmp::Ordering::Less => Some(false),
        std::cmp::Ordering::Greater => Some(true),
        std::cmp::Ordering::Equal => blocks.last().copied(),
    }
}

/// The quotes that most texts at the same place of other entries have.
pub(super) fn usual_quotes(samples: &[&Piece]) -> ScalarStyle {
    let count = |wanted: ScalarStyle| {
        let has = |sample: &&&Piece| matches!(&sample.body, Body::Scalar { style, .. } if *style == wanted);
        samples.iter().filter(has).count()
    };
    let (double, single) = (count(ScalarStyle::DoubleQuoted), count(ScalarStyle::SingleQuoted));
    let plain = count(ScalarStyle::Plain);
    if double > plain && double >= single {
        ScalarStyle::DoubleQuoted
    } else if single > plain {
        ScalarStyle::SingleQuoted
    } else {
        ScalarStyle::Plain
    }
}

/// Whether most entries of a map have a blank line above them.
pub(super) fn mostly_apart(text: &str, entries: &[Pair]) -> bool {
    let gaps = entries.windows(2).filter(|pair| match pair {
        [above, below] => {
            let mut line = lines::line_below(text, above.end());
            let key = lines::line_start(text, below.key.start);
            let mut apart = false;
            while let Some(start) = line.filter(|start| *start < key) {
                apart |= lines::kind(text, start) == lines::Kind::Blank;
                line = lines::line_below(text, start);
            }
            apart
        }
        _ => false,
    });
    gaps.count() * 2 > entries.len().saturating_sub(1)
}

/// The spaces between the `:` of a new entry and its value, where the neighbours' values on the same
/// line stand below each other; otherwise one.
pub(super) fn spaces_before_value(text: &str, entries: &[Pair], key_end: usize) -> usize {
    let mut columns = Vec::new();
    let mut wide = false;
    for pair in entries {
        let start = lines::line_start(text, pair.key.start);
        let Some(colon) = pair.colon.filter(|_| !pair.value.is_absent()) else { continue };
        if lines::line_start(text, pair.value.start) != start {
            continue;
        }
        wide |= pair.value.start > colon + 2;
        columns.push(pair.value.start - start);
    }
    let common = columns.first().filter(|first| columns.len() > 1 && columns.iter().all(|one| one == *first));
    match common {
        Some(column) if wide && *column > key_end + 1 => column - key_end - 1,
        _ => 1,
    }
}
