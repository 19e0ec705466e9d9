//! A service with a script in `/etc/init.d` that has left the inventory.

use std::sync::Arc;

use serde_json::Value as Json;

use super::{ETC, InitScript, KIND, name_from};
use crate::model::ResourceId;
use crate::resource::answer::{Answers, ObserveError};
use crate::resource::difference::{Action, Detail, Difference};
use crate::resource::question::Question;
use crate::resource::remnant::{Remnant, Removal, Touched};
use crate::resource::{lines, way_in};

/// What is left of it.
#[derive(Debug)]
struct Left {
    service: InitScript,
}

/// Reads what the record keeps of it.
pub(in crate::resource) fn recall(target: &str, remains: &Json) -> Option<Arc<dyn Remnant>> {
    remains.as_object()?;
    let name = name_from(target).ok()?;
    Some(Arc::new(Left { service: InitScript { name, enabled: None, running: None } }))
}

impl Remnant for Left {
    fn id(&self) -> ResourceId {
        ResourceId::new(KIND, &self.service.name)
    }

    fn questions(&self) -> Vec<Question> {
        vec![self.service.question()]
    }

    fn remove(&self, answers: Answers<'_>) -> Result<Removal, ObserveError> {
        let said = answers.lines(0)?;
        let says = |name: &str| lines::value(said, name).map(|value| value == "yes");
        let (is_enabled, is_running) = (says("enabled")?, says("running")?);
        let script = ResourceId::new("file", format!("{ETC}/init.d/{}", self.service.name));
        let goes_whole = answers.is_departing(&script);
        if !says("present")? || !(is_enabled || is_running || goes_whole) {
            return Ok(Removal::Gone);
        }
        let flags = [("enabled", is_enabled), ("running", is_running)];
        let details =
            flags.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| Detail::flag(name, false));
        let stop = is_running.then(|| self.service.operation("fp_init_act", "stop"));
        let links = if goes_whole {
            Some(self.service.operation("fp_init_forget", ""))
        } else {
            is_enabled.then(|| self.service.operation("fp_init_links", "disable"))
        };
        Ok(Removal::Remove(Difference {
            action: Action::Remove,
            details: details.collect(),
            operations: stop.into_iter().chain(links).collect(),
        }))
    }

    fn guards(&self) -> bool {
        way_in::needs_service(&self.service.name)
    }

    fn touches(&self) -> Vec<Touched> {
        self.service.touched()
    }
}
