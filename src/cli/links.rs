//! Links in the course of a run: public halves that machines tell, and the rounds in which a key is made on one
//! machine and let in on another.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::preparation::{identity, jobs_of};
use super::surface::complain;
use crate::desired::{LINK_DOOR, LinkHalf, missing_halves};
use crate::event::{Event, StepOutcome};
use crate::fleet::{Chosen, Outcome, Prepared, Run, RunOptions};
use crate::format::authorized_keys::PublicKey;
use crate::inventory::ServiceKind;
use crate::model::{MachineName, ResourceId, Source};
use crate::plan::SavedPlan;
use crate::report::{self, LinkRow, Style};
use crate::resource::{Action, Opens, Whom, authorized_key, link_key};
use crate::store::Project;
use crate::transport::Connector;

/// A public half that a machine told and that is not known beside the inventory.
pub(super) struct Learned {
    machine: MachineName,
    key: String,
    /// `TYPE BASE64 COMMENT`.
    line: String,
}

/// What machines told that is not known. A half that is somebody else's already is not taken.
fn learned<'a>(
    project: &Project,
    told: impl Iterator<Item = (&'a MachineName, &'a [(ResourceId, String)])>,
) -> Vec<Learned> {
    let mut owners = owners(project);
    let mut found = Vec::new();
    for (machine, exports) in told {
        for (id, value) in exports.iter().filter(|(id, _)| id.kind == link_key::KIND) {
            let Ok(key) = PublicKey::parse(value) else { continue };
            let half = (machine.to_string(), id.target.clone());
            match owners.get(&key.fingerprint()) {
                Some(Owner::Link(owner)) if *owner == half => continue,
                Some(owner) => {
                    complain(&format!(
                        "warning: {machine} tells the key of {} as its own for {}; it is not taken\n",
                        owner.words(),
                        id.target
                    ));
                    continue;
                }
                None => {}
            }
            owners.insert(key.fingerprint(), Owner::Link(half));
            let line = format!(
                "{} {} fleetprov:{}:{machine}:{}",
                key.sort(),
                key.encoded(),
                project.fleet.name,
                id.target
            );
            found.push(Learned { machine: machine.clone(), key: id.target.clone(), line });
        }
    }
    found
}

/// Whose a key is that is known already.
enum Owner {
    /// A link's: the machine and the name.
    Link((String, String)),
    /// A seat's.
    Seat(String),
}

impl Owner {
    fn words(&self) -> String {
        match self {
            Self::Link((machine, key)) => format!("{machine} for {key}"),
            Self::Seat(seat) => format!("seat {seat}"),
        }
    }
}

fn owners(project: &Project) -> BTreeMap<String, Owner> {
    let mut owners = BTreeMap::new();
    for half in &project.library.halves {
        if let Ok(key) = PublicKey::parse(half.source.text()) {
            owners.insert(key.fingerprint(), Owner::Link((half.machine.clone(), half.key.clone())));
        }
    }
    for keys in &project.library.seats {
        for key in keys.source.text().lines().filter_map(|line| PublicKey::parse(line).ok()) {
            owners.insert(key.fingerprint(), Owner::Seat(keys.seat.clone()));
        }
    }
    owners
}

/// Takes public halves into what machines are resolved from; gives the machines that they open.
fn take(project: &mut Project, learned: &[Learned]) -> BTreeSet<MachineName> {
    let mut library = project.library.as_ref().clone();
    let mut opened = BTreeSet::new();
    for one in learned {
        let is_it = |half: &LinkHalf| half.machine == one.machine.as_str() && half.key == one.key;
        library.halves.retain(|half| !is_it(half));
        let name = project.link_keys.path(&one.machine, &one.key).display().to_string();
        let source = Source::new(name, format!("{}\n", one.line));
        library.halves.push(LinkHalf { machine: one.machine.to_string(), key: one.key.clone(), source });
        for link in &library.links {
            if let Whom::Machine(whom) = &link.opens.whom
                && link.from == one.machine
                && link.opens.key() == one.key
            {
                opened.insert(whom.clone());
            }
        }
    }
    project.library = Arc::new(library);
    opened
}

/// Looks again at the machines that a key opens which another one has already and nobody knew of. Gives what is to
/// be kept once the run is agreed to.
pub(super) async fn fill(
    project: &mut Project,
    run: &Run<'_>,
    prepared: Vec<Prepared>,
) -> (Vec<Prepared>, Vec<Learned>) {
    let told =
        prepared.iter().filter_map(|one| Some((&one.machine, one.result.as_ref().ok()?.exports.as_slice())));
    let learned = learned(project, told);
    if learned.is_empty() {
        return (prepared, learned);
    }
    let opened = take(project, &learned);
    let again = opened.into_iter().filter(|name| prepared.iter().any(|one| one.machine == *name)).collect();
    (run.renew(prepared, jobs_of(project, &again)).await, learned)
}

/// Whether a resource is one that a link brings about: its key, or the line that lets it in.
fn is_of_a_link(id: &ResourceId) -> bool {
    let is_door = || id.kind == authorized_key::KIND && id.target.contains(&format!("#{LINK_DOOR}"));
    id.kind == link_key::KIND || is_door()
}

/// The keys that a plan makes.
fn made(prepared: &Prepared) -> Vec<&str> {
    let Ok(ready) = &prepared.result else { return Vec::new() };
    let steps = ready.plan.steps.iter().enumerate();
    let steps = steps.filter(|(index, step)| {
        step.id.kind == link_key::KIND
            && step.difference.action == Action::Create
            && !ready.stale.contains_key(index)
    });
    steps.map(|(_, step)| step.id.target.as_str()).collect()
}

/// Says on each machine which keys will be let in that nobody knows yet.
pub(super) fn announce(project: &Project, prepared: &mut [Prepared]) {
    let coming: BTreeSet<(MachineName, String)> = prepared
        .iter()
        .flat_map(|one| made(one).into_iter().map(|key| (one.machine.clone(), key.to_owned())))
        .collect();
    for one in prepared {
        let (Some(machine), Ok(ready)) = (project.fleet.machine(one.machine.as_str()), &mut one.result)
        else {
            continue;
        };
        let missing = missing_halves(&project.fleet, machine, &project.library);
        let replaced = coming.iter().filter(|(from, key)| {
            project.library.links.iter().any(|link| {
                matches!(&link.opens.whom, Whom::Machine(whom) if *whom == one.machine)
                    && link.from == *from
                    && link.opens.key() == *key
            })
        });
        let all: BTreeSet<_> = missing.iter().chain(replaced).cloned().collect();
        for (from, key) in all {
            ready.notes.push(if coming.contains(&(from.clone(), key.clone())) {
                format!("{from} makes a key for it in the same apply, which then lets it in here")
            } else {
                format!("{from} has no key for it yet; the apply that makes it lets it in here")
            });
        }
    }
}

/// Keeps public halves beside the inventory.
pub(super) fn keep(project: &Project, learned: &[Learned]) {
    for one in learned {
        if let Err(error) = project.link_keys.write(&one.machine, &one.key, &one.line) {
            complain(&format!("warning: failed to {error}; the next apply asks {} again\n", one.machine));
        }
    }
}

/// Takes the public halves away whose private halves went.
pub(super) fn forget(project: &Project, outcomes: &[Outcome]) {
    for outcome in outcomes {
        let steps = outcome.plan.iter().flat_map(|plan| &plan.steps).zip(&outcome.steps);
        for (step, ended) in steps {
            let is_gone = step.id.kind == link_key::KIND
                && step.difference.action == Action::Remove
                && *ended == StepOutcome::Changed;
            if is_gone && let Err(error) = project.link_keys.remove(&outcome.machine, &step.id.target) {
                complain(&format!("warning: failed to {error}\n"));
            }
        }
    }
}

/// The links of a fleet, a row for each key.
pub(super) fn rows(project: &Project) -> Vec<LinkRow> {
    let mut rows: BTreeMap<(usize, String), LinkRow> = BTreeMap::new();
    let place = |name: &MachineName| project.fleet.machines.iter().position(|one| one.name == *name);
    for link in &project.library.links {
        let key = link.opens.key();
        let row = rows.entry((place(&link.from).unwrap_or_default(), key.clone())).or_insert_with(|| {
            let mut halves = project.library.halves.iter();
            let half = halves.find(|half| half.machine == link.from.as_str() && half.key == key);
            let known =
                half.and_then(|half| PublicKey::parse(half.source.text()).ok().map(|key| (half, key)));
            LinkRow {
                from: link.from.to_string(),
                key,
                whom: link.opens.whom.name().to_owned(),
                uses: String::new(),
                writes: false,
                half: known.map(|(half, key)| (half.source.text().trim().to_owned(), key.fingerprint())),
                service: match &link.opens.whom {
                    Whom::Machine(_) => None,
                    Whom::Service(name, ..) => remote(project, name.as_str()),
                },
            }
        });
        row.writes |= link.opens.writes;
        row.uses = Opens { writes: row.writes, ..link.opens.clone() }.words();
    }
    rows.into_values().collect()
}

fn remote(project: &Project, service: &str) -> Option<String> {
    match &project.fleet.service(service)?.kind {
        ServiceKind::Git { remote, .. } => Some(remote.value.clone()),
        _ => None,
    }
}

/// Says where keys that were learned have to be let in by hand.
pub(super) fn instructions(project: &Project, learned: &[Learned], style: Style) -> String {
    let is_new =
        |row: &LinkRow| learned.iter().any(|one| one.machine.as_str() == row.from && one.key == row.key);
    let rows = rows(project);
    report::deploy_keys(&rows.iter().filter(|row| is_new(row)).collect::<Vec<_>>(), style)
}

/// A run in two rounds when there are keys to make, and in one otherwise.
pub(super) struct Rounds<'a> {
    /// The run as it is now: the first one, or the second of two.
    pub(super) run: Run<'a>,
    /// What it is about to change.
    pub(super) prepared: Vec<Prepared>,
    /// What became of the machines that made keys.
    pub(super) first: Vec<Outcome>,
    /// The public halves of those.
    pub(super) learned: Vec<Learned>,
}

impl<'a> Rounds<'a> {
    /// Makes the keys that the plans make, learns their public halves, and looks again at the machines that they
    /// belong to and open. All that was shown otherwise is refused in the second round; the lines that let the keys
    /// in were announced.
    pub(super) async fn begin(
        project: &mut Project,
        connector: &'a dyn Connector,
        options: &RunOptions,
        tell: &'a (dyn Fn(Event) + Send + Sync),
        shown: Option<&Arc<SavedPlan>>,
        run: Run<'a>,
        prepared: Vec<Prepared>,
    ) -> Self {
        let makers: BTreeSet<MachineName> =
            prepared.iter().filter(|one| !made(one).is_empty()).map(|one| one.machine.clone()).collect();
        if makers.is_empty() {
            return Self { run, prepared, first: Vec::new(), learned: Vec::new() };
        }
        let shown = shown.cloned().unwrap_or_else(|| Arc::new(as_shown(&prepared, options)));
        let only: Chosen = Arc::new(|id: &ResourceId| id.kind == link_key::KIND);
        let first = RunOptions { only: Some(only), ..options.clone() };
        let announced: Chosen = Arc::new(is_of_a_link);
        let first = Run::new(connector, first, tell).bound_to(Arc::clone(&shown));
        let making = first.prepare(jobs_of(project, &makers)).await;
        let outcomes = first.apply(making).await;
        let told = outcomes.iter().map(|one| (&one.machine, one.exports.as_slice()));
        let learned = learned(project, told);
        keep(project, &learned);
        let mut again = take(project, &learned);
        again.extend(makers);
        // Whoever was refused, or could not be shown, stays as it is.
        again.retain(|name| prepared.iter().any(|one| one.machine == *name && one.result.is_ok()));
        let options = RunOptions { identity: identity(project, "apply"), ..options.clone() };
        let run = Run::new(connector, options, tell).bound_to(shown).announcing(announced);
        let prepared = run.renew(prepared, jobs_of(project, &again)).await;
        Self { run, prepared, first: outcomes, learned }
    }
}

/// Both rounds as one.
pub(super) fn joined(first: &[Outcome], outcomes: Vec<Outcome>) -> Vec<Outcome> {
    let join = |outcome: Outcome| match first.iter().find(|one| one.machine == outcome.machine) {
        Some(first) => outcome.preceded_by(first),
        None => outcome,
    };
    outcomes.into_iter().map(join).collect()
}

/// Keeps what machines told after a run, and gives it.
pub(super) fn learn(project: &mut Project, outcomes: &[Outcome]) -> Vec<Learned> {
    let learned = learned(project, outcomes.iter().map(|one| (&one.machine, one.exports.as_slice())));
    keep(project, &learned);
    take(project, &learned);
    learned
}

/// The plans as a person was shown them.
fn as_shown(prepared: &[Prepared], options: &RunOptions) -> SavedPlan {
    let identity = &options.identity;
    let ready = prepared.iter().filter_map(|one| one.result.as_ref().ok());
    SavedPlan {
        version: String::new(),
        fleet: identity.fleet.to_string(),
        inventory: identity.inventory.clone(),
        when: identity.when.clone(),
        who: identity.who.clone(),
        machines: ready.map(|ready| ready.saved()).collect(),
    }
}
