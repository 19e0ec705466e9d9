//! What a machine said. Everything in here came from the machine: data, never a path to write or a command to run.

use std::collections::BTreeSet;

use super::remnant::Former;
use crate::model::{Digest, MachineFacts, MachinePath, ResourceId};

/// The answer to one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To [`super::Question::Path`].
    Path(PathFacts),
    /// To [`super::Question::Unit`].
    Unit(UnitFacts),
    /// To [`super::Question::Package`]: the installed version, or none.
    Package(Option<String>),
    /// To [`super::Question::Ask`]: the lines it printed.
    Lines(Vec<String>),
    /// The machine could not answer; the reason.
    Unanswered(String),
}

/// What a whole probe brought back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// What the machine says of itself.
    pub machine: MachineFacts,
    /// For each resource, in the order asked, the answers to its questions in their order.
    pub answers: Vec<Vec<Answer>>,
}

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathFacts {
    /// What it is.
    pub what: PathType,
    /// Permission bits (`0o7777` at most); 0 when absent.
    pub mode: u32,
    /// Owner's number.
    pub uid: u32,
    /// Group's number.
    pub gid: u32,
    /// Owner's name, or its number as text when it has none.
    pub user: String,
    /// Group's name, or its number as text when it has none.
    pub group: String,
    /// Size in bytes; 0 when absent.
    pub size: u64,
    /// A regular file's digest, when it was asked for; keyed when the question was [`super::Want::Keyed`].
    pub digest: Option<Digest>,
    /// A regular file's bytes, when they were asked for and within the limit.
    pub bytes: Option<Vec<u8>>,
    /// The user on whose behalf it is looked at and changed, when its folder belongs to another than the
    /// one operations run as.
    pub acting: Option<Acting>,
}

/// A user on whose behalf something is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acting {
    /// The name.
    pub user: String,
    /// The names of its groups.
    pub groups: Vec<String>,
}

/// What a path is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathType {
    /// Nothing is there.
    Absent,
    /// A regular file.
    File,
    /// A directory.
    Directory {
        /// Whether a file system is mounted on it.
        mounted: bool,
    },
    /// A symbolic link and its target.
    Link(String),
    /// A device, socket or pipe.
    Other,
}

impl PathType {
    /// As it reads in a message.
    #[must_use]
    pub fn phrase(&self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::File => "a file",
            Self::Directory { mounted: false } => "a directory",
            Self::Directory { mounted: true } => "a mount point",
            Self::Link(_) => "a link",
            Self::Other => "a special file",
        }
    }
}

impl PathFacts {
    /// Nothing is there.
    #[must_use]
    pub fn absent() -> Self {
        Self {
            what: PathType::Absent,
            mode: 0,
            uid: 0,
            gid: 0,
            user: String::new(),
            group: String::new(),
            size: 0,
            digest: None,
            bytes: None,
            acting: None,
        }
    }

    /// Whether what is made or changed here can get an owner and a group: whoever is no root can give
    /// nothing away.
    ///
    /// # Errors
    /// [`ObserveError::Conflict`] when it cannot.
    pub(super) fn may_have(
        &self,
        path: &MachinePath,
        owner: Option<&str>,
        group: Option<&str>,
    ) -> Result<(), ObserveError> {
        let Some(acting) = &self.acting else { return Ok(()) };
        let is_number = |name: &&str| name.bytes().all(|byte| byte.is_ascii_digit());
        let owner = owner.filter(|name| !is_number(name) && *name != acting.user);
        let group = group.filter(|name| !is_number(name) && !acting.groups.iter().any(|known| known == name));
        let what = match (owner, group) {
            (Some(owner), _) => format!("owner {owner}"),
            (None, Some(group)) => format!("group {group}"),
            (None, None) => return Ok(()),
        };
        let user = &acting.user;
        Err(ObserveError::Conflict(format!(
            "{path} is in a folder of {user}, where changes are made as {user}, who cannot give it {what}; \
             declare what {user} can give, or another place"
        )))
    }

    /// The state an operation on this path is bound to, in the words the machine's `fp_state` uses:
    /// `absent`, `file MODE UID GID DIGEST`, `directory MODE UID GID`, `link TARGET`, `other`.
    /// The mode is octal. A file whose digest was not asked for has `-` in its place.
    #[must_use]
    pub fn guard(&self) -> String {
        match &self.what {
            PathType::Absent => "absent".to_owned(),
            PathType::File => format!(
                "file {:o} {} {} {}",
                self.mode,
                self.uid,
                self.gid,
                self.digest.map_or_else(|| "-".to_owned(), |digest| digest.to_string())
            ),
            PathType::Directory { .. } => format!("directory {:o} {} {}", self.mode, self.uid, self.gid),
            PathType::Link(target) => format!("link {target}"),
            PathType::Other => "other".to_owned(),
        }
    }
}

/// The state of a systemd unit (`systemctl show`, systemd 252).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnitFacts {
    /// `LoadState`: `loaded`, `not-found`, `masked`, …
    pub load: String,
    /// `ActiveState`: `active`, `inactive`, `failed`, …
    pub active: String,
    /// `UnitFileState`: `enabled`, `disabled`, `static`, … or empty.
    pub file: String,
    /// `NeedDaemonReload`: the unit file on disk is newer than the one in memory.
    pub needs_reload: bool,
    /// `DropInPaths`: the files that change it besides its own.
    pub drop_ins: Vec<String>,
}

/// The answers to one resource's questions, in the order it asked them.
#[derive(Clone, Copy, Debug)]
pub struct Answers<'a> {
    answers: &'a [Answer],
    surroundings: &'a Surroundings,
    former: Option<&'a Former>,
}

/// What holds for all resources of one plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The key that keyed digests of this run are made with.
    pub key: String,
    /// The paths that have a resource of their own.
    pub declared: BTreeSet<MachinePath>,
    /// The paths that this plan removes.
    pub leaving: BTreeSet<MachinePath>,
    /// What has left the inventory and is not known to stay.
    pub departing: BTreeSet<ResourceId>,
    /// The aspects of parts of files that are desired: by kind, file and name.
    pub wanted: BTreeSet<(&'static str, MachinePath, String)>,
}

/// Why the state of a resource cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ObserveError {
    /// The machine could not answer.
    #[error("{0}")]
    Unanswered(String),
    /// The machine answered something that does not fit the question.
    #[error("the machine's answer does not make sense: {0}")]
    Nonsense(String),
    /// What is there cannot be brought to the desired state without losing something.
    #[error("{0}")]
    Conflict(String),
}

impl<'a> Answers<'a> {
    /// The answers to a resource's questions, and what surrounds it.
    #[must_use]
    pub fn new(answers: &'a [Answer], surroundings: &'a Surroundings) -> Self {
        Self { answers, surroundings, former: None }
    }

    /// The same answers, with what the record says of the resource.
    #[must_use]
    pub fn with_former(self, former: Option<&'a Former>) -> Self {
        Self { former, ..self }
    }

    /// What the record says of the resource; nothing when fleetprov has never applied it.
    #[must_use]
    pub fn former(&self) -> Option<&'a Former> {
        self.former
    }

    /// The key that keyed digests of this run were made with.
    #[must_use]
    pub fn key(&self) -> &'a str {
        &self.surroundings.key
    }

    /// Whether a path has a resource of its own in this plan.
    #[must_use]
    pub fn is_declared(&self, path: &MachinePath) -> bool {
        self.surroundings.declared.contains(path)
    }

    /// Whether a path has a resource of its own of that kind.
    #[must_use]
    pub fn is_declared_as(&self, kind: &str, path: &MachinePath) -> bool {
        self.surroundings.wanted.iter().any(|(of, at, _)| *of == kind && at == path)
    }

    /// A path below a folder that has a resource of its own in this plan.
    #[must_use]
    pub fn declared_below(&self, folder: &MachinePath) -> Option<&'a MachinePath> {
        self.surroundings.declared.iter().find(|path| *path != folder && path.is_within(folder))
    }

    /// Whether this plan removes what is at a path.
    #[must_use]
    pub fn is_leaving(&self, path: &MachinePath) -> bool {
        self.surroundings.leaving.contains(path)
    }

    /// Whether a resource has left the inventory and is not known to stay.
    #[must_use]
    pub fn is_departing(&self, id: &ResourceId) -> bool {
        self.surroundings.departing.contains(id)
    }

    /// Whether a part of a file is desired by any resource of a kind.
    #[must_use]
    pub fn is_wanted(&self, kind: &'static str, path: &MachinePath, name: &str) -> bool {
        self.surroundings.wanted.contains(&(kind, path.clone(), name.to_owned()))
    }

    /// The answer to the question at `index`, which has to be about a path.
    ///
    /// # Errors
    /// [`ObserveError`] when the machine could not answer, or answered another question.
    pub fn path(&self, index: usize) -> Result<&'a PathFacts, ObserveError> {
        match self.any(index)? {
            Answer::Path(facts) => Ok(facts),
            other => Err(mismatch("a path", other)),
        }
    }

    /// The answer to the question at `index`, which has to be about a unit.
    ///
    /// # Errors
    /// As for [`Answers::path`].
    pub fn unit(&self, index: usize) -> Result<&'a UnitFacts, ObserveError> {
        match self.any(index)? {
            Answer::Unit(facts) => Ok(facts),
            other => Err(mismatch("a unit", other)),
        }
    }

    /// The answer to the question at `index`, which has to be about a package: its version, or none.
    ///
    /// # Errors
    /// As for [`Answers::path`].
    pub fn package(&self, index: usize) -> Result<Option<&'a str>, ObserveError> {
        match self.any(index)? {
            Answer::Package(version) => Ok(version.as_deref()),
            other => Err(mismatch("a package", other)),
        }
    }

    /// The lines that answer the question at `index`.
    ///
    /// # Errors
    /// As for [`Answers::path`].
    pub fn lines(&self, index: usize) -> Result<&'a [String], ObserveError> {
        match self.any(index)? {
            Answer::Lines(lines) => Ok(lines),
            other => Err(mismatch("lines", other)),
        }
    }

    fn any(&self, index: usize) -> Result<&'a Answer, ObserveError> {
        match self.answers.get(index) {
            Some(Answer::Unanswered(reason)) => Err(ObserveError::Unanswered(reason.clone())),
            Some(answer) => Ok(answer),
            None => Err(ObserveError::Nonsense(format!("question {index} has no answer"))),
        }
    }
}

fn mismatch(wanted: &str, got: &Answer) -> ObserveError {
    let name = match got {
        Answer::Path(_) => "a path",
        Answer::Unit(_) => "a unit",
        Answer::Package(_) => "a package",
        Answer::Lines(_) => "lines",
        Answer::Unanswered(_) => "nothing",
    };
    ObserveError::Nonsense(format!("asked for {wanted}, got {name}"))
}
