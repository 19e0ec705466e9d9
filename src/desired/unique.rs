//! One declaration for each thing: equal ones are merged, others are a conflict.

use std::collections::HashMap;

use super::references::add;
use crate::model::{Diagnostic, Diagnostics, ResourceId};
use crate::resource::Declared;

/// Kinds that own the whole of their path, so that nothing else can own a part of it.
const WHOLE: &[&str] = &["file", "link"];
/// Kinds that need a regular file at their path and own a part of it.
const PARTS: &[&str] = &["authorized-key", "block", "json-keys", "ini-keys"];

/// Merges equal declarations of one thing and reports different ones, at both places.
///
/// Two are equal when everything they would do is: their values, shown in full, are the same. Of
/// secrets that cannot be told, so those are never merged.
pub(super) fn unique(all: Vec<Declared>, problems: &mut Diagnostics) -> Vec<Declared> {
    let mut kept: Vec<Declared> = Vec::with_capacity(all.len());
    let mut places: HashMap<ResourceId, usize> = HashMap::new();
    for declared in all {
        let id = declared.resource.id();
        let Some(first) = places.get(&id).and_then(|at| kept.get_mut(*at)) else {
            places.insert(id, kept.len());
            kept.push(declared);
            continue;
        };
        if equal(first, &declared) {
            add(&mut first.after, declared.after);
            add(&mut first.follows, declared.follows);
            first.awaits.extend(declared.awaits);
            first.awaits.sort();
            first.awaits.dedup();
        } else {
            problems.push(
                Diagnostic::at(&declared.origin.span, format!("{id} is declared twice, differently"))
                    .expected("one declaration, or two that are the same")
                    .related(&first.origin.span, format!("{} declares it here", first.origin.from)),
            );
        }
    }
    contested(&kept, problems);
    kept
}

fn equal(one: &Declared, other: &Declared) -> bool {
    !one.resource.is_secret()
        && !other.resource.is_secret()
        && format!("{:?}", one.resource) == format!("{:?}", other.resource)
}

/// Two kinds that want the same path for themselves would undo each other at every apply.
fn contested(all: &[Declared], problems: &mut Diagnostics) {
    let mut paths: HashMap<&str, Vec<(&Declared, &'static str)>> = HashMap::new();
    for declared in all {
        if let Some(path) = declared.resource.path() {
            paths.entry(path.as_str()).or_default().push((declared, declared.resource.id().kind));
        }
    }
    for (path, owners) in &paths {
        for (index, (later, kind)) in owners.iter().enumerate() {
            let clash = owners.iter().take(index).find(|(_, other)| clash(kind, other));
            if let Some((first, other)) = clash {
                problems.push(
                    Diagnostic::at(
                        &later.origin.span,
                        format!("{path} is declared as {kind} and as {other}"),
                    )
                    .expected("one of the two")
                    .related(&first.origin.span, format!("{} declares it here", first.origin.from)),
                );
            }
        }
    }
}

fn clash(one: &str, other: &str) -> bool {
    let whole = |kind: &str| WHOLE.contains(&kind);
    let part = |kind: &str| PARTS.contains(&kind);
    (whole(one) || whole(other)) || (part(one) != part(other))
}
