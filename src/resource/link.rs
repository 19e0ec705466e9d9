//! `link`: a symbolic link and its target.

mod left;

use serde_json::{Value as Json, json};

use super::answer::{Answers, ObserveError, PathType};
use super::declared::{Declared, Origin, Resource};
use super::difference::{Action, Comparison, Detail, Difference};
use super::operation::Operation;
use super::ownership;
use super::question::{Question, Want};
use super::reading::Reading;
use super::remnant::Touched;
use super::{aspects, way_in};
use crate::model::{Aspect, Aspects, Diagnostic, Diagnostics, Fields, MachinePath, Node, ResourceId};
use crate::shell::{Call, posix};

pub(super) use left::recall;

/// The word of the inventory.
pub const KIND: &str = "link";

/// A symbolic link.
#[derive(Clone, Debug)]
pub struct Link {
    /// Where.
    pub path: MachinePath,
    /// What it points at, as `readlink` gives it: absolute or relative, existing or not.
    pub target: String,
    /// Its owner.
    pub owner: String,
}

/// Reads `link: {path, target, owner}`.
pub fn read(
    node: &Node,
    origin: &Origin,
    reading: &Reading<'_>,
    problems: &mut Diagnostics,
) -> Vec<Declared> {
    let Some(mut fields) = Fields::open(node, "link", problems) else { return Vec::new() };
    let path = fields.required_text("path").and_then(|path| reading.path(&path, fields.problems()));
    let target = fields.required_text("target").and_then(|target| {
        if target.value.is_empty() || target.value.chars().any(char::is_control) {
            let problem = Diagnostic::at(&target.span, format!("`target` is {:?}", target.value))
                .expected("a path in one line");
            fields.problems().push(problem);
            return None;
        }
        match target.value.strip_prefix("~/") {
            Some(rest) => Some(format!("{}/{rest}", reading.facts.home)),
            None => Some(target.value),
        }
    });
    let owner = ownership::read_account(&mut fields, "owner");
    fields.close();
    let (Some(path), Some(target)) = (path, target) else { return Vec::new() };
    let owner = owner.unwrap_or_else(|| reading.owner_of(&path));
    vec![Declared::new(Link { path, target, owner }, origin.clone())]
}

impl Resource for Link {
    fn id(&self) -> ResourceId {
        ResourceId::new(KIND, self.path.as_str())
    }

    fn questions(&self) -> Vec<Question> {
        vec![Question::Path { path: self.path.clone(), want: Want::Bytes { limit: 0 } }]
    }

    fn compare(&self, answers: Answers<'_>) -> Result<Comparison, ObserveError> {
        let facts = answers.path(0)?;
        let to = |from: Option<&str>| Detail::Value {
            name: "target".to_owned(),
            from: from.map(str::to_owned),
            to: self.target.clone(),
        };
        let (action, details) = match &facts.what {
            PathType::Absent => (Action::Create, vec![to(None)]),
            PathType::Link(target) => {
                let mut details = ownership::differences(facts, Some(&self.owner), None, None);
                if *target != self.target {
                    details.push(to(Some(target)));
                }
                if details.is_empty() {
                    return Ok(Comparison::InOrder);
                }
                (Action::Update, details)
            }
            what => {
                return Err(ObserveError::Conflict(format!(
                    "{} is {}; it is not replaced by a link",
                    self.path,
                    what.phrase()
                )));
            }
        };
        facts.may_have(&self.path, Some(&self.owner), None)?;
        let call = Call::new(
            "fp_link",
            [self.path.as_str().to_owned(), facts.guard(), self.target.clone(), self.owner.clone()],
        );
        let operation =
            Operation { library: posix::SESSION, call, payload: None, within: Some(self.path.parent()) };
        Ok(Comparison::Differs(Difference { action, details, operations: vec![operation] }))
    }

    fn path(&self) -> Option<&MachinePath> {
        Some(&self.path)
    }

    fn guards(&self) -> bool {
        way_in::leads_through(&self.path)
    }

    fn wanted(&self) -> Aspects {
        let mut wanted = aspects::attributes(Some(&self.owner), None, None);
        wanted.insert("target".to_owned(), Aspect::plain(&self.target));
        wanted
    }

    fn observed(&self, answers: Answers<'_>) -> Result<Aspects, ObserveError> {
        let facts = answers.path(0)?;
        let PathType::Link(target) = &facts.what else { return Ok(Aspects::new()) };
        let mut seen = aspects::seen_attributes(facts, Some(&self.owner), None, None);
        seen.insert("target".to_owned(), Aspect::plain(target));
        Ok(seen)
    }

    fn remains(&self) -> Json {
        json!({ "target": self.target })
    }

    fn touches(&self) -> Vec<Touched> {
        vec![Touched::Path(self.path.clone())]
    }
}
