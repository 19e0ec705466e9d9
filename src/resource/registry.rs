//! The kinds by the word the inventory uses. A new kind is its file and one line here.

use super::declared::{Declared, Origin};
use super::reading::Reading;
use super::{
    block, checkout, crontab_entry, directory, file, ini_keys, init_script, json_keys, link, package, unit,
};
use crate::model::{Diagnostics, Node};

/// Reads the fields of one kind into what it declares.
pub type Read = fn(&Node, &Origin, &Reading<'_>, &mut Diagnostics) -> Vec<Declared>;

/// Every kind that can be written in a role.
pub const KINDS: &[(&str, Read)] = &[
    (block::KIND, block::read),
    (checkout::KIND, checkout::read),
    (crontab_entry::KIND, crontab_entry::read),
    (directory::KIND, directory::read),
    (file::KIND, file::read),
    (ini_keys::KIND, ini_keys::read),
    (init_script::KIND, init_script::read),
    (json_keys::KIND, json_keys::read),
    (link::KIND, link::read),
    (package::KIND, package::read),
    (unit::KIND, unit::read),
];
