//! `init-script`: whether a service with a script in `/etc/init.d` starts with the machine and whether it runs.

mod left;

use serde_json::{Value as Json, json};

use super::answer::{Answers, ObserveError};
use super::declared::{Declared, Origin, Resource};
use super::difference::{Action, Comparison, Detail, Difference};
use super::lines;
use super::operation::Operation;
use super::question::Question;
use super::reading::Reading;
use super::remnant::Touched;
use super::{aspects, way_in};
use crate::model::{Aspects, Diagnostics, Fields, Node, ResourceId};
use crate::shell::{Call, Library};

pub(super) use left::recall;

/// The word of the inventory.
pub const KIND: &str = "init-script";

const LIBRARY: Library = Library { name: KIND, posix: include_str!("init_script.sh"), needs: &[] };

/// Where the scripts and the run levels' folders are.
const ETC: &str = "/etc";

/// A service with a script in `/etc/init.d`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitScript {
    /// The script's name.
    pub name: String,
    /// Whether it starts with the machine; left alone when not given.
    pub enabled: Option<bool>,
    /// Whether it runs; left alone when not given.
    pub running: Option<bool>,
}

/// Checks a script's name: letters, digits, `-`, `_`, `.` and `+`, starting with a letter or digit.
///
/// # Errors
/// A text that says what is wrong.
pub fn name_from(text: &str) -> Result<String, String> {
    let fits = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.+".contains(&byte));
    if fits {
        Ok(text.to_owned())
    } else {
        Err(format!("`{text}` is not the name of a script in /etc/init.d"))
    }
}

/// Reads `init-script: {name, enabled, running}`. It follows `/etc/init.d/NAME` and
/// `/etc/default/NAME`, where they are declared.
pub fn read(
    node: &Node,
    origin: &Origin,
    _reading: &Reading<'_>,
    problems: &mut Diagnostics,
) -> Vec<Declared> {
    let Some(mut fields) = Fields::open(node, KIND, problems) else { return Vec::new() };
    let name = fields.required("name", "the name of a script in /etc/init.d such as nginx", name_from);
    let enabled = fields.flag("enabled");
    let running = fields.flag("running");
    fields.close();
    let Some(name) = name else { return Vec::new() };
    let files = ["init.d", "default"].map(|folder| ResourceId::new("file", format!("{ETC}/{folder}/{name}")));
    vec![Declared::new(InitScript { name, enabled, running }, origin.clone()).follows(files)]
}

impl InitScript {
    fn question(&self) -> Question {
        Question::Ask {
            library: LIBRARY,
            call: Call::new("fp_init_look", [self.name.as_str(), ETC]),
            within: None,
        }
    }

    fn touched(&self) -> Vec<Touched> {
        vec![Touched::Other(format!("service {}", self.name))]
    }

    fn operation(&self, function: &'static str, word: &str) -> Operation {
        Operation {
            library: LIBRARY,
            call: Call::new(function, [self.name.as_str(), ETC, word]),
            payload: None,
            within: None,
        }
    }
}

impl Resource for InitScript {
    fn id(&self) -> ResourceId {
        ResourceId::new(KIND, &self.name)
    }

    fn questions(&self) -> Vec<Question> {
        vec![self.question()]
    }

    fn compare(&self, answers: Answers<'_>) -> Result<Comparison, ObserveError> {
        let said = answers.lines(0)?;
        let is_present = lines::value(said, "present")? == "yes";
        let is_enabled = lines::value(said, "enabled")? == "yes";
        let running = lines::value(said, "running")?;
        let mut details = Vec::new();
        let mut operations = Vec::new();
        if let Some(wanted) = self.enabled
            && wanted != is_enabled
        {
            details.push(Detail::flag("enabled", wanted));
            operations.push(self.operation("fp_init_links", if wanted { "enable" } else { "disable" }));
        }
        if let Some(wanted) = self.running {
            if running == "unknown" {
                return Err(ObserveError::Conflict(format!(
                    "/etc/init.d/{} does not say whether its service runs (no status action), so leave `running` out",
                    self.name
                )));
            }
            if wanted != (running == "yes") {
                details.push(Detail::flag("running", wanted));
                operations.push(self.operation("fp_init_act", if wanted { "start" } else { "stop" }));
            }
        }
        if details.is_empty() {
            return Ok(Comparison::InOrder);
        }
        let action = if is_present { Action::Update } else { Action::Create };
        Ok(Comparison::Differs(Difference { action, details, operations }))
    }

    fn follow(&self, answers: Answers<'_>, because: &[ResourceId]) -> Option<Difference> {
        let running = lines::value(answers.lines(0).ok()?, "running").ok()?;
        if running != "yes" || self.running == Some(false) {
            return None;
        }
        let names: Vec<String> = because.iter().map(ToString::to_string).collect();
        Some(Difference {
            action: Action::Restart,
            details: vec![Detail::Note(format!("restarts for {}", names.join(", ")))],
            operations: vec![self.operation("fp_init_act", "restart")],
        })
    }

    fn guards(&self) -> bool {
        way_in::needs_service(&self.name)
    }

    fn wanted(&self) -> Aspects {
        [("enabled", self.enabled), ("running", self.running)]
            .into_iter()
            .filter_map(|(name, flag)| Some((name.to_owned(), aspects::flag(flag?))))
            .collect()
    }

    fn observed(&self, answers: Answers<'_>) -> Result<Aspects, ObserveError> {
        let said = answers.lines(0)?;
        if lines::value(said, "present")? != "yes" {
            return Ok(Aspects::new());
        }
        let mut seen = Aspects::new();
        for (name, flag) in [("enabled", self.enabled), ("running", self.running)] {
            let value = lines::value(said, name)?;
            if flag.is_some() && value != "unknown" {
                seen.insert(name.to_owned(), aspects::flag(value == "yes"));
            }
        }
        Ok(seen)
    }

    fn remains(&self) -> Json {
        json!({})
    }

    fn touches(&self) -> Vec<Touched> {
        self.touched()
    }

    fn rests_on(&self) -> Vec<ResourceId> {
        vec![ResourceId::new("file", format!("{ETC}/init.d/{}", self.name))]
    }
}

#[cfg(test)]
mod tests;
