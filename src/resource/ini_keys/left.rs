//! Keys of an INI file that have left the inventory, whole sets of them or some.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{IniKeys, KIND};
use crate::format::ini::{self, IniError, SectionRemoval};
use crate::model::{MachinePath, ResourceId};
use crate::resource::answer::{Answers, ObserveError};
use crate::resource::aspects;
use crate::resource::difference::Detail;
use crate::resource::edited::Edited;
use crate::resource::part::{Cut, LeftPart, Part};
use crate::resource::remnant::Remnant;

/// Keys that are to go.
#[derive(Debug)]
pub(super) struct Left {
    pub(super) path: MachinePath,
    pub(super) id: String,
    pub(super) keys: Vec<LeftKey>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LeftKey {
    pub(super) section: Option<String>,
    pub(super) key: String,
}

/// The aspect that stands for a section.
pub(super) fn section(name: &str, path: &MachinePath) -> String {
    aspects::holder("section", name, path)
}

fn keys(remains: &Json) -> Option<Vec<LeftKey>> {
    let key = |key: &Json| {
        let section = match key.get(0)? {
            Json::Null => None,
            section => Some(section.as_str()?.to_owned()),
        };
        let key = LeftKey { section, key: key.get(1)?.as_str()?.to_owned() };
        ini::get(b"", key.section.as_deref(), &key.key).ok()?;
        Some(key)
    };
    remains.get("keys")?.as_array()?.iter().map(key).collect()
}

/// Reads what the record keeps of a set of keys.
pub(in crate::resource) fn recall(target: &str, remains: &Json) -> Option<Arc<dyn Remnant>> {
    let path = MachinePath::new(remains.get("path")?.as_str()?).ok()?;
    let id = target.strip_prefix(path.as_str())?.strip_prefix('#')?.to_owned();
    let left = Left { path, id, keys: keys(remains)? };
    // A file that may hold secrets is never fetched.
    Some(if remains.get("hidden").is_some() {
        Arc::new(super::remote::Hidden(left))
    } else {
        Arc::new(LeftPart(left))
    })
}

impl LeftKey {
    /// As it reads in a report, and as its aspect is called.
    pub(super) fn name(&self) -> String {
        super::name(self.section.as_deref(), &self.key)
    }
}

impl IniKeys {
    pub(super) fn left(&self) -> Json {
        let keys: Vec<Json> = self.values.iter().map(|value| json!([value.section, value.key])).collect();
        let mut left = json!({ "path": self.path.as_str(), "keys": keys });
        if self.hides()
            && let Some(left) = left.as_object_mut()
        {
            left.insert("hidden".to_owned(), Json::Bool(true));
        }
        left
    }

    /// The keys that were in the set when it was applied last, and are in it no more.
    pub(super) fn leaving(&self, answers: Answers<'_>) -> Left {
        let mut keys = answers.former().and_then(|former| keys(&former.remains)).unwrap_or_default();
        keys.retain(|key| {
            self.values.iter().all(|value| (&value.section, &value.key) != (&key.section, &key.key))
        });
        let left = Left { path: self.path.clone(), id: self.id.clone(), keys };
        Left { keys: left.going(answers).cloned().collect(), ..left }
    }
}

impl Left {
    fn goes(&self, name: &str, answers: Answers<'_>) -> bool {
        aspects::is_ours(answers.former(), name) && !answers.is_wanted(KIND, &self.path, name)
    }

    /// The keys that came with fleetprov and that nobody desires any more.
    pub(super) fn going<'a>(&'a self, answers: Answers<'a>) -> impl Iterator<Item = &'a LeftKey> {
        self.keys.iter().filter(move |key| self.goes(&key.name(), answers))
    }

    /// Whether a key's section came with fleetprov and nobody desires it any more.
    pub(super) fn section_goes(&self, key: &LeftKey, answers: Answers<'_>) -> bool {
        key.section.as_ref().is_some_and(|name| self.goes(&section(name, &self.path), answers))
    }

    /// The text without the keys that go, and without the sections that were made for them.
    pub(super) fn without(&self, text: &[u8], answers: Answers<'_>) -> Result<Cut, IniError> {
        let mut left = text.to_vec();
        let mut details = Vec::new();
        for key in self.going(answers) {
            let Some(old) = ini::get(&left, key.section.as_deref(), &key.key)? else { continue };
            details.push(Detail::value(key.name(), Some(&String::from_utf8_lossy(old)), "none"));
            left = ini::remove(&left, key.section.as_deref(), &key.key)?;
            if let Some(section) = key.section.as_ref().filter(|_| self.section_goes(key, answers)) {
                left = ini::remove_section(&left, section, SectionRemoval::IfEmpty)?;
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
}
