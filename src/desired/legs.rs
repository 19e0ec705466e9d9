//! The backup legs that run on a machine, and the rclone remotes they need.

use std::collections::BTreeMap;

use super::library::Library;
use super::references::Pending;
use super::remotes::Remotes;
use super::scope::Scope;
use super::supply::Shelf;
use crate::intent::folders;
use crate::intent::leg::{End, Leg, Mode};
use crate::intent::rclone_remote::{RcloneRemote, declare};
use crate::inventory::{Backup, BackupMode, Endpoint, Fleet, Machine, Membership, ServiceKind};
use crate::model::{Diagnostic, Diagnostics, Facts, MachinePath, ResourceId, ServiceName, Span, Spanned};
use crate::resource::{Opens, Origin, Program, Reading, Whom};

/// What legs are expanded for.
pub(super) struct Legs<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) machine: &'a Machine,
    pub(super) library: &'a Library,
    pub(super) facts: &'a Facts,
    pub(super) scope: &'a Scope,
}

impl Legs<'_> {
    /// One resource with the remotes of all legs, and the legs.
    pub(super) fn all(&self, problems: &mut Diagnostics) -> Vec<Pending> {
        let shelf = || Shelf { library: self.library, scope: self.scope };
        let home = folders::runner_home(self.facts);
        let (fleet, machine, found) = (self.fleet, self.machine, BTreeMap::new());
        let mut remotes = Remotes { fleet, machine, shelf: shelf(), home, found };
        let mut legs = Vec::new();
        for backup in fleet.backups.iter().filter(|backup| backup.run_on.value == machine.name) {
            if let Some(leg) = self.leg(backup, &mut remotes, problems) {
                legs.push((leg, backup));
            }
        }
        let Some((leg, first)) = legs.first() else { return Vec::new() };
        let mut pending = Vec::new();
        let mut needs: Vec<ResourceId> = Vec::new();
        if !remotes.found.is_empty() {
            let all: Vec<RcloneRemote> = remotes.found.into_values().collect();
            let owner = folders::runner(self.facts);
            let declared = declare("legs", &all, &leg.config, owner, &origin(first), problems);
            needs.extend(declared.iter().map(|declared| declared.resource.id()));
            pending.extend(declared.into_iter().map(Pending::new));
        }
        let shelf = shelf();
        let reading = Reading { facts: self.facts, supply: &shelf };
        for (leg, backup) in legs {
            let mut declared = leg.expand(&needs, &origin(backup), &reading, problems);
            if let Some(last) = declared.pop() {
                declared.push(last.opens(self.opens(backup)));
            }
            pending.extend(declared.into_iter().map(Pending::new));
        }
        pending
    }

    /// What a leg opens on other machines.
    fn opens(&self, backup: &Backup) -> Vec<Opens> {
        let ends = [(&backup.from.value, backup.mode == BackupMode::Move), (&backup.to.value, true)];
        let opens = ends.into_iter().filter_map(|(end, writes)| {
            let Endpoint::Machine(other, _) = end else { return None };
            let other = self.fleet.machine(other.as_str()).filter(|other| other.name != self.machine.name)?;
            let Membership::Managed(managed) = &other.membership else { return None };
            Some(Opens {
                whom: Whom::Machine(other.name.clone()),
                login: managed.connect.user.clone().unwrap_or_else(|| "root".to_owned()),
                program: Program::Sftp,
                writes,
                path: None,
                user: folders::runner(self.facts).to_owned(),
                home: folders::runner_home(self.facts).to_owned(),
            })
        });
        opens.collect()
    }

    fn leg(&self, backup: &Backup, remotes: &mut Remotes<'_>, problems: &mut Diagnostics) -> Option<Leg> {
        let source = self.end(&backup.from, remotes, problems);
        let destination = self.end(&backup.to, remotes, problems);
        let aside = backup.backup_dir.as_ref().map(|folder| {
            // On the destination's own remote, which is all that rclone takes.
            let value = match &backup.to.value {
                Endpoint::Here(_) => Endpoint::Here(folder.value.clone()),
                Endpoint::Machine(other, _) => Endpoint::Machine(other.clone(), folder.value.clone()),
                Endpoint::Service(service, _) => Endpoint::Service(service.clone(), folder.value.clone()),
            };
            self.end(&Spanned { value, span: folder.span.clone() }, remotes, problems)
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

    fn end(
        &self,
        end: &Spanned<Endpoint>,
        remotes: &mut Remotes<'_>,
        problems: &mut Diagnostics,
    ) -> Option<End> {
        match &end.value {
            Endpoint::Here(path) => self.here(path, &end.span, problems),
            Endpoint::Machine(other, path) if *other == self.machine.name => {
                self.here(path, &end.span, problems)
            }
            Endpoint::Machine(other, path) => {
                remotes.machine(other, &end.span, problems)?;
                Some(End::Remote { remote: other.as_str().to_owned(), path: path.clone() })
            }
            Endpoint::Service(service, path) => {
                remotes.service(service, &end.span, problems)?;
                let path = self.below_root(service, path);
                Some(End::Remote { remote: service.as_str().to_owned(), path })
            }
        }
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
}

fn origin(backup: &Backup) -> Origin {
    Origin { from: format!("leg {}", backup.name.value), span: backup.name.span.clone() }
}
