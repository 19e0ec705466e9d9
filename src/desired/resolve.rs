//! From a fleet to the resources of its machines.

use super::expand::Expansion;
use super::legs::Legs;
use super::library::Library;
use super::links::{self, Link};
use super::machine::{self, facts_of};
use super::references::{Pending, settle};
use super::roles::Roles;
use super::scope::Scope;
use super::seats;
use super::supply::Shelf;
use super::troubles::Troubles;
use super::unique::unique;
use crate::architecture;
use crate::inventory::{Fleet, Machine};
use crate::model::{Diagnostics, Facts, Init, MachineName, Platform};
use crate::resource::{Declared, Reading};

/// The desired resources of one machine: those of its tier's and its part's roles, of its own, and of
/// the legs that run on it. None on a platform that is not supported yet, whose roles are only checked.
///
/// # Errors
/// Everything that is wrong with the roles, templates and inputs it uses, and with the role files of
/// the library.
pub fn resolve(
    fleet: &Fleet,
    machine: &Machine,
    library: &Library,
    facts: &Facts,
) -> Result<Vec<Declared>, Diagnostics> {
    let mut problems = Diagnostics::new();
    let roles = Roles::read(library, &mut problems);
    let mut found = Troubles::new(fleet);
    let declared = of_machine(fleet, machine, library, &roles, facts, &mut found);
    problems.append(found.told());
    if problems.is_empty() { Ok(declared) } else { Err(problems) }
}

/// The desired resources of every managed machine, by what the inventory says of them.
///
/// # Errors
/// Everything that is wrong on any of them, each problem once.
pub fn resolve_all(
    fleet: &Fleet,
    library: &Library,
) -> Result<Vec<(MachineName, Vec<Declared>)>, Diagnostics> {
    let mut problems = Diagnostics::new();
    let roles = Roles::read(library, &mut problems);
    let mut found = Troubles::new(fleet);
    let mut machines = Vec::new();
    for machine in &fleet.machines {
        let Some(facts) = facts_of(machine) else { continue };
        let declared = of_machine(fleet, machine, library, &roles, &facts, &mut found);
        machines.push((machine.name.clone(), declared));
    }
    problems.append(found.told());
    if problems.is_empty() { Ok(machines) } else { Err(problems) }
}

/// Who opens whom over SSH, machine by machine, by what the inventory says of them. What has problems opens
/// nothing; [`resolve_all`] reports those.
#[must_use]
pub fn links(fleet: &Fleet, library: &Library) -> Vec<Link> {
    let mut problems = Diagnostics::new();
    let roles = Roles::read(library, &mut problems);
    let mut found = Vec::new();
    for machine in &fleet.machines {
        let Some(facts) = facts_of(machine) else { continue };
        let scope = machine::scope(fleet, machine, &facts);
        let facts = supported(&facts);
        let part = Part { fleet, machine, library, roles: &roles, facts: &facts, scope: &scope };
        found.extend(links::opened(fleet, machine, &facts, &part.expanded(&mut problems)));
    }
    found
}

/// What a platform that is not supported yet would get is not known; its roles, inputs and templates are
/// checked all the same, as if it were a supported one.
fn supported(facts: &Facts) -> Facts {
    if facts.platform.is_supported() {
        return facts.clone();
    }
    Facts { platform: Platform::Debian, init: Init::Systemd, root: true, ..facts.clone() }
}

/// One machine, and what its resources are made from.
struct Part<'a> {
    fleet: &'a Fleet,
    machine: &'a Machine,
    library: &'a Library,
    roles: &'a Roles,
    facts: &'a Facts,
    scope: &'a Scope,
}

impl Part<'_> {
    /// What its roles and legs declare.
    fn expanded(&self, problems: &mut Diagnostics) -> Vec<Pending> {
        let Self { fleet, machine, library, roles, facts, scope } = *self;
        let expansion = Expansion { fleet, machine, library, roles, facts, scope };
        let mut pending = Vec::new();
        for used in architecture::roles(fleet, machine) {
            pending.extend(expansion.used(used, problems));
        }
        pending.extend(Legs { fleet, machine, library, facts, scope }.all(problems));
        pending
    }
}

fn of_machine<'a>(
    fleet: &Fleet,
    machine: &'a Machine,
    library: &Library,
    roles: &Roles,
    facts: &Facts,
    found: &mut Troubles<'a>,
) -> Vec<Declared> {
    let mut problems = Diagnostics::new();
    let scope = machine::scope(fleet, machine, facts);
    let is_supported = facts.platform.is_supported();
    let facts = &supported(facts);
    let mut pending = Part { fleet, machine, library, roles, facts, scope: &scope }.expanded(&mut problems);
    let shelf = Shelf { library, scope: &scope };
    let reading = Reading { facts, supply: &shelf };
    pending.extend(seats::keys(&library.seats, machine, &reading, &mut problems));
    let opened = links::opened(fleet, machine, facts, &pending);
    links::keys(fleet, machine, library, &opened, &mut pending, &mut problems);
    pending.extend(links::doors(fleet, machine, library, &reading, &mut problems));
    // What a part with problems would have declared is missing: what refers to it is not to blame.
    let mut unsettled = Diagnostics::new();
    let settled = settle(pending, facts, &mut unsettled);
    if problems.is_empty() {
        problems.append(unsettled);
    }
    let mut declared = unique(settled, &mut problems);
    // Nothing is ever changed on a machine that is not supported yet, so nobody waits for it, and nobody
    // for itself.
    let is_changed = |name: &MachineName| {
        let other = fleet.managed().find(|(other, _)| other.name == *name);
        *name != machine.name && other.is_some_and(|(_, managed)| managed.platform.is_supported())
    };
    declared.iter_mut().for_each(|one| one.awaits.retain(is_changed));
    found.add(machine, &problems);
    if is_supported { declared } else { Vec::new() }
}
