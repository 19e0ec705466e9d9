//! What the tests of the kinds share: shells to run their functions in, and fields to read.

mod nodes;
mod shells;

pub(super) use nodes::{RUN_KEY, agrees, compared, differs, going, left, read_with, removal, seen, shown};
pub(super) use shells::{Bench, Said, on_every_shell};
