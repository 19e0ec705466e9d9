//! What the machine's state folder holds, as the probe brings it.

use super::elsewhere::Elsewhere;
use crate::model::Privilege;

/// What a machine keeps for fleetprov, raw: nothing of it has been understood or believed yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// The state folder that was asked for, for messages.
    pub state: String,
    /// The file `record`, whole: heading line and JSON. `None` when there is none.
    pub record: Option<Vec<u8>>,
    /// `runs/RUN/run` of the run that the record's heading names.
    pub run: Option<Vec<u8>>,
    /// `runs/RUN/progress` of the same run.
    pub progress: Option<Vec<u8>>,
    /// Whether there are runs that changed something, though there is no record.
    pub has_runs: bool,
    /// Why what is there cannot be read: it is no plain file, belongs to another user, is too large.
    pub unreadable: Option<String>,
    /// What was found of other records of this machine, perhaps of other fleets.
    pub elsewhere: Vec<Elsewhere>,
    /// The run whose guarded steps are put back unless they are confirmed.
    pub armed: Option<String>,
    /// The identity of the machine's present boot (`/proc/sys/kernel/random/boot_id`); empty when it is
    /// not known.
    pub boot: String,
    /// The digest of record and progress as they are, 64 hexadecimal digits, or `absent`.
    pub seen: String,
}

/// Under which login and with whose rights a machine is managed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The login user's name.
    pub user: String,
    /// How root's rights are had: `login` (not at all, or the login is root's), `sudo` or `doas`.
    pub privilege: String,
}

impl Login {
    /// A login as it is kept; a password is not.
    #[must_use]
    pub fn new(user: impl Into<String>, privilege: &Privilege) -> Self {
        let privilege = match privilege {
            Privilege::Login => "login",
            Privilege::Sudo { .. } => "sudo",
            Privilege::Doas => "doas",
        };
        Self { user: user.into(), privilege: privilege.to_owned() }
    }
}
