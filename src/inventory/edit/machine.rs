//! Machines come and go.

use std::sync::Arc;

use super::content::Content;
use super::document::Document;
use super::lines;
use super::mentions::{self, Mention};
use super::outline::{Body, Piece};
use super::place::{self, Holder};
use super::{Edit, check};
use crate::model::{Diagnostic, Diagnostics, Entry, Key, MachineName, Node, Source, Span, Value};

/// The section of an inventory that holds its machines.
pub(super) const MACHINES: &str = "machines";

/// What is left of an inventory without a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// The text without the entry.
    pub edit: Edit,
    /// Where the inventory still names the machine; nothing of it is edited.
    pub mentions: Vec<Mention>,
    /// What is wrong with the new text and was right before, with places in the old one; most of it
    /// follows from the mentions.
    pub problems: Diagnostics,
}

/// Adds a machine behind the last one, in the layout of the others.
///
/// `fields` are the entry's keys and values in order. An entry that says the same already is left as it is,
/// whatever the order of its keys.
///
/// # Errors
/// An entry of this name that says something else; what is wrong with the fleet once the machine is in it
/// and was not before; a layout that cannot be edited. Each with its place.
pub fn add_machine(
    source: &Arc<Source>,
    name: &MachineName,
    fields: &[(String, Content)],
) -> Result<Edit, Diagnostics> {
    let document = Document::open(source)?;
    let name = name.as_str();
    let content = Content::Map(fields.to_vec());
    if let Some(present) = document.tree.get(MACHINES).and_then(|machines| machines.get(name)) {
        return match content.difference(present) {
            None => Ok(Edit::Unchanged),
            Some((way, span)) => Err(one(differs(name, &content, &way, &span))),
        };
    }
    let root = Holder::root(&document);
    let splices = match document.outline.pair(MACHINES) {
        Some(section) => {
            document.refuse_repeated(&[&document.outline, &section.value], 0..0, "the machines")?;
            let samples: Vec<&Piece> = section.value.entries().iter().map(|pair| &pair.value).collect();
            place::add(&document, root.below(section), name, &content, &samples)
        }
        None => {
            let section = Content::Map(vec![(name.to_owned(), content.clone())]);
            place::add(&document, root, MACHINES, &section, &[])
        }
    }
    .map_err(one)?;
    let edited = lines::apply(document.text, splices);
    let place = document.outline.pair(MACHINES).map_or(&document.outline, |section| &section.key);
    let wanted = with_machine(&document.tree, name, &content, &document.place(place));
    check::reads_as(&document, &edited, &wanted)?;
    let problems = check::new_problems(source, &edited);
    if problems.is_empty() { Ok(Edit::Changed(edited)) } else { Err(problems) }
}

/// Takes a machine's entry out, with the comments attached to it, and says where it is still named.
///
/// Comment lines directly above the entry go with it, unless they head a group: begin behind a blank line
/// or at the top of the section, with the next entry directly below this one. Where no machine is left,
/// `machines: {}` stays.
///
/// # Errors
/// An anchor inside the entry that is used outside of it; a layout that cannot be edited. Each with its
/// place.
pub fn remove_machine(source: &Arc<Source>, name: &str) -> Result<Removal, Diagnostics> {
    let document = Document::open(source)?;
    let mentions = mentions::of(&document.tree, name);
    let nothing = |mentions| Removal { edit: Edit::Unchanged, mentions, problems: Diagnostics::new() };
    if document.tree.get(MACHINES).and_then(|machines| machines.get(name)).is_none() {
        return Ok(nothing(mentions));
    }
    let Some(section) = document.outline.pair(MACHINES) else { return Ok(nothing(mentions)) };
    let holder = Holder::root(&document).below(section);
    let found = holder.map.entries().iter().enumerate().find(|(_, pair)| pair.name() == Some(name));
    let Some((index, pair)) = found else {
        return Err(one(aliased(&document, holder.map)));
    };
    let mut pieces = pair.key.all();
    pieces.extend(pair.value.all());
    let what = format!("a part of machine `{name}`");
    document.refuse_repeated(&pieces, pair.key.start..pair.end(), &what)?;
    document.refuse_repeated(&[holder.map, &section.key], 0..0, "the machines")?;
    let splices = place::remove(&document, holder, index).map_err(one)?;
    let edited = lines::apply(document.text, splices.clone());
    check::reads_as(&document, &edited, &without_machine(&document.tree, name))?;
    let problems = check::placed_before(source, &splices, &check::new_problems(source, &edited));
    Ok(Removal { edit: Edit::Changed(edited), mentions, problems })
}

/// One problem alone.
pub(super) fn one(problem: Diagnostic) -> Diagnostics {
    let mut problems = Diagnostics::new();
    problems.push(problem);
    problems
}

/// An alias in the place of something that is to be edited.
pub(super) fn aliased(document: &Document<'_>, piece: &Piece) -> Diagnostic {
    let what = if matches!(piece.body, Body::Alias(_)) { "an alias" } else { "no map" };
    Diagnostic::at(&document.place(piece), format!("{what} stands here and cannot be edited"))
        .expected("the value itself, written out by hand")
}

fn differs(name: &str, content: &Content, way: &str, span: &Span) -> Diagnostic {
    let message = if way.is_empty() {
        format!("machine `{name}` is there already and says something else")
    } else {
        format!("machine `{name}` is there already, with another `{way}`")
    };
    let wanted = way.split('.').try_fold(content, |content, key| match content {
        Content::Map(entries) => entries.iter().find(|(known, _)| known == key).map(|(_, value)| value),
        _ => None,
    });
    let expected = match wanted.map(Content::word) {
        Some(Some(word)) => format!("`{word}`, or another name for the new machine"),
        Some(None) => "what was asked for, or another name for the new machine".to_owned(),
        None => format!("no `{way}`, or another name for the new machine"),
    };
    Diagnostic::at(span, message).expected(expected)
}

/// The machines of a tree, to be changed.
fn machines(tree: &mut Node) -> Option<&mut Node> {
    let Value::Map(entries) = &mut tree.value else { return None };
    entries.iter_mut().find(|entry| entry.key.text == MACHINES).map(|entry| &mut entry.value)
}

fn with_machine(tree: &Node, name: &str, content: &Content, span: &Span) -> Node {
    let mut tree = tree.clone();
    let entry =
        |name: &str, value: Node| Entry { key: Key { text: name.to_owned(), span: span.clone() }, value };
    let added = entry(name, content.node(span));
    match machines(&mut tree) {
        Some(Node { value: Value::Map(entries), .. }) => entries.push(added),
        Some(section) => section.value = Value::Map(vec![added]),
        None => {
            let section = Node { value: Value::Map(vec![added]), span: span.clone() };
            if let Value::Map(entries) = &mut tree.value {
                entries.push(entry(MACHINES, section));
            }
        }
    }
    tree
}

fn without_machine(tree: &Node, name: &str) -> Node {
    let mut tree = tree.clone();
    if let Some(Node { value: Value::Map(entries), .. }) = machines(&mut tree) {
        entries.retain(|entry| entry.key.text != name);
    }
    tree
}
