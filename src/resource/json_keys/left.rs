//! Keys of a JSON document that have left the inventory, whole sets of them or some.

use std::str::FromStr as _;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{JsonKeys, KIND};
use crate::format::json::{self, JsonError, Pointer};
use crate::model::{MachinePath, ResourceId};
use crate::resource::answer::{Answers, ObserveError};
use crate::resource::aspects;
use crate::resource::edited::Edited;
use crate::resource::part::{Cut, LeftPart, Part};
use crate::resource::remnant::Remnant;

/// Keys that are to go.
#[derive(Debug)]
pub(super) struct Left {
    path: MachinePath,
    id: String,
    keys: Vec<Pointer>,
}

/// The aspect that stands for an object around a key.
pub(super) fn object(pointer: &Pointer, path: &MachinePath) -> String {
    aspects::holder("object", &pointer.to_string(), path)
}

fn keys(remains: &Json) -> Option<Vec<Pointer>> {
    let key = |key: &Json| Pointer::from_str(key.as_str()?).ok();
    remains.get("keys")?.as_array()?.iter().map(key).collect()
}

/// Reads what the record keeps of a set of keys.
pub(in crate::resource) fn recall(target: &str, remains: &Json) -> Option<Arc<dyn Remnant>> {
    let path = MachinePath::new(remains.get("path")?.as_str()?).ok()?;
    let id = target.strip_prefix(path.as_str())?.strip_prefix('#')?.to_owned();
    Some(Arc::new(LeftPart(Left { path, id, keys: keys(remains)? })))
}

impl JsonKeys {
    pub(super) fn left(&self) -> Json {
        let keys: Vec<String> = self.values.iter().map(|(pointer, _)| pointer.to_string()).collect();
        json!({ "path": self.path.as_str(), "keys": keys })
    }

    /// The keys that were in the set when it was applied last, and are in it no more.
    pub(super) fn leaving(&self, answers: Answers<'_>) -> Left {
        let mut keys = answers.former().and_then(|former| keys(&former.remains)).unwrap_or_default();
        keys.retain(|key| self.values.iter().all(|(pointer, _)| pointer != key));
        Left { path: self.path.clone(), id: self.id.clone(), keys }
    }
}

impl Left {
    /// The document without those keys that came with fleetprov and that nobody desires any more, and
    /// without the objects that were made for them.
    pub(super) fn without(&self, text: &[u8], answers: Answers<'_>) -> Result<Cut, JsonError> {
        let mut left = text.to_vec();
        let mut details = Vec::new();
        let goes = |name: &str| {
            aspects::is_ours(answers.former(), name) && !answers.is_wanted(KIND, &self.path, name)
        };
        for pointer in self.keys.iter().filter(|pointer| goes(&pointer.to_string())) {
            let Some(old) = json::get(&left, pointer)? else { continue };
            details.push(super::detail(pointer, Some(&old), None));
            left = json::remove(&left, pointer)?;
            for around in pointer.around() {
                let is_free = goes(&object(&around, &self.path));
                if !is_free || !json::is_bare(&left, Some(&around))? {
                    break;
                }
                left = json::remove(&left, &around)?;
            }
        }
        Ok(Cut { left, details })
    }
}

impl Part for Left {
    fn id(&self) -> ResourceId {
        ResourceId::new(KIND, format!("{}#{}", self.path, self.id))
    }

    fn path(&self) -> &MachinePath {
        &self.path
    }

    fn cut(&self, text: &[u8], answers: Answers<'_>) -> Result<Option<Cut>, ObserveError> {
        let conflict = |error| Edited::at(&self.path).conflict(error);
        let cut = self.without(text, answers).map_err(conflict)?;
        Ok(Some(cut).filter(|cut| !cut.details.is_empty()))
    }

    fn is_bare(&self, left: &[u8]) -> bool {
        json::is_bare(left, None).unwrap_or_default()
    }
}
