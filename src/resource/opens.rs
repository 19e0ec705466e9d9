//! What a resource opens over SSH on another machine, so that there is a key for it, and a door there.

use crate::model::{MachineName, ServiceName};

/// Something that is opened over SSH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opens {
    /// What is opened.
    pub whom: Whom,
    /// The login there.
    pub login: String,
    /// By which means.
    pub program: Program,
    /// Whether anything is written there.
    pub writes: bool,
    /// What it is held to: a folder, or a repository as git names it; the machine's rights unless given.
    pub path: Option<String>,
    /// The user who opens it, whose the key is.
    pub user: String,
    /// That user's home, absolute.
    pub home: String,
}

/// Whom a key opens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whom {
    /// A machine of the fleet.
    Machine(MachineName),
    /// A service that is no machine of the fleet, such as a repository at a git host, at a host and port.
    Service(ServiceName, String, u16),
}

/// The program at the other end that a key is held to. Each has a key of its own, since a key has one line
/// there, and a line one program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Program {
    /// SFTP: legs and mounts.
    Sftp,
    /// rsync.
    Rsync,
    /// git.
    Git,
}

impl Whom {
    /// Its name in the fleet.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Machine(name) => name.as_str(),
            Self::Service(name, ..) => name.as_str(),
        }
    }
}

impl Opens {
    /// The name of its key: that of the machine, and of the program unless it is SFTP; or that of the service.
    #[must_use]
    pub fn key(&self) -> String {
        match (&self.whom, self.program) {
            (Whom::Service(name, ..), _) => name.to_string(),
            (Whom::Machine(name), Program::Sftp) => name.to_string(),
            (Whom::Machine(name), Program::Rsync) => format!("{name}.rsync"),
            (Whom::Machine(name), Program::Git) => format!("{name}.git"),
        }
    }

    /// What it may do there, in words: `SFTP, reading`.
    #[must_use]
    pub fn words(&self) -> String {
        let program = match self.program {
            Program::Sftp => "SFTP",
            Program::Rsync => "rsync",
            Program::Git => "git",
        };
        format!("{program}, {}", if self.writes { "reading and writing" } else { "reading" })
    }
}

/// What the name of a key says: whom it opens, and by which program. Of a service's key, only the name.
#[must_use]
pub fn of_key(name: &str) -> (&str, Program) {
    match name.rsplit_once('.') {
        Some((whom, "rsync")) => (whom, Program::Rsync),
        Some((whom, "git")) => (whom, Program::Git),
        _ => (name, Program::Sftp),
    }
}
