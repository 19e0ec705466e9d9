//! `file`: a regular file, whole: content, owner, group, mode.

mod left;

use std::sync::Arc;

use serde_json::Value as Json;

use super::answer::{Answers, ObserveError, PathFacts, PathType};
use super::content::{Content, Rendered, sealed};
use super::declared::{Declared, Origin, Resource};
use super::difference::{Action, Comparison, Detail, Difference};
use super::operation::{Operation, Payload};
use super::ownership;
use super::question::{Question, Want};
use super::reading::Reading;
use super::remnant::Touched;
use super::{aspects, way_in};
use crate::model::{
    Aspect, Aspects, Diagnostic, Diagnostics, Digest, Fields, MachinePath, Node, ResourceId, SecretReference,
    one_of,
};
use crate::shell::{Call, posix};

pub(super) use left::recall;

/// The word of the inventory.
pub const KIND: &str = "file";

/// The keys that say what it holds.
const CONTENTS: &[&str] = &["content", "template", "source", "secret", "sealed"];

/// The most bytes of an old content that come back for a diff.
const SHOWN: u64 = 64 * 1024;

/// A regular file.
#[derive(Clone, Debug)]
pub struct File {
    /// Where.
    pub path: MachinePath,
    /// What it holds.
    pub content: Content,
    /// Its owner.
    pub owner: String,
    /// Its group; left alone when none is given.
    pub group: Option<String>,
    /// Its permission bits.
    pub mode: u32,
}

/// Reads `file: {path, content | template | source | secret | sealed, owner, group, mode}`.
pub fn read(
    node: &Node,
    origin: &Origin,
    reading: &Reading<'_>,
    problems: &mut Diagnostics,
) -> Vec<Declared> {
    let Some(mut fields) = Fields::open(node, "file", problems) else { return Vec::new() };
    let path = fields.required_text("path").and_then(|path| reading.path(&path, fields.problems()));
    let sources = [
        fields.text("content").map(|text| Ok(Content::Bytes(Arc::from(text.value.into_bytes())))),
        fields.text("template").map(|name| reading.supply.template(&name)),
        fields.text("source").map(|name| reading.supply.file(&name)),
        SecretReference::read_one(&mut fields).map(|secret| reading.supply.secret(&secret)),
    ];
    let owner = ownership::read_account(&mut fields, "owner");
    let group = ownership::read_account(&mut fields, "group");
    let mode = ownership::read_mode(&mut fields);
    let mut given: Vec<_> = sources.into_iter().flatten().collect();
    let span = fields.span().clone();
    let content = match (given.pop(), given.is_empty()) {
        (Some(Ok(content)), true) => Some(content),
        (Some(Err(problem)), true) => {
            fields.problems().push(problem);
            None
        }
        (Some(_), false) => {
            let problem = Diagnostic::at(&span, "file has more than one content").expected(one_of(CONTENTS));
            fields.problems().push(problem);
            None
        }
        (None, _) => {
            let problem = Diagnostic::at(&span, "file has no content").expected(one_of(CONTENTS));
            fields.missing_one_of(CONTENTS, problem);
            None
        }
    };
    fields.close();
    let (Some(path), Some(content)) = (path, content) else { return Vec::new() };
    let mode = mode.unwrap_or(if content.is_secret() { 0o600 } else { 0o644 });
    let owner = owner.unwrap_or_else(|| reading.owner_of(&path));
    vec![Declared::new(File { path, content, owner, group, mode }, origin.clone())]
}

impl File {
    fn digest(&self) -> Option<Digest> {
        match &self.content {
            Content::Bytes(bytes) => Some(Digest::of(bytes)),
            Content::Local { digest, .. } => Some(*digest),
            Content::Secret(_) | Content::Sealed(_) => None,
        }
    }

    fn keyed_word(&self) -> &'static str {
        if self.content.is_secret() { "keyed" } else { "plain" }
    }

    fn write(&self, facts: &PathFacts, key: &str) -> Option<Operation> {
        let (payload, digest) = match &self.content {
            Content::Bytes(bytes) => (Payload::Bytes(Arc::clone(bytes)), Digest::of(bytes)),
            Content::Local { path, length, digest } => {
                (Payload::Local { path: path.clone(), length: *length }, *digest)
            }
            Content::Secret(secret) => (Payload::Secret(secret.clone()), Digest::keyed(key, secret.expose())),
            Content::Sealed(_) => return None,
        };
        let call = Call::new(
            "fp_write",
            [
                self.path.as_str().to_owned(),
                facts.guard(),
                self.keyed_word().to_owned(),
                self.owner.clone(),
                ownership::argument(self.group.as_deref()),
                ownership::mode_text(self.mode),
                payload.length().to_string(),
                digest.to_string(),
            ],
        );
        Some(Operation {
            library: posix::SESSION,
            call,
            payload: Some(payload),
            within: Some(self.path.parent()),
        })
    }

    fn content_details(&self, facts: &PathFacts) -> Detail {
        let name = self.path.to_string();
        let existed = facts.what == PathType::File;
        match &self.content {
            Content::Secret(_) | Content::Sealed(_) => Detail::Secret { name, existed },
            Content::Local { length, digest, .. } => Detail::Summary {
                name,
                from: existed.then(|| summary(facts.size, facts.digest)),
                to: summary(*length, Some(*digest)),
            },
            Content::Bytes(bytes) => {
                let shown = |bytes: &[u8]| {
                    bytes.len() as u64 <= SHOWN && std::str::from_utf8(bytes).is_ok() && !bytes.contains(&0)
                };
                let old = facts.bytes.as_deref();
                if shown(bytes) && (!existed || old.is_some_and(shown)) {
                    Detail::Text { name, from: old.map(<[u8]>::to_vec), to: bytes.to_vec() }
                } else {
                    Detail::Summary {
                        name,
                        from: existed.then(|| summary(facts.size, facts.digest)),
                        to: summary(bytes.len() as u64, Some(Digest::of(bytes))),
                    }
                }
            }
        }
    }
}

fn summary(size: u64, digest: Option<Digest>) -> String {
    let digest = digest.map(|digest| format!(", sha256 {}", digest.short())).unwrap_or_default();
    format!("{size} bytes{digest}")
}

impl Resource for File {
    fn id(&self) -> ResourceId {
        ResourceId::new(KIND, self.path.as_str())
    }

    fn questions(&self) -> Vec<Question> {
        let want = match (&self.content, self.digest()) {
            (Content::Local { .. }, Some(digest)) => Want::Unless { digest, limit: 0 },
            (_, Some(digest)) => Want::Unless { digest, limit: SHOWN },
            (_, None) => Want::Keyed,
        };
        vec![
            Question::Path { path: self.path.clone(), want },
            Question::Path { path: self.path.parent(), want: Want::Facts },
        ]
    }

    fn compare(&self, answers: Answers<'_>) -> Result<Comparison, ObserveError> {
        let facts = answers.path(0)?;
        let action = match &facts.what {
            PathType::Absent => Action::Create,
            PathType::File => Action::Update,
            PathType::Link(_) => Action::Replace,
            what @ (PathType::Directory { .. } | PathType::Other) => {
                return Err(ObserveError::Conflict(format!(
                    "{} is {}; it is not replaced by a file",
                    self.path,
                    what.phrase()
                )));
            }
        };
        let same = action == Action::Update
            && match &self.content {
                Content::Secret(secret) => {
                    facts.digest == Some(Digest::keyed(answers.key(), secret.expose()))
                }
                // Nothing is known of it here; whoever plans for real has opened it.
                Content::Sealed(_) => false,
                Content::Bytes(_) | Content::Local { .. } => facts.digest == self.digest(),
            };
        let mut details = match action {
            Action::Update => {
                ownership::differences(facts, Some(&self.owner), self.group.as_deref(), Some(self.mode))
            }
            _ => ownership::wanted(&self.owner, self.group.as_deref(), self.mode),
        };
        if let PathType::Link(target) = &facts.what {
            details.push(Detail::Note(format!("it is a link to {target} now")));
        }
        let folder = self.path.parent();
        let missing = answers.path(1).is_ok_and(|facts| facts.what == PathType::Absent);
        if missing && !answers.is_declared(&folder) {
            // What comes before it may make it: a package, for one.
            details.push(Detail::Note(format!("the folder {folder} is not there yet, and is not declared")));
        }
        if !same || !details.is_empty() {
            facts.may_have(&self.path, Some(&self.owner), self.group.as_deref())?;
        }
        let operation = if !same {
            details.push(self.content_details(facts));
            self.write(facts, answers.key())
        } else if details.is_empty() {
            return Ok(Comparison::InOrder);
        } else {
            Some(Operation {
                library: posix::SESSION,
                call: Call::new(
                    "fp_attributes",
                    [
                        self.path.as_str().to_owned(),
                        facts.guard(),
                        self.keyed_word().to_owned(),
                        self.owner.clone(),
                        ownership::argument(self.group.as_deref()),
                        ownership::mode_text(self.mode),
                    ],
                ),
                payload: None,
                within: Some(self.path.parent()),
            })
        };
        let Some(operation) = operation else {
            return Err(match &self.content {
                Content::Sealed(name) => sealed(name),
                _ => ObserveError::Conflict("its content is not at hand".to_owned()),
            });
        };
        Ok(Comparison::Differs(Difference { action, details, operations: vec![operation] }))
    }

    fn path(&self) -> Option<&MachinePath> {
        Some(&self.path)
    }

    fn rendered(&self) -> Vec<Rendered> {
        vec![Rendered { path: self.path.to_string(), content: self.content.clone() }]
    }

    fn is_secret(&self) -> bool {
        self.content.is_secret()
    }

    fn guards(&self) -> bool {
        way_in::leads_through(&self.path)
    }

    fn wanted(&self) -> Aspects {
        let mut wanted = aspects::attributes(Some(&self.owner), self.group.as_deref(), Some(self.mode));
        let content = match &self.content {
            Content::Secret(secret) => Some(Aspect::Secret(secret.clone())),
            _ => self.digest().map(Aspect::Digest),
        };
        wanted.extend(content.map(|content| ("content".to_owned(), content)));
        wanted
    }

    fn observed(&self, answers: Answers<'_>) -> Result<Aspects, ObserveError> {
        let facts = answers.path(0)?;
        if facts.what != PathType::File {
            return Ok(Aspects::new());
        }
        let (owner, group) = (Some(self.owner.as_str()), self.group.as_deref());
        let mut seen = aspects::seen_attributes(facts, owner, group, Some(self.mode));
        let content = facts.digest.map(if self.content.is_secret() { Aspect::Keyed } else { Aspect::Digest });
        seen.extend(content.map(|content| ("content".to_owned(), content)));
        Ok(seen)
    }

    fn remains(&self) -> Json {
        self.left()
    }

    fn touches(&self) -> Vec<Touched> {
        vec![Touched::Path(self.path.clone())]
    }
}
