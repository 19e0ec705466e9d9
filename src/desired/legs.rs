//! The backup legs that run on a machine, and the rclone remotes they need.

use std::collections::BTreeMap;

use super::library::Library;
use super::references::Pending;
use super::scope::Scope;
use super::supply::Shelf;
use crate::intent::leg::{End, Leg, Mode};
use crate::intent::rclone_remote::{self, RcloneRemote, RemoteOption, SftpLogin};
use crate::intent::{folders, link_files};
use crate::inventory::{Backup, BackupMode, Endpoint, Fleet, Machine, Membership, ServiceKind, Setting};
use crate::model::{
    Diagnostic, Diagnostics, Facts, MachineName, MachinePath, Platform, ResourceId, ServiceName, Span,
    Spanned,
};
use crate::resource::{Content, Origin, Reading, Supply as _};

/// What legs are expanded for.
pub(super) struct Legs<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) machine: &'a Machine,
    pub(super) library: &'a Library,
    pub(super) facts: &'a Facts,
    pub(super) scope: &'a Scope,
}

/// The remotes of a machine by name, each with the leg that asked first.
type Remotes<'a> = BTreeMap<String, (RcloneRemote, &'a Backup)>;

impl Legs<'_> {
    /// One resource with the remotes of all legs, and the legs.
    pub(super) fn all(&self, problems: &mut Diagnostics) -> Vec<Pending> {
        let mut remotes = Remotes::new();
        let mut legs = Vec::new();
        let name = self.machine.name.as_str();
        for backup in self.fleet.backups.iter().filter(|backup| backup.run_on.value.as_str() == name) {
            if let Some(leg) = self.leg(backup, &mut remotes, problems) {
                legs.push((leg, backup));
            }
        }
        let Some((leg, first)) = legs.first() else { return Vec::new() };
        let mut pending = Vec::new();
        let mut needs: Vec<ResourceId> = Vec::new();
        if !remotes.is_empty() {
            let all: Vec<RcloneRemote> = remotes.into_values().map(|(remote, _)| remote).collect();
            let owner = folders::runner(self.facts);
            let origin = origin(first);
            let declared = rclone_remote::declare("legs", &all, &leg.config, owner, &origin, problems);
            needs.extend(declared.iter().map(|declared| declared.resource.id()));
            pending.extend(declared.into_iter().map(Pending::new));
        }
        let shelf = Shelf { library: self.library, scope: self.scope };
        let reading = Reading { facts: self.facts, supply: &shelf };
        for (leg, backup) in legs {
            let declared = leg.expand(&needs, &origin(backup), &reading, problems);
            pending.extend(declared.into_iter().map(Pending::new));
        }
        pending
    }

    fn leg<'a>(
        &self,
        backup: &'a Backup,
        remotes: &mut Remotes<'a>,
        problems: &mut Diagnostics,
    ) -> Option<Leg> {
        let source = self.end(&backup.from, backup, remotes, problems);
        let destination = self.end(&backup.to, backup, remotes, problems);
        let aside = backup.backup_dir.as_ref().map(|folder| {
            // On the destination's own remote, which is all that rclone takes.
            let value = match &backup.to.value {
                Endpoint::Here(_) => Endpoint::Here(folder.value.clone()),
                Endpoint::Machine(other, _) => Endpoint::Machine(other.clone(), folder.value.clone()),
                Endpoint::Service(service, _) => Endpoint::Service(service.clone(), folder.value.clone()),
            };
            self.end(&Spanned { value, span: folder.span.clone() }, backup, remotes, problems)
        });
        let home = folders::runner_home(self.facts);
        let config = MachinePath::new(&format!("{home}/.config/rclone/rclone.conf"))
            .map_err(|error| problems.push(Diagnostic::at(&self.machine.span, error.to_string())))
            .ok()?;
        let when = &backup.when;
        Some(Leg {
            name: backup.name.value.clone(),
            source: source?,
            destination: destination?,
            mode: match backup.mode {
                BackupMode::Copy => Mode::Copy,
                BackupMode::Sync => Mode::Sync,
                BackupMode::Move => Mode::Move,
            },
            at: when.at.clone(),
            zone: when.zone.clone(),
            spread: when.spread.clone(),
            catch_up: when.catch_up.clone(),
            backup_dir: match aside {
                None => None,
                Some(aside) => Some(aside?.shown()),
            },
            filters: backup.filters.iter().map(|filter| filter.value.clone()).collect(),
            bandwidth: backup.bandwidth.as_ref().map(|limit| limit.value.clone()),
            max_delete: backup.max_delete,
            sentinel: backup.sentinel.as_ref().map(|path| path.value.clone()),
            config,
        })
    }

    fn end<'a>(
        &self,
        end: &Spanned<Endpoint>,
        backup: &'a Backup,
        remotes: &mut Remotes<'a>,
        problems: &mut Diagnostics,
    ) -> Option<End> {
        let remote = match &end.value {
            Endpoint::Here(path) => return self.here(path, &end.span, problems),
            Endpoint::Machine(other, path) if *other == self.machine.name => {
                return self.here(path, &end.span, problems);
            }
            Endpoint::Machine(other, _) => self.of_machine(other, &end.span, problems)?,
            Endpoint::Service(service, _) => self.of_service(service, &end.span, problems)?,
        };
        let name = remote.name.clone();
        remotes.entry(name.clone()).or_insert((remote, backup));
        let path = match &end.value {
            Endpoint::Here(path) | Endpoint::Machine(_, path) => path.clone(),
            Endpoint::Service(service, path) => self.below_root(service, path),
        };
        Some(End::Remote { remote: name, path })
    }

    fn here(&self, path: &str, span: &Span, problems: &mut Diagnostics) -> Option<End> {
        let shelf = Shelf { library: self.library, scope: self.scope };
        let reading = Reading { facts: self.facts, supply: &shelf };
        let path = Spanned { value: path.to_owned(), span: span.clone() };
        reading.path(&path, problems).map(End::Here)
    }

    fn below_root(&self, service: &ServiceName, path: &str) -> String {
        let root = match self.fleet.service(service.as_str()).map(|service| &service.kind) {
            Some(ServiceKind::Rclone { root, .. }) => root.trim_end_matches('/'),
            _ => "",
        };
        if root.is_empty() { path.to_owned() } else { format!("{root}/{}", path.trim_start_matches('/')) }
    }

    /// Another machine by SFTP, opened with this machine's key for it.
    fn of_machine(
        &self,
        other: &MachineName,
        span: &Span,
        problems: &mut Diagnostics,
    ) -> Option<RcloneRemote> {
        let found = self.fleet.machine(other.as_str());
        let managed = match found.map(|machine| &machine.membership) {
            Some(Membership::Managed(managed)) => managed,
            _ => {
                problems.push(
                    Diagnostic::at(span, format!("nobody logs in to `{other}`"))
                        .expected("a managed machine"),
                );
                return None;
            }
        };
        let connect = &managed.connect;
        let Some(host) = &connect.host else {
            problems.push(
                Diagnostic::at(
                    span,
                    format!("`{other}` has no address that `{}` could open", self.machine.name),
                )
                .expected("`connect: {ssh: ...}` for it, or a leg that the other machine runs"),
            );
            return None;
        };
        let home = folders::runner_home(self.facts);
        let (key, known_hosts) = (link_files::key(home, other.as_str()), link_files::known_hosts(home));
        let login = SftpLogin {
            host: &host.value,
            port: connect.port,
            user: connect.user.as_deref().unwrap_or("root"),
            key: &key,
            known_hosts: &known_hosts,
            shell: if managed.platform == Platform::Windows { "powershell" } else { "unix" },
        };
        Some(rclone_remote::sftp(other.as_str(), &login, span))
    }

    /// A storage, with its secrets.
    fn of_service(
        &self,
        service: &ServiceName,
        span: &Span,
        problems: &mut Diagnostics,
    ) -> Option<RcloneRemote> {
        let found = self.fleet.service(service.as_str()).map(|service| &service.kind);
        let Some(ServiceKind::Rclone { backend, options, .. }) = found else {
            problems.push(
                Diagnostic::at(span, format!("`{service}` is no storage"))
                    .expected("a service of `kind: rclone`, or a machine"),
            );
            return None;
        };
        let shelf = Shelf { library: self.library, scope: self.scope };
        let options: Vec<Option<RemoteOption>> = options
            .iter()
            .map(|(name, setting)| {
                let (value, span) = match setting {
                    Setting::Plain(text) => (Content::Bytes(text.value.as_bytes().into()), &text.span),
                    Setting::Secret(secret) => {
                        let name = Spanned { value: secret.name.clone(), span: secret.span.clone() };
                        let content = shelf.secret(&name).map_err(|problem| problems.push(problem)).ok()?;
                        (content, &secret.span)
                    }
                };
                Some(RemoteOption { name: name.clone(), value, span: span.clone() })
            })
            .collect();
        Some(RcloneRemote {
            name: service.as_str().to_owned(),
            backend: backend.value.clone(),
            options: options.into_iter().collect::<Option<_>>()?,
        })
    }
}

fn origin(backup: &Backup) -> Origin {
    Origin { from: format!("leg {}", backup.name.value), span: backup.name.span.clone() }
}
