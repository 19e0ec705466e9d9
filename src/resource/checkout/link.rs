//! The key of a checkout whose remote is opened over SSH.

use super::host_of;
use crate::model::{MachineName, MachinePath};
use crate::resource::link_files;
use crate::resource::opens::{Opens, Program, Whom};
use crate::resource::reading::Reading;

/// The port of SSH.
const PORT: u16 = 22;

/// Who opens which remote.
pub(super) struct Link {
    whom: Whom,
    login: String,
    user: String,
    home: String,
}

impl Link {
    /// That of a remote; `None` when it is not reached over SSH, is neither a machine's of the fleet nor a
    /// service's, or when the owner's home is not known without asking.
    pub(super) fn of(remote: &str, owner: &str, reading: &Reading<'_>) -> Option<Self> {
        let login = login_of(remote)?.unwrap_or(owner);
        let (host, port) = host_of(remote)?;
        let facts = reading.facts;
        let home = match owner {
            owner if owner == facts.user => facts.home.clone(),
            "root" => "/root".to_owned(),
            _ => return None,
        };
        let machine: Option<MachineName> =
            reading.supply.machines_at(host, Some(port.unwrap_or(PORT))).into_iter().next();
        let whom = match machine {
            Some(machine) => Whom::Machine(machine),
            None => Whom::Service(
                reading.supply.repository(remote)?,
                host.to_ascii_lowercase(),
                port.unwrap_or(PORT),
            ),
        };
        Some(Self { whom, login: login.to_owned(), user: owner.to_owned(), home })
    }

    /// The file of its key.
    pub(super) fn key(&self) -> Option<MachinePath> {
        MachinePath::new(&link_files::key(&self.home, &self.named(true, None).key())).ok()
    }

    /// The file of the host keys.
    pub(super) fn known_hosts(&self) -> Option<MachinePath> {
        MachinePath::new(&link_files::known_hosts(&self.home)).ok()
    }

    /// What is opened, when that is done with the link's key.
    pub(super) fn opens(&self, key: &MachinePath, remote: &str, writes: bool) -> Option<Opens> {
        (self.key().as_ref() == Some(key)).then(|| self.named(writes, path_of(remote)))
    }

    fn named(&self, writes: bool, path: Option<&str>) -> Opens {
        Opens {
            whom: self.whom.clone(),
            login: self.login.clone(),
            program: Program::Git,
            writes,
            path: path.map(str::to_owned),
            user: self.user.clone(),
            home: self.home.clone(),
        }
    }
}

/// Whether a path, or a command, names a key that fleetprov made for a link.
pub(super) fn is_own(text: &str) -> bool {
    text.contains("/.ssh/fleetprov-")
}

/// The login that a remote over SSH names, if it does.
fn login_of(remote: &str) -> Option<Option<&str>> {
    let authority = match remote.split_once("://") {
        Some((scheme, rest)) if scheme.contains("ssh") => rest.split('/').next()?,
        Some(_) => return None,
        None => remote.split_once(':').map(|(host, _)| host).filter(|host| !host.contains('/'))?,
    };
    Some(authority.rsplit_once('@').map(|(user, _)| user))
}

/// The repository as git names it at the other end: `/srv/a.git` of `ssh://host/srv/a.git` and of
/// `host:/srv/a.git`, `a.git` of `host:a.git`, `~b/a.git` of `ssh://host/~b/a.git` (git's `connect.c`).
fn path_of(remote: &str) -> Option<&str> {
    match remote.split_once("://") {
        Some((_, rest)) => {
            let path = rest.get(rest.find('/')?..)?;
            Some(if path.starts_with("/~") { path.get(1..)? } else { path })
        }
        None => remote.split_once(':').map(|(_, path)| path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remote_names_its_login_and_its_repository() {
        for (remote, login, path) in [
            ("ssh://git@h/srv/a.git", Some(Some("git")), Some("/srv/a.git")),
            ("ssh://h:2222/~b/a.git", Some(None), Some("~b/a.git")),
            ("git@h:a.git", Some(Some("git")), Some("a.git")),
            ("h:/srv/a.git", Some(None), Some("/srv/a.git")),
            ("https://h/a.git", None, Some("/a.git")),
            ("/srv/a.git", None, None),
        ] {
            assert_eq!(login_of(remote), login, "{remote}");
            assert_eq!(path_of(remote), path, "{remote}");
        }
    }
}
