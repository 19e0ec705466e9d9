//! A part of a text file that has left the inventory: it is cut out, the rest stays byte for byte, and a
//! file that was made for such parts goes with the last of them.

use std::fmt::Debug;

use super::answer::{Answer, Answers, ObserveError, PathFacts, PathType};
use super::aspects;
use super::difference::{Action, Detail, Difference};
use super::edited::Edited;
use super::folder;
use super::operation::Operation;
use super::question::Question;
use super::remnant::{Remnant, Removal, Touched};
use super::way_in;
use crate::model::{MachinePath, ResourceId};

/// What a kind knows of a part that it owned.
pub(super) trait Part: Debug + Send + Sync {
    /// Kind and target.
    fn id(&self) -> ResourceId;

    /// The file.
    fn path(&self) -> &MachinePath;

    /// Whether all of it was there before fleetprov.
    fn is_adopted(&self, answers: Answers<'_>) -> bool {
        let _ = answers;
        false
    }

    /// Cuts it out of a text; nothing when nothing of it is there.
    ///
    /// # Errors
    /// [`ObserveError::Conflict`] when it cannot be found in the text.
    fn cut(&self, text: &[u8], answers: Answers<'_>) -> Result<Option<Cut>, ObserveError>;

    /// Whether a text that is left holds nothing.
    fn is_bare(&self, left: &[u8]) -> bool {
        left.trim_ascii().is_empty()
    }

    /// Whether it can cut the way in.
    fn guards(&self) -> bool {
        way_in::leads_through(self.path())
    }

    /// Whether its folder is a place of it, too, and goes when it was made for it and is empty.
    fn is_in_folder_of_its_own(&self) -> bool {
        false
    }
}

/// A text without an owned part.
pub(super) struct Cut {
    /// The text.
    pub(super) left: Vec<u8>,
    /// What went.
    pub(super) details: Vec<Detail>,
}

/// A part that is left in a file.
#[derive(Debug)]
pub(super) struct LeftPart<P>(pub(super) P);

/// What becomes of the file.
enum Fate {
    /// Nothing of the part is there.
    Gone,
    /// The part stays; the reason.
    Stays(String),
    /// The file is written anew.
    Written(Cut),
    /// The file goes, and these folders with it.
    Removed(Vec<Detail>, Vec<MachinePath>),
}

impl<P: Part> LeftPart<P> {
    fn file(&self) -> Edited {
        Edited::at(self.0.path())
    }

    fn fate(&self, answers: Answers<'_>) -> Result<Fate, ObserveError> {
        let facts = answers.path(0)?;
        let path = self.0.path();
        match &facts.what {
            PathType::Absent => return Ok(Fate::Gone),
            PathType::File => {}
            what => return Ok(Fate::Stays(format!("{path} is {} now, which stays", what.phrase()))),
        }
        if self.0.is_adopted(answers) {
            return Ok(Fate::Stays("it was there before fleetprov; it stays as it is".to_owned()));
        }
        let Some(cut) = self.0.cut(self.file().text(facts)?, answers)? else { return Ok(Fate::Gone) };
        let came_with_us = aspects::is_ours(answers.former(), &aspects::file(path));
        // A link or a folder is to stand there, and needs the room.
        let makes_room = ["link", "directory"].iter().any(|kind| answers.is_declared_as(kind, path));
        let is_needed = answers.is_declared(path) && !makes_room;
        if !came_with_us || !self.0.is_bare(&cut.left) || is_needed {
            return Ok(Fate::Written(cut));
        }
        let folders = if self.0.is_in_folder_of_its_own() {
            folder::emptied(path, &[], answers.lines(1)?, answers, 0, 1)?
        } else {
            Vec::new()
        };
        Ok(Fate::Removed(cut.details, folders))
    }

    fn remaining(&self, answers: Answers<'_>) -> Option<Answer> {
        let facts = answers.path(0).ok()?;
        match self.fate(answers).ok()? {
            Fate::Written(cut) => Some(self.file().foreseen(facts, cut.left).1),
            Fate::Removed(..) => Some(Answer::Path(PathFacts::absent())),
            Fate::Gone | Fate::Stays(_) => None,
        }
    }
}

impl<P: Part> Remnant for LeftPart<P> {
    fn id(&self) -> ResourceId {
        self.0.id()
    }

    fn questions(&self) -> Vec<Question> {
        let folders = self.0.is_in_folder_of_its_own().then(|| folder::question(&self.0.path().parent()));
        std::iter::once(self.file().question()).chain(folders).collect()
    }

    fn remove(&self, answers: Answers<'_>) -> Result<Removal, ObserveError> {
        let facts = answers.path(0)?;
        let file = self.file();
        let (details, operations): (_, Vec<Operation>) = match self.fate(answers)? {
            Fate::Gone => return Ok(Removal::Gone),
            Fate::Stays(reason) => return Ok(Removal::Release(reason)),
            Fate::Written(cut) => (cut.details, vec![file.leave(facts, Some(cut.left))?]),
            Fate::Removed(mut details, folders) => {
                details.push(Detail::Note(format!("{} was made for it, and goes with it", file.path)));
                let note = |path| Detail::Note(format!("{path} was made for it, too, and goes with it"));
                details.extend(folders.iter().map(note));
                let first = std::iter::once(file.leave(facts, None)?);
                (details, first.chain(folders.iter().map(folder::remove)).collect())
            }
        };
        Ok(Removal::Remove(Difference { action: Action::Remove, details, operations }))
    }

    fn foreseen(&self, answers: Answers<'_>) -> Vec<(Question, Answer)> {
        self.remaining(answers).map(|answer| (self.file().question(), answer)).into_iter().collect()
    }

    fn clears(&self, answers: Answers<'_>) -> Vec<MachinePath> {
        match self.fate(answers) {
            Ok(Fate::Removed(_, folders)) => std::iter::once(self.0.path().clone()).chain(folders).collect(),
            _ => Vec::new(),
        }
    }

    fn path(&self) -> Option<&MachinePath> {
        Some(self.0.path())
    }

    fn is_part(&self) -> bool {
        true
    }

    fn guards(&self) -> bool {
        self.0.guards()
    }

    fn touches(&self) -> Vec<Touched> {
        let folder = self.0.is_in_folder_of_its_own().then(|| Touched::Path(self.0.path().parent()));
        std::iter::once(Touched::Path(self.0.path().clone())).chain(folder).collect()
    }
}
