//! The kinds by the word the inventory uses. A new kind is its file and one line here.

use std::sync::Arc;

use super::declared::{Declared, Origin};
use super::reading::Reading;
use super::remnant::Remnant;
use super::{
    authorized_key, block, checkout, crontab_entry, directory, file, ini_keys, init_script, json_keys, link,
    link_key, package, unit,
};
use serde_json::Value as Json;

use crate::model::{Diagnostics, Node};

/// Reads the fields of one kind into what it declares.
pub type Read = fn(&Node, &Origin, &Reading<'_>, &mut Diagnostics) -> Vec<Declared>;

/// Reads what the record says of a resource that has left the inventory: its target and what
/// [`super::Resource::remains`] gave. `None` when that cannot be understood.
pub type Recall = fn(&str, &Json) -> Option<Arc<dyn Remnant>>;

/// A kind of resource.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// The word the inventory and the record use.
    pub word: &'static str,
    /// Reads it from a role.
    pub read: Read,
    /// Reads what is left of it from the record.
    pub recall: Recall,
    /// Whether what was there before fleetprov is told aspect by aspect: it owns parts of a thing that
    /// others own parts of. Otherwise all of it was there, or nothing.
    pub adopts_by_aspect: bool,
}

/// Every kind that can be written in a role.
pub const KINDS: &[Kind] = &[
    Kind {
        word: authorized_key::KIND,
        read: authorized_key::read,
        recall: authorized_key::recall,
        adopts_by_aspect: true,
    },
    Kind { word: block::KIND, read: block::read, recall: block::recall, adopts_by_aspect: true },
    Kind { word: checkout::KIND, read: checkout::read, recall: checkout::recall, adopts_by_aspect: true },
    Kind {
        word: crontab_entry::KIND,
        read: crontab_entry::read,
        recall: crontab_entry::recall,
        adopts_by_aspect: false,
    },
    Kind { word: directory::KIND, read: directory::read, recall: directory::recall, adopts_by_aspect: true },
    Kind { word: file::KIND, read: file::read, recall: file::recall, adopts_by_aspect: false },
    Kind { word: ini_keys::KIND, read: ini_keys::read, recall: ini_keys::recall, adopts_by_aspect: true },
    Kind {
        word: init_script::KIND,
        read: init_script::read,
        recall: init_script::recall,
        adopts_by_aspect: false,
    },
    Kind { word: json_keys::KIND, read: json_keys::read, recall: json_keys::recall, adopts_by_aspect: true },
    Kind { word: link::KIND, read: link::read, recall: link::recall, adopts_by_aspect: false },
    Kind { word: link_key::KIND, read: link_key::read, recall: link_key::recall, adopts_by_aspect: true },
    Kind { word: package::KIND, read: package::read, recall: package::recall, adopts_by_aspect: false },
    Kind { word: unit::KIND, read: unit::read, recall: unit::recall, adopts_by_aspect: false },
];

/// The kind of a word.
#[must_use]
pub fn kind(word: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.word == word)
}
