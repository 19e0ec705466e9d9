//! Single fields of a machine.

use std::sync::Arc;

use saphyr_parser::ScalarStyle;

use super::content::Content;
use super::document::Document;
use super::emit::below;
use super::lines::{self, Splices};
use super::machine::{MACHINES, aliased, one};
use super::outline::{Body, Pair, Piece};
use super::place::{self, Holder};
use super::quoting::quoted;
use super::{Edit, check};
use crate::model::{Diagnostic, Diagnostics, Entry, Key, Node, Source, Span, Value, one_of};

/// Gives a field of a machine another text, or makes the field. `way` are the keys that lead to it from
/// the machine's entry: `["connect", "ssh"]`.
///
/// A value keeps its quotes where they can hold the new text, and the comment behind it.
///
/// # Errors
/// No machine of this name; a field that is a list or map; a value that an alias repeats or that is one;
/// what is wrong with the fleet then and was not before; a layout that cannot be edited. Each with its
/// place.
pub fn set_field(source: &Arc<Source>, machine: &str, way: &[&str], text: &str) -> Result<Edit, Diagnostics> {
    let document = Document::open(source)?;
    let Some(walked) = Walked::to(&document, machine, way)? else { return Ok(Edit::Unchanged) };
    let splices = match (walked.found, walked.missing.split_first()) {
        (Some(pair), _) => match set_value(&document, &walked, pair, text)? {
            Some(splices) => splices,
            None => return Ok(Edit::Unchanged),
        },
        (None, Some((key, deeper))) => {
            let content = deeper
                .iter()
                .rev()
                .fold(Content::from(text), |content, key| Content::Map(vec![((*key).to_owned(), content)]));
            walked.refuse_repeated(&document)?;
            let samples = below(&walked.samples, key);
            place::add(&document, walked.holder, key, &content, &samples).map_err(one)?
        }
        (None, None) => return Ok(Edit::Unchanged),
    };
    let mut wanted = document.tree.clone();
    put(&mut wanted, &full(machine, way), text, &document.place(walked.holder.map));
    finish(&document, splices, &wanted)
}

/// Takes a field of a machine out; the last one of a map leaves `{}`.
///
/// # Errors
/// As [`set_field`]. A field that is not there is [`Edit::Unchanged`].
pub fn remove_field(source: &Arc<Source>, machine: &str, way: &[&str]) -> Result<Edit, Diagnostics> {
    let document = Document::open(source)?;
    let Some(walked) = Walked::to(&document, machine, way)? else { return Ok(Edit::Unchanged) };
    let Some(pair) = walked.found else { return Ok(Edit::Unchanged) };
    walked.refuse_repeated(&document)?;
    document.refuse_repeated(&pair.value.all(), pair.key.start..pair.end(), "a part of this value")?;
    let entries = walked.holder.map.entries();
    let Some(index) = entries.iter().position(|other| other.key.start == pair.key.start) else {
        return Ok(Edit::Unchanged);
    };
    let splices = place::remove(&document, walked.holder, index).map_err(one)?;
    let mut wanted = document.tree.clone();
    take(&mut wanted, &full(machine, way));
    finish(&document, splices, &wanted)
}

/// How far the way to a field leads.
struct Walked<'a> {
    /// The pieces on the way, from the whole document to the map that holds the field.
    pieces: Vec<&'a Piece>,
    /// The map that holds the field, or the last one that is there.
    holder: Holder<'a>,
    /// The field.
    found: Option<&'a Pair>,
    /// The keys that are not there.
    missing: Vec<&'a str>,
    /// The same map of the other machines.
    samples: Vec<&'a Piece>,
}

impl<'a> Walked<'a> {
    fn to(document: &'a Document<'_>, machine: &str, way: &[&'a str]) -> Result<Option<Self>, Diagnostics> {
        let root = Holder::root(document);
        let section = document.outline.pair(MACHINES);
        let Some((section, pair)) = section.and_then(|section| Some((section, section.value.pair(machine)?)))
        else {
            return Err(one(unknown(document, machine)));
        };
        let machines = root.below(section);
        let mut walked = Self {
            pieces: vec![root.map, machines.map],
            holder: machines.below(pair),
            found: None,
            missing: Vec::new(),
            samples: machines.map.entries().iter().map(|pair| &pair.value).collect(),
        };
        for (index, key) in way.iter().copied().enumerate() {
            let map = walked.holder.map;
            walked.pieces.push(map);
            if !map.is_null() && !matches!(map.body, Body::Map { .. }) {
                return Err(one(aliased(document, map)));
            }
            let Some(pair) = map.pair(key) else {
                walked.missing = way.iter().copied().skip(index).collect();
                return Ok(Some(walked));
            };
            if index + 1 == way.len() {
                walked.found = Some(pair);
                return Ok(Some(walked));
            }
            walked.samples = below(&walked.samples, key);
            walked.holder = walked.holder.below(pair);
        }
        Ok(None)
    }

    fn refuse_repeated(&self, document: &Document<'_>) -> Result<(), Diagnostics> {
        document.refuse_repeated(&self.pieces, 0..0, "what is to be edited")
    }
}

/// Replaces the value of a field; `None` when it is that already.
fn set_value(
    document: &Document<'_>,
    walked: &Walked<'_>,
    pair: &Pair,
    text: &str,
) -> Result<Option<Splices>, Diagnostics> {
    let style = match &pair.value.body {
        Body::Scalar { text: known, .. } if known == text && !pair.value.is_null() => return Ok(None),
        Body::Scalar { style: ScalarStyle::DoubleQuoted, .. } => ScalarStyle::DoubleQuoted,
        Body::Scalar { style: ScalarStyle::SingleQuoted, .. } => ScalarStyle::SingleQuoted,
        Body::Scalar { .. } => ScalarStyle::Plain,
        Body::Alias(_) => return Err(one(aliased(document, &pair.value))),
        Body::List { .. } | Body::Map { .. } => {
            return Err(one(Diagnostic::at(
                &document.place(&pair.value),
                "a list or map stands where a text is to be set",
            )
            .expected("a single value")));
        }
    };
    walked.refuse_repeated(document)?;
    document.refuse_repeated(&[&pair.value], 0..0, "the value that is to be set")?;
    let holder = walked.holder.below(pair);
    let new = quoted(text, style, holder.in_flow);
    Ok(Some(match holder.gap(document.text) {
        // The white space before the value stays as it is.
        Some((from, to)) if to > from => {
            let written = document.text.get(from..to).unwrap_or_default();
            let blank = written.len() - written.trim_start().len();
            vec![(from + blank..to, if blank == 0 { format!(" {new}") } else { new })]
        }
        Some((at, _)) => vec![(at..at, format!(" {new}"))],
        None => vec![(pair.key.end..pair.key.end, format!(": {new}"))],
    }))
}

fn finish(document: &Document<'_>, splices: Splices, wanted: &Node) -> Result<Edit, Diagnostics> {
    let edited = lines::apply(document.text, splices);
    check::reads_as(document, &edited, wanted)?;
    let problems = check::new_problems(document.source, &edited);
    if problems.is_empty() { Ok(Edit::Changed(edited)) } else { Err(problems) }
}

fn unknown(document: &Document<'_>, machine: &str) -> Diagnostic {
    let section = document.outline.pair(MACHINES);
    let names: Vec<&str> = section
        .map(|section| section.value.entries().iter().filter_map(Pair::name).collect())
        .unwrap_or_default();
    let place = section.map_or(&document.outline, |section| &section.key);
    let expected = match names.len() {
        0 => "a machine that is declared: so far there is none".to_owned(),
        1..=8 => one_of(&names),
        _ => "a machine of this inventory".to_owned(),
    };
    Diagnostic::at(&document.place(place), format!("no machine is called `{machine}`"))
        .expected(expected)
        .nearest_of(machine, names)
}

fn full<'a>(machine: &'a str, way: &[&'a str]) -> Vec<&'a str> {
    [MACHINES, machine].into_iter().chain(way.iter().copied()).collect()
}

/// Sets a text in a tree.
fn put(node: &mut Node, way: &[&str], text: &str, span: &Span) {
    let Some((key, deeper)) = way.split_first() else {
        node.value = Value::Scalar { text: text.to_owned(), plain: false };
        return;
    };
    if node.value == Value::Null {
        node.value = Value::Map(Vec::new());
    }
    let Value::Map(entries) = &mut node.value else { return };
    if !entries.iter().any(|entry| entry.key.text == *key) {
        entries.push(Entry {
            key: Key { text: (*key).to_owned(), span: span.clone() },
            value: Node { value: Value::Null, span: span.clone() },
        });
    }
    if let Some(entry) = entries.iter_mut().find(|entry| entry.key.text == *key) {
        put(&mut entry.value, deeper, text, span);
    }
}

/// Takes a key out of a tree.
fn take(node: &mut Node, way: &[&str]) {
    let Value::Map(entries) = &mut node.value else { return };
    match way {
        [] => {}
        [key] => entries.retain(|entry| entry.key.text != *key),
        [key, deeper @ ..] => {
            if let Some(entry) = entries.iter_mut().find(|entry| entry.key.text == *key) {
                take(&mut entry.value, deeper);
            }
        }
    }
}
