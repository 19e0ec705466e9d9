//! `validate`: is the inventory right, with everything that belongs to it?

use super::arguments::Validate;
use super::exit::Exit;
use super::surface::{Surface, print};
use crate::inventory::Membership;

/// Checks and says so.
pub(super) fn validate(arguments: &Validate, surface: Surface) -> Exit {
    let project = match super::load::project(&arguments.inventory, None, surface) {
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
    if arguments.json {
        let value = serde_json::json!({
            "version": 1,
            "fleet": fleet.name.as_str(),
            "valid": true,
            "managed": managed,
            "unmanaged": unmanaged,
            "backups": fleet.backups.len(),
            "exit_code": 0,
        });
        print(&format!("{value}\n"));
    } else {
        print(&format!(
            "{} is valid: fleet {}, {managed} managed machines, {unmanaged} unmanaged, {} backup legs\n",
            arguments.inventory.inventory.display(),
            fleet.name,
            fleet.backups.len()
        ));
    }
    Exit::Done
}
