//! `validate`: is the inventory right, with everything that belongs to it?

use super::arguments::Validate;
use super::exit::Exit;
use super::identities::Need;
use super::secret_uses::uses;
use super::surface::{Surface, print};
use std::collections::BTreeSet;

use crate::inventory::Membership;
use crate::model::{SecretFrom, nearest};
use crate::report::counted;
use crate::store::Project;

/// Checks and says so.
pub(super) fn validate(arguments: &Validate, surface: Surface) -> Exit {
    let project = match super::load::project(&arguments.inventory, None, Need::None, arguments.json, surface)
    {
        Ok(project) => project,
        Err(exit) => return exit,
    };
    let fleet = &project.fleet;
    let managed = fleet.managed().count();
    let unmanaged = fleet
        .machines
        .iter()
        .filter(|machine| matches!(machine.membership, Membership::Unmanaged(_)))
        .count();
    let missing = missing_secrets(&project);
    if arguments.json {
        let value = serde_json::json!({
            "version": 1,
            "fleet": fleet.name.as_str(),
            "valid": true,
            "managed": managed,
            "unmanaged": unmanaged,
            "backups": fleet.backups.len(),
            "missing_secrets": missing,
            "exit_code": 0,
        });
        print(&format!("{value}\n"));
    } else {
        print(&format!(
            "{} is valid: fleet {}, {}, {unmanaged} unmanaged, {}\n",
            arguments.inventory.inventory.display(),
            fleet.name,
            counted(managed, "managed machine"),
            counted(fleet.backups.len(), "backup leg")
        ));
        if !missing.is_empty() {
            print(&format!(
                "not at hand: the secrets {}; what needs them will be left as it is\n",
                missing.iter().map(|name| with_nearest(name, &project)).collect::<Vec<_>>().join(", ")
            ));
        }
    }
    Exit::Done
}

/// A missing secret, with the one that may have been meant.
fn with_nearest(name: &str, project: &Project) -> String {
    match nearest(name, project.library.secrets.keys().map(String::as_str)) {
        Some(near) => format!("{name} (did you mean {near}?)"),
        None => name.to_owned(),
    }
}

/// The secrets that are asked for and have no file.
fn missing_secrets(project: &Project) -> BTreeSet<String> {
    let asked = uses(project).into_keys().filter_map(|from| match from {
        SecretFrom::Name(name) => Some(name),
        SecretFrom::Sealed(_) => None,
    });
    asked.filter(|name| !project.library.secrets.contains_key(name)).collect()
}
