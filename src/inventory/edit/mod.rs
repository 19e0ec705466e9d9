//! Edits of an inventory's text that keep every other byte: comments, order, indentation, line ends.
//!
//! Every edit is read again before it is given out, and refused when anything but what was meant
//! has changed. Whoever calls decides about the file.

mod block;
mod check;
mod content;
mod document;
mod emit;
mod field;
mod flow;
mod layout;
mod lines;
mod machine;
mod mentions;
mod outline;
mod place;
mod quoting;
#[cfg(test)]
mod tests;

pub use content::Content;
pub use field::{remove_field, set_field};
pub use machine::{Removal, add_machine, remove_machine};
pub use mentions::Mention;

/// What an edit makes of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// The text says already what was wanted.
    Unchanged,
    /// The whole new text.
    Changed(String),
}
