//! The guarded end of a plan: what is armed before it, and what it takes to put it back.

use std::time::Duration;

use crate::plan::{Plan, Step, forced};
use crate::resource::force::{Force, force};
use crate::resource::{Action, Touched};
use crate::shell::{Call, posix};

/// The guarded steps of a plan: those from `first` to the end.
pub(super) struct Guarded<'a> {
    first: usize,
    steps: &'a [Step],
}

impl<'a> Guarded<'a> {
    /// Those of a plan, when there are any.
    pub(super) fn of(plan: &'a Plan) -> Option<Self> {
        let first = plan.guarded_from?;
        let steps = plan.steps.get(first..).filter(|steps| !steps.is_empty())?;
        Some(Self { first, steps })
    }

    /// Whether a step is one of them.
    pub(super) fn has(&self, index: usize) -> bool {
        index >= self.first
    }

    /// Whether a step is the first of them.
    pub(super) fn begins_at(&self, index: usize) -> bool {
        index == self.first
    }

    /// All steps that have to succeed before one of them: what it needs, and the guarded ones before it,
    /// since they are one transaction.
    pub(super) fn needs(&self, index: usize, step: &Step) -> Vec<usize> {
        let mut needs: Vec<usize> = step.needs.iter().copied().filter(|need| *need < self.first).collect();
        needs.extend(self.first..index);
        needs
    }

    /// The call that arms the machine's revert.
    pub(super) fn arm(&self, timeout: Duration) -> String {
        let last = self.first + self.steps.len() - 1;
        let numbers = [timeout.as_secs().to_string(), self.first.to_string(), last.to_string()];
        posix::command(&Call::new("fp_guard_arm", numbers.into_iter().chain(self.services()))) + "\n"
    }

    /// The call that refuses a step which would leave no way in after the machine's next start, unless another
    /// one has something else start then: that is looked at in the end.
    pub(super) fn needed(&self, step: &Step) -> Option<String> {
        let has = |step: &Step, word: &str| {
            let calls = step.difference.operations.iter().map(|operation| &operation.call);
            calls.into_iter().any(|call| match call.function {
                "fp_unit_file" => call.arguments.get(1).is_some_and(|one| one == word),
                "fp_unit_retire" => word == "disable",
                _ => false,
            })
        };
        let ends = step.id.kind == "unit" && has(step, "disable");
        (ends && !self.steps.iter().any(|other| has(other, "enable")))
            .then(|| posix::command(&Call::new("fp_force_needed", [step.id.target.as_str()])))
    }

    /// Whether a step is the last of them.
    pub(super) fn ends_at(&self, index: usize) -> bool {
        index + 1 == self.first + self.steps.len()
    }

    /// The call that brings into force what they have written.
    pub(super) fn force(&self) -> String {
        let forced = forced(self.steps);
        let readers = forced.readers.values().map(|one| format!("{}:{}", one.name, one.how.word()));
        let walls = forced.walls.iter().filter(|wall| !forced.readers.contains_key(*wall));
        let walls = walls.map(|wall| format!("{wall}:start"));
        posix::command(&Call::new("fp_force", readers.chain(walls)))
    }

    /// The call after the last one.
    pub(super) fn made(&self) -> String {
        posix::command(&Call::new("fp_guard_made", self.services())) + "\n"
    }

    /// What has to be done beside putting back what was there: `unit:NAME` and `init:NAME` were started or
    /// stopped, `package:NAME` was installed, `name:NAME` reads a file that was changed: after a start of the machine it runs with
    /// the new one.
    fn services(&self) -> Vec<String> {
        let mut services: Vec<String> = Vec::new();
        let mut add = |service: String| {
            if !services.contains(&service) {
                services.push(service);
            }
        };
        for step in self.steps {
            let target = &step.id.target;
            match (step.id.kind, step.difference.action) {
                ("unit", _) => add(format!("unit:{target}")),
                ("init-script", _) => add(format!("init:{target}")),
                ("package", Action::Create) => add(format!("package:{target}")),
                _ => {}
            }
        }
        for touched in self.steps.iter().flat_map(|step| &step.touches) {
            let Touched::Path(path) = touched else { continue };
            match force(path) {
                Force::Read(reader) => reader.services().iter().for_each(|name| add(format!("name:{name}"))),
                Force::Later if path.as_str().starts_with("/etc/network") => {
                    add("name:networking".to_owned())
                }
                Force::Later | Force::AtLogin | Force::Unknown => {}
            }
        }
        services
    }
}

/// What a guarded step changes that no machine can put back, in words; `None` when all of it can be.
pub(super) fn irrevocable(step: &Step) -> Option<String> {
    // What was installed can be removed; what was removed may not be had again. A restart is made again
    // with what was put back.
    let known = matches!(
        (step.id.kind, step.difference.action),
        ("package", Action::Create) | ("init-script", Action::Restart)
    );
    if step.difference.operations.is_empty() || known {
        return None;
    }
    if step.touches.is_empty() {
        return Some(format!("it is not known what a change of {} touches", step.id));
    }
    step.touches.iter().find_map(|touched| match touched {
        Touched::Other(what) => Some(format!("{what} cannot be put back")),
        Touched::Path(_) | Touched::Unit(_) | Touched::Crontab(_) => None,
    })
}
