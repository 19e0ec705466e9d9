//! What fleetprov remembers on a machine: the record of what it owns, and the journal of its last run.
//!
//! Formats and what they mean together; pure. The state folder holds `record` (a heading and JSON: what
//! was owned before the run that the heading names) and `runs/RUN/` with `run` (JSON: what the run set
//! out to do, written before anything changes) and `progress` (a line as each step begins and ends).
//! What is owned now is the record and as much of its run as the progress says. A machine has one record: what
//! is found of others is an error, unless they are another fleet's.

mod elsewhere;
mod entry;
mod error;
mod form;
mod kept;
mod ledger;
mod merge;
mod packed;
mod progress;
mod record;
mod run;

pub use elsewhere::{Elsewhere, Manager, other_records};
pub use entry::Entry;
pub use error::RecordError;
pub use kept::{Kept, Login};
pub use ledger::{CutRun, Ledger};
pub use packed::unpacked;
pub use progress::{Progress, StepEnd, StepState};
pub use run::{RunDocument, RunId, RunStep};
