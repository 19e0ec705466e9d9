//! `link-key`: a key pair with which a user of the machine opens another one, made there.
//!
//! The private half never leaves the machine and nothing of it is read but by `ssh-keygen`; the public half
//! is what the machine tells ([`Resource::export`]). A pair that is there already is taken as it is.

mod left;

use serde_json::{Value as Json, json};

use super::answer::{Answers, ObserveError, PathType};
use super::declared::{Declared, Origin, Resource};
use super::difference::{Action, Comparison, Detail, Difference};
use super::operation::Operation;
use super::question::{Question, Want};
use super::reading::Reading;
use super::remnant::Touched;
use super::{aspects, lines, link_files, ownership};
use crate::format::authorized_keys::PublicKey;
use crate::model::{Aspects, Diagnostics, Fields, MachinePath, Node, ResourceId, Spanned};
use crate::shell::{Call, Library, posix};

pub(super) use left::recall;

/// The word of the inventory.
pub const KIND: &str = "link-key";

const LIBRARY: Library = Library { name: KIND, posix: include_str!("link_key.sh"), needs: &[] };

/// The permission bits of a private half.
const MODE: u32 = 0o600;

/// The aspect that stands for the pair.
const ASPECT: &str = "pair";

/// A key pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkKey {
    /// Its name: that of what it opens.
    pub name: String,
    /// The private half; the public one lies beside it, with `.pub`.
    pub path: MachinePath,
    /// Whose it is.
    pub owner: String,
    /// What stands in the public half that is made.
    pub comment: String,
    /// Why it is of no use yet, for a person: the other side's host key is not pinned.
    pub lacks: Option<String>,
}

/// Checks a key's name: letters, digits, `-`, `_` and `.`, not first.
///
/// # Errors
/// A text that says what is wrong.
pub fn name_from(text: &str) -> Result<String, String> {
    let fits = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if fits && text != "known_hosts" {
        Ok(text.to_owned())
    } else {
        Err(format!("`{text}` cannot be the name of a key"))
    }
}

/// Reads `link-key: {name, path, owner}`. The path is `~/.ssh/fleetprov-NAME` unless given.
pub fn read(
    node: &Node,
    origin: &Origin,
    reading: &Reading<'_>,
    problems: &mut Diagnostics,
) -> Vec<Declared> {
    let Some(mut fields) = Fields::open(node, KIND, problems) else { return Vec::new() };
    let name = fields.required("name", "what it opens, such as nas", name_from);
    let given = fields.text("path");
    let owner = ownership::read_account(&mut fields, "owner");
    let span = fields.span().clone();
    let path = match (given, &name) {
        (Some(path), _) => reading.path(&path, fields.problems()),
        (None, Some(name)) => {
            let value = link_files::key(&reading.facts.home, name);
            reading.path(&Spanned { value, span }, fields.problems())
        }
        (None, None) => None,
    };
    fields.close();
    let (Some(name), Some(path)) = (name, path) else { return Vec::new() };
    let owner = owner.unwrap_or_else(|| reading.owner_of(&path));
    let comment = format!("fleetprov:{name}");
    vec![Declared::new(LinkKey { name, path, owner, comment, lacks: None }, origin.clone())]
}

/// The file of the public half.
fn public(path: &MachinePath) -> Option<MachinePath> {
    MachinePath::new(&format!("{path}.pub")).ok()
}

impl LinkKey {
    /// Whether its folder is made when it is missing: `.ssh`, which belongs to one user.
    fn folder(&self) -> Option<MachinePath> {
        Some(self.path.parent()).filter(|folder| folder.file_name() == ".ssh")
    }

    fn make(&self, answers: Answers<'_>) -> Result<Comparison, ObserveError> {
        let mut details = ownership::wanted(&self.owner, None, MODE);
        details.push(Detail::Note("its private half is made there and stays there".to_owned()));
        let mut operations = Vec::new();
        if let Some(folder) = self.folder()
            && answers.path(1)?.what == PathType::Absent
            && !answers.is_declared(&folder)
        {
            details.push(Detail::Note(format!("makes {folder} (0700) for it")));
            operations.push(Operation {
                library: posix::SESSION,
                call: Call::new("fp_parent", [folder.as_str(), "absent", "-", "-", "0700"]),
                payload: None,
                within: Some(folder.parent()),
            });
        }
        operations.push(Operation {
            library: LIBRARY,
            call: Call::new("fp_link_key_make", [self.path.as_str(), &self.comment]),
            payload: None,
            within: Some(self.path.parent()),
        });
        Ok(Comparison::Differs(Difference { action: Action::Create, details, operations }))
    }

    /// The public half, when the machine could tell it.
    fn told(&self, said: &[String]) -> Option<PublicKey> {
        let text = lines::text(lines::optional(said, "public")?).ok()?;
        PublicKey::parse(&text).ok()
    }
}

impl Resource for LinkKey {
    fn id(&self) -> ResourceId {
        ResourceId::new(KIND, &self.name)
    }

    fn questions(&self) -> Vec<Question> {
        let facts = |path: MachinePath| Question::Path { path, want: Want::Facts };
        vec![
            facts(self.path.clone()),
            facts(self.path.parent()),
            Question::Ask {
                library: LIBRARY,
                call: Call::new("fp_link_key_look", [self.path.as_str()]),
                within: Some(self.path.parent()),
            },
        ]
    }

    fn compare(&self, answers: Answers<'_>) -> Result<Comparison, ObserveError> {
        if let Some(lacks) = &self.lacks {
            return Err(ObserveError::Conflict(lacks.clone()));
        }
        let facts = answers.path(0)?;
        let said = answers.lines(2)?;
        if lines::value(said, "tool")? != "yes" {
            return Err(ObserveError::Conflict(
                "ssh-keygen is not installed; on Debian the package openssh-client has it".to_owned(),
            ));
        }
        match &facts.what {
            PathType::Absent => return self.make(answers),
            PathType::File => {}
            what => return Err(ObserveError::Conflict(format!("{} is {}", self.path, what.phrase()))),
        }
        let details = ownership::differences(facts, Some(&self.owner), None, Some(MODE));
        if details.is_empty() {
            return match self.told(said) {
                Some(_) => Ok(Comparison::InOrder),
                None => Err(ObserveError::Conflict(format!(
                    "{} is no private key that opens without a passphrase",
                    self.path
                ))),
            };
        }
        let mode = ownership::mode_text(MODE);
        let call = Call::new(
            "fp_attributes",
            [self.path.as_str(), &facts.guard(), "none", self.owner.as_str(), "-", mode.as_str()],
        );
        let within = Some(self.path.parent());
        let operation = Operation { library: posix::SESSION, call, payload: None, within };
        Ok(Comparison::Differs(Difference { action: Action::Update, details, operations: vec![operation] }))
    }

    fn path(&self) -> Option<&MachinePath> {
        Some(&self.path)
    }

    fn wanted(&self) -> Aspects {
        let mut wanted = aspects::attributes(Some(&self.owner), None, Some(MODE));
        wanted.insert(ASPECT.to_owned(), aspects::there());
        wanted.extend(self.folder().map(|folder| (aspects::folder(&folder), aspects::there())));
        wanted
    }

    fn observed(&self, answers: Answers<'_>) -> Result<Aspects, ObserveError> {
        let facts = answers.path(0)?;
        let mut seen = Aspects::new();
        if facts.what == PathType::File {
            seen = aspects::seen_attributes(facts, Some(&self.owner), None, Some(MODE));
            seen.insert(ASPECT.to_owned(), aspects::there());
        }
        if let Some(folder) = self.folder()
            && answers.path(1)?.what != PathType::Absent
        {
            seen.insert(aspects::folder(&folder), aspects::there());
        }
        Ok(seen)
    }

    fn export(&self, answers: Answers<'_>) -> Option<String> {
        let key = self.told(answers.lines(2).ok()?)?;
        // Whatever else the machine says of it is not taken over.
        Some(format!("{} {}", key.sort(), key.encoded()))
    }

    fn remains(&self) -> Json {
        json!({ "path": self.path.as_str() })
    }

    fn touches(&self) -> Vec<Touched> {
        vec![touched(&self.name)]
    }
}

/// No copy of a private half is kept to be put back.
fn touched(name: &str) -> Touched {
    Touched::Other(format!("key pair {name}"))
}

#[cfg(test)]
mod tests;
