//! Loads what a command works on, and says what is wrong with it.

use std::sync::Arc;

use super::arguments::Inventory;
use super::exit::Exit;
use super::identities::{Need, identities};
use super::surface::{Surface, complain, print};
use crate::architecture;
use crate::desired::resolve_all;
use crate::model::{Diagnostic, Diagnostics};
use crate::report;
use crate::store::{LoadError, Project, ProjectOptions, Surroundings, load, seat_folder};

/// A project that is valid in all its parts.
pub(super) fn project(
    inventory: &Inventory,
    known_hosts: Option<std::path::PathBuf>,
    need: Need,
    json: bool,
    surface: Surface,
) -> Result<Project, Exit> {
    let options = ProjectOptions {
        inventory: inventory.inventory.clone(),
        overlay: inventory.overlay.clone(),
        known_hosts,
        identities: Arc::new(identities(inventory, need, surface)?),
        seat: seat_folder(&Surroundings::here()),
    };
    let project = load(&options).map_err(|error| match error {
        LoadError::Invalid(problems) => invalid(&problems, json, surface),
        LoadError::Read { .. } | LoadError::Identity(_) => {
            complain(&format!("error: failed to {error}\n"));
            Exit::BadInput
        }
    })?;
    let mut problems = architecture::check(&project.fleet);
    if let Err(more) = resolve_all(&project.fleet, &project.library) {
        problems.append(more);
    }
    if problems.is_empty() { Ok(project) } else { Err(invalid(&problems, json, surface)) }
}

/// Shows problems; for a program on standard output as well.
pub(super) fn invalid(problems: &Diagnostics, json: bool, surface: Surface) -> Exit {
    complain(&report::diagnostics(problems, surface.errors));
    if json {
        let problems: Vec<serde_json::Value> = problems.sorted().into_iter().map(problem_json).collect();
        let exit_code = Exit::BadInput.code();
        let value = serde_json::json!({
            "version": 1, "valid": false, "problems": problems, "exit_code": exit_code,
        });
        print(&format!("{value}\n"));
    }
    Exit::BadInput
}

fn problem_json(problem: &Diagnostic) -> serde_json::Value {
    let place = problem.span.as_ref().map(|span| (span.source().name(), span.line_and_column()));
    serde_json::json!({
        "file": place.map(|(file, _)| file),
        "line": place.map(|(_, (line, _))| line),
        "column": place.map(|(_, (_, column))| column),
        "message": problem.message,
        "expected": problem.expected,
        "nearest": problem.nearest,
    })
}
