//! The order of resources on one machine: what they name as coming first, and folders before what
//! lies in them; otherwise as declared.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::ResourceId;
use crate::resource::Declared;

/// Resources that each wait for the next, and the last for the first.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("order the resources: {} wait for each other", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
pub struct Cycle(pub Vec<ResourceId>);

/// For each place in the order, the index of the resource and the indices of those it needs.
type Ordered = Vec<(usize, Vec<usize>)>;

/// Orders the resources of one machine: for each place in the order, the index of the resource and
/// the indices of those it needs.
///
/// # Errors
/// [`Cycle`] when some wait for each other.
pub fn order(declared: &[Declared]) -> Result<Ordered, Cycle> {
    let needs = needs(declared);
    let mut done: BTreeSet<usize> = BTreeSet::new();
    let mut open: BTreeSet<usize> = (0..declared.len()).collect();
    let mut waiting: BTreeMap<usize, usize> = BTreeMap::new();
    let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); declared.len()];
    let mut ready: BTreeSet<usize> = BTreeSet::new();
    for (index, of_index) in needs.iter().enumerate() {
        if of_index.is_empty() {
            ready.insert(index);
        }
        waiting.insert(index, of_index.len());
        for need in of_index {
            if let Some(dependents) = needed_by.get_mut(*need) {
                dependents.push(index);
            }
        }
    }
    let mut ordered = Vec::with_capacity(declared.len());
    while let Some(index) = ready.pop_first() {
        done.insert(index);
        open.remove(&index);
        ordered.push((index, needs.get(index).map(|set| set.iter().copied().collect()).unwrap_or_default()));
        for dependent in needed_by.get(index).into_iter().flatten() {
            if let Some(left) = waiting.get_mut(dependent) {
                *left -= 1;
                if *left == 0 {
                    ready.insert(*dependent);
                }
            }
        }
    }
    if open.is_empty() {
        return Ok(ordered);
    }
    Err(Cycle(open.iter().filter_map(|index| declared.get(*index)).map(|one| one.resource.id()).collect()))
}

fn needs(declared: &[Declared]) -> Vec<BTreeSet<usize>> {
    let ids: BTreeMap<ResourceId, usize> =
        declared.iter().enumerate().map(|(index, one)| (one.resource.id(), index)).collect();
    let mut by_path: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, one) in declared.iter().enumerate() {
        if let Some(path) = one.resource.path() {
            by_path.entry(path.as_str()).or_default().push(index);
        }
    }
    declared
        .iter()
        .enumerate()
        .map(|(index, one)| {
            let mut of_index: BTreeSet<usize> =
                one.after.iter().chain(&one.follows).filter_map(|id| ids.get(id).copied()).collect();
            let mut path = one.resource.path().map(|path| path.parent());
            while let Some(above) = path.filter(|path| path.as_str() != "/") {
                of_index.extend(by_path.get(above.as_str()).into_iter().flatten());
                path = Some(above.parent());
            }
            of_index.remove(&index);
            of_index
        })
        .collect()
}
