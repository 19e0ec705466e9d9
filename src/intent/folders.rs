//! Where fleetprov's own files go on a machine, and who runs what it schedules.

use crate::model::{Facts, MachinePath, MachinePathError};
use crate::resource::directory::Directory;
use crate::resource::{Declared, Origin};

/// The user that schedules and mounts run as: root where operations run as root, else the login user.
#[must_use]
pub fn runner(facts: &Facts) -> &str {
    if facts.root { "root" } else { &facts.user }
}

/// The home of [`runner`], absolute.
#[must_use]
pub fn runner_home(facts: &Facts) -> &str {
    if facts.root && facts.user != "root" { "/root" } else { &facts.home }
}

/// A folder for scripts: `/usr/local/lib/fleetprov/BELOW`, without root `~/.local/lib/fleetprov/BELOW`.
///
/// # Errors
/// When the home is no absolute path.
pub fn scripts(facts: &Facts, below: &str) -> Result<MachinePath, MachinePathError> {
    let base = if facts.root { "/usr/local".to_owned() } else { format!("{}/.local", facts.home) };
    MachinePath::new(&format!("{base}/lib/fleetprov/{below}"))
}

/// A folder for logs: `/var/log/fleetprov/BELOW`, without root `~/.local/state/fleetprov/BELOW`.
///
/// # Errors
/// When the home is no absolute path.
pub fn logs(facts: &Facts, below: &str) -> Result<MachinePath, MachinePathError> {
    let base = if facts.root { "/var/log".to_owned() } else { format!("{}/.local/state", facts.home) };
    MachinePath::new(&format!("{base}/fleetprov/{below}"))
}

/// One of these folders as a resource: the runner's.
pub(super) fn declared(path: MachinePath, mode: u32, facts: &Facts, origin: &Origin) -> Declared {
    let owner = runner(facts).to_owned();
    Declared::new(Directory { path, owner, group: None, mode }, origin.clone())
}
