//! What is left on a machine of a resource that has left the inventory, and how it goes.

use std::collections::BTreeSet;
use std::fmt::Debug;

use serde_json::Value as Json;

use super::answer::{Answer, Answers, ObserveError};
use super::difference::Difference;
use super::question::Question;
use crate::model::{MachinePath, ResourceId};

/// A resource that fleetprov has applied and that the inventory no longer has, read from the record
/// ([`super::Resource::remains`]). Pure.
pub trait Remnant: Debug + Send + Sync {
    /// Kind and target, as the resource had them.
    fn id(&self) -> ResourceId;

    /// What has to be known to remove it.
    fn questions(&self) -> Vec<Question>;

    /// How it goes. What is not ours alone is left: data, what somebody else needs, what was adopted
    /// ([`Former::adopted`]).
    ///
    /// # Errors
    /// [`ObserveError`] when the state cannot be told.
    fn remove(&self, answers: Answers<'_>) -> Result<Removal, ObserveError>;

    /// What the machine will answer to those of its questions that others ask, once it is gone.
    fn foreseen(&self, answers: Answers<'_>) -> Vec<(Question, Answer)> {
        let _ = answers;
        Vec::new()
    }

    /// The paths at which nothing will be any more once it is gone.
    fn clears(&self, answers: Answers<'_>) -> Vec<MachinePath> {
        let _ = answers;
        Vec::new()
    }

    /// The path it occupies: what lies below goes first.
    fn path(&self) -> Option<&MachinePath> {
        None
    }

    /// Whether it is a part of the file at its path: where all of that file is declared from now on, it is a
    /// part of what is declared.
    fn is_part(&self) -> bool {
        false
    }

    /// Whether its removal can cut the way in to the machine, as [`super::Resource::guards`].
    fn guards(&self) -> bool {
        false
    }

    /// What its removal may change.
    fn touches(&self) -> Vec<Touched>;
}

/// How a remnant goes.
#[derive(Clone, Debug)]
pub enum Removal {
    /// Nothing of it is there any more.
    Gone,
    /// By these operations; the action is [`super::Action::Remove`].
    Remove(Difference),
    /// It stays, and fleetprov forgets it; the reason, a sentence for a person.
    Release(String),
}

/// What the record says of a resource.
#[derive(Clone, Debug, Default)]
pub struct Former {
    /// What [`super::Resource::remains`] gave when it was applied last.
    pub remains: Json,
    /// The names of the aspects that were there before fleetprov was: they are released when they
    /// leave the inventory, never removed.
    pub adopted: BTreeSet<String>,
}

fn path_of(touched: &Touched) -> Option<&MachinePath> {
    match touched {
        Touched::Path(path) => Some(path),
        _ => None,
    }
}

/// The paths that are changed among what is touched: not the folders that are made on the way to another one.
pub fn changed_paths(touched: &[Touched]) -> impl Iterator<Item = &MachinePath> {
    touched.iter().filter_map(path_of).filter(move |one| {
        !touched.iter().filter_map(path_of).any(|other| other != *one && other.is_within(one))
    })
}

/// Something on a machine that an operation may change, so that it can be put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Touched {
    /// A file, link or folder (itself, not what is in it).
    Path(MachinePath),
    /// Whether a systemd unit is enabled and runs.
    Unit(String),
    /// A user's crontab.
    Crontab(String),
    /// Something that is not put back; what it is, for a person: `package nginx`.
    Other(String),
}
