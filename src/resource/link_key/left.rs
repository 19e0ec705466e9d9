//! A key pair that has left the inventory: both halves go when they were made by fleetprov.

use std::sync::Arc;

use serde_json::Value as Json;

use super::{ASPECT, KIND, public, touched};
use crate::model::{MachinePath, ResourceId};
use crate::resource::answer::{Answers, ObserveError, PathType};
use crate::resource::difference::{Action, Detail, Difference};
use crate::resource::operation::Operation;
use crate::resource::question::{Question, Want};
use crate::resource::remnant::{Remnant, Removal, Touched};
use crate::resource::{aspects, folder};
use crate::shell::{Call, posix};

/// What is left of a pair.
#[derive(Clone, Debug)]
struct Left {
    name: String,
    /// The private half, and the public one.
    halves: [MachinePath; 2],
}

/// Reads what the record keeps of a pair.
pub(in crate::resource) fn recall(target: &str, remains: &Json) -> Option<Arc<dyn Remnant>> {
    let path = MachinePath::new(remains.get("path")?.as_str()?).ok()?;
    let halves = [path.clone(), public(&path)?];
    Some(Arc::new(Left { name: target.to_owned(), halves }))
}

impl Left {
    fn path(&self) -> &MachinePath {
        let [path, _] = &self.halves;
        path
    }

    /// The folders that go with it.
    fn folders(&self, answers: Answers<'_>) -> Result<Vec<MachinePath>, ObserveError> {
        if self.path().parent().file_name() != ".ssh" {
            return Ok(Vec::new());
        }
        let [_, public] = &self.halves;
        folder::emptied(self.path(), std::slice::from_ref(public), answers.lines(2)?, answers, 0, 1)
    }
}

impl Remnant for Left {
    fn id(&self) -> ResourceId {
        ResourceId::new(KIND, &self.name)
    }

    fn questions(&self) -> Vec<Question> {
        let facts = |path: &MachinePath| Question::Path { path: path.clone(), want: Want::Facts };
        let [private, public] = &self.halves;
        vec![facts(private), facts(public), folder::question(&self.path().parent())]
    }

    fn remove(&self, answers: Answers<'_>) -> Result<Removal, ObserveError> {
        let private = answers.path(0)?;
        match &private.what {
            PathType::Absent => return Ok(Removal::Gone),
            PathType::File => {}
            what => {
                return Ok(Removal::Release(format!(
                    "{} is {} now, which stays",
                    self.path(),
                    what.phrase()
                )));
            }
        }
        if !aspects::is_ours(answers.former(), ASPECT) {
            return Ok(Removal::Release("it was there before fleetprov; it stays as it is".to_owned()));
        }
        let mut operations = Vec::new();
        for (path, facts) in self.halves.iter().zip([private, answers.path(1)?]) {
            if facts.what == PathType::File {
                operations.push(Operation {
                    library: posix::SESSION,
                    call: Call::new("fp_remove", [path.as_str(), &facts.guard(), "none"]),
                    payload: None,
                    within: Some(path.parent()),
                });
            }
        }
        let folders = self.folders(answers)?;
        let note = |path| Detail::Note(format!("{path} was made for it, and goes with it"));
        let details = std::iter::once(Detail::value("pair", Some("there"), "none"));
        let details = details.chain(folders.iter().map(note)).collect();
        operations.extend(folders.iter().map(folder::remove));
        Ok(Removal::Remove(Difference { action: Action::Remove, details, operations }))
    }

    fn clears(&self, answers: Answers<'_>) -> Vec<MachinePath> {
        let folders = self.folders(answers).unwrap_or_default();
        if !aspects::is_ours(answers.former(), ASPECT) {
            return Vec::new();
        }
        self.halves.iter().cloned().chain(folders).collect()
    }

    fn path(&self) -> Option<&MachinePath> {
        Some(self.path())
    }

    fn touches(&self) -> Vec<Touched> {
        vec![touched(&self.name)]
    }
}
