//! YAML text to nodes with places.
//!
//! A strict subset of YAML 1.2: one document, keys that are single values, no tags, no merge keys.
//! Scalars stay text. Aliases are copied out within a budget, so that a small file cannot grow
//! without bound.

mod place;
mod syntax;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle};

use crate::model::{Diagnostic, Diagnostics, Entry, Key, Node, Source, Span, Value};

pub(super) use place::{Places, next_visible};

/// Nodes one file may hold, aliases copied out; a text counts one more for every 64 bytes.
const NODES: usize = 1_000_000;
/// Lists and maps that may stand inside each other, aliases copied out.
const DEPTH: usize = 64;

/// What is wrong with a template as a value of its own.
const UNQUOTED: &str = "`{{` without quotes begins a map, not a template";

/// Reads a YAML text; an empty one is an empty node.
///
/// What is wrong is added to `problems`. Returns `None` when the text could not be read to its end;
/// a text with smaller faults (a repeated key, a tag) still gives a node, without the faulty part,
/// so that the faults behind it are found as well.
#[must_use]
pub fn read(source: &Arc<Source>, problems: &mut Diagnostics) -> Option<Node> {
    if let Some(problem) = syntax::forbidden_character(source) {
        problems.push(problem);
        return None;
    }
    let places = Places::new(source);
    let mut parser = Parser::new_from_str(places.text());
    let mut builder = Builder::new(&places);
    loop {
        match parser.next_event() {
            None => break,
            Some(Ok((event, span))) => {
                let span = places.span(span.start.index(), span.end.index());
                if let Err(problem) = builder.take(event, span) {
                    builder.problems.push(*problem);
                    problems.append(builder.problems);
                    return None;
                }
            }
            Some(Err(error)) => {
                let place = places.point(error.marker().index());
                // What follows a template without quotes is no second mistake.
                let follows = |problem: &&Diagnostic| {
                    let end = problem.span.as_ref().map(Span::end);
                    problem.message == UNQUOTED && end == Some(place.start())
                };
                if !builder.problems.sorted().iter().any(follows) {
                    builder.problems.push(syntax::explain(&error, &place));
                }
                problems.append(builder.problems);
                return None;
            }
        }
    }
    problems.append(builder.problems);
    Some(
        builder
            .root
            .unwrap_or_else(|| Node { value: Value::Null, span: Span::new(source, 0, source.text().len()) }),
    )
}

/// A node with what it counts against the budgets.
#[derive(Clone)]
struct Built {
    node: Node,
    cost: usize,
    depth: usize,
}

/// A list or map that is not closed yet.
struct Open {
    shape: Shape,
    start: Span,
    anchor: usize,
    cost: usize,
    depth: usize,
}

enum Shape {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, keys: HashMap<String, Span>, key: PendingKey },
}

/// What a map waits for.
enum PendingKey {
    /// The next key.
    Wanted,
    /// The value of this key.
    Read(Key),
    /// The value of a key that was refused, which is dropped.
    Refused,
}

struct Builder<'a> {
    places: &'a Places<'a>,
    open: Vec<Open>,
    anchors: HashMap<usize, Built>,
    cost: usize,
    root: Option<Node>,
    documents: usize,
    problems: Diagnostics,
}

/// What ends the reading at once.
type Fatal = Box<Diagnostic>;

impl<'a> Builder<'a> {
    fn new(places: &'a Places<'a>) -> Self {
        Self {
            places,
            open: Vec::new(),
            anchors: HashMap::new(),
            cost: 0,
            root: None,
            documents: 0,
            problems: Diagnostics::new(),
        }
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Fatal> {
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(Box::new(
                        Diagnostic::at(&span, "a second document begins here")
                            .expected("one document per file"),
                    ));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                let span = self.places.scalar(&span, style);
                if let Some(tag) = tag {
                    self.refuse_tag(&tag.to_string(), &span);
                }
                let cost = 1 + text.len() / 64;
                let value = if plain && matches!(&*text, "" | "~" | "null") && !self.key_is_wanted() {
                    Value::Null
                } else {
                    Value::Scalar { text: text.into_owned(), plain }
                };
                self.spend(cost, &span)?;
                self.add(Built { node: Node { value, span }, cost, depth: 0 }, anchor)?;
            }
            Event::SequenceStart(anchor, tag) => {
                self.start(Shape::List(Vec::new()), anchor, tag.map(|tag| tag.to_string()), span)?;
            }
            Event::MappingStart(anchor, tag) => {
                let shape = Shape::Map { entries: Vec::new(), keys: HashMap::new(), key: PendingKey::Wanted };
                self.start(shape, anchor, tag.map(|tag| tag.to_string()), span)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(&span)?,
            Event::Alias(anchor) => self.alias(anchor, &self.places.alias(&span))?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn start(&mut self, shape: Shape, anchor: usize, tag: Option<String>, start: Span) -> Result<(), Fatal> {
        if let Some(tag) = tag {
            self.refuse_tag(&tag, &start);
        }
        if self.open.len() >= DEPTH {
            return Err(too_deep(&start));
        }
        self.spend(1, &start)?;
        self.open.push(Open { shape, start, anchor, cost: 1, depth: 0 });
        Ok(())
    }

    fn end(&mut self, end: &Span) -> Result<(), Fatal> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let (value, last) = match open.shape {
            Shape::List(items) => {
                let last = items.last().map(|item| item.span.end());
                (Value::List(items), last)
            }
            Shape::Map { entries, .. } => {
                let last = entries.last().map(|entry| entry.value.span.end().max(entry.key.span.end()));
                (Value::Map(entries), last)
            }
        };
        // A flow list or map ends with its bracket, a block one with its last item: its end event
        // stands at the next token, lines later.
        let end = self.places.behind_bracket(end).or(last).unwrap_or(open.start.start());
        let span = Span::new(open.start.source(), open.start.start(), end);
        // A template without quotes has been reported; it is read as what was meant.
        let value = match (value, template(&span)) {
            (Value::Map(entries), Some(text)) if entries.is_empty() => {
                Value::Scalar { text: text.to_owned(), plain: false }
            }
            (value, _) => value,
        };
        self.add(Built { node: Node { value, span }, cost: open.cost, depth: open.depth + 1 }, open.anchor)
    }

    fn alias(&mut self, anchor: usize, span: &Span) -> Result<(), Fatal> {
        let Some(built) = self.anchors.get(&anchor) else {
            return Err(Box::new(
                Diagnostic::at(span, "an alias stands inside the value it repeats")
                    .expected("an alias of a value that ends before it"),
            ));
        };
        if self.open.len() + built.depth > DEPTH {
            return Err(too_deep(span));
        }
        let cost = built.cost;
        let total = self.cost.saturating_add(cost);
        if total > NODES {
            return Err(too_large(span));
        }
        let built = built.clone();
        self.cost = total;
        self.add(built, 0)
    }

    /// Puts a finished node where it belongs.
    fn add(&mut self, built: Built, anchor: usize) -> Result<(), Fatal> {
        if anchor != 0 {
            // The copy kept for aliases counts as well.
            self.spend(built.cost, &built.node.span)?;
            self.anchors.insert(anchor, built.clone());
        }
        let Built { node, cost, depth } = built;
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        parent.cost = parent.cost.saturating_add(cost);
        parent.depth = parent.depth.max(depth);
        match &mut parent.shape {
            Shape::List(items) => items.push(node),
            Shape::Map { entries, keys, key } => match std::mem::replace(key, PendingKey::Wanted) {
                PendingKey::Wanted => *key = take_key(node, keys, &mut self.problems),
                PendingKey::Read(key) => entries.push(Entry { key, value: node }),
                PendingKey::Refused => {}
            },
        }
        Ok(())
    }

    fn key_is_wanted(&self) -> bool {
        matches!(self.open.last(), Some(Open { shape: Shape::Map { key: PendingKey::Wanted, .. }, .. }))
    }

    fn spend(&mut self, cost: usize, span: &Span) -> Result<(), Fatal> {
        self.cost = self.cost.saturating_add(cost);
        if self.cost > NODES { Err(too_large(span)) } else { Ok(()) }
    }

    fn refuse_tag(&mut self, tag: &str, span: &Span) {
        self.problems.push(
            Diagnostic::at(span, format!("the tag `{tag}` is not supported"))
                .expected("the value without a tag; quotes make it a text"),
        );
    }
}

/// Checks a key: a single, non-empty value that its map does not have yet.
fn take_key(node: Node, keys: &mut HashMap<String, Span>, problems: &mut Diagnostics) -> PendingKey {
    let Value::Scalar { text, plain } = node.value else {
        let around = Span::new(node.span.source(), node.span.start().saturating_sub(1), node.span.end() + 1);
        if let Some(template) = template(&around) {
            problems.push(
                Diagnostic::at(&around, UNQUOTED)
                    .expected(format!("quotes around the whole text: \"{template}\"")),
            );
            return PendingKey::Refused;
        }
        problems.push(
            Diagnostic::at(&node.span, format!("a key is {}", node.kind().phrase()))
                .expected("a single value before the `:`"),
        );
        return PendingKey::Refused;
    };
    if text.is_empty() && plain {
        problems.push(Diagnostic::at(&node.span, "a key is missing").expected("a key before the `:`"));
        return PendingKey::Refused;
    }
    if text == "<<" && plain {
        problems.push(
            Diagnostic::at(&node.span, "the merge key `<<` is not supported")
                .expected("the keys themselves, or an alias as a whole value"),
        );
        return PendingKey::Refused;
    }
    if let Some(first) = keys.get(&text) {
        problems.push(
            Diagnostic::at(&node.span, format!("the key `{text}` is given twice"))
                .expected("each key once")
                .related(first, "first given here"),
        );
        return PendingKey::Refused;
    }
    keys.insert(text.clone(), node.span.clone());
    PendingKey::Read(Key { text, span: node.span })
}

/// The text of a place that is one tag of a template.
fn template(span: &Span) -> Option<&str> {
    let text = span.source().text().get(span.start()..span.end())?;
    (text.starts_with("{{") && text.ends_with("}}")).then_some(text)
}

fn too_deep(span: &Span) -> Fatal {
    Box::new(
        Diagnostic::at(span, "lists and maps are nested too deep")
            .expected(format!("at most {DEPTH} inside each other")),
    )
}

fn too_large(span: &Span) -> Fatal {
    Box::new(
        Diagnostic::at(span, "the file is too large")
            .expected(format!("at most {NODES} values, those repeated by aliases counted each time")),
    )
}
