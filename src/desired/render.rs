//! Fills the holes of nodes: every single value of a role is a template.

use super::fault::Fault;
use super::place::Place;
use super::scope::Scope;
use super::template::{self, NoSecrets};
use crate::model::{Diagnostic, Diagnostics, Entry, Node, Span, Spanned, Value};

/// A node with its single values rendered. One that is exactly `{{ name }}` becomes the value of that
/// name with its shape and its place; everything else keeps its place and becomes a text.
///
/// Returns `None` when something failed; the reasons are in `problems`.
pub(super) fn node(node: &Node, scope: &Scope, problems: &mut Diagnostics) -> Option<Node> {
    let value = match &node.value {
        Value::Null => Value::Null,
        Value::Scalar { text, .. } if !text.contains("{{") => return Some(node.clone()),
        Value::Scalar { text, .. } => match scalar(text, &node.span, scope) {
            Ok(filled) => return Some(filled),
            Err(problem) => {
                problems.push(problem);
                return None;
            }
        },
        Value::List(items) => {
            let items: Vec<_> = items.iter().map(|item| self::node(item, scope, problems)).collect();
            Value::List(items.into_iter().collect::<Option<_>>()?)
        }
        Value::Map(entries) => {
            let entries: Vec<_> = entries
                .iter()
                .map(|entry| {
                    let value = self::node(&entry.value, scope, problems)?;
                    Some(Entry { key: entry.key.clone(), value })
                })
                .collect();
            Value::Map(entries.into_iter().collect::<Option<_>>()?)
        }
    };
    Some(Node { value, span: node.span.clone() })
}

fn scalar(text: &str, span: &Span, scope: &Scope) -> Result<Node, Diagnostic> {
    let place = Place::Scalar { span, text };
    if let Some(name) = template::exactly_one_name(text) {
        let value = scope.get(name).map_err(|fault| fault.at(&place.tag(1, 1)))?;
        // What nobody wrote, such as a machine's name, has its place where it is used.
        let computed = ["fleet", "machine", "machines"].contains(&name.split('.').next().unwrap_or_default());
        let span = if computed && value.as_text().is_some() { span } else { &value.span };
        return Ok(Node { value: value.value.clone(), span: span.clone() });
    }
    self::text(text, &place, scope).map(|filled| Node::text(filled, span.clone()))
}

fn text(text: &str, place: &Place<'_>, scope: &Scope) -> Result<String, Diagnostic> {
    let filled = template::fill(text, place, scope, &NoSecrets)?;
    String::from_utf8(filled.text.to_vec())
        .map_err(|_| Fault::new("the template gives no text").at(&place.tag(1, 1)))
}

/// Renders a text that stays one: a reference in `after`.
pub(super) fn spanned(given: &Spanned<String>, scope: &Scope) -> Result<Spanned<String>, Diagnostic> {
    if !given.value.contains("{{") {
        return Ok(given.clone());
    }
    let place = Place::Scalar { span: &given.span, text: &given.value };
    let value = text(&given.value, &place, scope)?;
    Ok(Spanned { value, span: given.span.clone() })
}

/// Whether a `when` holds: a name (`inputs.zone`), or a helper and its arguments
/// (`eq machine.init "systemd"`), with or without braces. Nothing, `false`, 0 and what is empty do not
/// hold, as in `{{#if}}`.
pub(super) fn condition(given: &Spanned<String>, scope: &Scope) -> Result<bool, Diagnostic> {
    let text = given.value.trim();
    let bare = text.strip_prefix("{{").and_then(|text| text.strip_suffix("}}")).unwrap_or(text).trim();
    let argument = if template::is_name(bare) { bare.to_owned() } else { format!("({bare})") };
    let asked = format!("{{{{#if {argument}}}}}yes{{{{/if}}}}");
    let place = Place::Scalar { span: &given.span, text: &asked };
    self::text(&asked, &place, scope).map(|answer| answer == "yes")
}

/// The items of an `each`: those of a list written there, or of the list a name stands for.
pub(super) fn items(given: &Node, scope: &Scope, problems: &mut Diagnostics) -> Option<Vec<Node>> {
    let list = match given.as_text() {
        Some(text) if template::is_name(text.trim()) => match scope.get(text.trim()) {
            Ok(found) => found.clone(),
            Err(fault) => {
                problems.push(fault.at(&given.span));
                return None;
            }
        },
        _ => node(given, scope, problems)?,
    };
    match list.value {
        Value::List(items) => Some(items),
        Value::Null => Some(Vec::new()),
        _ => {
            problems.push(
                Diagnostic::at(&given.span, format!("`each` is {}", list.kind().phrase()))
                    .expected("a list, or the name of one: `each: inputs.folders`"),
            );
            None
        }
    }
}
