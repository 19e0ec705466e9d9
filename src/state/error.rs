//! Why what a machine remembers cannot be used.

/// What to do about a file beside the record: with the record away, nothing of it is asked for.
const MOVE_RECORD_AWAY: &str = "or move `record` in the state folder away: what is there counts as not made by fleetprov from then on, \
     and is never removed";

/// What to do about a record that cannot be used, said once.
const MOVE_AWAY: &str =
    "or move it away: what is there counts as not made by fleetprov from then on, and is never removed";

/// What a machine remembers cannot be used. Nothing is changed on it then, and nothing is replaced.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Something is there that cannot be read.
    #[error("read what fleetprov keeps in {path}: {reason}; mend that, {MOVE_AWAY}")]
    Unreadable {
        /// The state folder, or the file.
        path: String,
        /// What the machine says of it.
        reason: String,
    },
    /// It can be read, but not understood.
    #[error("understand {path}: {reason}; put back a good copy, {MOVE_AWAY}")]
    Damaged {
        /// The file.
        path: String,
        /// What is wrong, with its place.
        reason: String,
    },
    /// The record can be understood, but not what the run did that it names.
    #[error("understand {path}: {reason}; put back a good copy, {MOVE_RECORD_AWAY}")]
    RunDamaged {
        /// The run's document.
        path: String,
        /// What is wrong, with its place.
        reason: String,
    },
    /// The record belongs to another fleet.
    #[error(
        "take over {path}: it is the record of fleet `{found}`, not of `{expected}`; a machine belongs to \
         one fleet. If the fleet was renamed, write the new name into the record, {MOVE_AWAY}"
    )]
    ForeignFleet {
        /// The record.
        path: String,
        /// The fleet it names.
        found: String,
        /// The inventory's fleet.
        expected: String,
    },
    /// The record belongs to another machine of this fleet.
    #[error(
        "take over {path}: it is the record of machine `{found}`, not of `{expected}`; is this the right \
         address? If the machine was renamed in the inventory, write the new name into the record, {MOVE_AWAY}"
    )]
    ForeignMachine {
        /// The record.
        path: String,
        /// The machine it names.
        found: String,
        /// The machine in the inventory.
        expected: String,
    },
    /// A newer fleetprov wrote it.
    #[error(
        "understand {path}: it has format {found}, and this fleetprov knows format {known}; use the \
         newer fleetprov that wrote it"
    )]
    Newer {
        /// The file.
        path: String,
        /// Its format.
        found: u32,
        /// The newest known format.
        known: u32,
    },
    /// It names a kind of resource that this fleetprov does not have.
    #[error(
        "understand {path}: it names a resource of kind `{kind}`, which this fleetprov does not know; use \
         the newer fleetprov that wrote it"
    )]
    UnknownKind {
        /// The file.
        path: String,
        /// The kind.
        kind: String,
    },
    /// There is another record of this machine.
    #[error("take over this machine: {found}; {advice}, {MOVE_AWAY}")]
    Elsewhere {
        /// Which, where and whose, a sentence's begin.
        found: String,
        /// What to do about it.
        advice: String,
    },
    /// It was last applied under another login, and nothing says that this one took its place.
    #[error(
        "take over {path}: the machine is managed as {found}, not as {expected}; a machine belongs to one \
         login. If it has a new one, say `was: {found}@ADDRESS` beside `ssh` until it is applied, or use the \
         old one"
    )]
    OtherLogin {
        /// The record.
        path: String,
        /// The login user it names.
        found: String,
        /// The one of the inventory.
        expected: String,
    },
    /// It would not be read again, so it is not written.
    #[error("write {path}: {reason}")]
    Unwritable {
        /// The file.
        path: String,
        /// Why not.
        reason: String,
    },
}
