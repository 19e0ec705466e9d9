//! Keys of a file that is not fetched: the machine tells of each owned key, and edits by a list.

use std::sync::Arc;

use super::{IniKeys, IniValue, changed};
use crate::model::{Digest, Secret};
use crate::resource::answer::{Answers, ObserveError, PathType};
use crate::resource::difference::{Action, Comparison, Detail, Difference};
use crate::resource::lines;
use crate::resource::operation::{Operation, Payload};
use crate::resource::question::{Question, Want};
use crate::shell::{Call, Library};

const LIBRARY: Library = Library { name: super::KIND, posix: include_str!("../ini_keys.sh") };

/// What the machine said of one key.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Absent,
    Plain(Vec<u8>),
    Keyed(Digest),
}

impl Seen {
    fn parse(said: &[String], number: usize) -> Result<Self, ObserveError> {
        let text = lines::value(said, &format!("key{number}"))?;
        let nonsense = || ObserveError::Nonsense(format!("key{number} {text}"));
        match text.split_once(' ').unwrap_or((text, "")) {
            ("absent", "") => Ok(Self::Absent),
            ("plain", value) => lines::bytes(value).map(Self::Plain),
            ("keyed", digest) => Digest::parse(digest).map(Self::Keyed).map_err(|_| nonsense()),
            _ => Err(nonsense()),
        }
    }

    /// In the words of the machine's functions, by which an edit is bound to it.
    fn guard(&self, key: &str) -> String {
        match self {
            Self::Absent => "absent".to_owned(),
            Self::Plain(value) => Digest::keyed(key, value).to_string(),
            Self::Keyed(digest) => digest.to_string(),
        }
    }

    /// How a value differs from it, or nothing.
    fn difference(&self, value: &IniValue, key: &str) -> Result<Option<Detail>, ObserveError> {
        let new = value.bytes()?;
        Ok(match self {
            Self::Plain(old) if old == new => None,
            Self::Keyed(digest) if *digest == Digest::keyed(key, new) => None,
            _ if value.value.is_secret() => {
                Some(Detail::Secret { name: value.name(), existed: *self != Self::Absent })
            }
            Self::Plain(old) => Some(changed(value, Some(old), new)),
            Self::Absent => Some(changed(value, None, new)),
            Self::Keyed(_) => return Err(ObserveError::Nonsense(format!("{} is no secret", value.name()))),
        })
    }
}

/// A section as the machine's functions name it.
fn place(value: &IniValue) -> String {
    value.section.as_ref().map_or_else(|| "-".to_owned(), |section| format!("[{section}]"))
}

impl IniKeys {
    pub(super) fn remote_questions(&self) -> Vec<Question> {
        let how = |value: &IniValue| if value.value.is_secret() { "keyed" } else { "plain" };
        let keys =
            self.values.iter().flat_map(|value| [place(value), value.key.clone(), how(value).to_owned()]);
        let arguments = std::iter::once(self.path.to_string()).chain(keys);
        vec![
            Question::Path { path: self.path.clone(), want: Want::Facts },
            Question::Ask {
                library: LIBRARY,
                call: Call::new("fp_ini_show", arguments),
                within: Some(self.path.parent()),
            },
        ]
    }

    pub(super) fn compare_remote(&self, answers: Answers<'_>) -> Result<Comparison, ObserveError> {
        let facts = answers.path(0)?;
        let mut file = self.file();
        file.check(facts)?;
        if facts.what == PathType::Absent {
            file.mode = file.mode.or(Some(0o600));
        }
        let said = answers.lines(1)?;
        let mut details = Vec::new();
        let mut list = Vec::new();
        let mut existed = false;
        for (number, value) in self.values.iter().enumerate() {
            let seen = Seen::parse(said, number)?;
            existed |= seen != Seen::Absent;
            if let Some(detail) = seen.difference(value, answers.key())? {
                details.push(detail);
                let guard = seen.guard(answers.key());
                for line in [place(value).as_bytes(), value.key.as_bytes(), guard.as_bytes(), value.bytes()?]
                {
                    list.extend_from_slice(line);
                    list.push(b'\n');
                }
            }
        }
        details.extend(file.attributes(facts));
        if details.is_empty() {
            return Ok(Comparison::InOrder);
        }
        list.extend_from_slice(b"end\n");
        let arguments =
            std::iter::once(self.path.to_string()).chain(file.arguments()).chain([list.len().to_string()]);
        let call = Call::new("fp_ini_edit", arguments);
        let has_secret = self.values.iter().any(|value| value.value.is_secret());
        let payload =
            if has_secret { Payload::Secret(Secret::new(list)) } else { Payload::Bytes(Arc::from(list)) };
        Ok(Comparison::Differs(Difference {
            action: if existed { Action::Update } else { Action::Create },
            details,
            operations: vec![Operation {
                library: LIBRARY,
                call,
                payload: Some(payload),
                within: Some(self.path.parent()),
            }],
        }))
    }
}
