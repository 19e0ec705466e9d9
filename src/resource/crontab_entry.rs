//! `crontab-entry`: lines in a user's crontab, as a managed block; everybody else's lines stay as they are.

mod left;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

use super::answer::{Answer, Answers, ObserveError};
use super::content::{Content, Rendered};
use super::declared::{Declared, Origin, Resource};
use super::difference::{Action, Comparison, Detail, Difference};
use super::operation::{Operation, Payload};
use super::question::Question;
use super::reading::Reading;
use super::remnant::Touched;
use super::{aspects, lines, ownership};
use crate::format::block::{self, Comment, Markers, Position};
use crate::model::{Aspects, Diagnostic, Diagnostics, Digest, Fields, Node, ResourceId};
use crate::shell::{Call, Library, posix};

pub(super) use left::recall;

/// The word of the inventory.
pub const KIND: &str = "crontab-entry";

const LIBRARY: Library =
    Library { name: KIND, posix: include_str!("crontab_entry.sh"), needs: &[posix::CRONTAB] };

/// The longest line cron takes, in bytes (Debian's cron 3.0: `MAX_COMMAND` is 1000; BusyBox has no limit).
const LONGEST: usize = 998;

/// Lines in a user's crontab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrontabEntry {
    /// Whose crontab.
    pub user: String,
    /// The name of the block in it: letters, digits and `. _ : / @ + -`.
    pub id: String,
    /// The lines, as cron reads them.
    pub lines: Vec<String>,
}

/// Checks a line of a crontab: not empty, no line break or zero byte, 998 bytes at most.
///
/// # Errors
/// A text that says what is wrong.
pub fn line_from(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        Err("an empty line".to_owned())
    } else if text.contains(['\n', '\r', '\0']) {
        Err("more than one line".to_owned())
    } else if text.len() > LONGEST {
        Err(format!("{} bytes in one line, cron takes {LONGEST}", text.len()))
    } else {
        Ok(text.to_owned())
    }
}

/// Reads `crontab-entry: {id, lines, user}`; the user is the login user unless given.
pub fn read(
    node: &Node,
    origin: &Origin,
    reading: &Reading<'_>,
    problems: &mut Diagnostics,
) -> Vec<Declared> {
    let Some(mut fields) = Fields::open(node, KIND, problems) else { return Vec::new() };
    let user = ownership::read_account(&mut fields, "user").unwrap_or_else(|| reading.facts.user.clone());
    let id = fields.required("id", "letters, digits and . _ : / @ + - only", |text| {
        markers(text).map(|_| text.to_owned()).map_err(|_| format!("`{text}` cannot stand in a comment line"))
    });
    let mut wanted = Vec::new();
    let mut is_whole = true;
    if fields.required_node("lines").is_none() {
        is_whole = false;
    }
    for text in fields.texts("lines") {
        match line_from(&text.value) {
            Ok(line) => wanted.push(line),
            Err(message) => {
                is_whole = false;
                fields.problems().push(
                    Diagnostic::at(&text.span, format!("`lines` has {message}"))
                        .expected("a line of a crontab such as `10 3 * * * /usr/local/bin/report`"),
                );
            }
        }
    }
    fields.close();
    match (id, is_whole) {
        (Some(id), true) => {
            vec![
                Declared::new(CrontabEntry { user, id, lines: wanted }, origin.clone())
                    .after([ResourceId::new("package", "cron")]),
            ]
        }
        _ => Vec::new(),
    }
}

fn markers(id: &str) -> Result<Markers, block::BlockError> {
    Markers::new(Comment::line("#")?, id)
}

fn conflict(user: &str, error: impl std::fmt::Display) -> ObserveError {
    ObserveError::Conflict(format!("the crontab of {user} cannot be edited: failed to {error}"))
}

impl CrontabEntry {
    fn question(user: &str) -> Question {
        Question::Ask { library: LIBRARY, call: Call::new("fp_crontab_show", [user]), within: None }
    }

    /// The answer to [`CrontabEntry::question`] of a user with a crontab.
    fn answer(text: &[u8]) -> Answer {
        Answer::Lines(vec![format!("crontab {}", STANDARD.encode(text))])
    }

    /// Writes a whole crontab in place of the present one.
    fn write(user: &str, present: &[u8], wanted: Vec<u8>) -> Operation {
        let call = Call::new(
            "fp_crontab_write",
            [
                user.to_owned(),
                Digest::of(present).to_string(),
                wanted.len().to_string(),
                Digest::of(&wanted).to_string(),
            ],
        );
        Operation { library: LIBRARY, call, payload: Some(Payload::Bytes(Arc::from(wanted))), within: None }
    }

    /// The user's crontab.
    fn present(&self, answers: Answers<'_>) -> Result<Vec<u8>, ObserveError> {
        let said = answers.lines(0)?;
        if lines::optional(said, "nobody").is_some() {
            return Err(ObserveError::Conflict(format!("there is no user {}", self.user)));
        }
        lines::bytes(lines::value(said, "crontab")?)
    }

    fn content(&self) -> Vec<u8> {
        self.lines.iter().flat_map(|line| [line.as_bytes(), b"\n"]).flatten().copied().collect()
    }
}

impl Resource for CrontabEntry {
    fn id(&self) -> ResourceId {
        ResourceId::new(KIND, format!("{}#{}", self.user, self.id))
    }

    fn questions(&self) -> Vec<Question> {
        vec![Self::question(&self.user)]
    }

    fn compare(&self, answers: Answers<'_>) -> Result<Comparison, ObserveError> {
        let conflict = |error| conflict(&self.user, error);
        let present = self.present(answers)?;
        let markers = markers(&self.id).map_err(conflict)?;
        let content = self.content();
        let wanted = block::set(&present, &markers, &content, Position::End).map_err(conflict)?;
        if wanted == present {
            return Ok(Comparison::InOrder);
        }
        let old = block::get(&present, &markers).map_err(conflict)?;
        let action = if old.is_some() { Action::Update } else { Action::Create };
        let detail = if old.as_ref() == Some(&content) {
            Detail::Note("its marker lines are written anew".to_owned())
        } else {
            Detail::Text { name: format!("crontab of {}, {}", self.user, self.id), from: old, to: content }
        };
        Ok(Comparison::Differs(Difference {
            action,
            details: vec![detail],
            operations: vec![Self::write(&self.user, &present, wanted)],
        }))
    }

    fn foreseen(&self, answers: Answers<'_>) -> Vec<(Question, Answer)> {
        let wanted = || {
            let present = self.present(answers).ok()?;
            block::set(&present, &markers(&self.id).ok()?, &self.content(), Position::End).ok()
        };
        wanted().map(|text| (Self::question(&self.user), Self::answer(&text))).into_iter().collect()
    }

    fn rendered(&self) -> Vec<Rendered> {
        let content = Content::Bytes(Arc::from(self.content()));
        vec![Rendered { path: format!("crontab.{}#{}", self.user, self.id), content }]
    }

    fn wanted(&self) -> Aspects {
        Aspects::from([("lines".to_owned(), aspects::text(&self.content()))])
    }

    fn observed(&self, answers: Answers<'_>) -> Result<Aspects, ObserveError> {
        let conflict = |error| conflict(&self.user, error);
        let markers = markers(&self.id).map_err(conflict)?;
        let there = block::get(&self.present(answers)?, &markers).map_err(conflict)?;
        Ok(there.map(|lines| ("lines".to_owned(), aspects::text(&lines))).into_iter().collect())
    }

    fn remains(&self) -> Json {
        json!({ "user": self.user })
    }

    fn touches(&self) -> Vec<Touched> {
        vec![Touched::Crontab(self.user.clone())]
    }
}

#[cfg(test)]
mod tests;
