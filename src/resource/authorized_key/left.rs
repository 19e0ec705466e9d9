//! A key that has left the inventory: its line goes, and nothing else.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{AuthorizedKey, KIND, aspect, shown};
use crate::format::authorized_keys::{self, PublicKey};
use crate::model::{MachinePath, ResourceId};
use crate::resource::answer::{Answers, ObserveError};
use crate::resource::aspects;
use crate::resource::difference::Detail;
use crate::resource::edited::Edited;
use crate::resource::part::{Cut, LeftPart, Part};
use crate::resource::remnant::Remnant;

/// What is left of a key.
#[derive(Debug)]
struct Left {
    target: String,
    path: MachinePath,
    key: PublicKey,
}

impl AuthorizedKey {
    pub(super) fn left(&self) -> Json {
        let key = format!("{} {}", self.key.sort(), self.key.encoded());
        json!({ "user": self.user, "path": self.path.as_str(), "key": key })
    }
}

fn key(remains: &Json) -> Option<PublicKey> {
    PublicKey::parse(remains.get("key")?.as_str()?).ok()
}

fn path(remains: &Json) -> Option<MachinePath> {
    MachinePath::new(remains.get("path")?.as_str()?).ok()
}

/// The key that a resource had in this file when it was applied last, when that came with fleetprov and
/// nobody desires it any more.
pub(super) fn former_key(answers: Answers<'_>, file: &MachinePath) -> Option<PublicKey> {
    let former = answers.former()?;
    let key = key(&former.remains).filter(|_| path(&former.remains).as_ref() == Some(file))?;
    let name = aspect(&key);
    (aspects::is_ours(Some(former), &name) && !answers.is_wanted(KIND, file, &name)).then_some(key)
}

/// Reads what the record keeps of a key.
pub(in crate::resource) fn recall(target: &str, remains: &Json) -> Option<Arc<dyn Remnant>> {
    let path = path(remains)?;
    let user = remains.get("user")?.as_str()?;
    let holder = if target.starts_with('/') { path.as_str() } else { user };
    target.strip_prefix(holder)?.strip_prefix('#')?;
    let left = Left { target: target.to_owned(), path, key: key(remains)? };
    Some(Arc::new(LeftPart(left)))
}

impl Part for Left {
    fn id(&self) -> ResourceId {
        ResourceId::new(KIND, &self.target)
    }

    fn path(&self) -> &MachinePath {
        &self.path
    }

    fn is_adopted(&self, answers: Answers<'_>) -> bool {
        !aspects::is_ours(answers.former(), &aspect(&self.key))
    }

    fn cut(&self, text: &[u8], answers: Answers<'_>) -> Result<Option<Cut>, ObserveError> {
        let conflict = |error| Edited::at(&self.path).conflict(error);
        let name = aspect(&self.key);
        let found = authorized_keys::get(text, &self.key).map_err(conflict)?;
        if found.is_empty() || answers.is_wanted(KIND, &self.path, &name) {
            return Ok(None);
        }
        let left = authorized_keys::remove(text, &self.key).map_err(conflict)?;
        let options = found.first().map_or("none", |one| shown(&one.options));
        let details = vec![
            Detail::value("key", Some(&self.key.fingerprint()), "none"),
            Detail::value("options", Some(options), "none"),
        ];
        Ok(Some(Cut { left, details }))
    }

    fn is_in_folder_of_its_own(&self) -> bool {
        self.path.parent().file_name() == ".ssh"
    }

    fn guards(&self) -> bool {
        true
    }
}
