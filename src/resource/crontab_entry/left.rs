//! Lines of a crontab that have left the inventory.

use std::sync::Arc;

use serde_json::Value as Json;

use super::{CrontabEntry, KIND, LIBRARY, markers};
use crate::format::block;
use crate::model::{Digest, ResourceId};
use crate::resource::answer::{Answer, Answers, ObserveError};
use crate::resource::difference::{Action, Detail, Difference};
use crate::resource::lines;
use crate::resource::operation::Operation;
use crate::resource::question::Question;
use crate::resource::remnant::{Remnant, Removal, Touched};
use crate::shell::Call;

/// What is left of an entry.
#[derive(Debug)]
struct Left {
    user: String,
    id: String,
}

/// Reads what the record keeps of an entry.
pub(in crate::resource) fn recall(target: &str, remains: &Json) -> Option<Arc<dyn Remnant>> {
    let user = remains.get("user")?.as_str()?.to_owned();
    let id = target.strip_prefix(&user)?.strip_prefix('#')?.to_owned();
    let fits = !user.is_empty() && !user.starts_with('-') && markers(&id).is_ok();
    fits.then(|| Arc::new(Left { user, id }) as Arc<dyn Remnant>)
}

/// A crontab without the entry.
struct Cut {
    old: Vec<u8>,
    present: Vec<u8>,
    left: Vec<u8>,
}

impl Left {
    fn cut(&self, answers: Answers<'_>) -> Result<Option<Cut>, ObserveError> {
        let conflict = |error| super::conflict(&self.user, error);
        let said = answers.lines(0)?;
        if let Some(file) = said.iter().find_map(|line| line.strip_prefix("left ")) {
            return Err(ObserveError::Conflict(format!(
                "user {} is not there any more, and its crontab is: whoever gets that name gets its jobs; remove \
                 {file} by hand",
                self.user
            )));
        }
        let present = lines::bytes(lines::value(said, "crontab")?)?;
        let markers = markers(&self.id).map_err(conflict)?;
        let Some(old) = block::get(&present, &markers).map_err(conflict)? else { return Ok(None) };
        let left = block::remove(&present, &markers).map_err(conflict)?;
        Ok(Some(Cut { old, present, left }))
    }
}

impl Remnant for Left {
    fn id(&self) -> ResourceId {
        ResourceId::new(KIND, format!("{}#{}", self.user, self.id))
    }

    fn questions(&self) -> Vec<Question> {
        vec![CrontabEntry::question(&self.user)]
    }

    fn remove(&self, answers: Answers<'_>) -> Result<Removal, ObserveError> {
        let Some(cut) = self.cut(answers)? else { return Ok(Removal::Gone) };
        let seen = Digest::of(&cut.present).to_string();
        let name = format!("crontab of {}, {}", self.user, self.id);
        let mut details = vec![Detail::Text { name, from: Some(cut.old), to: Vec::new() }];
        let operation = if cut.left.trim_ascii().is_empty() {
            details
                .push(Detail::Note(format!("nothing else is in the crontab of {}, so it goes", self.user)));
            let call = Call::new("fp_crontab_remove", [self.user.clone(), seen]);
            Operation { library: LIBRARY, call, payload: None, within: None }
        } else {
            CrontabEntry::write(&self.user, &cut.present, cut.left)
        };
        Ok(Removal::Remove(Difference { action: Action::Remove, details, operations: vec![operation] }))
    }

    fn foreseen(&self, answers: Answers<'_>) -> Vec<(Question, Answer)> {
        let left = self
            .cut(answers)
            .ok()
            .flatten()
            .map(|cut| if cut.left.trim_ascii().is_empty() { Vec::new() } else { cut.left });
        left.map(|left| (CrontabEntry::question(&self.user), CrontabEntry::answer(&left)))
            .into_iter()
            .collect()
    }

    fn touches(&self) -> Vec<Touched> {
        vec![Touched::Crontab(self.user.clone())]
    }
}
