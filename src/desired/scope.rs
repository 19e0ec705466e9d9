//! The values a template sees: the machine, the fleet, the role's inputs.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::fault::Fault;
use crate::model::{Entry, Key, Node, Span, Value, one_of};

/// So many names are counted, not listed.
const LISTED: usize = 30;

/// Named values. Nodes, so that a value passed on whole keeps its shape and its place.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    names: Vec<Entry>,
}

impl Scope {
    /// This scope with one more name, which hides an equal one.
    pub(super) fn with(&self, name: &str, value: Node) -> Self {
        let mut names = self.names.clone();
        names.retain(|entry| entry.key.text != name);
        names.push(entry(name, value));
        Self { names }
    }

    /// The value under a dotted name.
    ///
    /// # Errors
    /// A fault that names the nearest one.
    pub(super) fn get(&self, name: &str) -> Result<&Node, Fault> {
        let mut parts = name.split('.');
        let first = parts.next().unwrap_or_default();
        let found = self.names.iter().find(|entry| entry.key.text == first).map(|entry| &entry.value);
        parts
            .fold(found, |node, part| node.and_then(|node| child(node, part)))
            .ok_or_else(|| self.missing(name))
    }

    /// Says that a name does not exist, and which one is near. Names of the innermost known map are
    /// offered.
    pub(super) fn missing(&self, name: &str) -> Fault {
        let mut known: Vec<&str> = self.names.iter().map(|entry| entry.key.text.as_str()).collect();
        let mut before = String::new();
        let mut inside: Option<&Node> = None;
        for part in name.split(['.', '/']) {
            let found = match inside {
                None => self.names.iter().find(|entry| entry.key.text == part).map(|entry| &entry.value),
                Some(node) => child(node, part),
            };
            let Some(node) = found else {
                let fault = Fault::new(format!("there is no `{name}`"))
                    .nearest_of(part, known.iter().copied())
                    .about(name);
                known.sort_unstable();
                return match (known.len(), before.is_empty()) {
                    (0, _) => fault.expected(format!("another name: `{before}` holds none")),
                    (LISTED.., _) => {
                        fault.expected(format!("one of the {} names in `{before}`", known.len()))
                    }
                    (_, true) => fault.expected(one_of(&known)),
                    (1, false) => fault.expected(format!("`{before}.{}`", known.concat())),
                    (_, false) => fault.expected(format!("a name in `{before}`: {}", known.join(", "))),
                };
            };
            before = if before.is_empty() { part.to_owned() } else { format!("{before}.{part}") };
            known = match &node.value {
                Value::Map(entries) => entries.iter().map(|entry| entry.key.text.as_str()).collect(),
                _ => Vec::new(),
            };
            inside = Some(node);
        }
        // It exists, so it is a block that hides it.
        Fault::new(format!("there is no `{name}` inside this block"))
            .expected(format!("`@root.{name}`, or `../{name}`"))
            .about(name)
    }

    /// The values for handlebars; only those whose name is among `names`, since a fleet is large.
    pub(super) fn json(&self, names: &BTreeSet<String>) -> Json {
        Json::Object(
            self.names
                .iter()
                .filter(|entry| names.contains(&entry.key.text))
                .map(|entry| (entry.key.text.clone(), json(&entry.value)))
                .collect(),
        )
    }
}

fn child<'a>(node: &'a Node, part: &str) -> Option<&'a Node> {
    match &node.value {
        Value::List(items) => part.parse::<usize>().ok().and_then(|index| items.get(index)),
        _ => node.get(part),
    }
}

/// An entry of a map made here; its key stands where its value does.
pub(super) fn entry(name: &str, value: Node) -> Entry {
    Entry { key: Key { text: name.to_owned(), span: value.span.clone() }, value }
}

/// A map made here.
pub(super) fn map(entries: Vec<Entry>, span: &Span) -> Node {
    Node { value: Value::Map(entries), span: span.clone() }
}

/// A node as JSON. `true`, `false` and whole numbers without quotes become what they look like, so
/// that `if` understands them; they render as they were written.
fn json(node: &Node) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::Scalar { text, plain: true } if text == "true" => Json::Bool(true),
        Value::Scalar { text, plain: true } if text == "false" => Json::Bool(false),
        Value::Scalar { text, plain: true } => match text.parse::<i64>() {
            Ok(number) if number.to_string() == *text => Json::from(number),
            _ => Json::String(text.clone()),
        },
        Value::Scalar { text, .. } => Json::String(text.clone()),
        Value::List(items) => Json::Array(items.iter().map(json).collect()),
        Value::Map(entries) => {
            Json::Object(entries.iter().map(|entry| (entry.key.text.clone(), json(&entry.value))).collect())
        }
    }
}
