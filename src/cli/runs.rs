//! `plan` and `apply`: look at the machines, show what would change, ask, change it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::arguments::{self, Apply, Change, Look, Undo};
use super::asking::{Answer, ask, cancel_on_signal};
use super::exit::Exit;
use super::links::{self, Rounds};
use super::preparation::{Preparation, Untouched, jobs_of};
use super::progress::Progress;
use super::saved;
use super::surface::{Surface, complain, print};
use crate::event::Event;
use crate::fleet::{Chosen, Consent, Outcome, Prepared, Ready, Run, RunOptions};
use crate::history::no_such_run;
use crate::model::{Identity, MachineName, Method, ResourceId, Target};
use crate::plan::Plan;
use crate::report::{self, MachineReport};
use crate::state::RunId;
use crate::store::Project;

/// `plan`.
pub(super) async fn plan(arguments: &arguments::Plan, surface: Surface) -> Exit {
    let look = &arguments.look;
    if let Some(Err(exit)) = arguments.out.as_deref().map(saved::check_place) {
        return exit;
    }
    let (session, prepared) = match prepare(look, surface).await {
        Ok(looked) => looked,
        Err(exit) => return exit,
    };
    let reports = in_order(&session.order, &session.untouched, prepared.iter().map(of_prepared));
    let exit = show(&session.fleet_name, &reports, look.json, surface);
    let Some(path) = &arguments.out else { return exit };
    match saved::keep(path, &prepared, &session.identity) {
        // Standard output holds one JSON document.
        Ok(sentence) if look.json => complain(&sentence),
        Ok(sentence) => print(&sentence),
        Err(worse) => return exit.or_worse(worse),
    }
    exit
}

/// `drift`: the part of the plan that is there because a machine moved.
pub(super) async fn drift(look: &Look, surface: Surface) -> Exit {
    let (session, prepared) = match prepare(look, surface).await {
        Ok(looked) => looked,
        Err(exit) => return exit,
    };
    let drifted: Vec<Option<(Plan, usize)>> =
        prepared.iter().map(|one| one.result.as_ref().ok().map(|ready| ready.plan.drifted())).collect();
    let reports = prepared.iter().zip(&drifted).map(|(one, drifted)| match drifted {
        Some((plan, pending)) => {
            MachineReport { plan: Some(plan), pending: Some(*pending), ..of_prepared(one) }
        }
        None => of_prepared(one),
    });
    let reports = in_order(&session.order, &session.untouched, reports);
    show(&session.fleet_name, &reports, look.json, surface)
}

/// Shows the plan of one machine of a project, reached by a way of its own.
pub(super) async fn plan_of(
    look: &Look,
    project: &Project,
    machine: &MachineName,
    way: Target,
    surface: Surface,
) -> Exit {
    let mut session = match Preparation::of(project.clone(), Some(&[machine.to_string()])) {
        Ok(session) => session,
        Err(exit) => return exit,
    };
    for job in &mut session.jobs {
        job.target = Target { method: way.method.clone(), ..job.target.clone() };
    }
    let tell = |event: Event| super::log::note(&event);
    let cancel = cancel_on_signal();
    let jobs = std::mem::take(&mut session.jobs);
    let run = Run::new(&session.connector, session.options(look, &cancel), &tell);
    let prepared = run.prepare(jobs).await;
    let reports = in_order(&session.order, &session.untouched, prepared.iter().map(of_prepared));
    show(&session.fleet_name, &reports, look.json, surface)
}

/// Looks at the machines.
async fn prepare(look: &Look, surface: Surface) -> Result<(Preparation, Vec<Prepared>), Exit> {
    let mut session = Preparation::new(look, None, surface)?;
    let progress = Progress::new(surface.progress, surface.errors, session.jobs.len());
    let tell = |event: Event| {
        super::log::note(&event);
        progress.hear(&event);
    };
    let cancel = cancel_on_signal();
    let jobs = std::mem::take(&mut session.jobs);
    let run = Run::new(&session.connector, session.options(look, &cancel), &tell);
    let prepared = run.prepare(jobs).await;
    let (mut prepared, _) = links::fill(&mut session.project, &run, prepared).await;
    links::announce(&session.project, &mut prepared);
    progress.clear();
    drop(run);
    Ok((session, prepared))
}

/// What is to be changed, and what was agreed to beforehand.
#[derive(Default)]
pub(super) struct Wish<'a> {
    plan: Option<&'a Path>,
    undoes: Option<RunId>,
    allow_prune: bool,
    allow_older: bool,
    machines: Machines,
    /// The resources it is about; all, unless given.
    chosen: Option<Chosen>,
    /// What of the machines' resources is desired; what the inventory says, unless given.
    desired: Option<Chosen>,
    /// Whether nobody is to get in afterwards by what is changed, so that nothing is guarded.
    farewell: bool,
    /// More that may open the machine, beside what the inventory and this seat have for it.
    identities: Vec<Identity>,
    /// Whether standard output is for somebody else: what there is to say goes to standard error.
    aside: bool,
}

/// The machines that a wish is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Machines {
    /// All that were chosen on the command line.
    #[default]
    All,
    /// This one.
    One(MachineName),
    /// All but this one.
    AllBut(MachineName),
}

impl Machines {
    fn has(&self, machine: &MachineName) -> bool {
        match self {
            Self::All => true,
            Self::One(one) => one == machine,
            Self::AllBut(one) => one != machine,
        }
    }
}

impl Wish<'_> {
    /// Some resources of one machine, and nothing else of any.
    pub(super) fn only(machine: MachineName, chosen: Chosen) -> Self {
        let machines = Machines::One(machine);
        Self { allow_prune: true, allow_older: true, machines, chosen: Some(chosen), ..Self::default() }
    }

    /// Some resources of all machines but one.
    pub(super) fn beside(machine: MachineName, chosen: Chosen) -> Self {
        Self { machines: Machines::AllBut(machine.clone()), ..Self::only(machine, chosen) }
    }

    /// One machine keeps only these resources; everything else of it leaves.
    pub(super) fn leaving(machine: MachineName, kept: Chosen) -> Self {
        Self { allow_prune: true, allow_older: true, desired: Some(kept), ..Self::machine(machine) }
    }

    /// Everything of one machine leaves, the way in as well.
    pub(super) fn farewell(machine: MachineName) -> Self {
        Self { farewell: true, ..Self::leaving(machine, Arc::new(|_: &ResourceId| false)) }
    }

    /// Everything on one machine.
    pub(super) fn machine(machine: MachineName) -> Self {
        Self { machines: Machines::One(machine), ..Self::default() }
    }

    /// The same, with what there is to say on standard error.
    pub(super) fn aside(mut self, aside: bool) -> Self {
        self.aside = aside;
        self
    }

    /// The same, with more that may open the machine.
    pub(super) fn with_identities(mut self, identities: Vec<Identity>) -> Self {
        self.identities = identities;
        self
    }
}

/// `apply`.
pub(super) async fn apply(arguments: &Apply, surface: Surface) -> Exit {
    let wish = Wish {
        plan: arguments.plan.as_deref(),
        allow_prune: arguments.allow_prune,
        allow_older: arguments.allow_older,
        ..Wish::default()
    };
    change(&arguments.change, wish, surface).await
}

/// `undo`: the same way, with the plan that puts a run back.
pub(super) async fn undo(arguments: &Undo, surface: Surface) -> Exit {
    let Some(run) = RunId::new(&arguments.run) else {
        complain("error: that is not the name of a run; `history` lists them\n");
        return Exit::BadInput;
    };
    change(&arguments.change, Wish { undoes: Some(run), ..Wish::default() }, surface).await
}

pub(super) async fn change(arguments: &Change, wish: Wish<'_>, surface: Surface) -> Exit {
    let look = &arguments.look;
    let say = if wish.aside { complain } else { print };
    if !arguments.yes && !surface.can_ask {
        complain(
            "error: there is no terminal to ask on; say --yes to apply without a question, or use `plan` to look\n",
        );
        return Exit::BadInput;
    }
    let plan_file = match wish.plan.map(|path| Ok((path, Arc::new(saved::read(path)?)))) {
        None => None,
        Some(Ok(plan_file)) => Some(plan_file),
        Some(Err(exit)) => return exit,
    };
    let file = plan_file.as_ref().map(|(path, plan)| (*path, plan.as_ref()));
    let mut session = match Preparation::new(look, file, surface) {
        Ok(session) => session,
        Err(exit) => return exit,
    };
    if let Some(run) = &wish.undoes {
        session.undo(run);
    }
    let of_plan = if wish.undoes.is_some() { Exit::of_undo } else { Exit::of_plan };
    let progress = Progress::new(surface.progress, surface.errors, session.jobs.len());
    let tell = |event: Event| {
        super::log::note(&event);
        progress.hear(&event);
    };
    let cancel = cancel_on_signal();
    let mut options = RunOptions {
        lock_timeout: Duration::from_secs(arguments.lock_timeout),
        ..session.options(look, &cancel)
    };
    options.only.clone_from(&wish.chosen);
    options.farewell = wish.farewell;
    if wish.machines != Machines::All {
        session.jobs.retain(|job| wish.machines.has(&job.machine));
        session.others.clear();
        session.untouched.retain(|one| {
            // What the others are asked to give up, one that is not supported yet never had.
            let is_free = matches!(wish.machines, Machines::AllBut(_)) && one.is_unsupported();
            wish.machines.has(one.report().name) && !is_free
        });
        for job in &mut session.jobs {
            if let Method::Ssh(way) = &mut job.target.method {
                way.hop.identities.extend(wish.identities.iter().cloned());
            }
        }
    }
    if let Some(desired) = &wish.desired {
        for job in &mut session.jobs {
            let (resolve, desired) = (Arc::clone(&job.resolve), Arc::clone(desired));
            job.resolve = Arc::new(move |facts| {
                let mut declared = resolve(facts)?;
                declared.retain(|one| desired(&one.resource.id()));
                Ok(declared)
            });
        }
    }
    options.limits.guard = Duration::from_secs(arguments.guard_timeout);
    let run = Run::new(&session.connector, options.clone(), &tell);
    let run = match &plan_file {
        Some((_, plan)) => run.bound_to(Arc::clone(plan)),
        None => run,
    };
    let mut prepared = run.prepare(std::mem::take(&mut session.jobs)).await;
    let mut known = Vec::new();
    // A run that is about something else leaves links alone.
    let has_links = wish.undoes.is_none() && options.only.is_none() && wish.desired.is_none();
    if has_links {
        (prepared, known) = links::fill(&mut session.project, &run, prepared).await;
        links::announce(&session.project, &mut prepared);
    }
    progress.clear();
    if let Some(run) = &wish.undoes
        && !prepared.is_empty()
        && prepared.iter().all(|one| is_unknown(one, run))
    {
        complain(&format!("error: no machine has run {run} in its journal; `history` lists what there is\n"));
        return Exit::BadInput;
    }
    let untouched = &session.untouched;
    let changes = |one: &&Prepared| one.result.as_ref().is_ok_and(Ready::has_changes);
    let machines = prepared.iter().filter(changes).count();
    // What is only written down needs no question.
    let news = prepared.iter().any(|one| one.result.as_ref().is_ok_and(Ready::has_news));
    {
        let reports = in_order(&session.order, untouched, prepared.iter().map(of_prepared));
        if !look.json {
            say(&report::plans(&reports, surface.output));
        }
        if (machines == 0 && !news) || cancel.is_cancelled() {
            let exit = reports.iter().map(of_plan).fold(Exit::Done, Exit::or_worse);
            let exit = if cancel.is_cancelled() { Exit::Interrupted } else { exit };
            links::keep(&session.project, &known);
            if wish.aside {
                say(&format!("\n{}", report::summary(&reports, surface.output)));
            } else {
                finish(&session.fleet_name, &reports, look.json, exit, surface);
            }
            return exit;
        }
        if machines == 0 {
            // Nobody is asked.
        } else if !arguments.yes && look.json {
            // Standard output is for the outcome; who is asked sees the plan all the same.
            complain(&report::plans(&reports, surface.errors));
            complain(&format!("\n{}", report::summary(&reports, surface.errors)));
        } else if !arguments.yes {
            print(&format!("\n{}", report::summary(&reports, surface.output)));
        }
    }
    if arguments.yes {
        for one in &mut prepared {
            let lacking = lacking(one, &wish);
            if !lacking.is_empty() {
                one.refuse(&lacking).await;
            }
        }
    } else if machines > 0 {
        match ask(machines, &warnings(&prepared, &wish), &cancel).await {
            Answer::Yes => {}
            Answer::No => {
                complain("nothing was changed\n");
                return Exit::Pending;
            }
            Answer::Interrupted => {
                complain("\ninterrupted; nothing was changed\n");
                return Exit::Interrupted;
            }
        }
    }
    links::keep(&session.project, &known);
    let mut first = Vec::new();
    let mut run = run;
    if has_links {
        let shown = plan_file.as_ref().map(|(_, plan)| plan);
        let project = &mut session.project;
        let rounds = Rounds::begin(project, &session.connector, &options, &tell, shown, run, prepared).await;
        let made;
        Rounds { run, prepared, first, learned: made } = rounds;
        known.extend(made);
        session.others =
            jobs_of(&session.project, &session.others.iter().map(|job| job.machine.clone()).collect());
    }
    let beside = run.look_at_awaited(&prepared, std::mem::take(&mut session.others)).await;
    let outcomes = links::joined(&first, run.apply_beside(prepared, &beside).await);
    if has_links {
        known.extend(links::learn(&mut session.project, &outcomes));
        links::forget(&session.project, &outcomes);
    }
    progress.clear();
    let reports = in_order(&session.order, untouched, outcomes.iter().map(of_outcome));
    let exit = untouched
        .iter()
        .map(|one| Exit::of_plan(&one.report()))
        .chain(outcomes.iter().map(Exit::of_outcome))
        .chain(wish.undoes.iter().flat_map(|_| outcomes.iter().map(Exit::of_undone)))
        .fold(Exit::Done, Exit::or_worse);
    if !look.json {
        say(&report::outcomes(&reports, surface.output));
    }
    if wish.aside {
        say(&format!("\n{}", report::summary(&reports, surface.output)));
        return exit;
    }
    finish(&session.fleet_name, &reports, look.json, exit, surface);
    if look.json {
        // Standard output holds one JSON document.
        complain(&links::instructions(&session.project, &known, surface.errors));
    } else {
        print(&links::instructions(&session.project, &known, surface.output));
    }
    exit
}

/// Whether a machine was asked and does not know a run.
fn is_unknown(prepared: &Prepared, run: &RunId) -> bool {
    let unknown = no_such_run(run);
    prepared.result.as_ref().is_ok_and(|ready| ready.notes.contains(&unknown))
}

/// What a machine's plan needs consent to that was not given.
fn lacking(prepared: &Prepared, wish: &Wish<'_>) -> Vec<Consent> {
    let is_given = |consent: &Consent| match consent {
        Consent::Prune { .. } => wish.allow_prune,
        Consent::Older => wish.allow_older,
    };
    let needed = prepared.result.as_ref().map_or(&[][..], |ready| &ready.consents);
    needed.iter().filter(|consent| !is_given(consent)).copied().collect()
}

/// What the question has to say, a sentence each.
fn warnings(prepared: &[Prepared], wish: &Wish<'_>) -> Vec<String> {
    prepared
        .iter()
        .flat_map(|one| {
            let lacking = lacking(one, wish).into_iter();
            lacking.map(|consent| format!("On {} this {}.", one.machine, consent.words()))
        })
        .collect()
}

/// The machines' reports in the order of the inventory.
fn in_order<'a>(
    order: &[MachineName],
    untouched: &'a [Untouched],
    others: impl Iterator<Item = MachineReport<'a>>,
) -> Vec<MachineReport<'a>> {
    let mut reports: Vec<_> = untouched.iter().map(Untouched::report).chain(others).collect();
    reports.sort_by_key(|report| order.iter().position(|name| name == report.name));
    reports
}

fn of_prepared(prepared: &Prepared) -> MachineReport<'_> {
    let empty = MachineReport::new(&prepared.machine);
    match &prepared.result {
        Ok(ready) => MachineReport {
            plan: Some(&ready.plan),
            notes: &ready.notes,
            stale: Some(&ready.stale),
            unplanned: &ready.unplanned,
            ..empty
        },
        Err(failure) => MachineReport { failure: Some(failure), ..empty },
    }
}

fn of_outcome(outcome: &Outcome) -> MachineReport<'_> {
    MachineReport {
        name: &outcome.machine,
        notes: &outcome.notes,
        learned: &outcome.learned,
        plan: outcome.plan.as_deref(),
        steps: &outcome.steps,
        left: outcome.left.as_deref(),
        failure: outcome.failure.as_ref(),
        unplanned: &outcome.unplanned,
        ..MachineReport::new(&outcome.machine)
    }
}

/// Shows what was found and gives what it means.
fn show(fleet: &str, reports: &[MachineReport<'_>], json: bool, surface: Surface) -> Exit {
    let exit = reports.iter().map(Exit::of_plan).fold(Exit::Done, Exit::or_worse);
    if !json {
        print(&report::plans(reports, surface.output));
    }
    finish(fleet, reports, json, exit, surface);
    exit
}

fn finish(fleet: &str, reports: &[MachineReport<'_>], json: bool, exit: Exit, surface: Surface) {
    if json {
        print(&report::json(fleet, reports, exit.code()));
    } else {
        print(&format!("\n{}", report::summary(reports, surface.output)));
    }
}
