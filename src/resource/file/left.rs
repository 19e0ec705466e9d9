//! A file that has left the inventory.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{File, KIND};
use crate::model::{Digest, MachinePath, ResourceId};
use crate::resource::answer::{Answers, ObserveError, PathType};
use crate::resource::difference::{Action, Detail, Difference};
use crate::resource::operation::Operation;
use crate::resource::question::{Question, Want};
use crate::resource::remnant::{Remnant, Removal, Touched};
use crate::resource::{unit_files, way_in};
use crate::shell::{Call, posix};

/// What is left of a file.
#[derive(Clone, Debug)]
struct Left {
    path: MachinePath,
    /// What was applied; nothing when that is secret.
    digest: Option<Digest>,
}

impl File {
    pub(super) fn left(&self) -> Json {
        match self.digest() {
            Some(digest) => json!({ "sha256": digest.to_string() }),
            None => json!({ "secret": true }),
        }
    }
}

/// Reads what the record keeps of a file.
pub(in crate::resource) fn recall(target: &str, remains: &Json) -> Option<Arc<dyn Remnant>> {
    let path = MachinePath::new(target).ok().filter(|path| path.as_str() == target)?;
    // What may be either is treated as a secret.
    let digest = if remains.get("secret").is_some() {
        None
    } else {
        Some(Digest::parse(remains.get("sha256")?.as_str()?).ok()?)
    };
    Some(Arc::new(Left { path, digest }))
}

impl Remnant for Left {
    fn id(&self) -> ResourceId {
        ResourceId::new(KIND, self.path.as_str())
    }

    fn questions(&self) -> Vec<Question> {
        let want = if self.digest.is_some() { Want::Bytes { limit: 0 } } else { Want::Keyed };
        vec![Question::Path { path: self.path.clone(), want }]
    }

    fn remove(&self, answers: Answers<'_>) -> Result<Removal, ObserveError> {
        let facts = answers.path(0)?;
        match &facts.what {
            PathType::Absent => return Ok(Removal::Gone),
            PathType::File => {}
            what => {
                return Ok(Removal::Release(format!("{} is {} now, which stays", self.path, what.phrase())));
            }
        }
        let is_changed = self.digest.is_some() && facts.digest.is_some() && self.digest != facts.digest;
        let note = is_changed.then(|| Detail::Note("it was changed since it was applied".to_owned()));
        let how = if self.digest.is_some() { "plain" } else { "keyed" };
        let removal = Operation {
            library: posix::SESSION,
            call: Call::new("fp_remove", [self.path.as_str(), &facts.guard(), how]),
            payload: None,
            within: Some(self.path.parent()),
        };
        let operations = std::iter::once(removal).chain(unit_files::forget(&self.path)).collect();
        Ok(Removal::Remove(Difference {
            action: Action::Remove,
            details: note.into_iter().collect(),
            operations,
        }))
    }

    fn clears(&self, _answers: Answers<'_>) -> Vec<MachinePath> {
        vec![self.path.clone()]
    }

    fn path(&self) -> Option<&MachinePath> {
        Some(&self.path)
    }

    fn guards(&self) -> bool {
        way_in::leads_through(&self.path)
    }

    fn touches(&self) -> Vec<Touched> {
        vec![Touched::Path(self.path.clone())]
    }
}
