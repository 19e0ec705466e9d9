//! From what the inventory says of a machine to the way there from this seat.

use std::path::Path;

use super::project::{Project, folder_of};
use super::seat::Seat;
use crate::inventory::{Connect, Former, Machine, Managed, Membership, PrivilegeKind};
use crate::model::{Hop, Identity, MachineName, Method, Privilege, SecretFrom, Spanned, SshTarget, Target};
use crate::resource::Content;

/// The way to a managed machine from this seat.
///
/// # Errors
/// A fragment that fits after "failed to": the machine is another seat's local one, its address is
/// missing, or the password for sudo is sealed.
pub fn target_of(
    project: &Project,
    seat: &Seat,
    machine: &Machine,
    managed: &Managed,
) -> Result<Target, String> {
    let connect = &managed.connect;
    let here = connect.local && seat.is(machine.name.as_str(), connect.id.as_deref());
    let method = if here {
        Method::Local
    } else if connect.host.is_some() {
        let mut jumps = Vec::new();
        for jump in &connect.jumps {
            let through = project.fleet.machine(jump.value.as_str()).map(|machine| &machine.membership);
            if let Some(Membership::Managed(through)) = through {
                jumps.push(hop(project, &jump.value, &through.connect)?);
            }
        }
        let former = connect
            .former
            .as_ref()
            .map(|former| former_hop(project, &machine.name, connect, former))
            .transpose()?;
        Method::Ssh(SshTarget { hop: hop(project, &machine.name, connect)?, jumps, former })
    } else {
        return Err(format!(
            "find {name}: it is declared `local`, this computer is {here}, and no `ssh` address is declared \
             for other seats",
            name = machine.name,
            here = if seat.host_name.is_empty() { "another one" } else { &seat.host_name },
        ));
    };
    Ok(Target { machine: machine.name.clone(), method, privilege: privilege(project, &managed.privilege)? })
}

fn hop(project: &Project, machine: &MachineName, connect: &Connect) -> Result<Hop, String> {
    let host = connect.host.as_ref().ok_or("find a machine to jump through: it has no `ssh` address")?;
    Ok(Hop {
        user: connect.user.clone().unwrap_or_else(|| "root".to_owned()),
        host: host.value.clone(),
        port: connect.port,
        identities: identities(project, machine, connect.key.as_ref())?,
    })
}

fn former_hop(
    project: &Project,
    machine: &MachineName,
    connect: &Connect,
    former: &Former,
) -> Result<Hop, String> {
    Ok(Hop {
        user: former.user.clone(),
        host: former.host.value.clone(),
        port: former.port,
        identities: identities(project, machine, former.key.as_ref().or(connect.key.as_ref()))?,
    })
}

/// What opens a machine from this seat: its own keys first; then the one the inventory names, which was
/// brought along; or else what the agent holds.
fn identities(
    project: &Project,
    machine: &MachineName,
    key: Option<&Spanned<String>>,
) -> Result<Vec<Identity>, String> {
    let own = match project.access.get(machine) {
        None => Vec::new(),
        Some(Ok(own)) => own.clone(),
        // Where another key is named, the login may still work.
        Some(Err(_)) if key.is_some() => Vec::new(),
        Some(Err(reason)) => return Err(reason.clone()),
    };
    Ok(own.into_iter().chain([identity(key)]).collect())
}

fn identity(key: Option<&Spanned<String>>) -> Identity {
    match key {
        Some(key) => {
            let written = Path::new(key.span.source().name());
            Identity::File(folder_of(written).join(&key.value))
        }
        None => Identity::Agent,
    }
}

fn privilege(project: &Project, kind: &PrivilegeKind) -> Result<Privilege, String> {
    Ok(match kind {
        PrivilegeKind::Login => Privilege::Login,
        PrivilegeKind::Doas => Privilege::Doas,
        PrivilegeKind::Sudo(None) => Privilege::Sudo { password: None },
        PrivilegeKind::Sudo(Some(reference)) => match &reference.from {
            SecretFrom::Name(name) if !project.library.secrets.contains_key(name) => {
                return Err(format!("find the secret {name}, the password for sudo"));
            }
            from => match project.library.secret(from) {
                Content::Secret(secret) => Privilege::Sudo { password: Some(trimmed(&secret)) },
                _ => {
                    return Err(format!(
                        "open the secret {from}, the password for sudo: that needs an --identity which opens it"
                    ));
                }
            },
        },
    })
}

/// A password without the line break that editors put at the end of a file.
fn trimmed(secret: &crate::model::Secret) -> crate::model::Secret {
    let bytes = secret.expose();
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    crate::model::Secret::new(bytes.strip_suffix(b"\r").unwrap_or(bytes).to_vec())
}
