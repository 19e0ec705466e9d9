//! `keys`: this seat's access keys, and what machines say of all keys.

mod audit;
mod enrol;
mod list;
mod rotate;

pub(super) use audit::audit;
pub(super) use enrol::enrol;
pub(super) use list::list;
pub(super) use rotate::rotate;

use std::sync::Arc;

use super::exit::Exit;
use super::surface::complain;
use crate::inventory::{Machine, Managed};
use crate::store::{AccessKeys, Enrolment, Identities, Project, Seat};

/// This seat's keys, what opens them, and what it is called.
pub(super) struct Here {
    pub(super) keys: AccessKeys,
    identities: Arc<Identities>,
    /// What this seat is called.
    pub(super) name: String,
    enrolment: Enrolment,
}

impl Here {
    /// As it is enrolled, or would be enrolled: under the name given, or that of the machine it is, or its
    /// host name.
    pub(super) fn of(project: &Project, named: Option<&str>) -> Result<Self, Exit> {
        let Some((keys, identities)) = project.keys.clone() else {
            complain(
                "error: failed to find this seat's folder: the environment has neither HOME nor XDG_CONFIG_HOME\n",
            );
            return Err(Exit::Error);
        };
        let seat = Seat::here();
        let is_here = |managed: &Managed| managed.connect.local;
        let machine = project.fleet.managed().find(|(machine, managed)| {
            is_here(managed) && seat.is(machine.name.as_str(), managed.connect.id.as_deref())
        });
        let enrolled = keys.seat_name();
        if let (Some(enrolled), Some(named)) = (&enrolled, named)
            && enrolled != named
        {
            complain(&format!("error: this seat is enrolled as `{enrolled}`, not `{named}`\n"));
            return Err(Exit::BadInput);
        }
        let name = enrolled
            .or_else(|| named.map(str::to_owned))
            .or_else(|| machine.map(|(machine, _)| machine.name.to_string()))
            .unwrap_or_else(|| seat.host_name.clone());
        if crate::model::MachineName::new(&name).is_err() {
            complain(&format!("error: `{name}` cannot be a seat's name; give one with --seat\n"));
            return Err(Exit::BadInput);
        }
        let enrolment = Enrolment::new(&project.folder, &name);
        Ok(Self { keys, identities, name, enrolment })
    }
}

/// The managed machines that are reached over SSH; only these, when some are named.
fn machines<'a>(project: &'a Project, only: &[String]) -> Result<Vec<(&'a Machine, &'a Managed)>, Exit> {
    let all: Vec<_> = project.fleet.managed().filter(|(_, managed)| managed.connect.host.is_some()).collect();
    for name in only {
        if !all.iter().any(|(machine, _)| machine.name.as_str() == name) {
            let names = all.iter().map(|(machine, _)| machine.name.as_str());
            complain(&super::render::unknown_machine(name, crate::model::nearest(name, names)));
            return Err(Exit::BadInput);
        }
    }
    let is_chosen =
        |machine: &Machine| only.is_empty() || only.iter().any(|name| name == machine.name.as_str());
    Ok(all.into_iter().filter(|(machine, _)| is_chosen(machine)).collect())
}

fn failed(error: &dyn std::fmt::Display) -> Exit {
    complain(&format!("error: failed to {error}\n"));
    Exit::Error
}
