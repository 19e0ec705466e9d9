//! The rclone remotes that the legs of a machine need: other machines, storages, and the storages those
//! lie on.

use std::collections::BTreeMap;

use super::supply::Shelf;
use crate::intent::rclone_remote::{RcloneRemote, RemoteOption, SftpLogin, sftp};
use crate::inventory::{Fleet, Machine, Membership, ServiceKind, Setting};
use crate::model::{Diagnostic, Diagnostics, MachineName, ServiceName, Span};
use crate::resource::{Content, Supply as _, link_files};

/// The remotes of one machine, gathered leg by leg.
pub(super) struct Remotes<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) machine: &'a Machine,
    pub(super) shelf: Shelf<'a>,
    /// Where the machine keeps its keys for the others.
    pub(super) home: &'a str,
    pub(super) found: BTreeMap<String, RcloneRemote>,
}

impl Remotes<'_> {
    /// Another machine by SFTP, opened with this machine's key for it.
    pub(super) fn machine(
        &mut self,
        other: &MachineName,
        span: &Span,
        problems: &mut Diagnostics,
    ) -> Option<()> {
        let managed = match self.fleet.machine(other.as_str()).map(|machine| &machine.membership) {
            Some(Membership::Managed(managed)) => managed,
            _ => {
                let problem = Diagnostic::at(span, format!("nobody logs in to `{other}`"));
                problems.push(problem.expected("a managed machine"));
                return None;
            }
        };
        let connect = &managed.connect;
        let Some(host) = &connect.host else {
            let message = format!("`{other}` has no address that `{}` could open", self.machine.name);
            problems.push(
                Diagnostic::at(span, message)
                    .expected("`connect: {ssh: USER@HOST}` for it, or a leg that the other machine runs"),
            );
            return None;
        };
        let login = SftpLogin {
            host: &host.value,
            port: connect.port,
            user: connect.user.as_deref().unwrap_or("root"),
            key: &link_files::key(self.home, other.as_str()),
            known_hosts: &link_files::known_hosts(self.home),
        };
        self.found.insert(other.as_str().to_owned(), sftp(other.as_str(), &login, span));
        Some(())
    }

    /// A storage with its secrets, and the storages its own options name (crypt, alias, union).
    pub(super) fn service(
        &mut self,
        service: &ServiceName,
        span: &Span,
        problems: &mut Diagnostics,
    ) -> Option<()> {
        let fleet = self.fleet;
        let found = fleet.service(service.as_str()).map(|service| &service.kind);
        let Some(ServiceKind::Rclone { backend, options, .. }) = found else {
            let problem = Diagnostic::at(span, format!("`{service}` is no storage"));
            problems.push(problem.expected("a service of `kind: rclone`, or a machine"));
            return None;
        };
        let options: Vec<Option<RemoteOption>> = options
            .iter()
            .map(|(name, setting)| {
                let (value, span) = self.setting(setting, problems)?;
                Some(RemoteOption { name: name.clone(), value, span })
            })
            .collect();
        let remote = RcloneRemote {
            name: service.as_str().to_owned(),
            backend: backend.value.clone(),
            options: options.into_iter().collect::<Option<_>>()?,
        };
        let below = self.below(&remote);
        self.found.insert(remote.name.clone(), remote);
        for service in below {
            if !self.found.contains_key(service.as_str()) {
                self.service(&service, span, problems)?;
            }
        }
        Some(())
    }

    fn setting(&self, setting: &Setting, problems: &mut Diagnostics) -> Option<(Content, Span)> {
        match setting {
            Setting::Plain(text) => Some((Content::Bytes(text.value.as_bytes().into()), text.span.clone())),
            Setting::Secret(secret) => {
                let content = self.shelf.secret(secret).map_err(|problem| problems.push(problem)).ok()?;
                Some((content, secret.span.clone()))
            }
        }
    }

    /// The services that a remote's `remote` or `upstreams` names: `NAME:path`, or `dir=NAME:path` of a
    /// combine.
    fn below(&self, remote: &RcloneRemote) -> Vec<ServiceName> {
        let named = remote.options.iter().filter(|option| matches!(&*option.name, "remote" | "upstreams"));
        let texts = named.filter_map(|option| match &option.value {
            Content::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        });
        texts
            .flat_map(str::split_whitespace)
            .filter_map(|word| {
                let (name, _) = word.trim_matches('"').split_once(':')?;
                let name = name.rsplit_once('=').map_or(name, |(_, name)| name);
                let service = self.fleet.service(name)?;
                matches!(service.kind, ServiceKind::Rclone { .. }).then(|| service.name.clone())
            })
            .collect()
    }
}
