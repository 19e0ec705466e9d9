//! `plan` and `apply`: look at the machines, show what would change, ask, change it.

use std::time::Duration;

use super::arguments::{Apply, Look};
use super::asking::{Answer, ask, cancel_on_signal};
use super::exit::Exit;
use super::preparation::{Preparation, Untouched};
use super::progress::Progress;
use super::surface::{Surface, complain, print};
use crate::event::Event;
use crate::fleet::{Outcome, Prepared, Run, RunOptions};
use crate::model::MachineName;
use crate::plan::Plan;
use crate::report::{self, MachineReport};

/// `plan`.
pub(super) async fn plan(look: &Look, surface: Surface) -> Exit {
    let (session, prepared) = match prepare(look, surface).await {
        Ok(looked) => looked,
        Err(exit) => return exit,
    };
    let reports = in_order(&session.order, &session.untouched, prepared.iter().map(of_prepared));
    show(&session.fleet_name, &reports, look.json, surface)
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

/// Looks at the machines.
async fn prepare(look: &Look, surface: Surface) -> Result<(Preparation, Vec<Prepared>), Exit> {
    let mut session = Preparation::new(look, surface)?;
    let progress = Progress::new(surface.progress, surface.errors, session.jobs.len());
    let tell = |event: Event| {
        super::log::note(&event);
        progress.hear(&event);
    };
    let cancel = cancel_on_signal();
    let jobs = std::mem::take(&mut session.jobs);
    let run = Run::new(&session.connector, session.options(look, &cancel), &tell);
    let prepared = run.prepare(jobs).await;
    progress.clear();
    Ok((session, prepared))
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
    let mut session = match Preparation::new(look, surface) {
        Ok(session) => session,
        Err(exit) => return exit,
    };
    let progress = Progress::new(surface.progress, surface.errors, session.jobs.len());
    let tell = |event: Event| {
        super::log::note(&event);
        progress.hear(&event);
    };
    let cancel = cancel_on_signal();
    let options = RunOptions {
        lock_timeout: Duration::from_secs(arguments.lock_timeout),
        ..session.options(look, &cancel)
    };
    let run = Run::new(&session.connector, options, &tell);
    let prepared = run.prepare(std::mem::take(&mut session.jobs)).await;
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
            let exit = reports.iter().map(Exit::of_plan).fold(Exit::Done, Exit::or_worse);
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
    let beside = run.look_at_awaited(&prepared, std::mem::take(&mut session.others)).await;
    let outcomes = run.apply_beside(prepared, &beside).await;
    progress.clear();
    let reports = in_order(&session.order, untouched, outcomes.iter().map(of_outcome));
    let exit = untouched
        .iter()
        .map(|one| Exit::of_plan(&one.report()))
        .chain(outcomes.iter().map(Exit::of_outcome))
        .fold(Exit::Done, Exit::or_worse);
    if !look.json {
        print(&report::outcomes(&reports, surface.output));
    }
    finish(&session.fleet_name, &reports, look.json, exit, surface);
    exit
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
        pending: None,
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
