//! Several runs in a row: what a new machine needs before the first one.

mod about;
mod entry;

pub use about::{About, Rights, about_question, read_about};
pub use entry::{EntryWish, Unfit, entry};
