//! An inventory's text made ready for edits.

use std::sync::Arc;

use super::emit::Writer;
use super::layout::Layout;
use super::outline::{self, Body, Piece};
use crate::inventory::yaml::{self, Places};
use crate::model::{Diagnostic, Diagnostics, Node, Source, Span};

/// A text with its outline and its meaning.
pub(super) struct Document<'a> {
    pub(super) source: &'a Arc<Source>,
    pub(super) text: &'a str,
    /// How it is written.
    pub(super) outline: Piece,
    /// What it means.
    pub(super) tree: Node,
    pub(super) writer: Writer,
}

impl<'a> Document<'a> {
    /// Reads a text that is to be edited.
    ///
    /// # Errors
    /// What YAML does not allow, everything; a line end that is a carriage return alone; a text that is no
    /// map. What is wrong with the fleet is no reason against an edit.
    pub(super) fn open(source: &'a Arc<Source>) -> Result<Self, Diagnostics> {
        let mut problems = Diagnostics::new();
        let text = source.text();
        let lone = text.match_indices('\r').find(|(at, _)| text.as_bytes().get(at + 1) != Some(&b'\n'));
        if let Some((at, _)) = lone {
            problems.push(
                Diagnostic::at(&Span::new(source, at, at + 1), "a line ends with a carriage return alone")
                    .expected("lines that end with LF or CRLF: only they can be edited"),
            );
            return Err(problems);
        }
        let tree = yaml::read(source, &mut problems);
        let (Some(tree), true) = (tree, problems.is_empty()) else { return Err(problems) };
        let Some(outline) = outline::read(text, &Places::new(source)).filter(|_| is_map(&tree)) else {
            problems.push(
                Diagnostic::at(&tree.span, format!("the inventory is {}", tree.kind().phrase()))
                    .expected("a map: `fleet: NAME`, and the rest below it"),
            );
            return Err(problems);
        };
        let writer = Writer { layout: Layout::of(text, &outline) };
        Ok(Self { source, text, outline, tree, writer })
    }

    /// The place of bytes of the text.
    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.source, start, end)
    }

    /// The place of a piece.
    pub(super) fn place(&self, piece: &Piece) -> Span {
        self.span(piece.start, piece.end)
    }

    /// Refuses an edit of pieces that an alias elsewhere repeats: it would change there, too. `inside`
    /// says where aliases may stand, because they go with what is edited.
    pub(super) fn refuse_repeated(
        &self,
        pieces: &[&Piece],
        inside: std::ops::Range<usize>,
        what: &str,
    ) -> Result<(), Diagnostics> {
        let mut problems = Diagnostics::new();
        for alias in self.outline.all() {
            let Body::Alias(anchor) = alias.body else { continue };
            let repeated = pieces.iter().find(|piece| piece.anchor == anchor);
            if let Some(piece) = repeated.filter(|_| !inside.contains(&alias.start)) {
                let head = self.text.get(piece.start..piece.end).unwrap_or_default();
                let head = head.split_whitespace().next().unwrap_or_default();
                problems.push(
                    Diagnostic::at(&self.place(alias), format!("this alias repeats {what}"))
                        .expected("the value itself in its place, written out by hand")
                        .related(&self.span(piece.start, piece.start + head.len()), "the anchor"),
                );
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }
}

fn is_map(tree: &Node) -> bool {
    matches!(tree.value, crate::model::Value::Map(_))
}
