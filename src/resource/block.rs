//! `block`: lines between two markers in a text file that somebody else owns.

mod left;

use std::sync::Arc;

use serde_json::Value as Json;

use super::answer::{Answer, Answers, ObserveError};
use super::content::{Content, Rendered};
use super::declared::{Declared, Origin, Resource};
use super::difference::{Comparison, Detail};
use super::edited::Edited;
use super::ownership;
use super::question::Question;
use super::reading::Reading;
use super::remnant::Touched;
use super::{aspects, way_in};
use crate::format::block::{self, BlockError, Comment, Markers, Position};
use crate::model::{Aspects, Diagnostic, Diagnostics, Fields, MachinePath, Node, ResourceId};

pub(super) use left::recall;

/// The word of the inventory.
pub const KIND: &str = "block";

/// A managed block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The file it is in; it is made when there is none.
    pub path: MachinePath,
    /// Its name in the markers: letters, digits and `. _ : / @ + -`.
    pub id: String,
    /// Its lines.
    pub content: String,
    /// How the file writes comments, the markers among them.
    pub comment: Comment,
    /// Where it goes when it is new.
    pub position: Position,
    /// Its owner. When none is given the file keeps the one it has, and a new one gets its folder's.
    pub owner: Option<String>,
    /// Its group; left alone when none is given.
    pub group: Option<String>,
    /// Its permission bits. When none are given the file keeps its own, and a new one gets 0644.
    pub mode: Option<u32>,
}

/// Reads `block: {path, id, content | template, comment, position, owner, group, mode}`. `comment` is
/// `#` unless given; a format that has no line comments takes two signs, such as `<!-- -->`.
/// `position` is `end` unless given, or `start`.
pub fn read(
    node: &Node,
    origin: &Origin,
    reading: &Reading<'_>,
    problems: &mut Diagnostics,
) -> Vec<Declared> {
    let Some(mut fields) = Fields::open(node, KIND, problems) else { return Vec::new() };
    let path = fields.required_text("path").and_then(|path| reading.path(&path, fields.problems()));
    let has_comment = fields.node("comment").is_some();
    let comment =
        fields.parsed("comment", "the sign of a comment such as #, or two such as <!-- -->", comment_from);
    let comment = if has_comment { comment } else { Comment::line("#").ok() };
    let id = fields.required("id", "letters, digits and . _ : / @ + - only", |text| {
        Markers::new(comment.clone().map_or_else(|| Comment::line("#"), Ok)?, text).map(|_| text.to_owned())
    });
    let content = content(&mut fields, reading);
    let position = fields.choice("position", &[("end", Position::End), ("start", Position::Start)]);
    let owner = ownership::read_account(&mut fields, "owner");
    let group = ownership::read_account(&mut fields, "group");
    let mode = ownership::read_mode(&mut fields);
    let span = fields.span().clone();
    let (Some(path), Some(comment), Some(id), Some(content)) = (path, comment, id, content) else {
        fields.close();
        return Vec::new();
    };
    let block =
        Block { path, id, content, comment, position: position.unwrap_or(Position::End), owner, group, mode };
    let fits = block.set(b"");
    if let Err(error) = &fits {
        fields.problems().push(
            Diagnostic::at(&span, format!("failed to {error}"))
                .expected("lines that are not the block's own markers"),
        );
    }
    fields.close();
    fits.map(|_| Declared::new(block, origin.clone())).into_iter().collect()
}

fn comment_from(text: &str) -> Result<Comment, BlockError> {
    match text.split_whitespace().collect::<Vec<_>>().as_slice() {
        [open, close] => Comment::enclosed(open, close),
        _ => Comment::line(text),
    }
}

fn content(fields: &mut Fields<'_>, reading: &Reading<'_>) -> Option<String> {
    let text = fields.text("content");
    let template = fields.text("template");
    let problem = match (text, template) {
        (Some(text), None) => return Some(text.value),
        (None, Some(name)) => match reading.supply.template(&name) {
            Ok(Content::Bytes(bytes)) => match String::from_utf8(bytes.to_vec()) {
                Ok(text) => return Some(text),
                Err(_) => Diagnostic::at(&name.span, "the template's text is not UTF-8"),
            },
            Ok(_) => Diagnostic::at(&name.span, "a block cannot hold a secret")
                .expected("a file of its own for the secret"),
            Err(problem) => problem,
        },
        (Some(_), Some(_)) => Diagnostic::at(fields.span(), "block has more than one content")
            .expected("one of content, template"),
        (None, None) => {
            let problem =
                Diagnostic::at(fields.span(), "block has no content").expected("one of content, template");
            fields.missing_one_of(&["content", "template"], problem);
            return None;
        }
    };
    fields.problems().push(problem);
    None
}

impl Block {
    fn file(&self) -> Edited {
        Edited {
            path: self.path.clone(),
            owner: self.owner.clone(),
            group: self.group.clone(),
            mode: self.mode,
        }
    }

    fn markers(&self) -> Result<Markers, BlockError> {
        Markers::new(self.comment.clone(), &self.id)
    }

    fn set(&self, text: &[u8]) -> Result<Vec<u8>, BlockError> {
        block::set(text, &self.markers()?, self.content.as_bytes(), self.position)
    }

    /// A text without the block between the markers it had when it was applied last, when these are
    /// others now.
    fn without_former(&self, text: &[u8], answers: Answers<'_>) -> Result<Vec<u8>, BlockError> {
        let former = answers.former().filter(|former| !former.adopted.contains(&Self::aspect(&self.id)));
        let markers = former.and_then(|former| left::markers(&former.remains));
        match (markers, self.markers()?) {
            (Some(former), present) if former != present => block::remove(text, &former),
            _ => Ok(text.to_vec()),
        }
    }

    fn get(&self, text: &[u8]) -> Result<Option<Vec<u8>>, BlockError> {
        block::get(text, &self.markers()?)
    }

    fn name(&self) -> String {
        format!("{}#{}", self.path, self.id)
    }
}

impl Resource for Block {
    fn id(&self) -> ResourceId {
        ResourceId::new(KIND, self.name())
    }

    fn questions(&self) -> Vec<Question> {
        vec![self.file().question()]
    }

    fn compare(&self, answers: Answers<'_>) -> Result<Comparison, ObserveError> {
        let file = self.file();
        let facts = answers.path(0)?;
        let text = file.text(facts)?;
        let conflict = |error| file.conflict(error);
        let kept = self.without_former(text, answers).map_err(conflict)?;
        let wanted = self.set(&kept).map_err(conflict)?;
        let old = self.get(text).map_err(conflict)?;
        let new = self.get(&wanted).map_err(conflict)?.unwrap_or_default();
        let existed = old.is_some();
        let mut details = Vec::new();
        if old.as_ref() != Some(&new) {
            details.push(Detail::Text { name: self.name(), from: old, to: new });
        } else if wanted != text {
            details.push(Detail::Note("its marker lines or line endings are written anew".to_owned()));
        }
        file.compare(facts, wanted, details, existed)
    }

    fn foreseen(&self, answers: Answers<'_>) -> Vec<(Question, Answer)> {
        let file = self.file();
        let wanted = |facts| self.set(&self.without_former(file.text(facts).ok()?, answers).ok()?).ok();
        let foreseen = |facts| wanted(facts).map(|wanted| file.foreseen(facts, wanted));
        answers.path(0).ok().and_then(foreseen).into_iter().collect()
    }

    fn path(&self) -> Option<&MachinePath> {
        Some(&self.path)
    }

    fn rendered(&self) -> Vec<Rendered> {
        let content = Content::Bytes(Arc::from(self.content.as_bytes()));
        vec![Rendered { path: self.name(), content }]
    }

    fn guards(&self) -> bool {
        way_in::leads_through(&self.path)
    }

    fn wanted(&self) -> Aspects {
        let mut wanted = self.file().wanted();
        let whole = self.set(b"").and_then(|text| self.get(&text));
        let lines = whole.ok().flatten().map(|lines| aspects::text(&lines));
        wanted.extend(lines.map(|lines| (Self::aspect(&self.id), lines)));
        wanted
    }

    fn observed(&self, answers: Answers<'_>) -> Result<Aspects, ObserveError> {
        let file = self.file();
        let facts = answers.path(0)?;
        let mut seen = file.observed(facts);
        let lines = self.get(file.text(facts)?).map_err(|error| file.conflict(error))?;
        seen.extend(lines.map(|lines| (Self::aspect(&self.id), aspects::text(&lines))));
        Ok(seen)
    }

    fn remains(&self) -> Json {
        self.left()
    }

    fn touches(&self) -> Vec<Touched> {
        vec![Touched::Path(self.path.clone())]
    }
}

#[cfg(test)]
mod tests;
