//! `mount`: a folder of another machine, or of a storage, as systemd units.

mod read;
#[cfg(test)]
mod tests;
mod units;

pub use read::read;

use super::systemd;
use crate::format::unit::escape_path;
use crate::model::{Diagnostic, Diagnostics, Facts, Init, MachineName, MachinePath};
use crate::resource::file::File;
use crate::resource::unit::Unit;
use crate::resource::{Content, Declared, Origin};

/// The word of a role.
pub const KIND: &str = "mount";

/// A folder that comes from elsewhere.
///
/// The folder it is mounted on is no resource: systemd and the service make it, and what is mounted
/// there has an owner and mode of its own.
#[derive(Clone, Debug)]
pub struct Mount {
    /// Where it is mounted.
    pub path: MachinePath,
    /// What is mounted.
    pub what: What,
    /// More options, as the means takes them: words for `-o`, or arguments of `rclone mount`.
    pub options: Vec<String>,
    /// Whether nothing can be written.
    pub read_only: bool,
    /// Whether users other than the one who mounts see it (sshfs and rclone; the others always do).
    pub shared: bool,
    /// Mount at the first access, not at boot. Not for rclone.
    pub automount: bool,
    /// With `automount`: unmount after this many seconds without access.
    pub idle: Option<u64>,
    /// The machines of the fleet it comes from: it cannot be mounted before they are as they should be.
    pub awaits: Vec<MachineName>,
}

/// What is mounted, and by which means.
#[derive(Clone, Debug)]
pub enum What {
    /// A folder over SFTP, by sshfs.
    Sshfs {
        /// The other machine and the login there.
        login: Login,
        /// The folder there, absolute.
        folder: String,
    },
    /// A path on an rclone remote, by `rclone mount`.
    Rclone {
        /// `REMOTE:PATH`.
        source: String,
        /// rclone's configuration file.
        config: MachinePath,
    },
    /// An NFS export.
    Nfs {
        /// Host name or address.
        host: String,
        /// The exported folder, absolute.
        folder: String,
    },
    /// An SMB share.
    Smb {
        /// Host name or address.
        host: String,
        /// The share, and a folder in it.
        share: String,
        /// User name and password, as a credentials file holds them (mount.cifs(8)).
        credentials: Option<Content>,
    },
}

/// An SSH login of the machine that mounts.
#[derive(Clone, Debug)]
pub struct Login {
    /// User on the other machine.
    pub user: String,
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// The private key.
    pub key: MachinePath,
    /// The host keys.
    pub known_hosts: MachinePath,
}

impl Mount {
    /// The units that mount it, and what they need.
    ///
    /// What the machine cannot do is a problem.
    #[must_use]
    pub fn expand(&self, origin: &Origin, facts: &Facts, problems: &mut Diagnostics) -> Vec<Declared> {
        if facts.init != Init::Systemd {
            problems.push(
                Diagnostic::at(&origin.span, "a mount is a systemd unit, and this machine has no systemd")
                    .expected("a machine with `init: systemd`, or a leg that copies instead"),
            );
            return Vec::new();
        }
        if !facts.root {
            problems.push(systemd::needs_root("a mount", &origin.span));
            return Vec::new();
        }
        let name = match escape_path(self.path.as_str()) {
            Ok(name) if self.path.as_str() != "/" => name,
            _ => {
                problems.push(
                    Diagnostic::at(&origin.span, format!("nothing can be mounted on {}", self.path))
                        .expected("another path"),
                );
                return Vec::new();
            }
        };
        self.units(&name, origin, problems).unwrap_or_default()
    }

    fn units(&self, name: &str, origin: &Origin, problems: &mut Diagnostics) -> Option<Vec<Declared>> {
        let span = &origin.span;
        let mut declared = Vec::new();
        if let What::Rclone { source, config } = &self.what {
            let service = format!("fleetprov-mount-{name}.service");
            let unit = units::rclone_service(self, name, source, config);
            declared.push(systemd::file(&service, unit, origin, span, problems)?);
            let awaits = self.awaits.iter().cloned();
            declared.push(systemd::unit(running(service, Vec::new()), origin).awaits(awaits));
            return Some(declared);
        }
        let credentials = self.credentials(name);
        let mount = format!("{name}.mount");
        let unit = units::mount(self, credentials.as_ref().map(|file| &file.path));
        let first: Vec<_> = credentials.into_iter().map(|file| Declared::new(file, origin.clone())).collect();
        let secrets: Vec<_> = first.iter().map(|declared| declared.resource.id()).collect();
        declared.extend(first);
        declared.push(systemd::file(&mount, unit, origin, span, problems)?);
        if self.automount {
            let automount = format!("{name}.automount");
            let unit = units::automount(self);
            declared.push(systemd::file(&automount, unit, origin, span, problems)?);
            // It mounts at the first access, so it needs nobody to be ready.
            declared.push(systemd::unit(running(automount, vec![mount]), origin).after(secrets));
        } else {
            let awaits = self.awaits.iter().cloned();
            declared.push(systemd::unit(running(mount, Vec::new()), origin).after(secrets).awaits(awaits));
        }
        Some(declared)
    }

    fn credentials(&self, name: &str) -> Option<File> {
        let What::Smb { credentials: Some(content), .. } = &self.what else { return None };
        // The name has no slash, so this always is a path.
        let path = MachinePath::new(&format!("/etc/fleetprov/credentials/{name}")).ok()?;
        Some(File { path, content: content.clone(), owner: "root".to_owned(), group: None, mode: 0o600 })
    }
}

fn running(name: String, related: Vec<String>) -> Unit {
    Unit { name, enabled: Some(true), active: Some(true), related, restart: true }
}
