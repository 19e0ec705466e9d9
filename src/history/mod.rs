//! Past runs: the list that a machine gives of them, and the plan that puts one of them back.
//!
//! Pure, but for the questions and operations it gives, whose functions are in `past.sh` and
//! `undo.sh`. The machine's journal is the truth; whatever it says is data, bounded and checked.

mod condition;
mod details;
mod fleet;
mod plan;
mod runs;
#[cfg(test)]
mod tests;
mod undone;

pub use fleet::{FleetHistory, FleetRun, Part, Remembered};
pub use plan::undo;
pub use runs::{PastRun, RunFate, past_question, read_past};
pub use undone::{Undone, no_such_run, texts_question, undone_question};

use crate::shell::{Library, posix};

/// The functions that tell of past runs.
const PAST: Library = Library { name: "past", posix: include_str!("past.sh"), needs: &[] };
/// The functions that put one back.
const UNDO: Library = Library { name: "undo", posix: include_str!("undo.sh"), needs: &[posix::KEEP] };
