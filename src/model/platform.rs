//! What a machine is, as far as that decides how it is spoken to and what files it gets.

use std::fmt;

/// The systems fleetprov knows by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Platform {
    /// Debian and its children: apt, systemd unless declared otherwise.
    Debian,
    /// Alpine and other `BusyBox` systems.
    Alpine,
    /// Synology DSM.
    Synology,
    /// QNAP QTS.
    Qnap,
    /// macOS.
    Macos,
    /// Windows with OpenSSH.
    Windows,
}

impl Platform {
    /// All, with the word the inventory uses.
    pub const ALL: &'static [(&'static str, Self)] = &[
        ("debian", Self::Debian),
        ("alpine", Self::Alpine),
        ("synology", Self::Synology),
        ("qnap", Self::Qnap),
        ("macos", Self::Macos),
        ("windows", Self::Windows),
    ];

    /// Whether this version can apply to it. The others validate, and say so at plan time.
    #[must_use]
    pub fn is_supported(self) -> bool {
        matches!(self, Self::Debian)
    }

    /// The folder that holds a user's home when none is declared.
    #[must_use]
    pub fn default_home(self, user: &str) -> String {
        match (self, user) {
            (Self::Macos, "root") => "/var/root".to_owned(),
            (Self::Macos, _) => format!("/Users/{user}"),
            (Self::Windows, _) => format!("/C:/Users/{user}"),
            (Self::Synology, "admin" | "root") | (_, "root") => "/root".to_owned(),
            (Self::Synology, _) => format!("/var/services/homes/{user}"),
            (Self::Qnap, _) => format!("/share/homes/{user}"),
            (_, _) => format!("/home/{user}"),
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.iter().find(|(_, platform)| platform == self).map_or("", |(name, _)| *name);
        formatter.pad(name)
    }
}

/// What starts services and runs schedules on a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Init {
    /// systemd: units and timers.
    Systemd,
    /// `/etc/init.d` scripts and cron.
    Sysv,
}

impl Init {
    /// All, with the word the inventory uses.
    pub const ALL: &'static [(&'static str, Self)] = &[("systemd", Self::Systemd), ("sysv", Self::Sysv)];
}

impl fmt::Display for Init {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Systemd => "systemd",
            Self::Sysv => "sysv",
        })
    }
}

/// What expansion needs to know of a machine before anyone has asked it.
///
/// Declared in the inventory or derived from the platform; the probe compares them with what the
/// machine says, and a difference resolves the machine's resources again, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// What it is.
    pub platform: Platform,
    /// What runs its services.
    pub init: Init,
    /// The login user's name.
    pub user: String,
    /// The login user's home (absolute). `~` means this, also under sudo, where HOME is root's.
    pub home: String,
    /// Whether operations run as root (a root login, sudo or doas).
    pub root: bool,
    /// Where the inventory says that the machine's record lies (absolute); [`Facts::state_folder`]
    /// is where it does.
    pub state: Option<String>,
}

/// Where root's record lies when nothing else is declared (Filesystem Hierarchy Standard, 5.8).
const ROOT_STATE: &str = "/var/lib/fleetprov";
/// The same of another user, below the home (XDG base directories: what outlives a restart and is no
/// data of the user's).
const USER_STATE: &str = ".local/state/fleetprov";

impl Facts {
    /// The folder on the machine that holds fleetprov's record of it (absolute): the declared one, root's,
    /// or one in the login user's home. It follows what the probe has corrected.
    #[must_use]
    pub fn state_folder(&self) -> String {
        match &self.state {
            Some(declared) => declared.clone(),
            None if self.root => ROOT_STATE.to_owned(),
            None => self.state_at_home(),
        }
    }

    /// The folder the login would have without root's rights, when none were declared.
    #[must_use]
    pub fn home_state_folder(&self) -> String {
        self.state_at_home()
    }

    /// The file on the machine that says where the records are that these rights reach, for other logins and
    /// later inventories to find; `None` where the record is where everybody with the right to read it looks.
    #[must_use]
    pub fn state_notice(&self) -> Option<String> {
        let default = if self.root { ROOT_STATE.to_owned() } else { self.state_at_home() };
        (self.root || self.state.is_some()).then(|| format!("{default}.fleets"))
    }

    fn state_at_home(&self) -> String {
        format!("{}/{USER_STATE}", self.home.trim_end_matches('/'))
    }
}

/// What a machine says of itself, in the words of [`Facts`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineFacts {
    /// The number of the user that operations run as.
    pub uid: u32,
    /// The login user's home, when the machine knows the user.
    pub home: Option<String>,
    /// What runs its services.
    pub init: Init,
    /// The kernel's name (`uname -s`).
    pub system: String,
    /// Lines of sshd's settings that say where it looks for keys, as far as they may be read.
    pub sshd: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(user: &str, home: &str, root: bool) -> Facts {
        Facts {
            platform: Platform::Debian,
            init: Init::Systemd,
            user: user.to_owned(),
            home: home.to_owned(),
            root,
            state: None,
        }
    }

    #[test]
    fn the_record_lies_where_the_rights_reach() {
        let (root, home) = ("/var/lib/fleetprov", "/home/ops/.local/state/fleetprov");
        let cases = [
            (facts("root", "/root", true), root, Some(root)),
            (facts("ops", "/home/ops", true), root, Some(root)),
            (facts("ops", "/home/ops/", false), home, None),
            (
                Facts { state: Some("/share/record".to_owned()), ..facts("ops", "/home/ops", false) },
                "/share/record",
                Some(home),
            ),
        ];
        for (facts, own, noted_at) in cases {
            let notice = noted_at.map(|default| format!("{default}.fleets"));
            assert_eq!((facts.state_folder().as_str(), facts.state_notice()), (own, notice), "{facts:?}");
        }
        let mut corrected = facts("ops", "/home/ops", true);
        corrected.root = false;
        corrected.home = "/srv/ops".to_owned();
        assert_eq!(corrected.state_folder(), "/srv/ops/.local/state/fleetprov");
    }
}
