//! How an inventory is written: where its keys and values stand and in which style, anchors and
//! aliases where they are. [`crate::model::Node`] says what it means, with aliases copied out.

use saphyr_parser::{Event, Parser, ScalarStyle};

use crate::inventory::yaml::Places;
use crate::model::Span;

/// One key, value or item. Places are bytes of the source.
#[derive(Debug)]
pub(super) struct Piece {
    /// Its first byte; that of its anchor, when it has one.
    pub(super) start: usize,
    /// The byte behind its last one; equal to `start` for a value that is not written.
    pub(super) end: usize,
    /// The number of its anchor; 0 for none.
    pub(super) anchor: usize,
    /// What it is.
    pub(super) body: Body,
}

/// The ways to write a value.
#[derive(Debug)]
pub(super) enum Body {
    /// The value of the anchor with this number, once more.
    Alias(usize),
    /// A single value.
    Scalar { text: String, style: ScalarStyle },
    /// A list; `flow` when in brackets or inside of some.
    List { flow: bool, items: Vec<Piece> },
    /// A map; `flow` when in braces or inside of some.
    Map { flow: bool, entries: Vec<Pair> },
}

/// A key and its value.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) key: Piece,
    /// The place of the `:` that follows the key.
    pub(super) colon: Option<usize>,
    pub(super) value: Piece,
}

impl Piece {
    /// The entries of a map; none of anything else.
    pub(super) fn entries(&self) -> &[Pair] {
        match &self.body {
            Body::Map { entries, .. } => entries,
            _ => &[],
        }
    }

    /// The entry under a key.
    pub(super) fn pair(&self, key: &str) -> Option<&Pair> {
        self.entries().iter().find(|pair| pair.name() == Some(key))
    }

    /// Whether it is nothing: not written, `~` or `null`.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.body, Body::Scalar { text, style: ScalarStyle::Plain }
            if matches!(text.as_str(), "" | "~" | "null"))
    }

    /// Whether it is not written at all.
    pub(super) fn is_absent(&self) -> bool {
        self.start == self.end
    }

    /// The pieces it is made of.
    pub(super) fn children(&self) -> Vec<&Self> {
        match &self.body {
            Body::Alias(_) | Body::Scalar { .. } => Vec::new(),
            Body::List { items, .. } => items.iter().collect(),
            Body::Map { entries, .. } => entries.iter().flat_map(|pair| [&pair.key, &pair.value]).collect(),
        }
    }

    /// Itself and all pieces inside it, in the order of the text.
    pub(super) fn all(&self) -> Vec<&Self> {
        let mut all = vec![self];
        for child in self.children() {
            all.extend(child.all());
        }
        all
    }
}

impl Pair {
    /// The key's text.
    pub(super) fn name(&self) -> Option<&str> {
        match &self.key.body {
            Body::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The byte behind the last one of the entry.
    pub(super) fn end(&self) -> usize {
        let key = self.colon.map_or(self.key.end, |colon| colon + 1);
        if self.value.is_absent() { key } else { key.max(self.value.end) }
    }
}

/// A list or map that is not closed yet.
struct Open {
    start: usize,
    anchor: usize,
    flow: bool,
    shape: Shape,
}

enum Shape {
    List(Vec<Piece>),
    Map { entries: Vec<Pair>, key: Option<Piece> },
}

/// The outline of a text that [`crate::inventory::read_yaml`] has read without a problem.
///
/// Returns `None` where the parser does not get to the end.
pub(super) fn read(text: &str, places: &Places<'_>) -> Option<Piece> {
    let mut open: Vec<Open> = Vec::new();
    let mut root = None;
    for event in Parser::new_from_str(places.text()) {
        let (event, span) = event.ok()?;
        let span = places.span(span.start.index(), span.end.index());
        let leaf = |span: &Span, anchor, body| Piece { start: span.start(), end: span.end(), anchor, body };
        let in_flow = open.last().is_some_and(|open| open.flow);
        let mut start = |bracket: char, anchor, shape| {
            let written = text.get(span.start()..span.end()).unwrap_or_default();
            let flow = in_flow || written.trim_end().ends_with(bracket);
            open.push(Open { start: span.start(), anchor, flow, shape });
        };
        let done = match event {
            Event::Scalar(value, style, anchor, _) => Some(leaf(
                &places.scalar(&span, style),
                anchor,
                Body::Scalar { text: value.into_owned(), style },
            )),
            Event::Alias(anchor) => Some(leaf(&places.alias(&span), 0, Body::Alias(anchor))),
            Event::SequenceStart(anchor, _) => {
                start('[', anchor, Shape::List(Vec::new()));
                None
            }
            Event::MappingStart(anchor, _) => {
                start('{', anchor, Shape::Map { entries: Vec::new(), key: None });
                None
            }
            Event::SequenceEnd | Event::MappingEnd => Some(close(open.pop()?, places.behind_bracket(&span))),
            _ => None,
        };
        let Some(piece) = done else { continue };
        match open.last_mut().map(|open| &mut open.shape) {
            None => root = Some(piece),
            Some(Shape::List(items)) => items.push(piece),
            Some(Shape::Map { entries, key }) => match key.take() {
                None => *key = Some(piece),
                Some(key) => {
                    let colon = colon_behind(text, key.end);
                    entries.push(Pair { key, colon, value: piece });
                }
            },
        }
    }
    root
}

/// A flow list or map ends with its bracket, a block one with its last item.
fn close(open: Open, bracket: Option<usize>) -> Piece {
    let (last, body) = match open.shape {
        Shape::List(items) => (items.last().map(|item| item.end), Body::List { flow: open.flow, items }),
        Shape::Map { entries, .. } => (entries.last().map(Pair::end), Body::Map { flow: open.flow, entries }),
    };
    let end = bracket.or(last).unwrap_or(open.start);
    Piece { start: open.start, end, anchor: open.anchor, body }
}

/// The place of a `:` that stands behind a key on its line.
fn colon_behind(text: &str, at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    let blank = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    rest.get(blank..)?.starts_with(':').then_some(at + blank)
}
