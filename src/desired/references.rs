//! What comes first: `after` and `follows` that name a resource by kind and target.

use std::collections::HashMap;

use crate::model::{Diagnostic, Diagnostics, Facts, ResourceId, Spanned};
use crate::resource::Declared;

/// A resource with references that are still text, because what they name may be declared elsewhere.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) declared: Declared,
    pub(super) after: Vec<Spanned<String>>,
    pub(super) follows: Vec<Spanned<String>>,
}

impl Pending {
    pub(super) fn new(declared: Declared) -> Self {
        Self { declared, after: Vec::new(), follows: Vec::new() }
    }
}

/// Adds ids that are not there yet.
pub(super) fn add(ids: &mut Vec<ResourceId>, more: impl IntoIterator<Item = ResourceId>) {
    for id in more {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
}

/// Replaces the textual references of a machine's resources by ids.
pub(super) fn settle(pending: Vec<Pending>, facts: &Facts, problems: &mut Diagnostics) -> Vec<Declared> {
    let known: HashMap<String, ResourceId> =
        pending.iter().map(|pending| pending.declared.resource.id()).map(|id| (id.to_string(), id)).collect();
    let mut find = |references: &[Spanned<String>]| -> Vec<ResourceId> {
        let mut ids = Vec::new();
        for reference in references {
            let wanted = at_home(&reference.value, facts);
            match known.get(&wanted) {
                Some(id) => ids.push(id.clone()),
                None => problems.push(
                    Diagnostic::at(&reference.span, format!("the machine has no resource `{wanted}`"))
                        .expected("a resource this machine has, as KIND TARGET: `file /etc/motd`")
                        .nearest_of(&wanted, known.keys().map(String::as_str)),
                ),
            }
        }
        ids
    };
    pending
        .into_iter()
        .map(|pending| {
            let mut declared = pending.declared;
            add(&mut declared.after, find(&pending.after));
            add(&mut declared.follows, find(&pending.follows));
            declared
        })
        .collect()
}

/// `file ~/x` means the login user's home, as in the fields of a kind.
fn at_home(reference: &str, facts: &Facts) -> String {
    match reference.split_once(" ~/") {
        Some((kind, rest)) => format!("{kind} {}/{rest}", facts.home),
        None => reference.to_owned(),
    }
}
