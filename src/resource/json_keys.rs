//! `json-keys`: keys that fleetprov owns in a JSON or JSONC document that somebody else owns.

mod left;

use std::str::FromStr as _;
use std::sync::Arc;

use serde_json::Value as Json;

use super::answer::{Answer, Answers, ObserveError};
use super::content::{Content, Rendered};
use super::declared::{Declared, Origin, Resource};
use super::difference::{Comparison, Detail};
use super::edited::Edited;
use super::ownership;
use super::question::Question;
use super::reading::Reading;
use super::remnant::Touched;
use super::{aspects, way_in};
use crate::format::json::{self, JsonError, Pointer};
use crate::model::{Aspect, Aspects, Diagnostic, Diagnostics, Fields, MachinePath, Node, ResourceId, Value};

pub(super) use left::recall;

/// The word of the inventory.
pub const KIND: &str = "json-keys";

/// Values longer than this, in characters of their text, are shown as a diff of lines.
const SHORT: usize = 60;

/// Owned keys of a JSON document.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonKeys {
    /// The document; it is made when there is none.
    pub path: MachinePath,
    /// The name of this set of keys, so that it stays the same resource when its keys change.
    pub id: String,
    /// The keys and their values; no key lies below another.
    pub values: Vec<(Pointer, Json)>,
    /// Its owner. When none is given the file keeps the one it has, and a new one gets its folder's.
    pub owner: Option<String>,
    /// Its group; left alone when none is given.
    pub group: Option<String>,
    /// Its permission bits. When none are given the file keeps its own, and a new one gets 0644.
    pub mode: Option<u32>,
}

/// Reads `json-keys: {path, id, values, owner, group, mode}`. `id` is `keys` unless given. `values`
/// maps a key, or a pointer such as `/permissions/deny` (RFC 6901), to its whole value. A text
/// without quotes is a number, `true`, `false` or `null` when it reads as one.
pub fn read(
    node: &Node,
    origin: &Origin,
    reading: &Reading<'_>,
    problems: &mut Diagnostics,
) -> Vec<Declared> {
    let Some(mut fields) = Fields::open(node, KIND, problems) else { return Vec::new() };
    let path = fields.required_text("path").and_then(|path| reading.path(&path, fields.problems()));
    let id = fields.text("id").map_or_else(|| "keys".to_owned(), |id| id.value);
    let is_given = fields.required_node("values").is_some();
    let mut values: Vec<(Pointer, Json)> = Vec::new();
    let mut is_whole = is_given;
    for entry in fields.map("values") {
        let pointer = if entry.key.text.starts_with('/') {
            Pointer::from_str(&entry.key.text)
        } else {
            Pointer::new([entry.key.text.as_str()])
        };
        let problem = match pointer {
            Ok(pointer) => match values.iter().find(|(other, _)| overlap(other, &pointer)) {
                Some((other, _)) => format!("{pointer} and {other} overlap"),
                None => {
                    values.push((pointer, json_of(&entry.value)));
                    continue;
                }
            },
            Err(error) => format!("failed to {error}"),
        };
        is_whole = false;
        fields.problems().push(
            Diagnostic::at(&entry.key.span, problem)
                .expected("a key, or a pointer such as /permissions/deny"),
        );
    }
    let owner = ownership::read_account(&mut fields, "owner");
    let group = ownership::read_account(&mut fields, "group");
    let mode = ownership::read_mode(&mut fields);
    fields.close();
    match path {
        Some(path) if is_whole => {
            vec![Declared::new(JsonKeys { path, id, values, owner, group, mode }, origin.clone())]
        }
        _ => Vec::new(),
    }
}

fn overlap(one: &Pointer, other: &Pointer) -> bool {
    one.keys().iter().zip(other.keys()).all(|(one, other)| one == other)
}

fn json_of(node: &Node) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::Scalar { text, plain: true } => match serde_json::from_str(text) {
            Ok(value @ (Json::Null | Json::Bool(_) | Json::Number(_))) => value,
            _ => Json::String(text.clone()),
        },
        Value::Scalar { text, .. } => Json::String(text.clone()),
        Value::List(items) => items.iter().map(json_of).collect(),
        Value::Map(entries) => {
            entries.iter().map(|entry| (entry.key.text.clone(), json_of(&entry.value))).collect()
        }
    }
}

/// A key that differs; `to` is nothing when it goes.
fn detail(pointer: &Pointer, from: Option<&Json>, to: Option<&Json>) -> Detail {
    let short = |value: &Json| Some(value.to_string()).filter(|text| text.chars().count() <= SHORT);
    let lines = |value: &Json| format!("{value:#}\n").into_bytes();
    match (from.map(short), to.map_or(Some("none".to_owned()), short)) {
        (None, Some(to)) => Detail::value(pointer.to_string(), None, to),
        (Some(Some(from)), Some(to)) => Detail::value(pointer.to_string(), Some(&from), to),
        _ => Detail::Text {
            name: pointer.to_string(),
            from: from.map(lines),
            to: to.map(lines).unwrap_or_default(),
        },
    }
}

impl JsonKeys {
    fn file(&self) -> Edited {
        Edited {
            path: self.path.clone(),
            owner: self.owner.clone(),
            group: self.group.clone(),
            mode: self.mode,
        }
    }

    /// The document with all keys set.
    fn set(&self, text: &[u8]) -> Result<Vec<u8>, JsonError> {
        self.values.iter().try_fold(text.to_vec(), |text, (pointer, value)| json::set(&text, pointer, value))
    }
}

impl Resource for JsonKeys {
    fn id(&self) -> ResourceId {
        ResourceId::new(KIND, format!("{}#{}", self.path, self.id))
    }

    fn questions(&self) -> Vec<Question> {
        vec![self.file().question()]
    }

    fn compare(&self, answers: Answers<'_>) -> Result<Comparison, ObserveError> {
        let file = self.file();
        let facts = answers.path(0)?;
        let text = file.text(facts)?;
        let conflict = |error| file.conflict(error);
        let leaving = self.leaving(answers).without(text, answers).map_err(conflict)?;
        let wanted = self.set(&leaving.left).map_err(conflict)?;
        let mut existed = !leaving.details.is_empty();
        let mut details = leaving.details;
        for (pointer, value) in &self.values {
            let old = json::get(text, pointer).map_err(conflict)?;
            existed |= old.is_some();
            if !json::holds(text, pointer, value).map_err(conflict)? {
                details.push(detail(pointer, old.as_ref(), Some(value)));
            }
        }
        file.compare(facts, wanted, details, existed)
    }

    fn foreseen(&self, answers: Answers<'_>) -> Vec<(Question, Answer)> {
        let file = self.file();
        let foreseen = |facts| {
            let kept = self.leaving(answers).without(file.text(facts).ok()?, answers).ok()?;
            Some(file.foreseen(facts, self.set(&kept.left).ok()?))
        };
        answers.path(0).ok().and_then(foreseen).into_iter().collect()
    }

    fn path(&self) -> Option<&MachinePath> {
        Some(&self.path)
    }

    fn rendered(&self) -> Vec<Rendered> {
        let whole = self.set(b"").unwrap_or_default();
        let path = format!("{}#{}", self.path, self.id);
        vec![Rendered { path, content: Content::Bytes(Arc::from(whole)) }]
    }

    fn guards(&self) -> bool {
        way_in::leads_through(&self.path)
    }

    /// The objects around its keys are places, as the document is.
    fn wanted(&self) -> Aspects {
        let mut wanted = self.file().wanted();
        for (pointer, value) in &self.values {
            wanted.insert(pointer.to_string(), aspects::text(value.to_string().as_bytes()));
            let around = pointer.around();
            wanted.extend(around.iter().map(|around| (left::object(around, &self.path), aspects::there())));
        }
        wanted
    }

    fn observed(&self, answers: Answers<'_>) -> Result<Aspects, ObserveError> {
        let file = self.file();
        let facts = answers.path(0)?;
        let text = file.text(facts)?;
        let conflict = |error| file.conflict(error);
        let mut seen = file.observed(facts);
        for (pointer, value) in &self.values {
            // An equal value can be written in more than one way.
            let there = if json::holds(text, pointer, value).map_err(conflict)? {
                Some(value.clone())
            } else {
                json::get(text, pointer).map_err(conflict)?
            };
            let there = there.map(|there| aspects::text(there.to_string().as_bytes()));
            seen.extend(there.map(|there| (pointer.to_string(), there)));
            for around in pointer.around() {
                let state = match json::get(text, &around).map_err(conflict)? {
                    None => continue,
                    Some(Json::Object(_)) => aspects::there(),
                    Some(_) => Aspect::plain("no object"),
                };
                seen.insert(left::object(&around, &self.path), state);
            }
        }
        Ok(seen)
    }

    fn remains(&self) -> Json {
        self.left()
    }

    fn touches(&self) -> Vec<Touched> {
        vec![Touched::Path(self.path.clone())]
    }
}

#[cfg(test)]
mod tests;
