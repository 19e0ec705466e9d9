//! A block that has left the inventory.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{Block, KIND};
use crate::format::block::{self, Comment, Markers};
use crate::model::{MachinePath, ResourceId};
use crate::resource::answer::{Answers, ObserveError};
use crate::resource::aspects;
use crate::resource::difference::Detail;
use crate::resource::edited::Edited;
use crate::resource::part::{Cut, LeftPart, Part};
use crate::resource::remnant::Remnant;

/// What is left of a block.
#[derive(Debug)]
struct Left {
    path: MachinePath,
    id: String,
    markers: Markers,
}

impl Block {
    /// The aspect that stands for its lines.
    pub(super) fn aspect(id: &str) -> String {
        format!("block {id}")
    }

    pub(super) fn left(&self) -> Json {
        json!({ "path": self.path.as_str(), "id": self.id, "comment": [self.comment.open(), self.comment.close()] })
    }
}

/// The markers it had when it was applied.
pub(super) fn markers(remains: &Json) -> Option<Markers> {
    let signs = remains.get("comment")?.as_array()?;
    let comment = Comment::enclosed(signs.first()?.as_str()?, signs.get(1)?.as_str()?).ok()?;
    Markers::new(comment, remains.get("id")?.as_str()?).ok()
}

/// Reads what the record keeps of a block.
pub(in crate::resource) fn recall(target: &str, remains: &Json) -> Option<Arc<dyn Remnant>> {
    let path = MachinePath::new(remains.get("path")?.as_str()?).ok()?;
    let id = remains.get("id")?.as_str()?.to_owned();
    let markers = markers(remains)?;
    (format!("{path}#{id}") == target)
        .then(|| Arc::new(LeftPart(Left { path, id, markers })) as Arc<dyn Remnant>)
}

impl Part for Left {
    fn id(&self) -> ResourceId {
        ResourceId::new(KIND, format!("{}#{}", self.path, self.id))
    }

    fn path(&self) -> &MachinePath {
        &self.path
    }

    fn is_adopted(&self, answers: Answers<'_>) -> bool {
        !aspects::is_ours(answers.former(), &Block::aspect(&self.id))
    }

    fn cut(&self, text: &[u8], _answers: Answers<'_>) -> Result<Option<Cut>, ObserveError> {
        let conflict = |error| Edited::at(&self.path).conflict(error);
        let Some(old) = block::get(text, &self.markers).map_err(conflict)? else { return Ok(None) };
        let left = block::remove(text, &self.markers).map_err(conflict)?;
        let name = format!("{}#{}", self.path, self.id);
        let details = vec![Detail::Text { name, from: Some(old), to: Vec::new() }];
        Ok(Some(Cut { left, details }))
    }
}
