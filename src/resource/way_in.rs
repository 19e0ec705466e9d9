//! What can cut the way in to a machine: the one table of paths, services and packages that a login over
//! SSH depends on (contract C6). What it names is changed last, with a revert armed.

use crate::format::unit::unescape_path;
use crate::model::MachinePath;

/// Paths, a `*` standing for any characters but `/`; `/**` at the end for the folder itself and
/// whatever is below it. Debian 12, Alpine 3.20 and the manuals of the programs named.
const PATHS: &[&str] = &[
    // Keys of users, and what sshd checks on the way to them (StrictModes, sshd_config(5)).
    "**/.ssh",
    "**/.ssh/authorized_keys*",
    "**/.ssh/rc",
    "**/.ssh/environment",
    "/root",
    "/home",
    "/home/*",
    // The servers.
    "/etc/ssh",
    "/etc/ssh/sshd_config*",
    "/etc/ssh/sshd_config.d/**",
    "/etc/ssh/ssh_host_*",
    "/etc/ssh/authorized_keys*/**",
    "/etc/ssh/sshd_not_to_be_run",
    "/etc/ssh/sshrc",
    "/etc/dropbear*/**",
    "/etc/default/ssh",
    "/etc/default/dropbear",
    // Who may become root.
    "/etc/sudoers",
    "/etc/sudoers.d/**",
    "/etc/doas.conf",
    "/etc/doas.d/**",
    // Firewalls.
    "/etc/nftables.conf",
    "/etc/nftables.nft",
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
    // What every login shell reads, ours among them: sshd starts it by the user's own shell (sshd(8), LOGIN
    // PROCESS; bash(1), zsh(1), tcsh(1), fish(1), pam_env(8)).
    "/etc/environment",
    "/etc/profile*/**",
    "/etc/bash.bashrc",
    "/etc/bashrc",
    "/etc/zshenv",
    "/etc/zsh/**",
    "/etc/csh.*",
    "/etc/mkshrc",
    "/etc/fish/**",
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

/// What the shell of a login reads below the login user's home.
const AT_HOME: &[&str] = &[
    ".bashrc",
    ".bash_profile",
    ".bash_login",
    ".profile",
    ".kshrc",
    ".mkshrc",
    ".zshenv",
    ".zprofile",
    ".zshrc",
    ".zlogin",
    ".cshrc",
    ".tcshrc",
    ".login",
    ".pam_environment",
    ".config/fish/**",
];

/// Folders that nothing may be mounted on, nor above, unguarded; beside the login user's home.
const UNDER_MOUNTS: &[&str] =
    &["/", "/etc", "/usr", "/var", "/var/lib", "/var/lib/fleetprov", "/root", "/home", "/home/*"];

/// Where systemd reads units from (`systemd.unit(5)`).
const UNIT_FOLDERS: &[&str] = &[
    "/etc/systemd/system/",
    "/run/systemd/system/",
    "/usr/local/lib/systemd/system/",
    "/usr/lib/systemd/system/",
    "/lib/systemd/system/",
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

/// Whether the way in can depend on what is at a path, whoever logs in.
#[must_use]
pub fn leads_through(path: &MachinePath) -> bool {
    PATHS.iter().any(|pattern| path_fits(pattern, path.as_str())) || unit_in(path.as_str()).is_some()
}

/// Whether the way in can depend on a systemd unit, given by its whole name, whoever logs in.
#[must_use]
pub fn needs_unit(name: &str) -> bool {
    match name.rsplit_once('.') {
        Some((stem, "service" | "socket")) => needs_service(stem),
        Some(_) => mounted_by(name).is_some_and(|at| UNDER_MOUNTS.iter().any(|place| fits(place, &at))),
        None => false,
    }
}

/// Where a unit mounts something, when it is one that mounts.
pub(super) fn mounted_by(unit: &str) -> Option<String> {
    match unit.rsplit_once('.')? {
        (stem, "mount" | "automount") => unescape_path(stem),
        _ => None,
    }
}

/// The unit that the way in depends on and that a path is a part of: its file, its drop-ins, or what has it
/// started (`WANTED.wants/UNIT`).
pub(super) fn unit_in(path: &str) -> Option<&str> {
    unit_names(path).find(|name| needs_unit(name))
}

/// The names of units that a path in a folder of units can be a part of.
pub(super) fn unit_names(path: &str) -> impl Iterator<Item = &str> {
    let below = UNIT_FOLDERS.iter().find_map(|folder| path.strip_prefix(folder)).unwrap_or_default();
    below.split('/').map(|part| {
        [".d", ".wants", ".requires"].iter().find_map(|end| part.strip_suffix(end)).unwrap_or(part)
    })
}

/// Whether the shell of a login reads what is at a path, given relative to the home.
pub(super) fn is_read_at_login(below_home: &str) -> bool {
    AT_HOME.iter().any(|pattern| path_fits(pattern, below_home))
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

pub(super) fn path_fits(pattern: &str, path: &str) -> bool {
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
            "/etc/nftables.nft",
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
            "/etc/systemd/system/multi-user.target.wants/ssh.service",
            "/etc/systemd/system/root.mount",
            "/usr/lib/systemd/system/home-alice.automount",
            "/etc/systemd/system/local-fs.target.wants/etc.mount",
            "/etc/bash.bashrc",
            "/etc/profile.d/x.sh",
            "/etc/zsh/zshenv",
            "/etc/environment",
            "/etc/ssh/sshrc",
            "/home/alice/.ssh/rc",
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
            "/etc/systemd/system/mnt-data.mount",
            "/etc/systemd/system/home-alice-data.mount",
            "/home/alice/.bashrc",
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
            "root.mount",
            "home.automount",
            "-.mount",
        ] {
            assert!(needs_unit(unit), "{unit}");
        }
        for unit in ["ssh", "ssh.timer", "srv.mount", "nginx.service", "sshguard.service"] {
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
