//! The primitives: one thing on one machine that fleetprov owns, one file per kind.

pub mod authorized_key;
pub mod block;
pub mod checkout;
pub mod crontab_entry;
pub mod directory;
pub mod file;
pub mod ini_keys;
pub mod init_script;
pub mod json_keys;
pub mod link;
pub mod link_files;
pub mod link_key;
pub mod package;
pub mod unit;

mod answer;
mod aspects;
mod content;
mod declared;
mod difference;
mod edited;
mod folder;
pub mod force;
mod lines;
mod opens;
mod operation;
pub mod ownership;
mod part;
mod question;
mod reading;
mod registry;
mod remnant;
#[cfg(test)]
mod testing;
mod unit_files;
pub mod way_in;
mod ways;

pub use answer::{
    Acting, Answer, Answers, Observation, ObserveError, PathFacts, PathType, Surroundings, UnitFacts,
};
pub use aspects::is_place;
pub use content::{Content, Rendered, sealed};
pub use declared::{Declared, Origin, Resource};
pub use difference::{Action, Comparison, Detail, Difference};
pub use opens::{Opens, Program, Whom, of_key};
pub use operation::{Operation, Payload};
pub use question::{Question, Want};
pub use reading::{Reading, Supply};
pub use registry::{KINDS, Kind, Read, Recall, kind};
pub use remnant::{Former, Remnant, Removal, Touched};
pub use ways::Ways;
