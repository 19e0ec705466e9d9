//! The controller's disk: inventories, roles, templates, secrets, keys, rendered files.

mod access_keys;
mod enrolment;
mod history;
mod in_place;
mod library;
mod link_keys;
mod plan_file;
mod project;
mod rendered;
mod seat;
mod seat_folder;
mod secrets;
mod target;
mod text_file;

pub use access_keys::{AccessKeyError, AccessKeys, Which, seat_recipient};
pub use enrolment::{Enrolment, EnrolmentError};
pub use history::{HistoryError, RememberedRuns, remember_runs, remembered_runs};
pub use in_place::sealed_values;
pub use link_keys::LinkKeys;
pub use plan_file::{PlanStoreError, check_plan_place, read_plan, write_plan};
pub use project::{Access, LoadError, Project, ProjectOptions, load, secret_folder};
pub use rendered::{WriteError, write_rendered};
pub use seat::Seat;
pub use seat_folder::{IDENTITY, Surroundings, seat_folder, seat_identity};
pub use secrets::{
    AskPassphrase, Identities, IdentityError, Passphrases, Recipient, RecipientError, Recipients, Rekeyed,
    SealError, SecretError, SecretFolder, rekey,
};
pub use target::target_of;
pub use text_file::{TextFileError, read_text, replace_text};
