//! `keys enrol`: gives this seat a key of its own for each machine.

use super::super::arguments::KeysEnrol;
use super::super::exit::Exit;
use super::super::identities::Need;
use super::super::surface::{Surface, complain, print};
use super::{Here, failed, machines};
use crate::model::MachineName;
use crate::report::counted;
use crate::store::{Project, Which};

/// Makes the seat's identity and its keys where they are missing, and writes their public halves beside the
/// inventory. Nothing is contacted; a second time, nothing is changed.
pub(in crate::cli) fn enrol(arguments: &KeysEnrol, surface: Surface) -> Exit {
    let project = match super::super::load::project(&arguments.inventory, None, Need::Values, false, surface)
    {
        Ok(project) => project,
        Err(exit) => return exit,
    };
    let (here, machines) = match Here::of(&project, arguments.seat.as_deref())
        .and_then(|here| Ok((here, machines(&project, &arguments.machines)?)))
    {
        Ok(found) => found,
        Err(exit) => return exit,
    };
    if let Err(exit) = here.check_enrolled() {
        return exit;
    }
    let names: Vec<&MachineName> = machines.iter().map(|(machine, _)| &machine.name).collect();
    match here.enrol(&project, &names) {
        Ok(made) => {
            let folder = project.folder.join("keys/seats").join(&here.name);
            if made.is_empty() {
                print(&format!("{} is enrolled already; nothing to do\n", here.name));
            } else {
                print(&format!(
                    "{} is enrolled: {} made, for {}\n",
                    here.name,
                    counted(made.len(), "key"),
                    made.join(", ")
                ));
                print(&format!(
                    "their public halves are in {}; keep them with the inventory, and `apply` from a seat that \
                     gets in lets this one in\n",
                    folder.display()
                ));
            }
            Exit::Done
        }
        Err(exit) => exit,
    }
}

impl Here {
    /// Whether the name is free for this seat, or this seat's already.
    pub(in crate::cli) fn check_enrolled(&self) -> Result<(), Exit> {
        let Some(other) = self.enrolment.recipient() else { return Ok(()) };
        let recipient = self.keys.recipient().map_err(|error| failed(&error))?.to_string();
        if other == recipient {
            return Ok(());
        }
        complain(&format!(
            "error: another seat is enrolled as `{}` (its recipient is {other}); give this one another name with --seat\n",
            self.name
        ));
        Err(Exit::Refused)
    }

    /// Makes what is missing: the seat's identity, its keys for these machines, and their public halves beside
    /// the inventory. Gives the names of the machines for which something was made.
    pub(in crate::cli) fn enrol(
        &self,
        project: &Project,
        machines: &[&MachineName],
    ) -> Result<Vec<String>, Exit> {
        let recipient = self.keys.recipient().map_err(|error| failed(&error))?.to_string();
        self.keys.enrol_as(&self.name).map_err(|error| failed(&error))?;
        self.enrolment.write_recipient(&recipient).map_err(|error| failed(&error))?;
        let mut made = Vec::new();
        for machine in machines {
            let comment = comment(project.fleet.name.as_str(), &self.name, machine.as_str());
            // An exchange that was cut between its two renames has no current key; `rotate` finishes it.
            let is_cut = self.keys.has(machine, Which::Next) && self.keys.has(machine, Which::Former);
            let mut lines = Vec::new();
            for which in Which::ALL {
                if self.keys.has(machine, which) || (which == Which::Current && !is_cut) {
                    let line = self.keys.make(machine, which, &comment, &self.identities);
                    lines.push(line.map_err(|error| failed(&error))?);
                }
            }
            if self.enrolment.write_public(machine.as_str(), &lines).map_err(|error| failed(&error))? {
                made.push(machine.to_string());
            }
        }
        Ok(made)
    }
}

/// What stands behind a public half: whose key it is, for what, and since when.
pub(super) fn comment(fleet: &str, seat: &str, machine: &str) -> String {
    let day = jiff::Timestamp::now().to_string();
    let day = day.split('T').next().unwrap_or_default();
    format!("fleetprov:{fleet}:{seat}:{machine} {day}")
}
