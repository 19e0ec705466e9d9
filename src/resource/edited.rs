//! A text file of which fleetprov owns a part: fetched whole, edited on the controller, written back
//! on condition that it still is what was fetched.

use std::sync::Arc;

use super::answer::{Answer, ObserveError, PathFacts, PathType};
use super::difference::{Action, Comparison, Detail, Difference};
use super::operation::{Operation, Payload};
use super::question::{Question, Want};
use super::{aspects, ownership};
use crate::model::{Aspects, Digest, MachinePath};
use crate::shell::{Call, Library};

const LIBRARY: Library = Library { name: "edited", posix: include_str!("edited.sh"), needs: &[] };

/// The largest file that is fetched to be edited, in bytes.
pub(super) const LIMIT: u64 = 4 * 1024 * 1024;

/// The file around an owned part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edited {
    /// Where. The file is made when there is none.
    pub(super) path: MachinePath,
    /// Its owner. When none is given a file keeps the one it has, and a new one gets the owner of
    /// its folder.
    pub(super) owner: Option<String>,
    /// Its group; left alone when none is given.
    pub(super) group: Option<String>,
    /// Its permission bits. When none are given a file keeps its own, and a new one gets 0644.
    pub(super) mode: Option<u32>,
}

impl Edited {
    /// The question whose answer [`Edited::text`] takes.
    pub(super) fn question(&self) -> Question {
        Question::Path { path: self.path.clone(), want: Want::Bytes { limit: LIMIT } }
    }

    /// Refuses what cannot be edited: a link, a directory, a special file.
    pub(super) fn check(&self, facts: &PathFacts) -> Result<(), ObserveError> {
        match &facts.what {
            PathType::Absent | PathType::File => Ok(()),
            PathType::Link(target) => Err(ObserveError::Conflict(format!(
                "{} is a link to {target}; name the file itself",
                self.path
            ))),
            what => Err(ObserveError::Conflict(format!(
                "{} is {}; only a file can be edited",
                self.path,
                what.phrase()
            ))),
        }
    }

    /// The present text; empty when there is no file.
    pub(super) fn text<'a>(&self, facts: &'a PathFacts) -> Result<&'a [u8], ObserveError> {
        self.check(facts)?;
        match (&facts.what, &facts.bytes) {
            (PathType::Absent, _) => Ok(b""),
            (_, Some(bytes)) => Ok(bytes),
            (_, None) if facts.size > LIMIT => Err(ObserveError::Conflict(format!(
                "{} has {} bytes; files above 4 MiB are not edited",
                self.path, facts.size
            ))),
            (_, None) => Err(ObserveError::Nonsense(format!("{} has no content", self.path))),
        }
    }

    /// An error of an editor, with the path.
    pub(super) fn conflict(&self, error: impl std::fmt::Display) -> ObserveError {
        ObserveError::Conflict(format!("{} cannot be edited: failed to {error}", self.path))
    }

    /// What of owner, group and mode differs, or what a new file gets of them.
    pub(super) fn attributes(&self, facts: &PathFacts) -> Vec<Detail> {
        let (owner, group) = (self.owner.as_deref(), self.group.as_deref());
        if facts.what == PathType::File {
            return ownership::differences(facts, owner, group, self.mode);
        }
        let mode = self.mode.map(ownership::mode_text);
        [("owner", self.owner.clone()), ("group", self.group.clone()), ("mode", mode)]
            .into_iter()
            .filter_map(|(name, value)| value.map(|value| Detail::value(name, None, value)))
            .collect()
    }

    /// Owner, group and mode as arguments of the machine's functions.
    pub(super) fn arguments(&self) -> [String; 3] {
        [
            ownership::argument(self.owner.as_deref()),
            ownership::argument(self.group.as_deref()),
            ownership::argument(self.mode.map(ownership::mode_text).as_deref()),
        ]
    }

    /// Sets owner, group and mode of a file whose text is as it should be.
    pub(super) fn set_attributes(&self) -> Operation {
        self.operation("fp_edited_attributes", self.arguments(), None)
    }

    fn operation(
        &self,
        function: &'static str,
        arguments: impl IntoIterator<Item = String>,
        payload: Option<Payload>,
    ) -> Operation {
        let arguments = std::iter::once(self.path.to_string()).chain(arguments);
        Operation {
            library: LIBRARY,
            call: Call::new(function, arguments),
            payload,
            within: Some(self.path.parent()),
        }
    }

    /// The comparison of a file with what it should hold. `details` tell what of the owned part
    /// differs; `existed` is whether anything of it was there.
    pub(super) fn compare(
        &self,
        facts: &PathFacts,
        wanted: Vec<u8>,
        details: Vec<Detail>,
        existed: bool,
    ) -> Result<Comparison, ObserveError> {
        let attributes = self.attributes(facts);
        let operation = if wanted != self.text(facts)? || facts.what == PathType::Absent {
            let seen = match facts.what {
                PathType::Absent => "absent".to_owned(),
                _ => Digest::of(self.text(facts)?).to_string(),
            };
            let ending = [wanted.len().to_string(), Digest::of(&wanted).to_string()];
            let arguments = std::iter::once(seen).chain(self.arguments()).chain(ending);
            self.operation("fp_edited_write", arguments, Some(Payload::Bytes(Arc::from(wanted))))
        } else if attributes.is_empty() {
            return Ok(Comparison::InOrder);
        } else {
            self.set_attributes()
        };
        facts.may_have(&self.path, self.owner.as_deref(), self.group.as_deref())?;
        let action = if existed { Action::Update } else { Action::Create };
        let details = details.into_iter().chain(attributes).collect();
        Ok(Comparison::Differs(Difference { action, details, operations: vec![operation] }))
    }

    /// What is desired of the file itself: that it is there, and its owner, group and mode as far as
    /// declared.
    pub(super) fn wanted(&self) -> Aspects {
        let mut wanted = aspects::attributes(self.owner.as_deref(), self.group.as_deref(), self.mode);
        wanted.insert(aspects::file(&self.path), aspects::there());
        wanted
    }

    /// What is there of that.
    pub(super) fn observed(&self, facts: &PathFacts) -> Aspects {
        if facts.what != PathType::File {
            return Aspects::new();
        }
        let (owner, group) = (self.owner.as_deref(), self.group.as_deref());
        let mut seen = aspects::seen_attributes(facts, owner, group, self.mode);
        seen.insert(aspects::file(&self.path), aspects::there());
        seen
    }

    /// Writes what is left of the file when an owned part has been taken out, or takes the file away.
    pub(super) fn leave(&self, facts: &PathFacts, left: Option<Vec<u8>>) -> Result<Operation, ObserveError> {
        let seen = Digest::of(self.text(facts)?).to_string();
        let Some(left) = left else {
            return Ok(self.operation("fp_edited_remove", [seen], None));
        };
        let as_it_is = || "-".to_owned();
        let arguments =
            [seen, as_it_is(), as_it_is(), as_it_is(), left.len().to_string(), Digest::of(&left).to_string()];
        Ok(self.operation("fp_edited_write", arguments, Some(Payload::Bytes(Arc::from(left)))))
    }

    /// The file that has no owner or mode of its own, because nothing of it is declared any more.
    pub(super) fn at(path: &MachinePath) -> Self {
        Self { path: path.clone(), owner: None, group: None, mode: None }
    }

    /// What the machine will answer to [`Edited::question`] once the file holds `wanted`.
    pub(super) fn foreseen(&self, facts: &PathFacts, wanted: Vec<u8>) -> (Question, Answer) {
        let is_new = facts.what == PathType::Absent;
        let number = |name: &Option<String>, present: u32| {
            name.as_ref().map_or(present, |name| name.parse().unwrap_or(u32::MAX))
        };
        let answer = PathFacts {
            what: PathType::File,
            mode: self.mode.unwrap_or(if is_new { 0o644 } else { facts.mode }),
            uid: number(&self.owner, facts.uid),
            gid: number(&self.group, facts.gid),
            user: self.owner.clone().unwrap_or_else(|| facts.user.clone()),
            group: self.group.clone().unwrap_or_else(|| facts.group.clone()),
            size: wanted.len() as u64,
            digest: Some(Digest::of(&wanted)),
            bytes: Some(wanted),
            acting: facts.acting.clone(),
        };
        (self.question(), Answer::Path(answer))
    }
}
