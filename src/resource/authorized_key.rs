//! `authorized-key`: one key that opens a user's login, a line in a file whose other lines are not ours.

mod left;

use std::sync::Arc;

use serde_json::Value as Json;

use super::answer::{Answer, Answers, ObserveError, PathType};
use super::content::{Content, Rendered};
use super::declared::{Declared, Origin, Resource};
use super::difference::{Comparison, Detail};
use super::edited::Edited;
use super::operation::Operation;
use super::question::{Question, Want};
use super::reading::Reading;
use super::remnant::Touched;
use super::{aspects, lines, ownership};
use crate::format::authorized_keys::{self, Around, PublicKey};
use crate::model::{Aspect, Aspects, Diagnostic, Diagnostics, Fields, MachinePath, Node, ResourceId};
use crate::shell::{Call, Library, posix};

pub(super) use left::recall;

/// The word of the inventory.
pub const KIND: &str = "authorized-key";

const LIBRARY: Library = Library { name: KIND, posix: include_str!("authorized_key.sh"), needs: &[] };

/// A key that opens a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizedKey {
    /// Whose login.
    pub user: String,
    /// Whether the file was named: then it is part of what the key is called, rather than the user.
    pub is_named: bool,
    /// Its name among the user's keys: the fingerprint, or one that stays when the key is exchanged.
    pub id: String,
    /// The file its line is in.
    pub path: MachinePath,
    /// The user's home when `path` is the usual place in it, and nobody has said so: the machine has to.
    pub home: Option<MachinePath>,
    /// The key.
    pub key: PublicKey,
    /// What stands before it, such as `restrict,command="…"`; empty for nothing.
    pub options: String,
    /// What stands behind it; left alone when not given.
    pub comment: Option<String>,
}

/// Reads `authorized-key: {user, key, options, comment, id, path}`.
///
/// The user is the login user unless given. `path` is `~USER/.ssh/authorized_keys` unless given.
pub fn read(
    node: &Node,
    origin: &Origin,
    reading: &Reading<'_>,
    problems: &mut Diagnostics,
) -> Vec<Declared> {
    let Some(mut fields) = Fields::open(node, KIND, problems) else { return Vec::new() };
    let user = ownership::read_account(&mut fields, "user").unwrap_or_else(|| reading.facts.user.clone());
    let expected = "a public key such as ssh-ed25519 AAAAC3… alice@pc";
    let key = fields.required("key", expected, |text| {
        PublicKey::parse(text).map_err(|error| format!("failed to {error}"))
    });
    let before = fields.problems().len();
    let options = fields.parsed("options", "options such as restrict,command=\"/usr/bin/true\"", |text| {
        authorized_keys::check_options(text)
            .map(|()| text.to_owned())
            .map_err(|error| format!("failed to {error}"))
    });
    let comment = fields.parsed("comment", "a text in one line", |text| {
        let fits = !text.chars().any(char::is_control) && text.trim() == text;
        if fits { Ok(text.to_owned()) } else { Err("it cannot stand in a line".to_owned()) }
    });
    let id = fields.parsed("id", "letters, digits and . _ : / @ + - only", |text| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/@+-".contains(&byte);
        if !text.is_empty() && text.bytes().all(fits) {
            Ok(text.to_owned())
        } else {
            Err(format!("`{text}` cannot be a name"))
        }
    });
    let path_text = fields.text("path");
    let is_given = path_text.is_some();
    let path = path_text.and_then(|path| reading.path(&path, fields.problems()));
    let home = home_of(&user, reading);
    let usual = home.as_ref().and_then(|home| home.join(".ssh/authorized_keys").ok());
    if usual.is_none() && !is_given {
        let problem = Diagnostic::at(fields.span(), format!("the home of {user} is not an absolute path"));
        fields.problems().push(problem.expected("the file, as `path`"));
    }
    let is_whole = fields.problems().len() == before;
    fields.close();
    let (Some(key), Some(path), true) = (key, if is_given { path } else { usual.clone() }, is_whole) else {
        return Vec::new();
    };
    let is_known = user == reading.facts.user;
    let home = home.filter(|_| !is_given && !is_known);
    let id = id.unwrap_or_else(|| key.fingerprint());
    let options = options.unwrap_or_default();
    vec![Declared::new(
        AuthorizedKey { user, is_named: is_given, id, path, home, key, options, comment },
        origin.clone(),
    )]
}

/// Where a user's home is, as far as that can be known without asking.
fn home_of(user: &str, reading: &Reading<'_>) -> Option<MachinePath> {
    let home = match user {
        user if user == reading.facts.user => reading.facts.home.clone(),
        "root" => "/root".to_owned(),
        user => format!("/home/{user}"),
    };
    MachinePath::new(&home).ok()
}

/// The aspect that stands for a key's line: its options.
fn aspect(key: &PublicKey) -> String {
    format!("key {}", key.fingerprint())
}

impl AuthorizedKey {
    /// Whether its folder is made when it is missing: `.ssh`, which belongs to one user.
    fn folder(&self) -> Option<MachinePath> {
        Some(self.path.parent()).filter(|folder| folder.file_name() == ".ssh")
    }

    fn file(&self, is_new: bool) -> Edited {
        // A list of keys in a folder that is no user's has to be readable for sshd, which reads it as the user.
        let mode = if self.folder().is_some() { 0o600 } else { 0o644 };
        Edited { mode: is_new.then_some(mode), ..Edited::at(&self.path) }
    }

    fn set(&self, text: &[u8]) -> Result<Vec<u8>, authorized_keys::AuthorizedKeysError> {
        authorized_keys::set(text, &self.key, &self.options, self.comment.as_deref())
    }

    /// The text with the key, and without the one it had under this name before.
    fn edited(&self, text: &[u8], answers: Answers<'_>) -> Result<Vec<u8>, ObserveError> {
        let conflict = |error| Edited::at(&self.path).conflict(error);
        let former =
            left::former_key(answers, &self.path).filter(|former| aspect(former) != aspect(&self.key));
        let kept = match former {
            Some(former) => authorized_keys::remove(text, &former).map_err(conflict)?,
            None => text.to_vec(),
        };
        self.set(&kept).map_err(conflict)
    }

    fn check_home(&self, answers: Answers<'_>) -> Result<(), ObserveError> {
        let Some(home) = &self.home else { return Ok(()) };
        let said = answers.lines(2)?;
        if lines::optional(said, "nobody").is_some() {
            return Err(ObserveError::Conflict(format!("there is no user {}", self.user)));
        }
        let found = lines::text(lines::value(said, "home")?)?;
        if found == home.as_str() {
            return Ok(());
        }
        Err(ObserveError::Conflict(format!(
            "the home of {} is {found}, not {home}; say with `path` where the keys are",
            self.user
        )))
    }

    fn make_folder(&self, folder: &MachinePath) -> Operation {
        Operation {
            library: posix::SESSION,
            call: Call::new("fp_parent", [folder.as_str(), "absent", "-", "-", "0700"]),
            payload: None,
            within: Some(folder.parent()),
        }
    }
}

/// Options for a person.
fn shown(options: &str) -> &str {
    if options.is_empty() { "none" } else { options }
}

/// The lines of a key as one value.
fn spelled(found: &[Around]) -> Option<Aspect> {
    match found {
        [] => None,
        [one] => Some(aspects::text(shown(&one.options).as_bytes())),
        many => Some(Aspect::plain(format!("{} lines", many.len()))),
    }
}

impl Resource for AuthorizedKey {
    fn id(&self) -> ResourceId {
        let holder = if self.is_named { self.path.as_str() } else { &self.user };
        ResourceId::new(KIND, format!("{holder}#{}", self.id))
    }

    fn questions(&self) -> Vec<Question> {
        let folder = Question::Path { path: self.path.parent(), want: Want::Facts };
        let home = self.home.is_some().then(|| Question::Ask {
            library: LIBRARY,
            call: Call::new("fp_authorized_home", [&self.user]),
            within: None,
        });
        [Edited::at(&self.path).question(), folder].into_iter().chain(home).collect()
    }

    fn compare(&self, answers: Answers<'_>) -> Result<Comparison, ObserveError> {
        self.check_home(answers)?;
        let facts = answers.path(0)?;
        let is_new = facts.what == PathType::Absent;
        let file = self.file(is_new);
        let text = file.text(facts)?;
        let wanted = self.edited(text, answers)?;
        let conflict = |error| file.conflict(error);
        let found = authorized_keys::get(text, &self.key).map_err(conflict)?;
        let mut details = Vec::new();
        match found.as_slice() {
            [] => {
                details.push(Detail::value("key", None, self.key.fingerprint()));
                details.push(Detail::value("options", None, shown(&self.options)));
            }
            [one, others @ ..] => {
                if one.options != self.options {
                    details.push(Detail::value("options", Some(shown(&one.options)), shown(&self.options)));
                }
                if let Some(comment) = self.comment.as_ref().filter(|comment| **comment != one.comment) {
                    details.push(Detail::value("comment", Some(&one.comment), comment));
                }
                if !others.is_empty() {
                    details.push(Detail::Note(format!("{} more lines with the same key go", others.len())));
                }
            }
        }
        if let Some(former) = left::former_key(answers, &self.path)
            && former != self.key
            && !authorized_keys::get(text, &former).map_err(conflict)?.is_empty()
            && aspect(&former) != aspect(&self.key)
        {
            details.push(Detail::Note(format!("the key {} goes", former.fingerprint())));
        }
        let compared = file.compare(facts, wanted, details, !found.is_empty())?;
        Ok(match (compared, self.folder()) {
            (Comparison::Differs(mut difference), Some(folder))
                if answers.path(1)?.what == PathType::Absent && !answers.is_declared(&folder) =>
            {
                difference.details.push(Detail::Note(format!("makes {folder} (0700) for it")));
                difference.operations.insert(0, self.make_folder(&folder));
                Comparison::Differs(difference)
            }
            (compared, _) => compared,
        })
    }

    fn foreseen(&self, answers: Answers<'_>) -> Vec<(Question, Answer)> {
        let foreseen = || {
            let facts = answers.path(0).ok()?;
            let file = self.file(facts.what == PathType::Absent);
            let wanted = self.edited(file.text(facts).ok()?, answers).ok()?;
            Some(file.foreseen(facts, wanted))
        };
        foreseen().into_iter().collect()
    }

    fn path(&self) -> Option<&MachinePath> {
        Some(&self.path)
    }

    fn rendered(&self) -> Vec<Rendered> {
        let content = Content::Bytes(Arc::from(self.set(b"").unwrap_or_default()));
        vec![Rendered { path: format!("{}#{}", self.path, self.id), content }]
    }

    fn wanted(&self) -> Aspects {
        let mut wanted = Edited::at(&self.path).wanted();
        wanted.insert(aspect(&self.key), aspects::text(shown(&self.options).as_bytes()));
        wanted.extend(self.folder().map(|folder| (aspects::folder(&folder), aspects::there())));
        wanted
    }

    fn observed(&self, answers: Answers<'_>) -> Result<Aspects, ObserveError> {
        let file = self.file(false);
        let facts = answers.path(0)?;
        let mut seen = Edited::at(&self.path).observed(facts);
        let found =
            authorized_keys::get(file.text(facts)?, &self.key).map_err(|error| file.conflict(error))?;
        seen.extend(spelled(&found).map(|options| (aspect(&self.key), options)));
        if let Some(folder) = self.folder()
            && answers.path(1)?.what != PathType::Absent
        {
            seen.insert(aspects::folder(&folder), aspects::there());
        }
        Ok(seen)
    }

    fn remains(&self) -> Json {
        self.left()
    }

    fn touches(&self) -> Vec<Touched> {
        let folder = self.folder().map(Touched::Path);
        std::iter::once(Touched::Path(self.path.clone())).chain(folder).collect()
    }

    fn guards(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests;
