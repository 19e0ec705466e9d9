//! The kinds by the word the inventory uses. A new kind is its file and one line here.

use super::declared::{Declared, Origin};
use super::reading::Reading;
use super::{directory, file, link};
use crate::model::{Diagnostics, Node};

/// Reads the fields of one kind into what it declares.
pub type Read = fn(&Node, &Origin, &Reading<'_>, &mut Diagnostics) -> Vec<Declared>;

/// Every kind that can be written in a role.
pub const KINDS: &[(&str, Read)] =
    &[(directory::KIND, directory::read), (file::KIND, file::read), (link::KIND, link::read)];
