//! What an arrival would do, and nothing of it done.

use std::sync::Arc;

use super::super::exit::Exit;
use super::super::load::invalid;
use super::super::runs;
use super::super::surface::print;
use super::Arrival;
use super::door::Door;
use crate::architecture;
use crate::desired::resolve_all;
use crate::flow::Rights;
use crate::inventory::edit::Edit;
use crate::inventory::parse_partly;
use crate::model::{MachineName, Source};
use crate::report;
use crate::store::Project;

/// Shows the steps, the inventory's difference and the machine's plan.
pub(super) async fn show(
    arrival: &Arrival<'_>,
    project: &Project,
    door: &Door,
    name: &MachineName,
    edit: &Edit,
) -> Result<Exit, Exit> {
    let path = arrival.arguments.change.look.inventory.inventory.display().to_string();
    let mut fleet = Arc::clone(&project.fleet);
    if let Edit::Changed(text) = edit {
        let source = Source::new(path.clone(), text.clone());
        let (parsed, problems) = parse_partly(&source, None);
        let Some(parsed) = parsed.filter(|_| problems.is_empty()) else {
            return Err(invalid(&problems, false, arrival.surface));
        };
        let mut problems = architecture::check(&parsed);
        if let Err(more) = resolve_all(&parsed, &project.library) {
            problems.append(more);
        }
        if !problems.is_empty() {
            return Err(invalid(&problems, false, arrival.surface));
        }
        let difference = report::text_difference(
            project.fleet.source.text().replace("\r\n", "\n").as_bytes(),
            text.replace("\r\n", "\n").as_bytes(),
            arrival.surface.output,
        );
        arrival.tell(&format!("would write it into {path}:\n"));
        print(&difference);
        fleet = Arc::new(parsed);
    } else {
        arrival.tell(&format!("{name} is in {path} already\n"));
    }
    if !door.by_own_key {
        arrival.tell(&format!("would make a key for {name}, let it in and prove it\n"));
    }
    if door.about.rights == Rights::Password {
        arrival.tell(&format!("would seal sudo's password as the secret {name}-sudo\n"));
    }
    let known_hosts = door.known_hosts.clone();
    let project = Project { fleet, known_hosts, ..project.clone() };
    Ok(runs::plan_of(&arrival.arguments.change.look, &project, name, door.target.clone(), arrival.surface)
        .await)
}
