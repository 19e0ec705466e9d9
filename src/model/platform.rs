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
}
