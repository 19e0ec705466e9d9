//! Who logs in to the machines, and what they will say of themselves.

use std::path::Path;

use super::error::DemoError;
use super::machine::Machine;
use crate::model::Init;

/// Who logs in to the machines, and what they will say of themselves.
#[derive(Clone, Debug)]
pub(super) struct Login {
    /// The user's name, or its number when it has none.
    pub(super) user: String,
    /// The user's home as the machine knows it; none when it knows none.
    pub(super) home: Option<String>,
    /// What runs services there.
    pub(super) init: Init,
}

impl Login {
    /// Root on a machine with a root of its own. A machine that is a folder is this computer, and
    /// the user is ourselves.
    ///
    /// # Errors
    /// [`DemoError::System`] when the machine does not say who we are.
    pub(super) async fn of(machine: &Machine) -> Result<Self, DemoError> {
        // The name may be missing, in a container say; the shell leaves an unknown user's ~ as it is.
        let asked = "user=$(id -un 2>/dev/null) || user=$(id -u); eval \"printf '%s\\n%s\\n' $user ~$user\"";
        let output =
            machine.output(asked).await.map_err(|error| DemoError::system("ask who we are", error))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let mut lines = text.lines();
        let user = lines.next().filter(|user| !user.is_empty());
        let user = user.ok_or_else(|| DemoError::system("ask who we are", "there is no answer"))?;
        let home = lines.next().filter(|home| home.starts_with('/'));
        // As sd_booted(3) finds out.
        let booted = machine.is_this_computer() && Path::new("/run/systemd/system").is_dir();
        let init = if booted { Init::Systemd } else { Init::Sysv };
        Ok(Self { user: user.to_owned(), home: home.map(str::to_owned), init })
    }
}
