//! `keys enrol`: gives this seat a key of its own for each machine.

use super::super::arguments::KeysEnrol;
use super::super::exit::Exit;
use super::super::identities::Need;
use super::super::surface::{Surface, complain, print};
use super::{Here, failed, machines};
use crate::report::counted;
use crate::store::Which;

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
    let recipient = match here.keys.recipient() {
        Ok(recipient) => recipient.to_string(),
        Err(error) => return failed(&error),
    };
    if let Some(other) = here.enrolment.recipient().filter(|other| *other != recipient) {
        complain(&format!(
            "error: another seat is enrolled as `{}` (its recipient is {other}); give this one another name with --seat\n",
            here.name
        ));
        return Exit::Refused;
    }
    match enrol_here(&project, &here, &machines, &recipient) {
        Ok(made) => {
            let folder = project.folder.join("keys").join(&here.name);
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

/// Gives the names of the machines for which something was made.
fn enrol_here(
    project: &crate::store::Project,
    here: &Here,
    machines: &[(&crate::inventory::Machine, &crate::inventory::Managed)],
    recipient: &str,
) -> Result<Vec<String>, Exit> {
    here.keys.enrol_as(&here.name).map_err(|error| failed(&error))?;
    here.enrolment.write_recipient(recipient).map_err(|error| failed(&error))?;
    // The identity may have been made just now.
    let identities = here.keys.identities().map_err(|error| failed(&error))?;
    let mut made = Vec::new();
    for (machine, _) in machines {
        let comment = comment(project.fleet.name.as_str(), &here.name, machine.name.as_str());
        let mut lines = vec![
            here.keys
                .make(&machine.name, Which::Current, &comment, &identities)
                .map_err(|error| failed(&error))?,
        ];
        for which in [Which::Next, Which::Former] {
            if here.keys.has(&machine.name, which) {
                let line = here.keys.public(&machine.name, which, &identities);
                lines.push(line.map_err(|error| failed(&error))?);
            }
        }
        if here.enrolment.write_public(machine.name.as_str(), &lines).map_err(|error| failed(&error))? {
            made.push(machine.name.to_string());
        }
    }
    Ok(made)
}

/// What stands behind a public half: whose key it is, for what, and since when.
pub(super) fn comment(fleet: &str, seat: &str, machine: &str) -> String {
    let day = jiff::Timestamp::now().to_string();
    let day = day.split('T').next().unwrap_or_default();
    format!("fleetprov:{fleet}:{seat}:{machine} {day}")
}
