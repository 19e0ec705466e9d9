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
}

/// One SSH server and the login there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Login name.
    pub user: String,
    /// Host name or address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// The key to show.
    pub identity: Identity,
}

/// Which private key opens a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// A private key file on the controller.
    File(PathBuf),
    /// Whatever the SSH agent holds.
    Agent,
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
