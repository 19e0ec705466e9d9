//! Where a seat keeps what is its own: its identity, and its access keys sealed to that identity.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The file of the seat's identity in its folder: an age identity (`AGE-SECRET-KEY-1…`), 0600.
pub const IDENTITY: &str = "identity";

/// What the environment says of a person's folders. An empty value counts as none.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// `XDG_CONFIG_HOME`; one that is not absolute is no value, as the XDG base directory
    /// specification has it.
    pub config_home: Option<OsString>,
    /// `HOME`.
    pub home: Option<OsString>,
    /// `APPDATA`, where the system is Windows.
    pub application_data: Option<OsString>,
}

impl Surroundings {
    /// As this process has them.
    #[must_use]
    pub fn here() -> Self {
        Self {
            config_home: std::env::var_os("XDG_CONFIG_HOME"),
            home: std::env::var_os("HOME"),
            application_data: if cfg!(windows) { std::env::var_os("APPDATA") } else { None },
        }
    }
}

/// The seat's folder: `%APPDATA%\fleetprov` where there is such a thing, else
/// `$XDG_CONFIG_HOME/fleetprov`, else `~/.config/fleetprov`. None when the environment names no home.
#[must_use]
pub fn seat_folder(surroundings: &Surroundings) -> Option<PathBuf> {
    let given = |value: &Option<OsString>| value.clone().filter(|value| !value.is_empty()).map(PathBuf::from);
    given(&surroundings.application_data)
        .or_else(|| given(&surroundings.config_home).filter(|path| path.is_absolute()))
        .or_else(|| given(&surroundings.home).map(|home| home.join(".config")))
        .map(|folder| folder.join("fleetprov"))
}

/// The identity in a seat's folder, when there is one.
#[must_use]
pub fn seat_identity(folder: &Path) -> Option<PathBuf> {
    let path = folder.join(IDENTITY);
    path.is_file().then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(application_data: &str, config_home: &str, home: &str) -> Option<PathBuf> {
        let some = |text: &str| Some(OsString::from(text));
        seat_folder(&Surroundings {
            config_home: some(config_home),
            home: some(home),
            application_data: some(application_data),
        })
    }

    #[test]
    fn the_folder_follows_the_environment() {
        let is = |path: &str| Some(PathBuf::from(path));
        assert_eq!(folder("", "/c", "/h"), is("/c/fleetprov"));
        assert_eq!(folder("", "", "/h"), is("/h/.config/fleetprov"));
        assert_eq!(folder("", "c", "/h"), is("/h/.config/fleetprov"), "a relative one is no value");
        assert_eq!(folder("/a", "/c", "/h"), is("/a/fleetprov"));
        assert_eq!(folder("", "", ""), None);
        assert_eq!(seat_folder(&Surroundings::default()), None);
    }

    #[test]
    fn an_identity_that_is_not_there_is_none() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(seat_identity(folder.path()), None);
        let path = folder.path().join("identity");
        std::fs::write(&path, "x").unwrap();
        assert_eq!(seat_identity(folder.path()), Some(path));
    }
}
