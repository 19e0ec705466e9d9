//! The SSH links between machines: who opens whom, the keys for it where it starts, and the doors where it
//! ends.

mod doors;
mod keys;
mod options;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::references::Pending;
use crate::inventory::{AllowedProgram, Fleet, Machine, Managed, Member, Membership};
use crate::model::{Facts, MachineName, Source, Span};
use crate::resource::{Opens, Origin, Program, Whom};

pub(super) use doors::doors;
pub use doors::{LINK_DOOR, missing_halves};
pub(super) use keys::keys;

/// One use of SSH from one machine to another, or to a service.
#[derive(Clone, Debug)]
pub struct Link {
    /// The machine that opens the connection.
    pub from: MachineName,
    /// What it opens.
    pub opens: Opens,
    /// What in the inventory it follows from.
    pub origin: Origin,
}

/// The public half of a link's key.
#[derive(Clone, Debug)]
pub struct LinkHalf {
    /// The machine that has the private half.
    pub machine: String,
    /// The key's name there ([`Opens::key`]).
    pub key: String,
    /// The file: a public key.
    pub source: Arc<Source>,
}

/// What a machine opens: what its resources say, and the links that the inventory declares. What leads nowhere,
/// because it is the machine itself or nobody logs in there, is left out.
pub(super) fn opened(fleet: &Fleet, machine: &Machine, facts: &Facts, pending: &[Pending]) -> Vec<Link> {
    let said = pending
        .iter()
        .flat_map(|one| one.declared.opens.iter().map(|opens| (opens.clone(), one.declared.origin.clone())));
    let mut found: Vec<Link> = Vec::new();
    for (opens, origin) in said.chain(declared(fleet, machine, facts)) {
        let leads = match &opens.whom {
            Whom::Service(..) => true,
            Whom::Machine(other) => {
                *other != machine.name
                    && managed(fleet, other).is_some_and(|managed| managed.connect.host.is_some())
            }
        };
        let is_known = found.iter().any(|link| link.opens == opens && link.origin.from == origin.from);
        if leads && !is_known {
            found.push(Link { from: machine.name.clone(), opens, origin });
        }
    }
    found
}

/// The declared links over SSH that say what they may do. The keys for rsync are the login user's, who works
/// with them; the one for SFTP is that of legs and mounts.
fn declared(fleet: &Fleet, machine: &Machine, facts: &Facts) -> Vec<(Opens, Origin)> {
    let mut found = Vec::new();
    let is_from = |member: &Member| matches!(member, Member::Machine(name) if *name == machine.name);
    for link in fleet.links.iter().filter(|link| link.from.iter().any(|from| is_from(&from.value))) {
        let origin = Origin { from: format!("link {}", link.name), span: link.span.clone() };
        for to in &link.to {
            let Member::Machine(other) = &to.value else { continue };
            let Some(there) = managed(fleet, other) else { continue };
            for allow in &link.allow {
                let (program, user, home) = match allow.program {
                    AllowedProgram::Rsync => (Program::Rsync, facts.user.as_str(), facts.home.as_str()),
                    AllowedProgram::Sftp => {
                        use crate::intent::folders::{runner, runner_home};
                        (Program::Sftp, runner(facts), runner_home(facts))
                    }
                };
                let opens = Opens {
                    whom: Whom::Machine(other.clone()),
                    login: login(there).to_owned(),
                    program,
                    writes: true,
                    path: Some(allow.path.value.as_str().to_owned()),
                    user: user.to_owned(),
                    home: home.to_owned(),
                };
                found.push((opens, origin.clone()));
            }
        }
    }
    found
}

fn managed<'a>(fleet: &'a Fleet, name: &MachineName) -> Option<&'a Managed> {
    match fleet.machine(name.as_str()).map(|machine| &machine.membership) {
        Some(Membership::Managed(managed)) => Some(managed),
        _ => None,
    }
}

/// Whom a machine is logged in to as.
fn login(managed: &Managed) -> &str {
    managed.connect.user.as_deref().unwrap_or("root")
}

/// The host and port of what a link opens.
#[must_use]
pub fn address(fleet: &Fleet, whom: &Whom) -> Option<(String, u16)> {
    match whom {
        Whom::Service(_, host, port) => Some((host.clone(), *port)),
        Whom::Machine(name) => {
            let connect = &managed(fleet, name)?.connect;
            Some((connect.host.as_ref()?.value.clone(), connect.port))
        }
    }
}

/// A place for a problem with a link.
fn span(link: &Link) -> &Span {
    &link.origin.span
}
