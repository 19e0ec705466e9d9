//! What an SSH connector is told once for all machines.

use std::path::PathBuf;
use std::time::Duration;

use crate::transport::known_hosts::KnownHosts;

/// How to log in over SSH.
#[derive(Clone, Debug)]
pub struct SshOptions {
    /// The hosts that are trusted.
    pub known_hosts: KnownHosts,
    /// For the TCP connection to one hop, name lookup included. 10 s by default.
    pub connect_timeout: Duration,
    /// For the whole way to a machine, from the name lookup of the first jump host to the answer to
    /// the last login. 30 s by default.
    pub login_timeout: Duration,
    /// For the server's answer when a channel is opened. 30 s by default.
    pub channel_timeout: Duration,
    /// After so long without a word from the machine it is asked for one. 15 s by default.
    pub keepalive_interval: Duration,
    /// So many questions may stay unanswered; the next one that would be due ends the connection.
    /// 3 by default, so that a silent machine is given up after a minute.
    pub keepalive_count: usize,
    /// Where the SSH agent listens, for logins that use it. By default what `SSH_AUTH_SOCK` says, on
    /// Windows the pipe of the OpenSSH agent.
    pub agent: Option<PathBuf>,
}

impl SshOptions {
    /// The default times, with these trusted hosts.
    #[must_use]
    pub fn new(known_hosts: KnownHosts) -> Self {
        let default_agent = cfg!(windows).then(|| PathBuf::from(r"\\.\pipe\openssh-ssh-agent"));
        Self {
            known_hosts,
            connect_timeout: Duration::from_secs(10),
            login_timeout: Duration::from_secs(30),
            channel_timeout: Duration::from_secs(30),
            keepalive_interval: Duration::from_secs(15),
            keepalive_count: 3,
            agent: std::env::var_os("SSH_AUTH_SOCK").map(PathBuf::from).or(default_agent),
        }
    }

    /// How long a machine may take nothing of what is sent to it: as long as it may be silent.
    pub(super) fn stall_limit(&self) -> Duration {
        let intervals = u32::try_from(self.keepalive_count).unwrap_or(u32::MAX).saturating_add(1);
        self.keepalive_interval.saturating_mul(intervals)
    }
}
