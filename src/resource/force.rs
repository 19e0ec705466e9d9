//! When what is changed comes into force: who reads a file that the way in depends on, and how it is told.
//! A change that nobody has read yet proves nothing (contract C6).

use crate::model::MachinePath;
use crate::resource::way_in::{path_fits, unit_in};

/// When a changed file comes into force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    /// At the next login.
    AtLogin,
    /// When a service reads it anew.
    Read(Reader),
    /// When something restarts that could cut everything off, or the machine: it is not tried.
    Later,
    /// It is not known who reads it.
    Unknown,
}

/// A service that reads files, and how it is told to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reader {
    /// Its name: of the machine's function `fp_force`.
    pub name: &'static str,
    /// How.
    pub how: How,
}

/// How a service reads its files anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// It is told to.
    Reload,
    /// It is stopped and started: it does not read this file when it is told to.
    Restart,
}

impl How {
    /// The word of the machine's function.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Reload => "reload",
            Self::Restart => "restart",
        }
    }
}

impl Reader {
    /// The services it can run as, without a suffix.
    #[must_use]
    pub fn services(self) -> &'static [&'static str] {
        match self.name {
            "ssh" => &["ssh", "sshd"],
            "iptables" => &["netfilter-persistent", "iptables", "ip6tables"],
            "dropbear" => &["dropbear"],
            "nftables" => &["nftables"],
            "ufw" => &["ufw"],
            "firewalld" => &["firewalld"],
            _ => &[],
        }
    }

    /// As a person calls it.
    #[must_use]
    pub fn title(self) -> &'static str {
        if self.name == "ssh" { "sshd" } else { self.name }
    }
}

/// Who reads what, and how; paths as in [`super::way_in`]. What `sshd -D` was started with is read at its start
/// only. `nft -f` adds to the rules that are there, so only a restart gives what the next start gives.
const READERS: &[(&str, &str, How)] = &[
    ("/etc/ssh", "ssh", How::Reload),
    ("/etc/ssh/sshd_config*", "ssh", How::Reload),
    ("/etc/ssh/sshd_config.d/**", "ssh", How::Reload),
    ("/etc/ssh/ssh_host_*", "ssh", How::Reload),
    ("/etc/default/ssh", "ssh", How::Restart),
    ("/etc/dropbear/**", "dropbear", How::Restart),
    ("/etc/default/dropbear", "dropbear", How::Restart),
    ("/etc/nftables.conf", "nftables", How::Restart),
    ("/etc/nftables.nft", "nftables", How::Restart),
    ("/etc/nftables.d/**", "nftables", How::Restart),
    ("/etc/iptables/**", "iptables", How::Reload),
    ("/etc/ufw/**", "ufw", How::Reload),
    ("/etc/default/ufw", "ufw", How::Reload),
    ("/etc/firewalld/**", "firewalld", How::Reload),
];

/// What is read when the machine or its network starts.
const LATER: &[&str] = &[
    "/etc/network/**",
    "/etc/netplan/**",
    "/etc/systemd/network/**",
    "/etc/systemd/networkd.conf*/**",
    "/etc/NetworkManager/**",
    "/etc/dropbear-*/**",
    "/etc/ssh/sshd_not_to_be_run",
];

const NAMES: &[&str] = &["ssh", "dropbear", "nftables", "iptables", "ufw", "firewalld"];

/// The reader that runs as a service, given without a suffix.
#[must_use]
pub fn reader_of(service: &str) -> Option<Reader> {
    let readers = NAMES.iter().map(|name| Reader { name, how: How::Restart });
    readers.into_iter().find(|reader| reader.services().contains(&service))
}

/// Whether a service is a firewall: one that does not run lets everybody in.
#[must_use]
pub fn is_wall(reader: Reader) -> bool {
    !matches!(reader.name, "ssh" | "dropbear")
}

/// When a change of a path that the way in leads through comes into force.
#[must_use]
pub fn force(path: &MachinePath) -> Force {
    let text = path.as_str();
    if let Some(unit) = unit_in(text) {
        let stem = unit.rsplit_once('.').map_or(unit, |(stem, _)| stem);
        let door = reader_of(stem).filter(|reader| !is_wall(*reader));
        return door.map_or(Force::Later, Force::Read);
    }
    if LATER.iter().any(|pattern| path_fits(pattern, text)) {
        return Force::Later;
    }
    if let Some((_, name, how)) = READERS.iter().find(|(pattern, _, _)| path_fits(pattern, text)) {
        return Force::Read(Reader { name, how: *how });
    }
    if super::way_in::leads_through(path) { Force::AtLogin } else { Force::Unknown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_reads_what_is_known() {
        let of = |path: &str| force(&MachinePath::new(path).unwrap());
        let read = |name, how| Force::Read(Reader { name, how });
        for (path, expected) in [
            ("/etc/ssh/sshd_config.d/10-x.conf", read("ssh", How::Reload)),
            ("/etc/default/ssh", read("ssh", How::Restart)),
            ("/etc/systemd/system/ssh.service.d/port.conf", read("ssh", How::Restart)),
            ("/etc/systemd/system/multi-user.target.wants/ssh.service", read("ssh", How::Restart)),
            ("/etc/nftables.conf", read("nftables", How::Restart)),
            ("/etc/nftables.d/a/b.nft", read("nftables", How::Restart)),
            ("/etc/iptables/rules.v4", read("iptables", How::Reload)),
            ("/etc/network/interfaces", Force::Later),
            ("/etc/systemd/system/systemd-networkd.service.d/a.conf", Force::Later),
            ("/etc/systemd/system/root.mount", Force::Later),
            ("/root/.ssh/authorized_keys", Force::AtLogin),
            ("/etc/sudoers.d/x", Force::AtLogin),
            ("/etc/firewall.nft", Force::Unknown),
        ] {
            assert_eq!(of(path), expected, "{path}");
        }
    }
}
