//! Which machines of a run wait for which, in what order they are begun, and how they hear of each
//! other's end.

use std::collections::{BTreeMap, BTreeSet};

use futures::FutureExt as _;
use tokio::sync::watch;

use super::run::{Outcome, Prepared};
use crate::apply::{Barred, Waiting};
use crate::event::{Failure, FailureKind, StepOutcome};
use crate::model::MachineName;
use crate::plan::Plan;

/// How a machine ended: as it should be, or why not, in words that fit behind its name and a comma.
type End = Result<(), String>;

/// The ends of all machines that anybody waits for, as they come to be known.
pub(super) struct Course(BTreeMap<MachineName, watch::Sender<Option<End>>>);

impl Course {
    /// What is known before anything is changed. Machines `beside` the run are looked at and not changed.
    pub(super) fn new(prepared: &[Prepared], beside: &[Prepared]) -> Self {
        let mut ends = BTreeMap::new();
        for (one, is_part) in
            beside.iter().map(|one| (one, false)).chain(prepared.iter().map(|one| (one, true)))
        {
            let end = match &one.result {
                Err(failure) => Some(Err(failed(failure).to_owned())),
                Ok(ready) if ready.plan.steps.is_empty() => Some(in_order(&ready.plan)),
                Ok(_) if is_part => None,
                Ok(_) => Some(Err("which has changes to make and is not part of this run".to_owned())),
            };
            ends.insert(one.machine.clone(), watch::Sender::new(end));
        }
        Self(ends)
    }

    /// Tells those who wait for a machine how it ended.
    pub(super) fn tell(&self, outcome: &Outcome) {
        if let Some(end) = self.0.get(&outcome.machine) {
            end.send_replace(Some(end_of(outcome)));
        }
    }

    /// For a plan with steps that wait for others: what becomes of those steps, once that is known.
    pub(super) fn waiting<'a>(&'a self, plan: &'a Plan) -> Option<Waiting<'a>> {
        plan.awaiting_from()?;
        let waiting = async move {
            let mut barred = Barred::new();
            for (index, step) in plan.steps.iter().enumerate() {
                for machine in &step.awaits {
                    if let Err(why) = self.end(machine).await {
                        let reason = format!("it waits for {machine}, {why}");
                        barred.insert(index, StepOutcome::Held(reason));
                        break;
                    }
                }
            }
            barred
        };
        Some(waiting.boxed())
    }

    async fn end(&self, machine: &MachineName) -> End {
        let Some(end) = self.0.get(machine) else { return Err("which is not part of this run".to_owned()) };
        let mut end = end.subscribe();
        let known = end.wait_for(Option::is_some).await.map(|end| end.clone());
        known.ok().flatten().unwrap_or_else(|| Err("which did not come to its end".to_owned()))
    }
}

fn failed(failure: &Failure) -> &'static str {
    match failure.kind {
        FailureKind::Unreachable => "which cannot be reached",
        FailureKind::Refused => "which was refused",
        FailureKind::Interrupted => "where the run was interrupted",
        FailureKind::Other => "which cannot be worked on",
    }
}

fn in_order(plan: &Plan) -> End {
    if plan.is_empty() { Ok(()) } else { Err("where something is blocked".to_owned()) }
}

fn end_of(outcome: &Outcome) -> End {
    if let Some(failure) = &outcome.failure {
        return Err(failed(failure).to_owned());
    }
    let changed = outcome.steps.iter().filter(|step| **step == StepOutcome::Changed).count();
    match &outcome.left {
        Some(left) if changed == outcome.steps.len() && left.steps.is_empty() => in_order(left),
        _ if changed == 0 => Err("whose change failed".to_owned()),
        _ => Err("which was changed only in part".to_owned()),
    }
}

/// For each machine, the others among them that have something to do and that it waits for.
fn edges(prepared: &[Prepared]) -> BTreeMap<&MachineName, BTreeSet<&MachineName>> {
    let plans: BTreeMap<&MachineName, &Plan> = prepared
        .iter()
        .filter_map(|one| Some((&one.machine, one.result.as_ref().ok()?.plan.as_ref())))
        .filter(|(_, plan)| !plan.steps.is_empty())
        .collect();
    let mut edges = BTreeMap::new();
    for (machine, plan) in &plans {
        let awaited = plan.awaited();
        let among = plans.keys().filter(|other| awaited.contains(**other));
        edges.insert(*machine, among.copied().collect());
    }
    edges
}

/// The order in which the machines are begun: each after those it waits for, otherwise as given. Indices
/// into `prepared`. Then whoever waits, waits for one that is under way or through, however few are
/// worked on at once.
pub(super) fn order(prepared: &[Prepared]) -> Vec<usize> {
    let edges = edges(prepared);
    let mut done: BTreeSet<&MachineName> = BTreeSet::new();
    let mut order: Vec<usize> = Vec::new();
    let mut open: Vec<usize> = (0..prepared.len()).collect();
    while !open.is_empty() {
        let is_free = |index: &usize| {
            let machine = prepared.get(*index).map(|one| &one.machine);
            let awaited = machine.and_then(|machine| edges.get(machine));
            awaited.is_none_or(|awaited| awaited.is_subset(&done))
        };
        let (mut free, rest): (Vec<usize>, Vec<usize>) = open.into_iter().partition(is_free);
        open = rest;
        if free.is_empty() {
            // A circle has been taken out before; this loop ends all the same.
            free.append(&mut open);
        }
        done.extend(free.iter().filter_map(|index| prepared.get(*index)).map(|one| &one.machine));
        order.extend(free);
    }
    order
}

/// The machines that wait for each other in a circle, each with what to say of it.
pub(super) fn circles(prepared: &[Prepared]) -> BTreeMap<MachineName, Failure> {
    let edges = edges(prepared);
    let mut found = BTreeMap::new();
    for start in edges.keys() {
        if found.contains_key(*start) {
            continue;
        }
        let Some(circle) = way_back(&edges, start) else { continue };
        let next = circle.iter().cycle().skip(1);
        let words: Vec<String> = circle
            .iter()
            .zip(next)
            .map(|(machine, awaited)| match waiting_step(prepared, machine, awaited) {
                Some(id) => format!("{machine}'s {id} waits for {awaited}"),
                None => format!("{machine} waits for {awaited}"),
            })
            .collect();
        let message = format!("order the machines, which wait for each other: {}", words.join(", "));
        for machine in circle {
            let failure = Failure { kind: FailureKind::Refused, message: message.clone() };
            found.insert(machine.clone(), failure);
        }
    }
    found
}

fn waiting_step(prepared: &[Prepared], machine: &MachineName, awaited: &MachineName) -> Option<String> {
    let ready = prepared.iter().find(|one| one.machine == *machine)?.result.as_ref().ok()?;
    let step = ready.plan.steps.iter().find(|step| step.awaits.contains(awaited))?;
    Some(step.id.to_string())
}

/// The shortest way from a machine back to itself, as the machines on it, beginning with itself.
fn way_back<'a>(
    edges: &BTreeMap<&'a MachineName, BTreeSet<&'a MachineName>>,
    start: &'a MachineName,
) -> Option<Vec<&'a MachineName>> {
    let mut seen: BTreeSet<&MachineName> = BTreeSet::new();
    let mut ways = vec![vec![start]];
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            for next in way.last().and_then(|last| edges.get(last)).into_iter().flatten() {
                if *next == start {
                    return Some(way);
                }
                if seen.insert(next) {
                    longer.push(way.iter().copied().chain([*next]).collect());
                }
            }
        }
        ways = longer;
    }
    None
}
