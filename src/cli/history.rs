//! `history`: the runs of the past, as the machines' journals have them.

use super::arguments::Look;
use super::asking::cancel_on_signal;
use super::exit::Exit;
use super::preparation::Preparation;
use super::progress::Progress;
use super::surface::{Surface, complain, print};
use crate::event::{Event, Failure};
use crate::fleet::Run;
use crate::history::{FleetHistory, PastRun, Remembered};
use crate::model::MachineName;
use crate::report;
use crate::store::{RememberedRuns, remember_runs, remembered_runs};

/// `history`.
pub(super) async fn history(look: &Look, surface: Surface) -> Exit {
    let mut session = match Preparation::new(look, None, surface) {
        Ok(session) => session,
        Err(exit) => return exit,
    };
    let progress = Progress::new(surface.progress, surface.errors, session.jobs.len());
    let tell = |event: Event| {
        super::log::note(&event);
        progress.hear(&event);
    };
    let cancel = cancel_on_signal();
    let jobs = std::mem::take(&mut session.jobs);
    let run = Run::new(&session.connector, session.options(look, &cancel), &tell);
    let heard = run.recall(jobs).await;
    progress.clear();
    let exit = heard
        .iter()
        .filter_map(|(_, result)| result.as_ref().err())
        .map(Exit::of)
        .chain(session.untouched.iter().map(|one| Exit::of_plan(&one.report())))
        .fold(Exit::Done, Exit::or_worse);
    let mut known = remembered_runs(&session.folder, &session.fleet);
    let machines: Vec<Remembered> =
        heard.into_iter().map(|(machine, result)| remembered(&mut known, machine, result)).collect();
    if let Err(error) = remember_runs(&session.folder, &session.fleet, &known) {
        complain(&format!("warning: failed to {error}; what was heard is not remembered\n"));
    }
    let history = FleetHistory::of(&machines);
    if look.json {
        print(&report::history_json(&session.fleet_name, &history, exit.code()));
    } else {
        print(&report::history(&history, surface.output));
    }
    exit
}

/// What is known of a machine: what it says now, or what was heard of it last.
fn remembered(
    known: &mut RememberedRuns,
    machine: MachineName,
    result: Result<Vec<PastRun>, Failure>,
) -> Remembered {
    match result {
        Ok(runs) => {
            known.insert(machine.clone(), runs.clone());
            Remembered { machine, runs, failure: None }
        }
        Err(failure) => {
            let runs = known.get(&machine).cloned().unwrap_or_default();
            Remembered { machine, runs, failure: Some(failure) }
        }
    }
}
