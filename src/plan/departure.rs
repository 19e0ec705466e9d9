//! What has left the inventory: in which order it goes, and what of it stays.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::{MachinePath, ResourceId};
use crate::resource::{Declared, Question, Remnant, kind};
use crate::state::{Entry, Ledger};

/// A resource of the record that is not declared any more.
#[derive(Clone, Debug)]
pub struct Departure {
    /// What the record says of it.
    pub entry: Entry,
    /// What is left of it; `None` when it was adopted, and is let go of without a look.
    pub remnant: Option<Arc<dyn Remnant>>,
    /// Why it cannot even be asked about, when the record's words of it make no sense.
    pub senseless: bool,
    /// Whether it is not even known that it was made.
    pub undecided: bool,
}

impl Departure {
    /// What has to be known of it.
    #[must_use]
    pub fn questions(&self) -> Vec<Question> {
        self.remnant.as_ref().map(|remnant| remnant.questions()).unwrap_or_default()
    }

    /// The declared file that it is a part of from now on, when it was a part of a file until now.
    pub(super) fn successor(&self, declared: &[Declared]) -> Option<usize> {
        let path = self.remnant.as_ref().filter(|remnant| remnant.is_part())?.path()?;
        let is_it = |one: &Declared| one.resource.id().kind == "file" && one.resource.path() == Some(path);
        declared.iter().position(is_it)
    }

    fn path(&self) -> Option<&MachinePath> {
        self.remnant.as_ref().and_then(|remnant| remnant.path())
    }

    /// The folders that were made on the way to it.
    fn folders_on_the_way(&self) -> Vec<MachinePath> {
        let places = self.entry.applied.keys().filter(|name| !self.entry.former.adopted.contains(*name));
        places
            .filter_map(|name| name.strip_prefix("directory "))
            .filter_map(|path| MachinePath::new(path).ok())
            .filter(|path| Some(path) != self.path())
            .collect()
    }

    /// Whether it goes before anything new comes. What runs is stopped before its successor starts, and
    /// what stands where something else is to be makes room.
    fn goes_first(&self, declared: &BTreeSet<&MachinePath>) -> bool {
        matches!(self.entry.id.kind, "unit" | "init-script" | "crontab-entry")
            || self.path().is_some_and(|path| declared.contains(path))
    }
}

/// The departures of a machine, those that come to nothing else included.
#[must_use]
pub fn departures(ledger: &Ledger, declared: &[Declared]) -> Vec<Departure> {
    let present: BTreeSet<ResourceId> = declared.iter().map(|one| one.resource.id()).collect();
    let owned = ledger.entries.values().map(|entry| (entry, false));
    let undecided = ledger.undecided.values().filter(|entry| !ledger.entries.contains_key(&entry.id));
    owned
        .chain(undecided.map(|entry| (entry, true)))
        .filter(|(entry, _)| !present.contains(&entry.id))
        .map(|(entry, undecided)| {
            let remnant = (!entry.adopted)
                .then(|| kind(entry.id.kind))
                .flatten()
                .and_then(|kind| (kind.recall)(&entry.id.target, &entry.former.remains));
            let senseless = !entry.adopted && remnant.is_none();
            Departure { entry: entry.clone(), remnant, senseless, undecided }
        })
        .collect()
}

/// One place in the order of departures.
pub(super) struct Turn {
    /// The departure's index.
    pub(super) index: usize,
    /// Indices of the departures that have to be gone first.
    pub(super) needs: Vec<usize>,
    /// Whether it goes before anything new comes.
    pub(super) first: bool,
}

/// The order in which departures go: what came last goes first, what lies in a folder before the folder.
pub(super) fn order(departures: &[Departure], declared: &[Declared]) -> Vec<Turn> {
    let paths: BTreeSet<&MachinePath> = declared.iter().filter_map(|one| one.resource.path()).collect();
    let index_of: BTreeMap<&ResourceId, usize> =
        departures.iter().enumerate().map(|(index, one)| (&one.entry.id, index)).collect();
    let mut needs: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); departures.len()];
    let mut by_path: BTreeMap<&MachinePath, Vec<usize>> = BTreeMap::new();
    let mut on_the_way: BTreeMap<MachinePath, Vec<usize>> = BTreeMap::new();
    for (index, departure) in departures.iter().enumerate() {
        if let Some(path) = departure.path() {
            by_path.entry(path).or_default().push(index);
        }
    }
    // A directory that takes folders on the way along waits for whatever else lies in those.
    for (index, departure) in departures.iter().enumerate() {
        for folder in departure.folders_on_the_way() {
            on_the_way.entry(folder).or_default().push(index);
        }
    }
    for (index, departure) in departures.iter().enumerate() {
        let earlier = departure.entry.after.iter().filter_map(|id| index_of.get(id).copied());
        let mut waiting: Vec<usize> = earlier.collect();
        let mut above = departure.path().map(MachinePath::parent);
        while let Some(folder) = above.filter(|folder| folder.as_str() != "/") {
            waiting.extend(by_path.get(&folder).into_iter().flatten());
            if departure.entry.id.kind != "directory" {
                waiting.extend(on_the_way.get(&folder).into_iter().flatten());
            }
            above = Some(folder.parent());
        }
        for one in waiting.into_iter().filter(|one| *one != index) {
            if let Some(of_one) = needs.get_mut(one) {
                of_one.insert(index);
            }
        }
    }
    let mut first: Vec<bool> =
        departures.iter().map(|one| one.goes_first(&paths) && one.successor(declared).is_none()).collect();
    // Whatever has to be gone before something that goes first goes first, too.
    let mut pending: Vec<usize> =
        (0..departures.len()).filter(|index| first.get(*index) == Some(&true)).collect();
    while let Some(index) = pending.pop() {
        for need in needs.get(index).into_iter().flatten() {
            if let Some(flag) = first.get_mut(*need).filter(|flag| !**flag) {
                *flag = true;
                pending.push(*need);
            }
        }
    }
    let mut open: BTreeSet<usize> = (0..departures.len()).collect();
    let mut turns = Vec::with_capacity(departures.len());
    while let Some(index) = open
        .iter()
        .copied()
        .find(|index| needs.get(*index).is_none_or(|needs| needs.is_disjoint(&open)))
        // A record whose entries wait for each other is no reason to keep them all.
        .or_else(|| open.first().copied())
    {
        open.remove(&index);
        let needs = needs.get(index).into_iter().flatten().copied().filter(|need| !open.contains(need));
        turns.push(Turn {
            index,
            needs: needs.collect(),
            first: first.get(index).copied().unwrap_or_default(),
        });
    }
    turns
}

#[cfg(test)]
mod tests;
