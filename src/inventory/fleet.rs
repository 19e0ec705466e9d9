//! A fleet as its inventory declares it. Names are resolved, places are kept.

use std::sync::Arc;

use crate::model::{
    FleetName, Init, MachineName, MachinePath, Node, Platform, RoleName, SecretReference, ServiceName,
    Source, Span, Spanned, SurfaceName, TierName,
};

/// One fleet.
#[derive(Clone, Debug)]
pub struct Fleet {
    /// Its name.
    pub name: FleetName,
    /// The inventory's text.
    pub source: Arc<Source>,
    /// Values every template sees as `vars.*`; a map or nothing.
    pub vars: Option<Node>,
    /// Groups of machines.
    pub tiers: Vec<Tier>,
    /// Members, in the order of the inventory.
    pub machines: Vec<Machine>,
    /// What the fleet uses and nobody logs in to.
    pub services: Vec<Service>,
    /// What has exactly one home.
    pub surfaces: Vec<Surface>,
    /// Declared links; those that follow from legs and surfaces are derived elsewhere.
    pub links: Vec<Link>,
    /// Backup legs.
    pub backups: Vec<Backup>,
    /// The pinned host keys, as written; relative to the folder of the file it was written in.
    /// `known_hosts` beside the inventory when absent.
    pub known_hosts: Option<Spanned<String>>,
    /// The folder of the secret files, as written; relative to the folder of the file it was written in.
    /// `secrets` beside the inventory when absent.
    pub secrets: Option<Spanned<String>>,
}

/// A group of machines that share one pattern and default roles.
#[derive(Clone, Debug)]
pub struct Tier {
    /// Its name.
    pub name: TierName,
    /// Where it is declared.
    pub span: Span,
    /// How its members relate.
    pub pattern: Pattern,
    /// The machine that writes, in `primary-and-secondaries`.
    pub primary: Option<Spanned<MachineName>>,
    /// The member that holds the truth, in `hub-and-spoke` and `cloud-as-hub`.
    pub hub: Option<Spanned<Member>>,
    /// Roles every managed machine of the tier has.
    pub roles: Vec<RoleUse>,
    /// Roles of those that play a part in the pattern, so that naming another primary moves them.
    pub roles_of: Vec<(Part, Vec<RoleUse>)>,
}

/// What a machine is in its tier's pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The one that writes, in `primary-and-secondaries`.
    Primary,
    /// One that mirrors the primary.
    Secondary,
    /// A writer among writers, in `mesh`.
    Peer,
    /// The one that holds the truth, in `hub-and-spoke` and `cloud-as-hub`.
    Hub,
    /// One that reads and writes through the hub.
    Spoke,
    /// A view on the cloud.
    Client,
}

/// How the members of a tier relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// One writes, the others mirror it.
    PrimaryAndSecondaries,
    /// Every machine writes; they reconcile.
    Mesh,
    /// A central store is the truth.
    HubAndSpoke,
    /// A cloud account is the truth; its clients are views.
    CloudAsHub,
}

/// Something a reference can mean: a machine or a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Member {
    /// A machine of this fleet.
    Machine(MachineName),
    /// A service of this fleet.
    Service(ServiceName),
}

/// A member of the fleet.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Its name.
    pub name: MachineName,
    /// Where it is declared.
    pub span: Span,
    /// Its tier.
    pub tier: Spanned<TierName>,
    /// Whether anybody logs in to it.
    pub membership: Membership,
    /// Its own roles, behind those of its tier.
    pub roles: Vec<RoleUse>,
    /// Its own values, over those of the fleet; a map or nothing.
    pub vars: Option<Node>,
}

/// Whether anybody logs in to a member.
#[derive(Clone, Debug)]
pub enum Membership {
    /// Reached over SSH or locally.
    Managed(Box<Managed>),
    /// Drawn and owned, never connected to: `phone`, `tablet`, `cloud-agent`, `browser` and the like.
    Unmanaged(Spanned<String>),
}

/// How a managed machine is spoken to.
#[derive(Clone, Debug)]
pub struct Managed {
    /// What it is.
    pub platform: Platform,
    /// What runs its services.
    pub init: Init,
    /// The way there.
    pub connect: Connect,
    /// How operations get root's rights.
    pub privilege: PrivilegeKind,
    /// The login user's home, when it is not the platform's usual one.
    pub home: Option<String>,
    /// The folder for fleetprov's record of the machine, when it is not the usual one; absolute.
    pub state: Option<String>,
}

/// The way to a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connect {
    /// The machine is this computer, when the seat's identity says so.
    pub local: bool,
    /// The machine id (`/etc/machine-id`) that makes `local` true.
    pub id: Option<String>,
    /// Login name.
    pub user: Option<String>,
    /// Host name or address, without brackets; its place is that of the whole `ssh` text.
    pub host: Option<Spanned<String>>,
    /// TCP port, 22 unless given.
    pub port: u16,
    /// The private key file, as written; relative to the folder of the file it was written in.
    pub key: Option<Spanned<String>>,
    /// Machines to jump through, in order.
    pub jumps: Vec<Spanned<MachineName>>,
    /// Where the machine answered before the change of address that this inventory makes.
    pub former: Option<Former>,
}

/// The login a machine had before its address, port or user was changed; behind the same jumps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Former {
    /// Login name.
    pub user: String,
    /// Host name or address, without brackets; its place is that of the whole `was` text.
    pub host: Spanned<String>,
    /// TCP port.
    pub port: u16,
    /// The private key file, as written, when it is not that of the declared login.
    pub key: Option<Spanned<String>>,
}

/// How operations get root's rights on a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PrivilegeKind {
    /// They run as the login user.
    #[default]
    Login,
    /// By sudo; the password comes from a secret, when sudo asks.
    Sudo(Option<SecretReference>),
    /// By doas, without a password.
    Doas,
}

/// A role and its inputs, as used by a machine or tier.
#[derive(Clone, Debug)]
pub struct RoleUse {
    /// Which role.
    pub role: Spanned<RoleName>,
    /// Its inputs; a map or nothing.
    pub with: Option<Node>,
}

/// A thing outside: a git host, a bucket, a cloud account.
#[derive(Clone, Debug)]
pub struct Service {
    /// Its name.
    pub name: ServiceName,
    /// Where it is declared.
    pub span: Span,
    /// What it is.
    pub kind: ServiceKind,
}

/// What a service is.
#[derive(Clone, Debug)]
pub enum ServiceKind {
    /// A cloud account with surfaces of its own.
    Cloud,
    /// A git repository.
    Git {
        /// Its URL.
        remote: Spanned<String>,
        /// Its branch; `main` unless given.
        branch: String,
    },
    /// A storage reached by rclone.
    Rclone {
        /// rclone's backend name (`b2`, `drive`, `sftp`, `local`, …).
        backend: Spanned<String>,
        /// Its other options in the order given.
        options: Vec<(String, Setting)>,
        /// Prefix of every path on it (`/srv/bucket`), empty unless given.
        root: String,
    },
    /// A notification service.
    Notify {
        /// Its URL.
        url: Spanned<String>,
        /// The topic to write to; often a secret, because who knows it can read and write.
        topic: Option<Setting>,
    },
}

/// A value that is given or secret.
#[derive(Clone, Debug)]
pub enum Setting {
    /// Given in the inventory.
    Plain(Spanned<String>),
    /// Kept in a secret.
    Secret(SecretReference),
}

/// A thing with exactly one home.
#[derive(Clone, Debug)]
pub struct Surface {
    /// Its name.
    pub name: SurfaceName,
    /// Where it is declared.
    pub span: Span,
    /// The tier whose pattern owns it.
    pub tier: Spanned<TierName>,
    /// The member that holds it.
    pub home: Option<Spanned<Member>>,
    /// The service it travels through.
    pub via: Option<Spanned<ServiceName>>,
    /// Where it is on its home.
    pub path: Option<Spanned<String>>,
    /// Parts of `~/.claude` it covers.
    pub paths: Vec<Spanned<String>>,
    /// The tiers that read or write it.
    pub used_by: Vec<Spanned<TierName>>,
    /// What its traffic is for, in the table of links.
    pub purpose: Option<Spanned<String>>,
}

/// A declared link: who talks to whom, and for what.
#[derive(Clone, Debug)]
pub struct Link {
    /// Its name.
    pub name: String,
    /// Where it is declared.
    pub span: Span,
    /// Who starts it; several when the same link holds for all of them.
    pub from: Vec<Spanned<Member>>,
    /// Who answers.
    pub to: Vec<Spanned<Member>>,
    /// By which means ("ssh + scp", "HTTPS").
    pub via: Option<String>,
    /// What for.
    pub purpose: Spanned<String>,
    /// What an SSH link may do at the other end; empty when that is not said.
    pub allow: Vec<Allow>,
}

/// One thing an SSH link may do at its other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allow {
    /// Which program may run there.
    pub program: AllowedProgram,
    /// The folder it is held to.
    pub path: Spanned<MachinePath>,
}

/// The programs a link's key can be held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllowedProgram {
    /// rsync below a folder.
    Rsync,
    /// SFTP below a folder.
    Sftp,
}

/// A backup leg as declared.
#[derive(Clone, Debug)]
pub struct Backup {
    /// Its name.
    pub name: Spanned<String>,
    /// The machine that runs it.
    pub run_on: Spanned<MachineName>,
    /// What is read.
    pub from: Spanned<Endpoint>,
    /// What is written.
    pub to: Spanned<Endpoint>,
    /// When.
    pub when: When,
    /// How.
    pub mode: BackupMode,
    /// Where replaced and deleted files go, on the destination's own remote; a dated folder is made in it.
    pub backup_dir: Option<Spanned<String>>,
    /// rclone filter rules in order (`+ *.jpg`, `- *`).
    pub filters: Vec<Spanned<String>>,
    /// rclone `--bwlimit` value.
    pub bandwidth: Option<Spanned<String>>,
    /// rclone `--max-delete`; a sync or move has a limit even when none is given.
    pub max_delete: Option<u32>,
    /// A file that has to be in the source, relative to it, so that an absent mount is not an empty source.
    pub sentinel: Option<Spanned<String>>,
}

/// One end of a leg.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A path on the machine that runs the leg; `~/` allowed.
    Here(String),
    /// A path on another machine.
    Machine(MachineName, String),
    /// A path on a service.
    Service(ServiceName, String),
}

/// What a leg does with its destination.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BackupMode {
    /// Adds and replaces, never deletes.
    #[default]
    Copy,
    /// Makes the destination equal to the source.
    Sync,
    /// Moves: the source is emptied.
    Move,
}

/// When a schedule runs, as declared; its expression is compiled where it is used.
#[derive(Clone, Debug)]
pub struct When {
    /// Five-field cron or an `@` word.
    pub at: Spanned<String>,
    /// IANA time zone; the machine's own unless given.
    pub zone: Option<Spanned<String>>,
    /// Spread kick-offs over this many seconds.
    pub spread: Option<Spanned<u64>>,
    /// Run once when a kick-off was missed; no, unless given.
    pub catch_up: Option<Spanned<bool>>,
}

impl Fleet {
    /// A machine by name.
    #[must_use]
    pub fn machine(&self, name: &str) -> Option<&Machine> {
        self.machines.iter().find(|machine| machine.name.as_str() == name)
    }

    /// A service by name.
    #[must_use]
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.name.as_str() == name)
    }

    /// A tier by name.
    #[must_use]
    pub fn tier(&self, name: &str) -> Option<&Tier> {
        self.tiers.iter().find(|tier| tier.name.as_str() == name)
    }

    /// The machines fleetprov logs in to.
    pub fn managed(&self) -> impl Iterator<Item = (&Machine, &Managed)> {
        self.machines.iter().filter_map(|machine| match &machine.membership {
            Membership::Managed(managed) => Some((machine, managed.as_ref())),
            Membership::Unmanaged(_) => None,
        })
    }
}
