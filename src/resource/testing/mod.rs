//! What the tests of the kinds share: shells to run their functions in, and fields to read.

mod nodes;
mod shells;

pub(super) use nodes::{RUN_KEY, compared, differs, read_with, shown};
pub(super) use shells::{Bench, Said, on_every_shell};
