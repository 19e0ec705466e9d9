//! A checkout that has left the inventory: it goes when nothing in it is nowhere else.

use std::sync::Arc;

use serde_json::Value as Json;

use super::{Checkout, KIND, LIBRARY};
use crate::model::{MachinePath, ResourceId};
use crate::resource::answer::{Answers, ObserveError, PathType};
use crate::resource::difference::{Action, Detail, Difference};
use crate::resource::operation::Operation;
use crate::resource::question::{Question, Want};
use crate::resource::remnant::{Remnant, Removal, Touched};
use crate::resource::{aspects, folder, lines, way_in};
use crate::shell::Call;

/// What a checkout can hold that is nowhere else: the machine's word for it, one, many.
const SORTS: &[(&str, &str, &str)] = &[
    ("changed", "changed file", "changed files"),
    ("untracked", "untracked file", "untracked files"),
    ("ignored", "ignored file or folder", "ignored files and folders"),
    ("stashes", "stash", "stashes"),
    ("commits", "commit that its remote does not have", "commits that its remote does not have"),
    ("worktrees", "other working tree", "other working trees"),
    ("submodules", "submodule", "submodules"),
    ("mounts", "mounted file system", "mounted file systems"),
];

/// What is left of a checkout.
#[derive(Debug)]
struct Left {
    path: MachinePath,
}

/// Reads what the record keeps of a checkout.
pub(in crate::resource) fn recall(target: &str, remains: &Json) -> Option<Arc<dyn Remnant>> {
    remains.as_object()?;
    let path = MachinePath::new(target).ok().filter(|path| path.as_str() == target && target != "/")?;
    Some(Arc::new(Left { path }))
}

impl Left {
    /// Why it stays, when it does.
    fn held(said: &[String]) -> Option<String> {
        let held: Vec<String> = SORTS
            .iter()
            .filter_map(|(word, one, many)| {
                let number = lines::optional(said, word)?;
                Some(if number == "1" { format!("one {one}") } else { format!("{number} {many}") })
            })
            .collect();
        (!held.is_empty()).then(|| held.join(", "))
    }

    /// Whether the folder itself goes, too.
    fn folder_goes(&self, answers: Answers<'_>) -> bool {
        aspects::is_ours(answers.former(), &aspects::folder(&self.path))
            && !answers.is_declared(&self.path)
            && answers.declared_below(&self.path).is_none()
    }

    /// Why it stays, or whether there is a repository to take away; nothing when all is gone.
    fn fate(&self, answers: Answers<'_>) -> Result<Result<Option<bool>, String>, ObserveError> {
        let path = &self.path;
        let is_ours = aspects::is_ours(answers.former(), Checkout::ASPECT);
        match &answers.path(0)?.what {
            PathType::Absent => return Ok(Ok(None)),
            _ if !is_ours => return Ok(Err("it was there before fleetprov; it stays as it is".to_owned())),
            PathType::Directory { mounted: false } => {}
            what => return Ok(Err(format!("{path} is {} now, which stays", what.phrase()))),
        }
        let said = answers.lines(1)?;
        Ok(match lines::value(said, "state")? {
            "absent" => Ok(None),
            "empty" => Ok(self.folder_goes(answers).then_some(false)),
            "repository" => match Self::held(said) {
                Some(held) => Err(format!("it holds {held}; it stays as it is")),
                None => Ok(Some(true)),
            },
            "files" => Err(format!("{path} holds files and is no repository any more; it stays as it is")),
            "broken" => Err(format!("git cannot read the repository in {path}; it stays as it is")),
            other => return Err(ObserveError::Nonsense(format!("state {other}"))),
        })
    }
}

impl Remnant for Left {
    fn id(&self) -> ResourceId {
        ResourceId::new(KIND, self.path.as_str())
    }

    fn questions(&self) -> Vec<Question> {
        vec![
            Question::Path { path: self.path.clone(), want: Want::Facts },
            Question::Ask {
                library: LIBRARY,
                call: Call::new("fp_checkout_holds", [self.path.as_str()]),
                within: Some(self.path.clone()),
            },
        ]
    }

    fn remove(&self, answers: Answers<'_>) -> Result<Removal, ObserveError> {
        let is_repository = match self.fate(answers)? {
            Err(reason) => return Ok(Removal::Release(reason)),
            Ok(None) => return Ok(Removal::Gone),
            Ok(Some(is_repository)) => is_repository,
        };
        let contents = is_repository.then(|| Operation {
            library: LIBRARY,
            call: Call::new("fp_checkout_remove", [self.path.as_str()]),
            payload: None,
            within: Some(self.path.clone()),
        });
        let goes = self.folder_goes(answers);
        let whole = goes.then(|| folder::remove(&self.path));
        let kept = Detail::Note(format!("the folder {} stays, empty", self.path));
        Ok(Removal::Remove(Difference {
            action: Action::Remove,
            details: (!goes).then_some(kept).into_iter().collect(),
            operations: contents.into_iter().chain(whole).collect(),
        }))
    }

    fn clears(&self, answers: Answers<'_>) -> Vec<MachinePath> {
        let goes = matches!(self.fate(answers), Ok(Ok(_))) && self.folder_goes(answers);
        goes.then(|| self.path.clone()).into_iter().collect()
    }

    fn path(&self) -> Option<&MachinePath> {
        Some(&self.path)
    }

    fn guards(&self) -> bool {
        way_in::leads_through(&self.path)
    }

    fn touches(&self) -> Vec<Touched> {
        vec![Touched::Other(format!("checkout {}", self.path))]
    }
}
