//! Loads what a command works on, and says what is wrong with it.

use super::arguments::Inventory;
use super::exit::Exit;
use super::surface::{Surface, complain};
use crate::architecture;
use crate::desired::resolve_all;
use crate::model::Diagnostics;
use crate::report;
use crate::store::{Identities, LoadError, Project, ProjectOptions, load};

/// A project that is valid in all its parts.
pub(super) fn project(
    inventory: &Inventory,
    known_hosts: Option<std::path::PathBuf>,
    surface: Surface,
) -> Result<Project, Exit> {
    let mut identities = Identities::default();
    for path in &inventory.identity {
        if let Err(error) = identities.add_file(path) {
            complain(&format!("error: failed to {error}\n"));
            return Err(Exit::BadInput);
        }
    }
    let options = ProjectOptions {
        inventory: inventory.inventory.clone(),
        overlay: inventory.overlay.clone(),
        known_hosts,
        identities,
    };
    let project = load(&options).map_err(|error| match error {
        LoadError::Invalid(problems) => invalid(&problems, surface),
        LoadError::Read { .. } => {
            complain(&format!("error: failed to {error}\n"));
            Exit::BadInput
        }
    })?;
    let mut problems = architecture::check(&project.fleet);
    if let Err(more) = resolve_all(&project.fleet, &project.library) {
        problems.append(more);
    }
    if problems.is_empty() { Ok(project) } else { Err(invalid(&problems, surface)) }
}

/// Shows problems.
pub(super) fn invalid(problems: &Diagnostics, surface: Surface) -> Exit {
    complain(&report::diagnostics(problems, surface.errors));
    Exit::BadInput
}
