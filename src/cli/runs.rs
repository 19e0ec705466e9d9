//! `plan` and `apply`: look at the machines, show what would change, ask, change it.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::arguments::{Apply, Look};
use super::exit::Exit;
use super::progress::Progress;
use super::surface::{Surface, complain, print};
use crate::desired::{facts_of, resolve};
use crate::event::{Event, StepOutcome};
use crate::fleet::{Job, Outcome, Prepared, Run, RunOptions};
use crate::model::{MachineName, nearest};
use crate::probe::Limits;
use crate::report::{self, MachineReport};
use crate::store::{Project, Seat, target_of};
use crate::transport::{KnownHosts, LocalConnector, RoutingConnector, SshConnector, SshOptions};

/// `plan`.
pub(super) async fn plan(look: &Look, surface: Surface) -> Exit {
    let session = match Preparation::new(look, surface) {
        Ok(session) => session,
        Err(exit) => return exit,
    };
    let progress = Progress::new(surface.progress, surface.errors, session.jobs.len());
    let tell = |event: Event| {
        super::log::note(&event);
        progress.hear(&event);
    };
    let cancel = cancel_on_signal();
    let run = Run::new(&session.connector, session.options(look, &cancel), &tell);
    let prepared = run.prepare(session.jobs).await;
    progress.clear();
    let reports = in_order(&session.order, &session.untouched, prepared.iter().map(of_prepared));
    let exit = reports.iter().map(exit_of_plan).fold(Exit::Done, Exit::or_worse);
    show(&session.fleet_name, &reports, look.json, exit, surface);
    exit
}

/// `apply`.
pub(super) async fn apply(arguments: &Apply, surface: Surface) -> Exit {
    let look = &arguments.look;
    if !arguments.yes && !surface.can_ask {
        complain(
            "error: there is no terminal to ask on; say --yes to apply without a question, or use `plan` to look\n",
        );
        return Exit::BadInput;
    }
    if !arguments.yes && look.json {
        complain(
            "error: with --json nothing is shown that could be agreed to; say --yes as well, or use `plan`\n",
        );
        return Exit::BadInput;
    }
    let session = match Preparation::new(look, surface) {
        Ok(session) => session,
        Err(exit) => return exit,
    };
    let progress = Progress::new(surface.progress, surface.errors, session.jobs.len());
    let tell = |event: Event| {
        super::log::note(&event);
        progress.hear(&event);
    };
    let cancel = cancel_on_signal();
    let run = Run::new(&session.connector, session.options(look, &cancel), &tell);
    let prepared = run.prepare(session.jobs).await;
    progress.clear();
    let untouched = &session.untouched;
    let changes =
        prepared.iter().filter(|one| one.result.as_ref().is_ok_and(|ready| !ready.plan.steps.is_empty()));
    let machines = changes.count();
    {
        let reports = in_order(&session.order, untouched, prepared.iter().map(of_prepared));
        if !look.json {
            print(&report::plans(&reports, surface.output));
        }
        if machines == 0 || cancel.is_cancelled() {
            let exit = reports.iter().map(exit_of_plan).fold(Exit::Done, Exit::or_worse);
            let exit = if cancel.is_cancelled() { Exit::Interrupted } else { exit };
            finish(&session.fleet_name, &reports, look.json, exit, surface);
            return exit;
        }
        if !arguments.yes && look.json {
            // Standard output is for the outcome; who is asked sees the plan all the same.
            complain(&report::plans(&reports, surface.errors));
            complain(&format!("\n{}", report::summary(&reports, surface.errors)));
        } else if !arguments.yes {
            print(&format!("\n{}", report::summary(&reports, surface.output)));
        }
    }
    if !arguments.yes {
        match ask(machines, &cancel).await {
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
    let outcomes = run.apply(prepared).await;
    progress.clear();
    let reports = in_order(&session.order, untouched, outcomes.iter().map(of_outcome));
    let exit = untouched
        .iter()
        .map(|one| exit_of_plan(&one.report()))
        .chain(outcomes.iter().map(exit_of_outcome))
        .fold(Exit::Done, Exit::or_worse);
    if !look.json {
        print(&report::outcomes(&reports, surface.output));
    }
    finish(&session.fleet_name, &reports, look.json, exit, surface);
    exit
}

/// Everything a run needs before the first connection.
struct Preparation {
    fleet_name: String,
    order: Vec<MachineName>,
    jobs: Vec<Job>,
    untouched: Vec<Untouched>,
    connector: RoutingConnector,
}

/// A machine that is not contacted, and why.
struct Untouched {
    name: MachineName,
    why: Why,
}

enum Why {
    Unsupported(String),
    Failed(crate::event::Failure),
}

impl Untouched {
    fn report(&self) -> MachineReport<'_> {
        let empty = MachineReport::new(&self.name);
        match &self.why {
            Why::Unsupported(reason) => MachineReport { unsupported: Some(reason), ..empty },
            Why::Failed(failure) => MachineReport { failure: Some(failure), ..empty },
        }
    }
}

impl Preparation {
    fn new(look: &Look, surface: Surface) -> Result<Self, Exit> {
        let project = super::load::project(&look.inventory, look.known_hosts.clone(), surface)?;
        let (file, text) = &project.known_hosts;
        let known_hosts = KnownHosts::parse(file, text).map_err(|error| {
            complain(&format!("error: failed to read the pinned host keys: {error}\n"));
            Exit::BadInput
        })?;
        let ssh = SshConnector::new(SshOptions::new(known_hosts));
        let connector = RoutingConnector::new(LocalConnector::new(), ssh);
        let (jobs, untouched) = jobs(&project, &look.machines)?;
        let order = project.fleet.machines.iter().map(|machine| machine.name.clone()).collect();
        Ok(Self { fleet_name: project.fleet.name.to_string(), order, jobs, untouched, connector })
    }

    fn options(&self, look: &Look, cancel: &CancellationToken) -> RunOptions {
        RunOptions {
            parallel: usize::from(look.parallel),
            limits: Limits { probe: Duration::from_secs(look.timeout), ..Limits::default() },
            nonces: Arc::new(random_word),
            cancel: cancel.clone(),
        }
    }
}

/// The machines to contact, and those that are not.
fn jobs(project: &Project, only: &[String]) -> Result<(Vec<Job>, Vec<Untouched>), Exit> {
    let seat = Seat::here();
    let names: Vec<&str> = project.fleet.managed().map(|(machine, _)| machine.name.as_str()).collect();
    for name in only {
        if !names.contains(&name.as_str()) {
            complain(&super::render::unknown_machine(name, nearest(name, names.iter().copied())));
            return Err(Exit::BadInput);
        }
    }
    let (mut jobs, mut untouched) = (Vec::new(), Vec::new());
    for (machine, managed) in project.fleet.managed() {
        if !only.is_empty() && !only.iter().any(|name| name == machine.name.as_str()) {
            continue;
        }
        let name = machine.name.clone();
        if !managed.platform.is_supported() {
            let why = Why::Unsupported(format!("platform {} is not supported yet", managed.platform));
            untouched.push(Untouched { name, why });
            continue;
        }
        let Some(facts) = facts_of(machine) else { continue };
        match target_of(project, &seat, machine, managed) {
            Ok(target) => {
                let (fleet, library) = (Arc::clone(&project.fleet), Arc::clone(&project.library));
                let own = machine.clone();
                jobs.push(Job {
                    machine: name,
                    target,
                    facts,
                    resolve: Arc::new(move |facts| {
                        resolve(&fleet, &own, &library, facts).map_err(|problems| {
                            let first = problems.sorted().first().map(|problem| problem.message.clone());
                            format!("resolve its resources: {}", first.unwrap_or_default())
                        })
                    }),
                });
            }
            Err(message) => {
                let failure = crate::event::Failure { kind: crate::event::FailureKind::Other, message };
                untouched.push(Untouched { name, why: Why::Failed(failure) });
            }
        }
    }
    Ok((jobs, untouched))
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
        Ok(ready) => MachineReport { plan: Some(&ready.plan), notes: &ready.notes, ..empty },
        Err(failure) => MachineReport { failure: Some(failure), ..empty },
    }
}

fn of_outcome(outcome: &Outcome) -> MachineReport<'_> {
    MachineReport {
        name: &outcome.machine,
        notes: &outcome.notes,
        plan: outcome.plan.as_deref(),
        steps: &outcome.steps,
        left: outcome.left.as_deref(),
        failure: outcome.failure.as_ref(),
        unsupported: None,
    }
}

fn exit_of_plan(report: &MachineReport<'_>) -> Exit {
    let mut exit = report.failure.map_or(Exit::Done, Exit::of);
    if report.unsupported.is_some() {
        exit = exit.or_worse(Exit::Pending);
    }
    if let Some(plan) = report.plan {
        if !plan.steps.is_empty() {
            exit = exit.or_worse(Exit::Pending);
        }
        if !plan.blocked.is_empty() {
            exit = exit.or_worse(Exit::Error);
        }
    }
    exit
}

fn exit_of_outcome(outcome: &Outcome) -> Exit {
    let mut exit = outcome.failure.as_ref().map_or(Exit::Done, Exit::of);
    for step in &outcome.steps {
        exit = exit.or_worse(match step {
            StepOutcome::Changed => Exit::Done,
            StepOutcome::Failed(_) | StepOutcome::Skipped(_) | StepOutcome::NotReached => Exit::Partly,
            StepOutcome::Refused(_) => Exit::Refused,
        });
    }
    if outcome.left.as_ref().is_some_and(|left| !left.is_empty()) {
        exit = exit.or_worse(Exit::Partly);
    }
    exit
}

fn show(fleet: &str, reports: &[MachineReport<'_>], json: bool, exit: Exit, surface: Surface) {
    if !json {
        print(&report::plans(reports, surface.output));
    }
    finish(fleet, reports, json, exit, surface);
}

fn finish(fleet: &str, reports: &[MachineReport<'_>], json: bool, exit: Exit, surface: Surface) {
    if json {
        print(&report::json(fleet, reports, exit.code()));
    } else {
        print(&format!("\n{}", report::summary(reports, surface.output)));
    }
}

enum Answer {
    Yes,
    No,
    Interrupted,
}

/// Asks once. Anything but a yes is a no.
async fn ask(machines: usize, cancel: &CancellationToken) -> Answer {
    let plural = if machines == 1 { "" } else { "s" };
    complain(&format!("\nApply these changes to {machines} machine{plural}? Only `yes` is taken: "));
    let line = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map(|_| line)
    });
    tokio::select! {
        () = cancel.cancelled() => Answer::Interrupted,
        line = line => match line {
            Ok(Ok(line)) if line.trim() == "yes" => Answer::Yes,
            _ => Answer::No,
        },
    }
}

/// A token that the first Ctrl-C, or a request to terminate, cancels; the second one ends the process at once.
fn cancel_on_signal() -> CancellationToken {
    let cancel = CancellationToken::new();
    let cancelled = cancel.clone();
    tokio::spawn(async move {
        signalled().await;
        cancelled.cancel();
        signalled().await;
        std::process::exit(i32::from(Exit::Interrupted.code()));
    });
    cancel
}

#[cfg(unix)]
async fn signalled() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut stream) => {
                stream.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}

#[cfg(not(unix))]
async fn signalled() {
    let _ = tokio::signal::ctrl_c().await;
}

/// 128 random bits as hexadecimal digits.
fn random_word() -> String {
    let mut bytes = [0_u8; 16];
    if let Err(error) = getrandom::fill(&mut bytes) {
        // Without randomness a frame could be guessed and a digest of a secret be looked up.
        complain(&format!("error: failed to get random numbers from the system: {error}\n"));
        std::process::exit(i32::from(Exit::Error.code()));
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
