//! Folders that go when nothing is left in them: those that were declared, and those made on the way.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::answer::{Answer, Answers, ObserveError};
use super::aspects;
use super::lines;
use super::operation::Operation;
use super::question::Question;
use crate::model::MachinePath;
use crate::shell::{Call, Library};

const LIBRARY: Library = Library { name: "folder", posix: include_str!("folder.sh"), needs: &[] };

/// The folders above a path, the nearest first, without `/`.
pub(super) fn above(path: &MachinePath) -> Vec<MachinePath> {
    let up = |path: &MachinePath| Some(path.parent()).filter(|parent| parent.as_str() != "/");
    std::iter::successors(up(path), up).collect()
}

/// What is in a folder and in those above it.
pub(super) fn question(path: &MachinePath) -> Question {
    Question::Ask {
        library: LIBRARY,
        call: Call::new("fp_folder_look", [path.as_str()]),
        within: Some(path.clone()),
    }
}

/// The answer to [`question`] when nobody can tell what is in the folder yet, because something is
/// mounted on it that goes first.
pub(super) fn hidden(path: &MachinePath) -> (Question, Answer) {
    (question(path), Answer::Lines(vec![format!("names 0 {}", STANDARD.encode(""))]))
}

/// Takes an empty folder away, as the owner of the one above.
pub(super) fn remove(path: &MachinePath) -> Operation {
    Operation {
        library: LIBRARY,
        call: Call::new("fp_folder_remove", [path.as_str()]),
        payload: None,
        within: Some(path.parent()),
    }
}

/// What is in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// It is not there, or cannot be read.
    Unknown,
    /// These names and perhaps more.
    Names {
        /// The names.
        names: Vec<String>,
        /// Whether there are more.
        more: bool,
    },
}

impl Held {
    /// What an answer to [`question`] says of the folder itself (0) or of one above it (1 and on).
    pub(super) fn of(said: &[String], level: usize) -> Result<Self, ObserveError> {
        let names = |text: &str, more: bool| {
            let text = lines::text(text)?;
            let names = text.lines().map(str::to_owned).collect();
            Ok(Self::Names { names, more })
        };
        let value = |word: &str| {
            said.iter().find_map(|line| {
                let rest = line.strip_prefix(word)?.strip_prefix(' ')?;
                let (number, value) = rest.split_once(' ').unwrap_or((rest, ""));
                (number == level.to_string()).then_some(value)
            })
        };
        match (value("names"), value("many")) {
            (Some(text), _) => names(text, false),
            (None, Some(text)) => names(text, true),
            (None, None) => Ok(Self::Unknown),
        }
    }

    /// What of it stays when this plan is done, in words; nothing when the folder will be empty.
    /// `gone` goes together with the folder.
    pub(super) fn stays(
        &self,
        folder: &MachinePath,
        answers: Answers<'_>,
        gone: &BTreeSet<MachinePath>,
    ) -> Option<String> {
        let Self::Names { names, more } = self else { return Some("what cannot be listed".to_owned()) };
        let goes = |name: &&String| {
            folder.join(name).is_ok_and(|path| {
                path.parent() == *folder && (answers.is_leaving(&path) || gone.contains(&path))
            })
        };
        let rest: Vec<&String> = names.iter().filter(|name| !goes(name)).collect();
        match rest.as_slice() {
            [] if *more => Some("more than can be listed".to_owned()),
            [] => None,
            [one] if !more => Some((*one).clone()),
            [one, two] if !more => Some(format!("{one} and {two}")),
            [one, two, ..] if !more => Some(format!("{one}, {two} and {} more", rest.len() - 2)),
            [one, ..] => Some(format!("{one} and much more")),
        }
    }
}

/// Of the `most` nearest folders above `path`, which all are places of its resource, those that go
/// with it and with what is `beside` it: made by fleetprov, declared by nobody, and then empty. `level` is
/// the place of the nearest one in the answer `said`.
pub(super) fn emptied(
    path: &MachinePath,
    beside: &[MachinePath],
    said: &[String],
    answers: Answers<'_>,
    level: usize,
    most: usize,
) -> Result<Vec<MachinePath>, ObserveError> {
    let mut gone: BTreeSet<MachinePath> = std::iter::once(path).chain(beside).cloned().collect();
    let mut emptied = Vec::new();
    for (number, folder) in above(path).into_iter().enumerate().take(most) {
        let is_free = aspects::is_ours(answers.former(), &aspects::folder(&folder))
            && !answers.is_declared(&folder)
            && answers.declared_below(&folder).is_none();
        let held = Held::of(said, level + number)?;
        if !is_free || held == Held::Unknown || held.stays(&folder, answers, &gone).is_some() {
            break;
        }
        gone.insert(folder.clone());
        emptied.push(folder);
    }
    Ok(emptied)
}
