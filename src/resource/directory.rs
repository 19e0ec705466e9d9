//! `directory`: a directory with its owner, group and mode. What it holds is not its business.

mod left;

use serde_json::{Value as Json, json};

use super::answer::{Answer, Answers, ObserveError, PathFacts, PathType};
use super::declared::{Declared, Origin, Resource};
use super::difference::{Action, Comparison, Detail, Difference};
use super::operation::Operation;
use super::ownership;
use super::question::{Question, Want};
use super::reading::Reading;
use super::remnant::Touched;
use super::{aspects, folder, way_in};
use crate::model::{Aspect, Aspects, Diagnostics, Fields, MachinePath, Node, ResourceId};
use crate::shell::{Call, posix};

pub(super) use left::recall;

/// The word of the inventory.
pub const KIND: &str = "directory";

/// A directory.
#[derive(Clone, Debug)]
pub struct Directory {
    /// Where. Missing directories above it are made with the same owner and mode 0755.
    pub path: MachinePath,
    /// Its owner.
    pub owner: String,
    /// Its group; left alone when none is given.
    pub group: Option<String>,
    /// Its permission bits.
    pub mode: u32,
}

/// Reads `directory: {path, owner, group, mode}`.
pub fn read(
    node: &Node,
    origin: &Origin,
    reading: &Reading<'_>,
    problems: &mut Diagnostics,
) -> Vec<Declared> {
    let Some(mut fields) = Fields::open(node, "directory", problems) else { return Vec::new() };
    let path = fields.required_text("path").and_then(|path| reading.path(&path, fields.problems()));
    let owner = ownership::read_account(&mut fields, "owner");
    let group = ownership::read_account(&mut fields, "group");
    let mode = ownership::read_mode(&mut fields).unwrap_or(0o755);
    fields.close();
    let Some(path) = path else { return Vec::new() };
    let owner = owner.unwrap_or_else(|| reading.owner_of(&path));
    vec![Declared::new(Directory { path, owner, group, mode }, origin.clone())]
}

impl Directory {
    /// The directories above it, from the top, without `/`.
    fn above(&self) -> Vec<MachinePath> {
        let mut above = folder::above(&self.path);
        above.reverse();
        above
    }

    fn make(&self, function: &'static str, path: &MachinePath, mode: u32) -> Operation {
        Operation {
            library: posix::SESSION,
            call: Call::new(
                function,
                [
                    path.as_str().to_owned(),
                    "absent".to_owned(),
                    self.owner.clone(),
                    ownership::argument(self.group.as_deref()),
                    ownership::mode_text(mode),
                ],
            ),
            payload: None,
            within: Some(path.parent()),
        }
    }
}

impl Resource for Directory {
    fn id(&self) -> ResourceId {
        ResourceId::new(KIND, self.path.as_str())
    }

    fn questions(&self) -> Vec<Question> {
        let ask = |path: MachinePath| Question::Path { path, want: Want::Facts };
        std::iter::once(self.path.clone()).chain(self.above()).map(ask).collect()
    }

    fn compare(&self, answers: Answers<'_>) -> Result<Comparison, ObserveError> {
        let facts = answers.path(0)?;
        match &facts.what {
            // Owner and mode seen at a mount point are those of the mounted file system's root.
            PathType::Directory { mounted: true } => Ok(Comparison::InOrder),
            PathType::Directory { mounted: false } => {
                let details =
                    ownership::differences(facts, Some(&self.owner), self.group.as_deref(), Some(self.mode));
                if details.is_empty() {
                    return Ok(Comparison::InOrder);
                }
                facts.may_have(&self.path, Some(&self.owner), self.group.as_deref())?;
                let call = Call::new(
                    "fp_attributes",
                    [
                        self.path.as_str().to_owned(),
                        facts.guard(),
                        "none".to_owned(),
                        self.owner.clone(),
                        ownership::argument(self.group.as_deref()),
                        ownership::mode_text(self.mode),
                    ],
                );
                let operation = Operation {
                    library: posix::SESSION,
                    call,
                    payload: None,
                    within: Some(self.path.parent()),
                };
                Ok(Comparison::Differs(Difference {
                    action: Action::Update,
                    details,
                    operations: vec![operation],
                }))
            }
            PathType::Absent => {
                facts.may_have(&self.path, Some(&self.owner), self.group.as_deref())?;
                let mut details = ownership::wanted(&self.owner, self.group.as_deref(), self.mode);
                let mut operations = Vec::new();
                for (index, above) in self.above().iter().enumerate() {
                    match &answers.path(index + 1)?.what {
                        PathType::Absent if answers.is_declared(above) => {}
                        PathType::Absent => {
                            details.push(Detail::Note(format!("makes {above} (0755) on the way")));
                            operations.push(self.make("fp_parent", above, 0o755));
                        }
                        PathType::Directory { .. } | PathType::Link(_) => {}
                        what => {
                            return Err(ObserveError::Conflict(format!("{above} is {}", what.phrase())));
                        }
                    }
                }
                operations.push(self.make("fp_directory", &self.path, self.mode));
                Ok(Comparison::Differs(Difference { action: Action::Create, details, operations }))
            }
            what => Err(ObserveError::Conflict(format!(
                "{} is {}; it is not replaced by a directory",
                self.path,
                what.phrase()
            ))),
        }
    }

    /// The directories it makes on the way are there for those that come after it.
    fn foreseen(&self, answers: Answers<'_>) -> Vec<(Question, Answer)> {
        let mut foreseen = Vec::new();
        for (index, above) in self.above().into_iter().enumerate() {
            let missing = answers.path(index + 1).is_ok_and(|facts| facts.what == PathType::Absent);
            if missing && !answers.is_declared(&above) {
                let facts = PathFacts {
                    what: PathType::Directory { mounted: false },
                    mode: 0o755,
                    user: self.owner.clone(),
                    group: self.group.clone().unwrap_or_default(),
                    ..PathFacts::absent()
                };
                foreseen.push((Question::Path { path: above, want: Want::Facts }, Answer::Path(facts)));
            }
        }
        foreseen
    }

    fn path(&self) -> Option<&MachinePath> {
        Some(&self.path)
    }

    fn guards(&self) -> bool {
        way_in::leads_through(&self.path)
    }

    /// The folders above it are places: those that were not there came with it.
    fn wanted(&self) -> Aspects {
        let mut wanted = aspects::attributes(Some(&self.owner), self.group.as_deref(), Some(self.mode));
        let folders = std::iter::once(self.path.clone()).chain(self.above());
        wanted.extend(folders.map(|path| (aspects::folder(&path), aspects::there())));
        wanted
    }

    fn observed(&self, answers: Answers<'_>) -> Result<Aspects, ObserveError> {
        let mut seen = Aspects::new();
        for (index, path) in std::iter::once(self.path.clone()).chain(self.above()).enumerate() {
            let state = match &answers.path(index)?.what {
                PathType::Directory { .. } => aspects::there(),
                PathType::Link(_) if index > 0 => aspects::there(),
                PathType::Absent => continue,
                what => Aspect::plain(what.phrase()),
            };
            seen.insert(aspects::folder(&path), state);
        }
        let facts = answers.path(0)?;
        let (owner, group) = (Some(self.owner.as_str()), self.group.as_deref());
        match facts.what {
            // Those of the mounted file system do not count.
            PathType::Directory { mounted: true } => {
                seen.extend(aspects::attributes(owner, group, Some(self.mode)));
            }
            PathType::Directory { mounted: false } => {
                seen.extend(aspects::seen_attributes(facts, owner, group, Some(self.mode)));
            }
            _ => {}
        }
        Ok(seen)
    }

    fn remains(&self) -> Json {
        json!({})
    }

    fn touches(&self) -> Vec<Touched> {
        std::iter::once(self.path.clone()).chain(self.above()).map(Touched::Path).collect()
    }
}
