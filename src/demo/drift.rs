//! A file changed by hand on one machine, as somebody would who does not know of fleetprov.

use super::error::DemoError;
use super::machine::Machine;
use crate::fleet::Prepared;
use crate::model::{MachineName, ResourceId};
use crate::plan::Plan;
use crate::resource::{Detail, file};
use crate::shell::posix;

/// A change that nobody planned.
#[derive(Clone, Debug)]
pub(super) struct Drift {
    /// Where.
    pub(super) machine: String,
    /// The file on it.
    pub(super) path: String,
    resource: ResourceId,
}

impl Drift {
    /// Chooses the longest text file of a plan: its diff shows the most.
    ///
    /// # Errors
    /// [`DemoError::Broken`] when the plan has no text file.
    pub(super) fn choose(prepared: &[Prepared]) -> Result<Self, DemoError> {
        let length = |detail: &Detail| match detail {
            Detail::Text { to, .. } => to.len(),
            _ => 0,
        };
        let steps = prepared.iter().filter_map(|one| Some((&one.machine, one.result.as_ref().ok()?)));
        let files = steps
            .flat_map(|(machine, ready)| ready.plan.steps.iter().map(move |step| (machine, step)))
            .filter(|(_, step)| step.id.kind == file::KIND);
        let (machine, step) = files
            .max_by_key(|(_, step)| step.difference.details.iter().map(length).max())
            .ok_or_else(|| DemoError::Broken("there is no file in the plan".to_owned()))?;
        Ok(Self { machine: machine.to_string(), path: step.id.target.clone(), resource: step.id.clone() })
    }

    /// The command that makes the change.
    pub(super) fn command(&self) -> String {
        format!("echo '# by hand' >>{}", posix::quote(&self.path))
    }

    /// Makes the change on the machine itself, past fleetprov.
    ///
    /// # Errors
    /// [`DemoError::Broken`] when the command fails.
    pub(super) async fn cause(&self, machine: &Machine) -> Result<(), DemoError> {
        self.output(machine, &self.command()).await.map(drop)
    }

    /// What the file holds.
    ///
    /// # Errors
    /// [`DemoError::Broken`] when it cannot be read.
    pub(super) async fn content(&self, machine: &Machine) -> Result<Vec<u8>, DemoError> {
        self.output(machine, &format!("cat {}", posix::quote(&self.path))).await
    }

    async fn output(&self, machine: &Machine, text: &str) -> Result<Vec<u8>, DemoError> {
        let broken = |reason: String| DemoError::Broken(format!("{}: {text}: {reason}", self.machine));
        let output = machine.output(text).await.map_err(|error| broken(error.to_string()))?;
        if output.status.success() {
            Ok(output.stdout)
        } else {
            Err(broken(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
        }
    }

    /// Whether the plans find this change and nothing else.
    ///
    /// # Errors
    /// [`DemoError::Broken`] when they do not.
    pub(super) fn is_all(&self, plans: &[(&MachineName, &Plan)]) -> Result<(), DemoError> {
        let found: Vec<(&str, &ResourceId)> = plans
            .iter()
            .flat_map(|(machine, plan)| plan.steps.iter().map(|step| (machine.as_str(), &step.id)))
            .collect();
        let blocked = plans.iter().any(|(_, plan)| !plan.blocked.is_empty());
        if found == [(self.machine.as_str(), &self.resource)] && !blocked {
            Ok(())
        } else {
            let wanted = format!("{} on {}", self.resource, self.machine);
            Err(DemoError::Broken(format!("the plan has to find {wanted} and nothing else")))
        }
    }
}
