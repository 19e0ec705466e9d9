//! `ini-keys`: keys that fleetprov owns in an INI file that somebody else owns.
//!
//! A file without secrets is fetched and edited on the controller. When one of the values is secret,
//! or the file is marked as sensitive because others keep secrets in it, nothing of it comes back but
//! the plain values of owned keys: the machine compares by keyed digests and edits by itself.

mod left;
mod read;
mod remote;

use std::sync::Arc;

use serde_json::Value as Json;

use super::answer::{Answer, Answers, ObserveError};
use super::content::{Content, Rendered, sealed};
use super::declared::Resource;
use super::difference::{Comparison, Detail};
use super::edited::Edited;
use super::question::Question;
use super::remnant::Touched;
use super::{aspects, way_in};
use crate::format::ini::{self, IniError};
use crate::model::{Aspect, Aspects, MachinePath, ResourceId};

pub(super) use left::recall;
pub use read::read;

/// The word of the inventory.
pub const KIND: &str = "ini-keys";

/// Owned keys of an INI file.
#[derive(Clone, Debug)]
pub struct IniKeys {
    /// The file; it is made when there is none.
    pub path: MachinePath,
    /// The name of this set of keys, so that it stays the same resource when its keys change.
    pub id: String,
    /// The keys and their values.
    pub values: Vec<IniValue>,
    /// Whether others keep secrets in the file, so that it must not be fetched.
    pub sensitive: bool,
    /// Its owner.
    pub owner: String,
    /// Its group; left alone when none is given.
    pub group: Option<String>,
    /// Its permission bits. When none are given the file keeps its own; a new one gets 0600 when it
    /// is sensitive or holds a secret, otherwise 0644.
    pub mode: Option<u32>,
}

/// One owned key.
#[derive(Clone, Debug)]
pub struct IniValue {
    /// Its section; `None` for what stands above the first section.
    pub section: Option<String>,
    /// Its name.
    pub key: String,
    /// Its value: one line without white space at its edges.
    pub value: Content,
}

impl IniValue {
    /// As it reads in a report: `section.key`.
    fn name(&self) -> String {
        name(self.section.as_deref(), &self.key)
    }

    /// The value's bytes. Checked here, since a secret is opened late.
    fn bytes(&self) -> Result<&[u8], ObserveError> {
        let bytes: &[u8] = match &self.value {
            Content::Bytes(bytes) => bytes,
            Content::Secret(secret) => secret.expose(),
            Content::Sealed(name) => return Err(sealed(name)),
            Content::Local { .. } => return Err(self.unfit()),
        };
        let breaks = |byte: &u8| matches!(byte, b'\n' | b'\r' | 0);
        if bytes.iter().any(breaks) || bytes.trim_ascii().len() != bytes.len() {
            return Err(self.unfit());
        }
        Ok(bytes)
    }

    fn unfit(&self) -> ObserveError {
        ObserveError::Conflict(format!(
            "the value of {} cannot stand in an INI file: it must be one line without white space at its edges",
            self.name()
        ))
    }
}

fn name(section: Option<&str>, key: &str) -> String {
    section.map_or_else(|| key.to_owned(), |section| format!("{section}.{key}"))
}

impl IniKeys {
    /// Whether nothing of the file may be fetched.
    fn hides(&self) -> bool {
        self.sensitive || self.values.iter().any(|value| value.value.is_secret())
    }

    fn file(&self) -> Edited {
        Edited {
            path: self.path.clone(),
            owner: Some(self.owner.clone()),
            group: self.group.clone(),
            mode: self.mode,
        }
    }

    /// The text with all keys set; only for values that are not secret.
    fn set(&self, text: &[u8]) -> Result<Vec<u8>, ObserveError> {
        let conflict = |error: IniError| self.file().conflict(error);
        self.values.iter().try_fold(text.to_vec(), |text, value| {
            let plain = std::str::from_utf8(value.bytes()?).map_err(|_| value.unfit())?;
            ini::set(&text, value.section.as_deref(), &value.key, plain).map_err(conflict)
        })
    }

    fn compare_fetched(&self, answers: Answers<'_>) -> Result<Comparison, ObserveError> {
        let file = self.file();
        let facts = answers.path(0)?;
        let text = file.text(facts)?;
        let leaving = self.leaving(answers).without(text, answers).map_err(|error| file.conflict(error))?;
        let wanted = self.set(&leaving.left)?;
        let mut existed = !leaving.details.is_empty();
        let mut details = leaving.details;
        for value in &self.values {
            let old =
                ini::get(text, value.section.as_deref(), &value.key).map_err(|error| file.conflict(error))?;
            existed |= old.is_some();
            let new = value.bytes()?;
            if old != Some(new) {
                details.push(changed(value, old, new));
            }
        }
        file.compare(facts, wanted, details, existed)
    }
}

/// A plain value that differs.
fn changed(value: &IniValue, old: Option<&[u8]>, new: &[u8]) -> Detail {
    let old = old.map(String::from_utf8_lossy);
    Detail::value(value.name(), old.as_deref(), String::from_utf8_lossy(new))
}

impl Resource for IniKeys {
    fn id(&self) -> ResourceId {
        ResourceId::new(KIND, format!("{}#{}", self.path, self.id))
    }

    fn questions(&self) -> Vec<Question> {
        if self.is_secret() { self.remote_questions() } else { vec![self.file().question()] }
    }

    fn compare(&self, answers: Answers<'_>) -> Result<Comparison, ObserveError> {
        if self.is_secret() { self.compare_remote(answers) } else { self.compare_fetched(answers) }
    }

    fn foreseen(&self, answers: Answers<'_>) -> Vec<(Question, Answer)> {
        // What the machine edits by itself is bound to the owned keys alone: nothing to foresee.
        if self.is_secret() {
            return Vec::new();
        }
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
        let shown = |value: &IniValue| match &value.value {
            Content::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            _ => "<secret>".to_owned(),
        };
        let text = self.values.iter().try_fold(Vec::new(), |text, value| {
            ini::set(&text, value.section.as_deref(), &value.key, &shown(value))
        });
        let path = format!("{}#{}", self.path, self.id);
        vec![Rendered { path, content: Content::Bytes(Arc::from(text.unwrap_or_default())) }]
    }

    fn is_secret(&self) -> bool {
        self.hides()
    }

    fn guards(&self) -> bool {
        way_in::leads_through(&self.path)
    }

    /// The sections of its keys are places, as the file is.
    fn wanted(&self) -> Aspects {
        let mut wanted = self.file().wanted();
        for value in &self.values {
            let content = match &value.value {
                Content::Bytes(bytes) => Some(aspects::text(bytes)),
                Content::Secret(secret) => Some(Aspect::Secret(secret.clone())),
                Content::Sealed(_) | Content::Local { .. } => None,
            };
            wanted.extend(content.map(|content| (value.name(), content)));
            let section = value.section.as_ref().map(|name| left::section(name, &self.path));
            wanted.extend(section.map(|section| (section, aspects::there())));
        }
        wanted
    }

    fn observed(&self, answers: Answers<'_>) -> Result<Aspects, ObserveError> {
        let file = self.file();
        let facts = answers.path(0)?;
        if self.hides() {
            file.check(facts)?;
            let mut seen = file.observed(facts);
            seen.extend(self.seen_remotely(answers)?);
            return Ok(seen);
        }
        let text = file.text(facts)?;
        let conflict = |error: IniError| file.conflict(error);
        let mut seen = file.observed(facts);
        for value in &self.values {
            let there = ini::get(text, value.section.as_deref(), &value.key).map_err(conflict)?;
            seen.extend(there.map(|there| (value.name(), aspects::text(there))));
            if let Some(section) = &value.section
                && ini::has_section(text, section).map_err(conflict)?
            {
                seen.insert(left::section(section, &self.path), aspects::there());
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
