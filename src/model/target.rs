//! Where a machine is and how one gets in.

use std::path::PathBuf;

use super::name::MachineName;
use super::secret::Secret;

/// How to reach one machine and with which rights.
#[derive(Clone, Debug)]
pub struct Target {
    /// The machine's name, for messages.
    pub machine: MachineName,
    /// The way there.
    pub method: Method,
    /// The rights operations run with.
    pub privilege: Privilege,
}

/// The way to a machine.
#[derive(Clone, Debug)]
pub enum Method {
    /// This computer itself.
    Local,
    /// Over SSH.
    Ssh(SshTarget),
}

/// An SSH login.
#[derive(Clone, Debug)]
pub struct SshTarget {
    /// The machine itself.
    pub hop: Hop,
    /// Jump hosts, in the order they are passed; each is logged in to with the same identity rules.
    pub jumps: Vec<Hop>,
    /// The login the machine had before its address, port or user was changed; behind the same jumps.
    pub former: Option<Hop>,
}

impl Target {
    /// The former way to the machine, when there is one: what is tried when the declared one does not
    /// answer yet. A former login of root needs nothing more to have root's rights.
    #[must_use]
    pub fn former(&self) -> Option<Self> {
        let Method::Ssh(ssh) = &self.method else { return None };
        let hop = ssh.former.clone()?;
        let privilege = if hop.user == "root" { Privilege::Login } else { self.privilege.clone() };
        let method = Method::Ssh(SshTarget { hop, jumps: ssh.jumps.clone(), former: None });
        Some(Self { machine: self.machine.clone(), method, privilege })
    }
}

impl std::fmt::Display for Hop {
    /// `USER@HOST:PORT`, an IPv6 address in brackets.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (user, host, port) = (&self.user, &self.host, self.port);
        if host.contains(':') {
            write!(formatter, "{user}@[{host}]:{port}")
        } else {
            write!(formatter, "{user}@{host}:{port}")
        }
    }
}

/// One SSH server and the login there.
#[derive(Clone, Debug, PartialEq)]
pub struct Hop {
    /// Login name.
    pub user: String,
    /// Host name or address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// What to show, one after the other, until the server lets us in.
    pub identities: Vec<Identity>,
}

/// What opens a login.
#[derive(Clone, Debug)]
pub enum Identity {
    /// A private key file on the controller.
    File(PathBuf),
    /// Whatever the SSH agent holds.
    Agent,
    /// A private key in memory.
    Key {
        /// Where it comes from, for messages.
        name: String,
        /// Its text, in OpenSSH's form.
        key: Secret,
    },
    /// A password, until there is a key.
    Password(Secret),
}

impl PartialEq for Identity {
    /// Keys in memory are the same when they come from the same place; a password is like no other, since
    /// secrets are not compared.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File(one), Self::File(other)) => one == other,
            (Self::Agent, Self::Agent) => true,
            (Self::Key { name: one, .. }, Self::Key { name: other, .. }) => one == other,
            _ => false,
        }
    }
}

/// The rights operations run with, after the login.
#[derive(Clone, Debug)]
pub enum Privilege {
    /// The login user's own.
    Login,
    /// Root's, by `sudo`, without a password unless one is given.
    Sudo {
        /// The login user's password, when sudo asks for it.
        password: Option<Secret>,
    },
    /// Root's, by `doas`, which must not ask for a password (it reads one only from a terminal).
    Doas,
}
