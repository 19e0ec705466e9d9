//! Making a plan: resources and departures are taken one by one, each in the light of those before it.

use std::collections::{BTreeMap, BTreeSet};

use super::adoption;
use super::class::{Class, classify};
use super::compute::{Blocked, Known, Plan, Step};
use super::departure::{Departure, Turn};
use super::foreseen::Foreseen;
use crate::model::{Aspects, MachinePath, ResourceId, Source, Span};
use crate::resource::force::Force;
use crate::resource::{
    Action, Answer, Answers, Comparison, Declared, Detail, Difference, ObserveError, Origin, Removal,
    Surroundings, Touched, Ways,
};
use crate::state::Entry;

/// A plan that is being made.
pub(super) struct Making<'a> {
    known: Known<'a>,
    plan: Plan,
    surroundings: Surroundings,
    foreseen: Foreseen,
    /// The steps of declared resources and of departures by their indices.
    brought: BTreeMap<usize, usize>,
    departed: BTreeMap<usize, usize>,
    /// Those that are blocked, of the declared resources and of the departures.
    blocked: BTreeSet<usize>,
    stuck: BTreeSet<usize>,
    ways: Ways,
    /// Resources whose file the way in leads through, and is read nobody knows when.
    unread: BTreeSet<ResourceId>,
}

impl<'a> Making<'a> {
    pub(super) fn new(known: Known<'a>) -> Self {
        Self {
            known,
            plan: Plan::default(),
            surroundings: Surroundings {
                departing: departing(known.departures),
                wanted: wanted(known.declared),
                ..known.surroundings.clone()
            },
            foreseen: Foreseen::default(),
            brought: BTreeMap::new(),
            departed: BTreeMap::new(),
            blocked: BTreeSet::new(),
            stuck: BTreeSet::new(),
            ways: Ways::new(&known.observation.machine, known.declared),
            unread: BTreeSet::new(),
        }
    }

    /// The plan, and the resources whose file the way in leads through, and is read nobody knows when.
    pub(super) fn finish(self) -> (Plan, BTreeSet<ResourceId>) {
        (self.plan.awaiting_last(), self.unread)
    }

    /// Whether a change of these things can cut the way in, where `said` is what is known of it otherwise.
    fn guards(&mut self, id: &ResourceId, touches: &[Touched], said: bool) -> bool {
        let guards = said || self.ways.lead_through(touches);
        let mut paths = touches.iter().filter_map(|touched| match touched {
            Touched::Path(path) => Some(path),
            _ => None,
        });
        if guards && paths.any(|path| self.ways.force(path) == Force::Unknown) {
            self.unread.insert(id.clone());
        }
        guards
    }

    /// Takes the next declared resource, and the indices of those it needs.
    pub(super) fn bring(&mut self, index: usize, needs: &[usize]) {
        let Some(one) = self.known.declared.get(index) else { return };
        let id = one.resource.id();
        if let Some(need) = needs.iter().find(|need| self.blocked.contains(need)) {
            let needed = self.known.declared.get(*need).map(|one| one.resource.id().to_string());
            let reason = format!("it needs {}, which is blocked", needed.unwrap_or_default());
            return self.block(index, id, one, reason);
        }
        let observed = self.known.observation.answers.get(index).map_or(&[][..], Vec::as_slice);
        let (given, builds_on) = self.foreseen.instead_of(observed, &one.resource.questions());
        match self.look(one, &id, &given, observed) {
            Err(error) => self.block(index, id, one, error.to_string()),
            Ok(Looked { difference: None, entry, .. }) => {
                self.plan.in_order += 1;
                self.settle(one, entry);
            }
            Ok(Looked { difference: Some(difference), entry, because, observed }) => {
                let surroundings = &self.surroundings;
                let former = self.known.ledger.entries.get(&id).cloned();
                let answers = Answers::new(&given, surroundings);
                let answers = answers.with_former(former.as_ref().map(|entry| &entry.former));
                let foreseen = one.resource.foreseen(answers);
                let (class, aspects) =
                    classify(&one.resource.wanted(), &observed, former.as_ref(), &surroundings.key);
                let touches = one.resource.touches();
                let guarded = self.guards(&id, &touches, one.guard || one.resource.guards());
                let step = self.plan.steps.len();
                self.brought.insert(index, step);
                self.foreseen.add(step, foreseen);
                let needs = needs.iter().filter_map(|need| self.brought.get(need).copied());
                let needs: BTreeSet<usize> = needs.chain(builds_on).collect();
                let class = if difference.action == Action::Restart { Class::Pending } else { class };
                self.plan.steps.push(Step {
                    id,
                    origin: one.origin.clone(),
                    difference,
                    needs: needs.into_iter().collect(),
                    class,
                    aspects,
                    because,
                    entry: Some(entry),
                    former,
                    touches,
                    awaits: one.awaits.clone(),
                    guarded,
                });
            }
        }
    }

    /// Takes down the entry of a resource that is in order: the recorded one, where that says the same.
    fn settle(&mut self, one: &Declared, entry: Entry) {
        let (ledger, key) = (self.known.ledger, &self.surroundings.key);
        let recorded = ledger.entries.get(&entry.id);
        let same = recorded.filter(|known| known.says_as_much_as(&entry, &one.resource.wanted(), key));
        if same.is_none() || ledger.owed.contains_key(&entry.id) {
            self.plan.unsettled += 1;
        }
        self.plan.settled.push(same.cloned().unwrap_or(entry));
    }

    fn block(&mut self, index: usize, id: ResourceId, one: &Declared, reason: String) {
        self.blocked.insert(index);
        self.plan.blocked.push(Blocked { id, origin: one.origin.clone(), reason });
    }

    /// What becomes of a declared resource, by the answers as they will be when its turn comes;
    /// `before` is what the machine said.
    fn look(
        &self,
        one: &Declared,
        id: &ResourceId,
        given: &[Answer],
        before: &[Answer],
    ) -> Result<Looked, ObserveError> {
        let ledger = self.known.ledger;
        let former = ledger.entries.get(id);
        let answers = Answers::new(given, &self.surroundings).with_former(former.map(|entry| &entry.former));
        let mut because: Vec<ResourceId> = one
            .follows
            .iter()
            .filter(|id| self.plan.steps.iter().any(|step| step.id == **id))
            .cloned()
            .collect();
        for owed in ledger.owed.get(id).into_iter().flatten() {
            if !because.contains(owed) {
                because.push(owed.clone());
            }
        }
        let following = if because.is_empty() { None } else { one.resource.follow(answers, &because) };
        let difference = match one.resource.compare(answers)? {
            Comparison::InOrder => following,
            Comparison::Differs(difference) => Some(joined(difference, following)),
        };
        let observed = one.resource.observed(answers)?;
        let undecided = ledger.undecided.get(id);
        let former = former.or_else(|| undecided.filter(|entry| self.is_as_applied(entry, &observed)));
        let before = one.resource.observed(Answers::new(before, &self.surroundings)).ok();
        let there = adoption::there(before, &observed);
        let entry = adoption::entry(one, former, &there, ledger, self.known.salt);
        Ok(Looked { difference, entry, because, observed })
    }

    /// Whether what is there is, as far as can be told, what a run was about to make when the machine
    /// went down: then that run made it.
    fn is_as_applied(&self, entry: &Entry, observed: &Aspects) -> bool {
        !entry.applied.is_empty()
            && entry.applied.iter().all(|(name, applied)| {
                observed
                    .get(name)
                    .is_some_and(|there| applied.is(there, &self.surroundings.key) != Some(false))
            })
    }

    /// Takes departures in their order.
    pub(super) fn depart<'t>(&mut self, turns: impl Iterator<Item = &'t Turn>) {
        for turn in turns {
            if let Some(departure) = self.known.departures.get(turn.index) {
                self.part_with(turn, departure);
            }
        }
    }

    fn keep(&mut self, index: usize, id: ResourceId, reason: String) {
        self.stuck.insert(index);
        self.plan.blocked.push(Blocked { id, origin: departed_origin(), reason });
    }

    fn part_with(&mut self, turn: &Turn, departure: &Departure) {
        let id = departure.entry.id.clone();
        if let Some(need) = turn.needs.iter().find(|need| self.stuck.contains(need)) {
            let needed = self.known.departures.get(*need).map(|one| one.entry.id.to_string());
            let reason = format!("{} has to go first, and is blocked", needed.unwrap_or_default());
            return self.keep(turn.index, id, reason);
        }
        if let Some(successor) = departure.successor(self.known.declared) {
            return self.hand_over(turn, departure, successor);
        }
        let questions = departure.questions();
        let place = self.known.declared.len() + turn.index;
        let observed = self.known.observation.answers.get(place).map_or(&[][..], Vec::as_slice);
        let (given, builds_on) = self.foreseen.instead_of(observed, &questions);
        let answers = Answers::new(&given, &self.surroundings).with_former(Some(&departure.entry.former));
        let (removal, foreseen) = match &departure.remnant {
            None => (Ok(Removal::Release(kept_because(departure))), Vec::new()),
            Some(remnant) if departure.undecided => (remnant.remove(answers).map(in_doubt), Vec::new()),
            Some(remnant) => (remnant.remove(answers), remnant.foreseen(answers)),
        };
        let cleared = departure.remnant.as_ref().map(|remnant| remnant.clears(answers)).unwrap_or_default();
        let difference = match removal {
            Err(error) => return self.keep(turn.index, id, error.to_string()),
            Ok(Removal::Gone) => {
                self.surroundings.leaving.extend(cleared);
                return self.plan.forgotten.push(departure.entry.clone());
            }
            Ok(Removal::Release(reason)) => Difference {
                action: Action::Release,
                details: vec![Detail::Note(reason)],
                operations: Vec::new(),
            },
            Ok(Removal::Remove(difference)) => difference,
        };
        let step = self.plan.steps.len();
        let is_removed = difference.action == Action::Remove;
        for path in cleared.into_iter().filter(|_| is_removed) {
            self.surroundings.leaving.insert(path.clone());
            self.foreseen.remove(step, path);
        }
        let needs = turn.needs.iter().filter_map(|need| self.departed.get(need).copied());
        let needs: BTreeSet<usize> = needs.chain(builds_on).collect();
        self.departed.insert(turn.index, step);
        self.foreseen.add(step, if is_removed { foreseen } else { Vec::new() });
        let touches = departure.remnant.as_ref().map(|remnant| remnant.touches()).unwrap_or_default();
        let said = departure.remnant.as_ref().is_some_and(|remnant| remnant.guards());
        let guarded = self.guards(&id, &touches, said);
        self.plan.steps.push(Step {
            touches,
            guarded,
            ..departing_step(departure, difference, needs.into_iter().collect())
        });
    }

    /// A part of a file, all of which is declared from now on, goes over into that: nothing is cut out. It
    /// stays known for as long as the file is not as declared, or the file would count as not ours.
    fn hand_over(&mut self, turn: &Turn, departure: &Departure, successor: usize) {
        if self.blocked.contains(&successor) {
            return;
        }
        let file = self.known.declared.get(successor).map(|one| one.resource.id().to_string());
        match self.brought.get(&successor).copied() {
            None if !turn.first => self.plan.forgotten.push(departure.entry.clone()),
            step => {
                let note = format!("it is a part of {} from now on", file.unwrap_or_default());
                let details = vec![Detail::Note(note)];
                let difference = Difference { action: Action::Release, details, operations: Vec::new() };
                self.departed.insert(turn.index, self.plan.steps.len());
                self.plan.steps.push(departing_step(departure, difference, step.into_iter().collect()));
            }
        }
    }
}

/// The step of a departure, with nothing known of what it touches.
fn departing_step(departure: &Departure, difference: Difference, needs: Vec<usize>) -> Step {
    Step {
        former: Some(departure.entry.clone()),
        ..Step::new(departure.entry.id.clone(), departed_origin(), difference, needs)
    }
}

/// What a look at a declared resource gave.
struct Looked {
    difference: Option<Difference>,
    entry: Entry,
    because: Vec<ResourceId>,
    observed: Aspects,
}

fn kept_because(departure: &Departure) -> String {
    if departure.senseless {
        "the record does not say enough of it to remove it; it stays as it is".to_owned()
    } else {
        "it was there before fleetprov; it stays as it is".to_owned()
    }
}

/// What becomes of something that a run may have made: what there is of it stays.
fn in_doubt(removal: Removal) -> Removal {
    match removal {
        Removal::Remove(_) => Removal::Release(
            "nothing says whether a run that was cut off made it, or somebody else; it stays as it is"
                .to_owned(),
        ),
        other => other,
    }
}

/// What has left the inventory and was not adopted whole.
fn departing(departures: &[Departure]) -> BTreeSet<ResourceId> {
    let goes = |one: &&Departure| one.remnant.is_some() && !one.undecided;
    departures.iter().filter(goes).map(|one| one.entry.id.clone()).collect()
}

/// The aspects that resources with a path desire.
fn wanted(declared: &[Declared]) -> BTreeSet<(&'static str, MachinePath, String)> {
    let of = |one: &Declared| {
        let path = one.resource.path().cloned();
        let kind = one.resource.id().kind;
        let names = path.iter().flat_map(|_| one.resource.wanted().into_keys()).collect::<Vec<_>>();
        names.into_iter().filter_map(move |name| Some((kind, path.clone()?, name)))
    };
    declared.iter().flat_map(of).collect()
}

fn departed_origin() -> Origin {
    let source = Source::new("the machine's record", "");
    Origin { from: "left the inventory".to_owned(), span: Span::new(&source, 0, 0) }
}

fn joined(mut difference: Difference, following: Option<Difference>) -> Difference {
    if let Some(following) = following
        && difference.action != Action::Remove
    {
        difference.operations.extend(following.operations);
        difference.details.extend(following.details);
    }
    difference
}
