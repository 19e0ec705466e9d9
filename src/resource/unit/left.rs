//! A unit that has left the inventory: it is stopped and disabled, before its files go.

use std::sync::Arc;

use serde_json::Value as Json;

use super::{KIND, LIBRARY, Unit, is_enabled, name_from};
use crate::format::unit::unescape_path;
use crate::model::{MachinePath, ResourceId};
use crate::resource::answer::{Answer, Answers, ObserveError, PathFacts, PathType, UnitFacts};
use crate::resource::difference::{Action, Detail, Difference};
use crate::resource::question::{Question, Want};
use crate::resource::remnant::{Remnant, Removal, Touched};
use crate::resource::{folder, way_in};
use crate::shell::Call;

/// What is left of a unit.
#[derive(Debug)]
struct Left {
    name: String,
    /// What an automount unit has mounted.
    mount: Option<String>,
}

/// Reads what the record keeps of a unit.
pub(in crate::resource) fn recall(target: &str, remains: &Json) -> Option<Arc<dyn Remnant>> {
    remains.as_object()?;
    let name = name_from(target).ok()?;
    let mount = name.strip_suffix(".automount").map(|stem| format!("{stem}.mount"));
    Some(Arc::new(Left { name, mount }))
}

impl Left {
    /// Where it mounts something: mount units are named after that (`systemd.mount(5)`), and so are the
    /// services that fleetprov makes for what systemd cannot mount itself.
    fn mounts(&self) -> Option<MachinePath> {
        let (stem, suffix) = self.name.rsplit_once('.')?;
        let escaped = match suffix {
            "mount" | "automount" => stem,
            "service" => stem.strip_prefix("fleetprov-mount-")?,
            _ => return None,
        };
        MachinePath::new(&unescape_path(escaped)?).ok()
    }
}

impl Remnant for Left {
    fn id(&self) -> ResourceId {
        ResourceId::new(KIND, &self.name)
    }

    fn questions(&self) -> Vec<Question> {
        let links = Question::Ask {
            library: LIBRARY,
            call: Call::new("fp_unit_links", [self.name.as_str()]),
            within: None,
        };
        vec![Question::Unit(self.name.clone()), links]
    }

    fn remove(&self, answers: Answers<'_>) -> Result<Removal, ObserveError> {
        let facts = answers.unit(0)?;
        let is_idle = matches!(facts.active.as_str(), "inactive" | "");
        // When its file is gone, only its links tell that it is to start with the machine.
        let is_linked = facts.file.is_empty() && !answers.lines(1)?.iter().all(String::is_empty);
        let is_enabled = is_linked || (is_enabled(facts) && facts.file != "generated");
        if is_idle && !is_enabled {
            return Ok(Removal::Gone);
        }
        let mut details = Vec::new();
        if is_enabled {
            details.push(Detail::flag("enabled", false));
        }
        if !is_idle {
            details.push(Detail::value("active", Some(&facts.active), "inactive"));
        }
        let operations =
            vec![Unit::operation("fp_unit_retire", std::iter::once(&self.name).chain(&self.mount))];
        Ok(Removal::Remove(Difference { action: Action::Remove, details, operations }))
    }

    /// What it mounted is unmounted: whatever lay below is not known yet.
    fn foreseen(&self, _answers: Answers<'_>) -> Vec<(Question, Answer)> {
        let stopped =
            UnitFacts { load: "loaded".to_owned(), active: "inactive".to_owned(), ..UnitFacts::default() };
        let mut foreseen = vec![(Question::Unit(self.name.clone()), Answer::Unit(stopped))];
        if let Some(path) = self.mounts() {
            let bare = PathFacts { what: PathType::Directory { mounted: false }, ..PathFacts::absent() };
            let question = Question::Path { path: path.clone(), want: Want::Facts };
            foreseen.extend([(question, Answer::Path(bare)), folder::hidden(&path)]);
        }
        foreseen
    }

    fn guards(&self) -> bool {
        way_in::needs_unit(&self.name)
    }

    fn touches(&self) -> Vec<Touched> {
        vec![Touched::Unit(self.name.clone())]
    }
}
