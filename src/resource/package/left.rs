//! A package that has left the inventory: it is removed when nothing that stays needs it.

use std::sync::Arc;

use serde_json::Value as Json;

use super::{KIND, LIBRARY, is_name};
use crate::model::ResourceId;
use crate::resource::answer::{Answers, ObserveError};
use crate::resource::difference::{Action, Detail, Difference};
use crate::resource::operation::Operation;
use crate::resource::question::Question;
use crate::resource::remnant::{Remnant, Removal, Touched};
use crate::resource::{lines, way_in};
use crate::shell::Call;

/// What is left of a package.
#[derive(Debug)]
struct Left {
    name: String,
}

/// Reads what the record keeps of a package.
pub(in crate::resource) fn recall(target: &str, remains: &Json) -> Option<Arc<dyn Remnant>> {
    remains.as_object()?;
    is_name(target).then(|| Arc::new(Left { name: target.to_owned() }) as Arc<dyn Remnant>)
}

impl Remnant for Left {
    fn id(&self) -> ResourceId {
        ResourceId::new(KIND, &self.name)
    }

    fn questions(&self) -> Vec<Question> {
        let call = Call::new("fp_package_look", [&self.name]);
        vec![Question::Ask { library: LIBRARY, call, within: None }]
    }

    fn remove(&self, answers: Answers<'_>) -> Result<Removal, ObserveError> {
        let said = answers.lines(0)?;
        if lines::value(said, "installed")? == "no" {
            return Ok(Removal::Gone);
        }
        let bare = |name: &str| name.split_once(':').map_or(name, |(name, _)| name).to_owned();
        let taken: Vec<String> = said
            .iter()
            .filter_map(|line| line.strip_prefix("takes "))
            .filter(|name| is_name(name) && bare(name) != bare(&self.name))
            .map(str::to_owned)
            .collect();
        let stays = |name: &&String| !answers.is_departing(&ResourceId::new(KIND, bare(name)));
        let needing: Vec<&str> = taken.iter().filter(stays).map(String::as_str).collect();
        match needing.as_slice() {
            [] => {}
            [one] => return Ok(Removal::Release(format!("{one} needs it; it stays installed"))),
            [one, rest @ ..] => {
                return Ok(Removal::Release(format!(
                    "{one} and {} more need it; it stays installed",
                    rest.len()
                )));
            }
        }
        let mut details = vec![Detail::flag("installed", false)];
        details
            .extend(taken.iter().map(|name| Detail::Note(format!("{name}, which needs it, goes with it"))));
        let call = Call::new("fp_package_remove", std::iter::once(&self.name).chain(&taken));
        let operations = vec![Operation { library: LIBRARY, call, payload: None, within: None }];
        Ok(Removal::Remove(Difference { action: Action::Remove, details, operations }))
    }

    fn guards(&self) -> bool {
        way_in::needs_package(&self.name)
    }

    fn touches(&self) -> Vec<Touched> {
        vec![Touched::Other(format!("package {}", self.name))]
    }
}
