//! Plans that are kept in a file and applied later.

use std::path::Path;

use super::exit::Exit;
use super::surface::complain;
use crate::fleet::{Prepared, RunIdentity};
use crate::model::{Digest, MachineName, nearest};
use crate::plan::SavedPlan;
use crate::report::counted;
use crate::store::{check_plan_place, read_plan, write_plan};

/// The version of this fleetprov.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Reads a plan file.
pub(super) fn read(path: &Path) -> Result<SavedPlan, Exit> {
    read_plan(path).map_err(|error| {
        complain(&format!("error: failed to {error}\n"));
        Exit::BadInput
    })
}

/// Whether a plan can be kept there, before anybody is asked for one. Says why not.
pub(super) fn check_place(path: &Path) -> Result<(), Exit> {
    check_plan_place(path).map_err(|error| {
        complain(&format!("error: failed to {error}\n"));
        Exit::BadInput
    })
}

/// Keeps the plans of the machines that have something to do; gives a sentence about it.
pub(super) fn keep(path: &Path, prepared: &[Prepared], identity: &RunIdentity) -> Result<String, Exit> {
    let ready = prepared.iter().filter_map(|one| one.result.as_ref().ok());
    let plan = SavedPlan {
        version: VERSION.to_owned(),
        fleet: identity.fleet.to_string(),
        inventory: identity.inventory.clone(),
        when: identity.when.clone(),
        who: identity.who.clone(),
        machines: ready.filter(|ready| !ready.plan.steps.is_empty()).map(|ready| ready.saved()).collect(),
    };
    write_plan(path, &plan).map_err(|error| {
        complain(&format!("error: failed to {error}\n"));
        Exit::Error
    })?;
    let changes = plan.machines.iter().map(|machine| machine.steps.len()).sum();
    Ok(format!(
        "{} on {} kept in {}; `apply --plan` makes those and no others\n",
        counted(changes, "change"),
        counted(plan.machines.len(), "machine"),
        path.display()
    ))
}

/// Whether a plan file is for this inventory and this fleetprov. Says why not.
pub(super) fn check(path: &Path, plan: &SavedPlan, inventory: &(String, Digest)) -> Result<(), Exit> {
    let reason = if plan.inventory.1 != inventory.1 {
        let ((of_plan, digest), (file, now)) = (&plan.inventory, inventory);
        format!("it was made from {of_plan} with sha256 {digest}, and {file} has sha256 {now}")
    } else if plan.version != VERSION {
        format!("fleetprov {} made it, and this is fleetprov {VERSION}", plan.version)
    } else {
        return Ok(());
    };
    complain(&format!("error: failed to apply {}: {reason}; plan again\n", path.display()));
    Err(Exit::Refused)
}

/// The machines of a plan file, or those of them that were chosen.
pub(super) fn machines(plan: &SavedPlan, only: &[String]) -> Result<Vec<String>, Exit> {
    let names: Vec<&str> = plan.machines.iter().map(|machine| machine.name.as_str()).collect();
    for name in only {
        if !names.contains(&name.as_str()) {
            let near = nearest(name, names.iter().copied());
            let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            complain(&format!("error: the plan file has no changes for a machine called `{name}`{near}\n"));
            return Err(Exit::BadInput);
        }
    }
    let is_chosen = |name: &MachineName| only.is_empty() || only.iter().any(|one| one == name.as_str());
    let chosen = plan.machines.iter().map(|machine| &machine.name).filter(|name| is_chosen(name));
    Ok(chosen.map(ToString::to_string).collect())
}
