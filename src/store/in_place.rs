//! Values that are sealed where they stand, in an inventory or a role: opening and finding them.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::library;
use super::project::{LoadError, folder_of, read_source};
use super::secrets::Identities;
use crate::desired::Opener;
use crate::inventory::read_yaml;
use crate::model::{Diagnostics, Node, SealedValue, Secret, Span, Value};

/// Opens sealed values, each once: resources are resolved several times in a run.
#[derive(Debug)]
pub(super) struct InPlace {
    identities: Arc<Identities>,
    opened: Mutex<HashMap<String, Option<Secret>>>,
}

impl InPlace {
    pub(super) fn new(identities: Arc<Identities>) -> Self {
        Self { identities, opened: Mutex::default() }
    }
}

impl Opener for InPlace {
    fn open(&self, sealed: &SealedValue) -> Option<Secret> {
        let text = sealed.as_str();
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if !opened.contains_key(text) {
            let found = self.identities.open("that is sealed in place", text.as_bytes()).ok();
            opened.insert(text.to_owned(), found);
        }
        opened.get(text).cloned().flatten()
    }
}

/// Where values are sealed in place: in the inventory, the overlay and the user's roles, in this order.
///
/// # Errors
/// [`LoadError`] when one of them cannot be read.
pub fn sealed_values(inventory: &Path, overlay: Option<&Path>) -> Result<Vec<Span>, LoadError> {
    let mut sources = vec![read_source(inventory)?];
    sources.extend(overlay.map(read_source).transpose()?);
    let (library, _) = library::load(&folder_of(inventory), None, &Arc::default())?;
    sources.extend(library.roles.into_values());
    let mut found = Vec::new();
    for source in &sources {
        // What is wrong with a text is for `validate` to tell; what can be read is looked through.
        if let Some(node) = read_yaml(source, &mut Diagnostics::new()) {
            look_through(&node, &mut found);
        }
    }
    Ok(found)
}

fn look_through(node: &Node, found: &mut Vec<Span>) {
    match &node.value {
        Value::Null | Value::Scalar { .. } => {}
        Value::List(items) => items.iter().for_each(|item| look_through(item, found)),
        Value::Map(entries) => {
            for entry in entries {
                let text = entry.value.as_text();
                if entry.key.text == "sealed" && text.is_some_and(|text| SealedValue::parse(text).is_ok()) {
                    found.push(entry.key.span.clone());
                }
                look_through(&entry.value, found);
            }
        }
    }
}
