//! Reads an edited text again and compares it with what was meant.

use std::collections::HashMap;
use std::sync::Arc;

use super::document::Document;
use super::lines::{Splices, place_before};
use crate::inventory::parse::parse_partly;
use crate::inventory::yaml;
use crate::model::{Diagnostic, Diagnostics, Node, Source, Span, Value};

/// Compares the edited text with the tree it should have.
///
/// # Errors
/// A problem at the place where the original differs, when the text does not read as it should.
pub(super) fn reads_as(document: &Document<'_>, edited: &str, wanted: &Node) -> Result<(), Diagnostics> {
    let source = Source::new(document.source.name(), edited);
    let mut problems = Diagnostics::new();
    let found = yaml::read(&source, &mut problems);
    let differs = match &found {
        Some(found) if problems.is_empty() => difference(wanted, found),
        _ => Some(&wanted.span),
    };
    let Some(span) = differs else { return Ok(()) };
    let mut refusal = Diagnostics::new();
    refusal.push(
        Diagnostic::at(span, "the edit would change more than was asked for")
            .expected("a plainer layout here: this one has to be edited by hand"),
    );
    Err(refusal)
}

/// What is wrong with the edited fleet and was not wrong before, with places in the edited text.
pub(super) fn new_problems(before: &Arc<Source>, edited: &str) -> Diagnostics {
    let after = Source::new(before.name(), edited);
    let (_, known) = parse_partly(before, None);
    let (_, now) = parse_partly(&after, None);
    let words = |problem: &Diagnostic| (problem.message.clone(), problem.expected.clone());
    let mut counts: HashMap<_, usize> = HashMap::new();
    for problem in known.sorted() {
        *counts.entry(words(problem)).or_default() += 1;
    }
    let mut new = Diagnostics::new();
    for problem in now.sorted() {
        match counts.get_mut(&words(problem)) {
            Some(count) if *count > 0 => *count -= 1,
            _ => new.push(problem.clone()),
        }
    }
    new
}

/// The same problems with their places in the text before the edit.
pub(super) fn placed_before(source: &Arc<Source>, splices: &Splices, problems: &Diagnostics) -> Diagnostics {
    let before = |span: &Span| {
        Span::new(source, place_before(splices, span.start()), place_before(splices, span.end()))
    };
    let mut placed = Diagnostics::new();
    for problem in problems.sorted() {
        let mut problem = problem.clone();
        problem.span = problem.span.as_ref().map(before);
        for (span, _) in &mut problem.related {
            *span = before(span);
        }
        placed.push(problem);
    }
    placed
}

/// Where two trees first say different things: a place of `wanted`. Quotes say nothing.
fn difference<'a>(wanted: &'a Node, found: &Node) -> Option<&'a Span> {
    match (&wanted.value, &found.value) {
        (Value::Null, Value::Null) => None,
        (Value::Scalar { text, .. }, Value::Scalar { text: other, .. }) if text == other => None,
        (Value::List(items), Value::List(others)) if items.len() == others.len() => {
            items.iter().zip(others).find_map(|(item, other)| difference(item, other))
        }
        (Value::Map(entries), Value::Map(others)) if entries.len() == others.len() => {
            entries.iter().zip(others).find_map(|(entry, other)| {
                if entry.key.text == other.key.text {
                    difference(&entry.value, &other.value)
                } else {
                    Some(&entry.key.span)
                }
            })
        }
        _ => Some(&wanted.span),
    }
}
