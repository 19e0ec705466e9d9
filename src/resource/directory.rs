//! `directory`: a directory with its owner, group and mode. What it holds is not its business.

use super::answer::{Answer, Answers, ObserveError, PathFacts, PathType};
use super::declared::{Declared, Origin, Resource};
use super::difference::{Action, Comparison, Detail, Difference};
use super::operation::Operation;
use super::ownership;
use super::question::{Question, Want};
use super::reading::Reading;
use super::way_in;
use crate::model::{Diagnostics, Fields, MachinePath, Node, ResourceId};
use crate::shell::{Call, posix};

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
        let mut above = Vec::new();
        let mut path = self.path.parent();
        while path.as_str() != "/" {
            above.push(path.clone());
            path = path.parent();
        }
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
}
