//! What can cut the way in to a machine: the one table of paths, services and packages that a login over
//! SSH depends on (contract C6). What it names is changed last, with a revert armed.

use crate::model::MachinePath;

/// Paths, a `*` standing for any characters but `/`; `/**` at the end for the folder itself and
/// whatever is below it. Debian 12, Alpine 3.20 and the manuals of the programs named.
const PATHS: &[&str] = &[
    // Keys of users, and what sshd checks on the way to them (StrictModes, sshd_config(5)).
    "**/.ssh",
    "**/.ssh/authorized_keys*",
    "/root",
    "/home",
    "/home/*",
    // The servers.
    "/etc/ssh",
    "/etc/ssh/sshd_config*",
    "/etc/ssh/sshd_config.d/**",
    "/etc/ssh/ssh_host_*",
    "/etc/ssh/authorized_keys*/**",
    "/etc/dropbear*/**",
    "/etc/default/ssh",
    "/etc/default/dropbear",
    "/etc/systemd/system/ssh.service*/**",
    "/etc/systemd/system/ssh.socket*/**",
    "/etc/systemd/system/sshd.service*/**",
    "/etc/systemd/system/sshd.socket*/**",
    // Who may become root.
    "/etc/sudoers",
    "/etc/sudoers.d/**",
    "/etc/doas.conf",
    "/etc/doas.d/**",
    // Firewalls.
    "/etc/nftables.conf",
    "/etc/nftables.d/**",
    "/etc/iptables/**",
    "/etc/ufw/**",
    "/etc/default/ufw",
    "/etc/firewalld/**",
    "/etc/hosts.allow",
    "/etc/hosts.deny",
    // Users and how they log in.
    "/etc/passwd",
    "/etc/shadow",
    "/etc/group",
    "/etc/gshadow",
    "/etc/nologin",
    "/etc/login.defs",
    "/etc/nsswitch.conf",
    "/etc/shells",
    "/etc/pam.conf",
    "/etc/pam.d/**",
    "/etc/security/**",
    // The network.
    "/etc/network/**",
    "/etc/netplan/**",
    "/etc/systemd/network/**",
    "/etc/systemd/networkd.conf*/**",
    "/etc/NetworkManager/**",
    // How all of these start.
    "/etc",
    "/",
];

/// Services without their suffix; a `*` as in [`PATHS`].
const SERVICES: &[&str] = &[
    "ssh",
    "sshd",
    "ssh@*",
    "sshd@*",
    "dropbear*",
    "nftables",
    "iptables",
    "ip6tables",
    "netfilter-persistent",
    "ufw",
    "firewalld",
    "systemd-networkd",
    "networking",
    "network",
    "NetworkManager",
    "systemd-logind",
];

/// The suffixes of units that matter.
const SUFFIXES: &[&str] = &["service", "socket"];

/// Packages without their architecture; a `*` as in [`PATHS`].
const PACKAGES: &[&str] = &[
    "openssh-server",
    "dropbear*",
    "sudo",
    "sudo-ldap",
    "doas",
    "opendoas",
    "nftables",
    "iptables*",
    "netfilter-persistent",
    "ufw",
    "firewalld",
    "network-manager",
    "ifupdown*",
    "netplan.io",
];

/// Whether the way in can depend on what is at a path.
#[must_use]
pub fn leads_through(path: &MachinePath) -> bool {
    PATHS.iter().any(|pattern| path_fits(pattern, path.as_str()))
}

/// Whether the way in can depend on a systemd unit, given by its whole name.
#[must_use]
pub fn needs_unit(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(stem, suffix)| SUFFIXES.contains(&suffix) && needs_service(stem))
}

/// Whether the way in can depend on a service, given without a suffix.
#[must_use]
pub fn needs_service(name: &str) -> bool {
    SERVICES.iter().any(|pattern| fits(pattern, name))
}

/// Whether the way in can depend on a package.
#[must_use]
pub fn needs_package(name: &str) -> bool {
    let name = name.split_once(':').map_or(name, |(name, _)| name);
    PACKAGES.iter().any(|pattern| fits(pattern, name))
}

fn path_fits(pattern: &str, path: &str) -> bool {
    if let Some(rest) = pattern.strip_prefix("**") {
        return path
            .match_indices('/')
            .any(|(start, _)| path.get(start..).is_some_and(|path| fits(rest, path)));
    }
    match pattern.strip_suffix("/**") {
        Some(folder) => {
            let parts = folder.matches('/').count();
            let end = path.match_indices('/').nth(parts).map_or(path.len(), |(end, _)| end);
            path.get(..end).is_some_and(|path| fits(folder, path))
        }
        None => fits(pattern, path),
    }
}

/// Whether a text fits a pattern in which `*` stands for any characters but `/`, none included.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            let end = rest.find('/').unwrap_or(rest.len());
            (0..=end).filter_map(|place| rest.get(place..)).any(|rest| fits(after, rest))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leads(path: &str) -> bool {
        leads_through(&MachinePath::new(path).unwrap())
    }

    #[test]
    fn the_way_in_leads_through_keys_servers_rights_walls_users_and_networks() {
        for path in [
            "/root/.ssh/authorized_keys",
            "/home/alice/.ssh/authorized_keys2",
            "/volume1/homes/alice/.ssh",
            "/home/alice",
            "/etc/ssh/sshd_config",
            "/etc/ssh/sshd_config.d/10-port.conf",
            "/etc/ssh/sshd_config.d",
            "/etc/ssh/ssh_host_ed25519_key",
            "/etc/dropbear/authorized_keys",
            "/etc/dropbear-initramfs/config",
            "/etc/systemd/system/ssh.service.d/port.conf",
            "/etc/systemd/system/ssh.service",
            "/etc/sudoers",
            "/etc/sudoers.d/fleet",
            "/etc/doas.conf",
            "/etc/nftables.conf",
            "/etc/nftables.d/ssh/rules.nft",
            "/etc/iptables/rules.v4",
            "/etc/ufw/user.rules",
            "/etc/passwd",
            "/etc/shadow",
            "/etc/group",
            "/etc/pam.d/sshd",
            "/etc/security/access.conf",
            "/etc/network/interfaces",
            "/etc/netplan/01.yaml",
            "/etc/systemd/network/10-eth.network",
            "/etc/NetworkManager/system-connections/a",
            "/etc/hosts.allow",
            "/etc/hosts.deny",
        ] {
            assert!(leads(path), "{path}");
        }
    }

    #[test]
    fn it_does_not_lead_through_the_rest() {
        for path in [
            "/etc/resolv.conf",
            "/etc/ssh/ssh_config",
            "/etc/ssh/ssh_known_hosts",
            "/home/alice/.ssh/id_ed25519",
            "/home/alice/.ssh/known_hosts",
            "/home/alice/notes",
            "/home/alice/.sshd",
            "/etc/hosts",
            "/etc/sudoers.dist",
            "/etc/networks",
            "/etc/systemd/system/report.service",
            "/etc/systemd/network.txt",
            "/srv/etc/passwd",
            "/srv",
        ] {
            assert!(!leads(path), "{path}");
        }
    }

    #[test]
    fn services_and_packages_are_named() {
        for unit in [
            "ssh.service",
            "ssh.socket",
            "sshd.service",
            "dropbear.socket",
            "nftables.service",
            "ufw.service",
        ] {
            assert!(needs_unit(unit), "{unit}");
        }
        for unit in ["ssh", "ssh.timer", "nginx.service", "sshguard.service"] {
            assert!(!needs_unit(unit), "{unit}");
        }
        for package in
            ["openssh-server", "dropbear-bin", "sudo", "iptables-persistent", "netplan.io", "sudo:amd64"]
        {
            assert!(needs_package(package), "{package}");
        }
        for package in ["openssh-client", "rclone", "nginx"] {
            assert!(!needs_package(package), "{package}");
        }
    }
}
