//! A directory that has left the inventory: it goes when nothing is left in it, and so do the folders
//! that were made on the way to it.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value as Json;

use super::KIND;
use crate::model::{MachinePath, ResourceId};
use crate::resource::answer::{Answers, ObserveError, PathType};
use crate::resource::difference::{Action, Detail, Difference};
use crate::resource::folder::{self, Held};
use crate::resource::question::{Question, Want};
use crate::resource::remnant::{Remnant, Removal, Touched};
use crate::resource::{aspects, way_in};

/// What is left of a directory.
#[derive(Clone, Debug)]
struct Left {
    path: MachinePath,
}

/// Reads what the record keeps of a directory.
pub(in crate::resource) fn recall(target: &str, remains: &Json) -> Option<Arc<dyn Remnant>> {
    let path = MachinePath::new(target).ok().filter(|path| path.as_str() == target && target != "/")?;
    remains.as_object()?;
    Some(Arc::new(Left { path }))
}

impl Left {
    /// Whether the directory itself goes, or why it stays.
    fn itself(&self, answers: Answers<'_>) -> Result<Result<bool, String>, ObserveError> {
        let path = &self.path;
        let is_ours = aspects::is_ours(answers.former(), &aspects::folder(path));
        match &answers.path(0)?.what {
            PathType::Absent => return Ok(Ok(false)),
            _ if !is_ours => return Ok(Err("it was there before fleetprov; it stays as it is".to_owned())),
            PathType::Directory { mounted: false } => {}
            what => return Ok(Err(format!("{path} is {}, which stays", what.phrase()))),
        }
        if let Some(below) = answers.declared_below(path) {
            return Ok(Err(format!("it holds {below}, which is declared; it stays as it is")));
        }
        let held = Held::of(answers.lines(1)?, 0)?;
        Ok(match held.stays(path, answers, &BTreeSet::new()) {
            Some(rest) => Err(format!("it holds {rest}; it stays as it is")),
            None => Ok(true),
        })
    }

    /// The folders that go, the innermost first, or why it stays.
    fn going(&self, answers: Answers<'_>) -> Result<Result<Vec<MachinePath>, String>, ObserveError> {
        let itself = match self.itself(answers)? {
            Ok(itself) => itself,
            Err(reason) => return Ok(Err(reason)),
        };
        let mut going: Vec<MachinePath> = itself.then(|| self.path.clone()).into_iter().collect();
        going.extend(folder::emptied(&self.path, &[], answers.lines(1)?, answers, 1, usize::MAX)?);
        Ok(Ok(going))
    }
}

impl Remnant for Left {
    fn id(&self) -> ResourceId {
        ResourceId::new(KIND, self.path.as_str())
    }

    fn questions(&self) -> Vec<Question> {
        vec![Question::Path { path: self.path.clone(), want: Want::Facts }, folder::question(&self.path)]
    }

    fn remove(&self, answers: Answers<'_>) -> Result<Removal, ObserveError> {
        let going = match self.going(answers)? {
            Ok(going) if going.is_empty() => return Ok(Removal::Gone),
            Ok(going) => going,
            Err(reason) => return Ok(Removal::Release(reason)),
        };
        let on_the_way = going.iter().filter(|path| **path != self.path);
        let details =
            on_the_way.map(|path| Detail::Note(format!("{path}, made on the way to it, goes with it")));
        Ok(Removal::Remove(Difference {
            action: Action::Remove,
            details: details.collect(),
            operations: going.iter().map(folder::remove).collect(),
        }))
    }

    fn clears(&self, answers: Answers<'_>) -> Vec<MachinePath> {
        match self.going(answers) {
            Ok(Ok(going)) => std::iter::once(self.path.clone()).chain(going).collect(),
            _ => Vec::new(),
        }
    }

    fn path(&self) -> Option<&MachinePath> {
        Some(&self.path)
    }

    fn guards(&self) -> bool {
        way_in::leads_through(&self.path)
    }

    fn touches(&self) -> Vec<Touched> {
        std::iter::once(self.path.clone()).chain(folder::above(&self.path)).map(Touched::Path).collect()
    }
}

#[cfg(test)]
mod tests;
