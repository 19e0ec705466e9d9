//! What a run may cost: round trips, bytes on the wire, time, memory.

use std::time::{Duration, Instant};

use fleetprov::transport::{Connector as _, Tally};

use crate::project::{Library, Project, runtime};
use crate::rig::{Machine, Rig};

/// A role of so many resources, of every kind that a file system holds.
fn resources(count: usize) -> String {
    let mut text = String::from("- directory: {path: /srv/many, mode: '0750'}\n");
    for number in 1..count {
        text.push_str(&match number % 10 {
            0 => format!("- directory: {{path: /srv/many/folder-{number}, owner: alice}}\n"),
            1 => format!("- link: {{path: /srv/many/link-{number}, target: /srv/many/file-{number}}}\n"),
            _ => format!(
                "- file: {{path: /srv/many/file-{number}, mode: '0640', content: \"{}\"}}\n",
                format!("line {number} of a file\\n").repeat(number % 40)
            ),
        });
    }
    text
}

fn planned(library: &Library) -> Tally {
    let prepared = library.plan();
    let ready = prepared[0].result.as_ref().unwrap();
    assert!(ready.plan.is_empty(), "{:?}", ready.plan);
    ready.tally
}

#[test]
fn a_plan_is_one_round_trip_and_an_apply_one_more() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let project = Project::new(&rig).machine(rig.machine("box"), "root", "", &resources(10));
    for count in [10, 500] {
        project.declare("box", &resources(count));
        let applied = project.library().apply().remove(0);
        assert!(applied.failure.is_none() && applied.left.unwrap().is_empty(), "{:?}", applied.steps);
        assert_eq!((applied.tally.commands, applied.tally.round_trips), (1, 2), "{count} resources");
        let tally = planned(&project.library());
        assert_eq!((tally.commands, tally.round_trips), (1, 1), "{count} resources");
    }
    project.declare("box", &resources(100));
    let tally = planned(&project.library());
    eprintln!("100 resources in order: {tally:?}");
    assert!(tally.sent + tally.received <= 200_000, "{tally:?}");
}

#[test]
fn timing_a_plan_costs_little_more_than_its_login() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let project = Project::new(&rig).machine(rig.machine("box"), "root", "", &resources(100));
    project.converge();
    let library = project.library();
    let (mut logins, mut plans) = (Vec::new(), Vec::new());
    for _ in 0..7 {
        let target = library.jobs().remove(0).target;
        let start = Instant::now();
        runtime().block_on(async { library.connector.connect(&target).await.unwrap().close().await });
        logins.push(start.elapsed());
        let start = Instant::now();
        planned(&library);
        plans.push(start.elapsed());
    }
    let (login, plan) = (median(&mut logins), median(&mut plans));
    eprintln!("login {login:?}, plan of 100 resources {plan:?}");
    assert!(plan - login < Duration::from_millis(150), "login {login:?}, plan {plan:?}");
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
