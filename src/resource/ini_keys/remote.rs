//! Keys of a file that is not fetched: the machine tells of each owned key, and edits by a list.

use std::sync::Arc;

use super::left::{self, Left, LeftKey};
use super::{IniKeys, IniValue, changed};
use crate::model::{Aspect, Aspects, Digest, MachinePath, ResourceId, Secret};
use crate::resource::answer::{Answers, ObserveError, PathType};
use crate::resource::difference::{Action, Comparison, Detail, Difference};
use crate::resource::operation::{Operation, Payload};
use crate::resource::question::{Question, Want};
use crate::resource::remnant::{Remnant, Removal, Touched};
use crate::resource::{aspects, lines, way_in};
use crate::shell::{Call, Library};

const LIBRARY: Library = Library { name: super::KIND, posix: include_str!("../ini_keys.sh"), needs: &[] };

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
    place_of(value.section.as_deref())
}

/// As [`place`], of a key that has left.
fn place_of(section: Option<&str>) -> String {
    section.map_or_else(|| "-".to_owned(), |section| format!("[{section}]"))
}

/// The question about some keys of a file: their section, name, and how their value is told.
fn show(path: &MachinePath, keys: impl Iterator<Item = [String; 3]>) -> Vec<Question> {
    let arguments = std::iter::once(path.to_string()).chain(keys.flatten());
    vec![
        Question::Path { path: path.clone(), want: Want::Facts },
        Question::Ask {
            library: LIBRARY,
            call: Call::new("fp_ini_show", arguments),
            within: Some(path.parent()),
        },
    ]
}

impl IniKeys {
    pub(super) fn remote_questions(&self) -> Vec<Question> {
        let how = |value: &IniValue| if value.value.is_secret() { "keyed" } else { "plain" };
        show(
            &self.path,
            self.values.iter().map(|value| [place(value), value.key.clone(), how(value).to_owned()]),
        )
    }

    /// What is there of each key, and of its section.
    pub(super) fn seen_remotely(&self, answers: Answers<'_>) -> Result<Aspects, ObserveError> {
        let mut there_is = Aspects::new();
        if answers.path(0)?.what == PathType::Absent {
            return Ok(there_is);
        }
        let said = answers.lines(1)?;
        for (number, value) in self.values.iter().enumerate() {
            let there = match Seen::parse(said, number)? {
                Seen::Absent => None,
                Seen::Plain(text) => Some(aspects::text(&text)),
                Seen::Keyed(digest) => Some(Aspect::Keyed(digest)),
            };
            let is_section = lines::optional(said, &format!("section{number}")) == Some("there");
            if let Some(section) = value.section.as_ref().filter(|_| is_section || there.is_some()) {
                there_is.insert(left::section(section, &self.path), aspects::there());
            }
            there_is.extend(there.map(|there| (value.name(), there)));
        }
        Ok(there_is)
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
        let attributes = file.attributes(facts);
        let leaving = self.leaving(answers);
        // Nobody has asked about those; they go, whatever they are.
        let cut = (!leaving.keys.is_empty() && facts.what == PathType::File)
            .then(|| leaving.cut(answers, false, |_| "any".to_owned()));
        existed |= cut.is_some();
        let is_edited = !details.is_empty() || !attributes.is_empty();
        details.extend(attributes);
        if cut.is_some() {
            details.extend(leaving.keys.iter().map(|key| Detail::Note(format!("{} goes", key.name()))));
        }
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
        let edit = is_edited.then(|| Operation {
            library: LIBRARY,
            call,
            payload: Some(payload),
            within: Some(self.path.parent()),
        });
        Ok(Comparison::Differs(Difference {
            action: if existed { Action::Update } else { Action::Create },
            details,
            operations: cut.into_iter().chain(edit).collect(),
        }))
    }
}

impl Left {
    /// Takes its keys out, with the sections that were made for them when nothing else is in them; with
    /// `whole`, the file, too, when nothing is left in it. `guard` is what each key is bound to.
    fn cut(&self, answers: Answers<'_>, whole: bool, guard: impl Fn(&LeftKey) -> String) -> Operation {
        let word = |flag: bool| if flag { "yes" } else { "no" }.to_owned();
        let keys = self.keys.iter().flat_map(|key| {
            let section_goes = word(self.section_goes(key, answers));
            [place_of(key.section.as_deref()), key.key.clone(), guard(key), section_goes]
        });
        let arguments = [self.path.to_string(), word(whole)].into_iter().chain(keys);
        Operation {
            library: LIBRARY,
            call: Call::new("fp_ini_cut", arguments),
            payload: None,
            within: Some(self.path.parent()),
        }
    }
}

/// A set of keys that has left the inventory, of a file that is not fetched.
#[derive(Debug)]
pub(super) struct Hidden(pub(super) Left);

impl Remnant for Hidden {
    fn id(&self) -> ResourceId {
        ResourceId::new(super::KIND, format!("{}#{}", self.0.path, self.0.id))
    }

    fn questions(&self) -> Vec<Question> {
        let keys = self.0.keys.iter();
        show(
            &self.0.path,
            keys.map(|key| [place_of(key.section.as_deref()), key.key.clone(), "keyed".to_owned()]),
        )
    }

    fn remove(&self, answers: Answers<'_>) -> Result<Removal, ObserveError> {
        let path = &self.0.path;
        match &answers.path(0)?.what {
            PathType::Absent => return Ok(Removal::Gone),
            PathType::File => {}
            what => return Ok(Removal::Release(format!("{path} is {} now, which stays", what.phrase()))),
        }
        let said = answers.lines(1)?;
        let mut present = Vec::new();
        for (number, key) in self.0.keys.iter().enumerate() {
            let seen = Seen::parse(said, number)?;
            if seen != Seen::Absent && self.0.going(answers).any(|going| going == key) {
                present.push((key.clone(), seen.guard(answers.key())));
            }
        }
        if present.is_empty() {
            return Ok(Removal::Gone);
        }
        let keys = present.iter().map(|(key, _)| key.clone()).collect();
        let left = Left { path: path.clone(), id: self.0.id.clone(), keys };
        let whole = aspects::is_ours(answers.former(), &aspects::file(path)) && !answers.is_declared(path);
        let mut details: Vec<Detail> =
            left.keys.iter().map(|key| Detail::Note(format!("{} goes", key.name()))).collect();
        if whole {
            details
                .push(Detail::Note(format!("{path} was made for it, and goes when nothing else is in it")));
        }
        let guard = |key: &LeftKey| {
            let of = present.iter().find(|(present, _)| present == key);
            of.map(|(_, guard)| guard.clone()).unwrap_or_default()
        };
        let operations = vec![left.cut(answers, whole, guard)];
        Ok(Removal::Remove(Difference { action: Action::Remove, details, operations }))
    }

    fn path(&self) -> Option<&MachinePath> {
        Some(&self.0.path)
    }

    fn guards(&self) -> bool {
        way_in::leads_through(&self.0.path)
    }

    fn touches(&self) -> Vec<Touched> {
        vec![Touched::Path(self.0.path.clone())]
    }
}
