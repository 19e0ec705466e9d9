//! The plan that puts a run back: its steps in the reverse order, each bound to the state that the run left.

use std::collections::{BTreeMap, BTreeSet};

use super::UNDO;
use super::condition::{Condition, State};
use super::details::{action, details};
use super::undone::{Thing, Undone};
use crate::model::{Aspect, ResourceId, Source, Span};
use crate::plan::{Blocked, Plan, Step, arrange};
use crate::resource::{Action, Detail, Difference, Operation, Origin, Touched};
use crate::shell::Call;
use crate::state::{Entry, Ledger, RunStep, StepEnd, StepState};

/// The plan that undoes a run, and what a person should know of what is not undone. `state` is the state
/// folder on the machine.
///
/// A step is undone when each thing it touched is as it left it, or as it was before it or before an earlier
/// step of the run, which puts it back from there; otherwise it is blocked with the reason. Its entry in the record becomes what it was before that step. What is
/// restarted because of it is restarted again, behind the others; what can cut the way in is last.
#[must_use]
pub fn undo(undone: &Undone, ledger: &Ledger, state: &str) -> (Plan, Vec<String>) {
    let mut making = Making {
        undone,
        ledger,
        state,
        former: former(undone),
        drafts: Vec::new(),
        foreseen: BTreeMap::new(),
        plan: Plan::default(),
        notes: Vec::new(),
        staying: Vec::new(),
    };
    for (index, step) in undone.document.steps.iter().enumerate().rev() {
        making.take(index, step);
    }
    making.restarts();
    making.finish()
}

/// A step of the undo before its place is known.
struct Draft {
    step: Step,
    /// The step of the run it puts back.
    index: usize,
    names: BTreeSet<String>,
}

struct Making<'a> {
    undone: &'a Undone,
    ledger: &'a Ledger,
    state: &'a str,
    /// How each thing was before each step that touched it, in the order of the steps.
    former: BTreeMap<&'a str, Vec<(usize, &'a Condition)>>,
    drafts: Vec<Draft>,
    /// How things are when the next step's turn comes.
    foreseen: BTreeMap<&'a str, &'a Condition>,
    plan: Plan,
    notes: Vec<String>,
    /// Things that are not put back.
    staying: Vec<&'a str>,
}

/// How each thing was before each step that touched it and may have changed it, as far as that is known.
fn former(undone: &Undone) -> BTreeMap<&str, Vec<(usize, &Condition)>> {
    let mut former: BTreeMap<&str, Vec<(usize, &Condition)>> = BTreeMap::new();
    let made = undone.things.iter().filter(|(index, _)| was_made(undone, **index));
    for (index, thing) in made.flat_map(|(index, things)| things.iter().map(|thing| (*index, thing))) {
        if !matches!(thing.was.state(), State::Unkept(_)) {
            former.entry(&thing.name).or_default().push((index, &thing.was));
        }
    }
    former
}

/// Whether a step of the run has changed anything, as far as it is known.
fn was_made(undone: &Undone, index: usize) -> bool {
    match undone.state(index) {
        StepState::Started | StepState::Ended(StepEnd::Changed | StepEnd::Failed) => true,
        StepState::Untouched | StepState::Ended(StepEnd::Refused | StepEnd::Skipped | StepEnd::Reverted) => {
            false
        }
    }
}

/// What is to be done about the things of one step.
enum Verdict {
    /// They are as they were.
    Back,
    /// They are put back; words for the machine: of what it does not know the state of that the run left,
    /// and of what stays as it is because an earlier step puts it back from there.
    PutBack(Vec<String>),
    /// They cannot be.
    Stay(String),
}

impl<'a> Making<'a> {
    fn take(&mut self, index: usize, step: &'a RunStep) {
        if !was_made(self.undone, index) {
            return;
        }
        if !self.undone.kept && step.action != Action::Release.verb() {
            let reason = "what was there before is not kept any more".to_owned();
            return self.plan.blocked.push(Blocked { id: step.id.clone(), origin: self.origin(), reason });
        }
        let things = self.undone.things.get(&index).map_or(&[][..], Vec::as_slice);
        if things.is_empty() {
            return self.without_things(index, step);
        }
        match self.judge(index, step, things) {
            Verdict::Back => self.plan.in_order += 1,
            Verdict::Stay(reason) => {
                self.staying.extend(things.iter().map(|thing| thing.name.as_str()));
                self.plan.blocked.push(Blocked { id: step.id.clone(), origin: self.origin(), reason });
            }
            Verdict::PutBack(words) => {
                let draft = self.put_back(index, step, things, words);
                self.drafts.push(draft);
            }
        }
    }

    /// What touched nothing that is kept: a release changed the record only; anything else is left.
    fn without_things(&mut self, index: usize, step: &RunStep) {
        if step.action == Action::Release.verb() {
            if step.former.is_some() && !self.ledger.entries.contains_key(&step.id) {
                let words = "fleetprov takes it up again as it did before".to_owned();
                let draft =
                    self.draft(index, step, Action::Update, vec![Detail::Note(words)], Vec::new(), &[]);
                self.drafts.push(draft);
            }
        } else if step.action != Action::Restart.verb() {
            self.notes.push(format!("{} is not undone: what such a step changes is not kept", step.id));
        }
    }

    fn now(&self, thing: &'a Thing) -> &'a Condition {
        self.foreseen.get(thing.name.as_str()).copied().unwrap_or(&thing.now)
    }

    /// Whether a thing has to change to be as it was before step `index`: not when it is so, when the step
    /// left it so, nor when it is as it was before an earlier step already.
    fn goes_back(&self, index: usize, thing: &'a Thing) -> bool {
        *self.now(thing) != thing.was
            && thing.left.as_ref() != Some(&thing.was)
            && !self.is_before(index, thing)
    }

    /// Whether a thing is as it was before a step earlier than `index`.
    fn is_before(&self, index: usize, thing: &'a Thing) -> bool {
        let former = self.former.get(thing.name.as_str()).map_or(&[][..], Vec::as_slice);
        former.iter().any(|(step, was)| *step < index && *was == self.now(thing))
    }

    fn judge(&self, index: usize, step: &RunStep, things: &'a [Thing]) -> Verdict {
        let mut words = Vec::new();
        let mut is_back = true;
        for thing in things {
            if !self.goes_back(index, thing) {
                if *self.now(thing) != thing.was && thing.left.as_ref() != Some(&thing.was) {
                    words.push(format!("{}-", thing.number));
                }
                continue;
            }
            let now = self.now(thing);
            is_back = false;
            let name = shown(thing);
            if let Touched::Other(_) = thing.touched {
                return Verdict::Stay(format!("the machine names something that makes no sense: {name}"));
            }
            for condition in [&thing.was, now] {
                if let State::Unkept(reason) = condition.state() {
                    return Verdict::Stay(format!("{name} stays as it is: {reason}"));
                }
            }
            match &thing.left {
                Some(left) if left == now => {}
                Some(left) => return Verdict::Stay(format!("{name}: {}", now.moved_from(left))),
                None if !thing.secret && is_as_wanted(step, now) => {
                    words.push(format!("{}={}", thing.number, now.words()));
                }
                None => {
                    return Verdict::Stay(format!(
                        "the run was cut off in this step, and {name} is neither as it was before nor \
                         certainly as the step was to make it"
                    ));
                }
            }
            if thing.was.is_absent()
                && let Some(stays) = self.staying.iter().find(|stays| is_below(stays, &thing.name))
            {
                let stays = stays.split_once(':').map_or(*stays, |(_, rest)| rest);
                return Verdict::Stay(format!("{name} stays, because {stays} in it does"));
            }
        }
        if is_back { Verdict::Back } else { Verdict::PutBack(words) }
    }

    fn put_back(&mut self, index: usize, step: &RunStep, things: &'a [Thing], words: Vec<String>) -> Draft {
        let changing = things.iter().filter(|thing| self.goes_back(index, thing));
        let changes: Vec<(&Thing, &Condition)> = changing.map(|thing| (thing, self.now(thing))).collect();
        let action = action(changes.iter().map(|(thing, now)| (*now, &thing.was)));
        let details = changes.iter().flat_map(|(thing, now)| details(&step.id, thing, now)).collect();
        let arguments = [self.state.to_owned(), self.undone.document.id.to_string(), index.to_string()];
        let operation = operation(Call::new("fp_undo", arguments.into_iter().chain(words)));
        let draft = self.draft(index, step, action, details, vec![operation], things);
        for (thing, _) in changes {
            self.foreseen.insert(&thing.name, &thing.was);
        }
        draft
    }

    fn draft(
        &self,
        index: usize,
        step: &RunStep,
        action: Action,
        details: Vec<Detail>,
        operations: Vec<Operation>,
        things: &'a [Thing],
    ) -> Draft {
        let changing = things.iter().filter(|thing| self.goes_back(index, thing));
        let names: BTreeSet<String> = changing.map(|thing| thing.name.clone()).collect();
        let earlier = self.drafts.iter().enumerate();
        let needs = earlier
            .filter(|(_, draft)| draft.names.iter().any(|one| names.iter().any(|other| meet(one, other))))
            .map(|(place, _)| place)
            .collect();
        let difference = Difference { action, details, operations };
        let mut made = Step::new(step.id.clone(), self.origin(), difference, needs);
        made.entry.clone_from(&step.former);
        made.former = self.ledger.entries.get(&step.id).cloned();
        made.guarded = step.guarded;
        made.touches = things.iter().map(|thing| thing.touched.clone()).collect();
        Draft { step: made, index, names }
    }

    /// Adds the restarts: of units that ran before and after the run, and that the run restarted because of
    /// something that goes back now.
    fn restarts(&mut self) {
        for (index, step) in self.undone.document.steps.iter().enumerate() {
            let because: Vec<ResourceId> = step
                .because
                .iter()
                .filter(|id| self.drafts.iter().any(|draft| draft.step.id == **id))
                .cloned()
                .collect();
            let things = self.undone.things.get(&index).map_or(&[][..], Vec::as_slice);
            let running =
                |condition: &Condition| matches!(condition.state(), State::Unit { active: true, .. });
            let unit = things.iter().find_map(|thing| match &thing.touched {
                Touched::Unit(unit) if running(&thing.was) && running(&thing.now) => Some(unit),
                _ => None,
            });
            let restarted = !because.is_empty() && was_made(self.undone, index);
            let Some(unit) = unit.filter(|_| restarted) else { continue };
            let restart = operation(Call::new("fp_undo_restart", [unit.as_str()]));
            match self.drafts.iter().position(|draft| draft.index == index) {
                Some(place) => {
                    // Nothing needs a unit's own step: it moves behind the others.
                    let mut draft = self.drafts.remove(place);
                    for other in &mut self.drafts {
                        other.step.needs.retain(|need| *need != place);
                        other.step.needs.iter_mut().filter(|need| **need > place).for_each(|need| *need -= 1);
                    }
                    draft.step.difference.operations.push(restart);
                    let needs = draft.step.needs.iter().copied().chain(self.places(&because));
                    draft.step.needs = needs.collect::<BTreeSet<_>>().into_iter().collect();
                    draft.step.because = because;
                    self.drafts.push(draft);
                }
                None => {
                    self.plan.in_order = self.plan.in_order.saturating_sub(1);
                    let mut draft =
                        self.draft(index, step, Action::Restart, Vec::new(), vec![restart], things);
                    draft.step.needs = self.places(&because);
                    draft.step.because = because;
                    self.drafts.push(draft);
                }
            }
        }
    }

    /// Where the drafts of resources are.
    fn places(&self, ids: &[ResourceId]) -> Vec<usize> {
        let drafts = self.drafts.iter().enumerate();
        drafts.filter(|(_, draft)| ids.contains(&draft.step.id)).map(|(place, _)| place).collect()
    }

    /// Puts what can cut the way in last, with whatever needs it.
    fn finish(mut self) -> (Plan, Vec<String>) {
        self.plan.steps = self.drafts.into_iter().map(|draft| draft.step).collect();
        arrange(&mut self.plan);
        (self.plan, self.notes)
    }

    fn origin(&self) -> Origin {
        let source = Source::new("the machine's journal", "");
        Origin { from: format!("run {}", self.undone.document.id), span: Span::new(&source, 0, 0) }
    }
}

fn operation(call: Call) -> Operation {
    Operation { library: UNDO, call, payload: None, within: None }
}

/// A thing for a person.
fn shown(thing: &Thing) -> String {
    match &thing.touched {
        Touched::Path(path) => path.to_string(),
        Touched::Unit(unit) => unit.clone(),
        Touched::Crontab(user) => format!("the crontab of {user}"),
        Touched::Other(other) => other.clone(),
    }
}

/// Whether what is there is, by its digest, what a step was to make.
fn is_as_wanted(step: &RunStep, now: &Condition) -> bool {
    let wanted = step.entry.iter().flat_map(|entry: &Entry| entry.applied.values());
    let Some(there) = now.digest() else { return false };
    wanted.into_iter().any(|aspect| matches!(aspect, Aspect::Digest(digest) if *digest == there))
}

/// Whether two things are the same, or one lies in the other.
fn meet(one: &str, other: &str) -> bool {
    one == other || is_below(one, other) || is_below(other, one)
}

/// Whether a path lies below another; both are names of things.
fn is_below(name: &str, folder: &str) -> bool {
    folder.starts_with("path:/") && name.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}
