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
    let mut waiting: Vec<usize> = needs.iter().map(BTreeSet::len).collect();
    let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); declared.len()];
    for (index, of_index) in needs.iter().enumerate() {
        for need in of_index {
            if let Some(dependents) = needed_by.get_mut(*need) {
                dependents.push(index);
            }
        }
    }
    let ready = waiting.iter().enumerate().filter(|(_, left)| **left == 0);
    let mut ready: BTreeSet<usize> = ready.map(|(index, _)| index).collect();
    let mut open: BTreeSet<usize> = (0..declared.len()).collect();
    let mut ordered = Vec::with_capacity(declared.len());
    while let Some(index) = ready.pop_first() {
        open.remove(&index);
        ordered.push((index, needs.get(index).map(|set| set.iter().copied().collect()).unwrap_or_default()));
        for dependent in needed_by.get(index).into_iter().flatten() {
            if let Some(left) = waiting.get_mut(*dependent) {
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
    let cycle = cycle(&needs, &open);
    Err(Cycle(cycle.iter().filter_map(|index| declared.get(*index)).map(|one| one.resource.id()).collect()))
}

/// Those of `open` that wait for each other, each for the next. All of `open` wait, but some only
/// for one that does.
fn cycle(needs: &[BTreeSet<usize>], open: &BTreeSet<usize>) -> Vec<usize> {
    let mut way = Vec::new();
    let mut next = open.first().copied();
    while let Some(index) = next {
        if let Some(start) = way.iter().position(|one| *one == index) {
            return way.split_off(start);
        }
        way.push(index);
        next = needs.get(index).into_iter().flatten().copied().find(|need| open.contains(need));
    }
    way
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{MachinePath, Source, Span};
    use crate::resource::Origin;
    use crate::resource::directory::Directory;
    use crate::resource::link::Link;

    fn origin() -> Origin {
        let source = Source::new("test.yaml", "test");
        Origin { from: "role test".to_owned(), span: Span::new(&source, 0, 4) }
    }

    fn directory(path: &str) -> Declared {
        let path = MachinePath::new(path).unwrap();
        Declared::new(Directory { path, owner: "root".to_owned(), group: None, mode: 0o755 }, origin())
    }

    fn link(path: &str) -> Declared {
        let path = MachinePath::new(path).unwrap();
        Declared::new(Link { path, target: "x".to_owned(), owner: "root".to_owned() }, origin())
    }

    fn id(kind: &'static str, path: &str) -> ResourceId {
        ResourceId::new(kind, path)
    }

    #[test]
    fn what_is_free_stays_as_declared() {
        let declared = [link("/c"), link("/a"), directory("/b"), link("/a/b")];
        let order = order(&declared).unwrap();
        assert_eq!(order, [(0, vec![]), (1, vec![]), (2, vec![]), (3, vec![1])]);
    }

    #[test]
    fn folders_come_before_what_lies_in_them_however_deep() {
        let declared = [link("/a/b/c/d"), directory("/a/b"), directory("/a"), directory("/ab")];
        assert_eq!(order(&declared).unwrap(), [(2, vec![]), (1, vec![2]), (0, vec![1, 2]), (3, vec![])]);
    }

    #[test]
    fn what_is_named_comes_first_and_what_is_not_there_does_not_count() {
        let declared = [
            link("/a").after([id("link", "/b"), id("link", "/nowhere")]),
            link("/b").follows([id("link", "/c")]),
            link("/c"),
        ];
        assert_eq!(order(&declared).unwrap(), [(2, vec![]), (1, vec![2]), (0, vec![1])]);
    }

    #[test]
    fn a_cycle_names_those_that_wait_for_each_other_and_no_other() {
        let declared = [
            link("/waits").after([id("link", "/a")]),
            link("/a").after([id("link", "/b")]),
            link("/b").after([id("directory", "/c")]),
            directory("/c").follows([id("link", "/a")]),
            link("/c/below"),
            link("/free"),
        ];
        let error = order(&declared).unwrap_err();
        assert_eq!(
            error.to_string(),
            "order the resources: link /a, link /b, directory /c wait for each other"
        );
        // What needs itself has nothing to wait for.
        assert!(order(&[link("/a").after([id("link", "/a")])]).is_ok());
    }

    #[test]
    fn thousands_are_ordered_at_once() {
        let declared: Vec<Declared> = (0..5_000)
            .map(|number| link(&format!("/a/{}/{number}", number % 70)))
            .chain([directory("/a")])
            .collect();
        let order = order(&declared).unwrap();
        assert_eq!((order.len(), order[0].0), (5_001, 5_000));
    }
}
