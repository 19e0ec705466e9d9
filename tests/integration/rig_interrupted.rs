//! Runs that end in the middle: the controller killed or interrupted, the machine cut off or
//! crashed. Nothing half is left, nothing goes on behind its back, the next run converges.

use std::time::{Duration, Instant};

use fleetprov::event::{Event, FailureKind, StepOutcome};
use fleetprov::fleet::Run;
use fleetprov::transport::{KnownHosts, SshConnector, SshOptions};

use crate::project::{Project, runtime};
use crate::rig::{Fault, Machine, Rig, RunningMachine};
use crate::rig_disk::leftovers;

const COUNT: usize = 240;

/// Many small steps, so that a run can be met in the middle. Half of them need nothing of the stream.
fn many() -> String {
    (0..COUNT)
        .map(|number| match number % 2 {
            0 => format!("- directory: {{path: /srv/many/d{number:03}}}\n"),
            _ => format!(
                "- file: {{path: /srv/many/f{number:03}, content: \"{}\"}}\n",
                "0123456789abcdef".repeat(20)
            ),
        })
        .collect()
}

fn made(machine: &RunningMachine) -> usize {
    machine.sh("ls /srv/many 2>/dev/null | wc -l").text().trim().parse().unwrap()
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until no session's shell runs on a machine any more.
fn wait_for_silence(machine: &RunningMachine) {
    wait_until("the session's shell has ended", || {
        machine.check("pgrep -fc fp_[n]once || true").trim() == "0"
    });
}

/// Every file is old or new, and no temporary one is left.
fn assert_whole(machine: &RunningMachine) {
    let sizes = machine.check("find /srv/many -type f ! -size 320c");
    assert_eq!(sizes, "", "half a file");
    assert_eq!(leftovers(machine), "");
}

#[test]
fn a_controller_that_is_killed_leaves_nothing_half_and_nothing_running() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let machine = rig.machine("box");
    for (user, privilege) in [("root", ""), ("operator", "privilege: sudo")] {
        // A record is one login's.
        machine.check("rm -rf /var/lib/fleetprov");
        let project = Project::new(&rig).machine(machine, user, privilege, &many());
        for name in ["KILL", "INT"] {
            machine.check("rm -rf /srv/many");
            let running = project.start("apply", &["--yes"]);
            wait_until("some steps are made", || made(machine) > 5);
            running.signal(name);
            let ran = running.finish();
            if name == "INT" {
                ran.expect(130);
            }
            wait_for_silence(machine);
            let folders: usize = machine.sh("ls -d /srv/many/d* | wc -l").text().trim().parse().unwrap();
            assert!(folders < COUNT / 2, "{user}: the session went on without anybody to hear it");
            assert_whole(machine);
        }
        project.converge();
        assert_eq!(made(machine), COUNT);
    }
}

#[test]
fn an_interrupted_question_changes_nothing() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let machine = rig.machine("box");
    let project = Project::new(&rig).machine(machine, "root", "", &many());
    machine.fault(Fault::FreezeSshd);
    let running = project.start("apply", &["--yes"]);
    std::thread::sleep(Duration::from_millis(500));
    running.signal("INT");
    running.finish().expect(130);
    machine.fault(Fault::ThawSshd);
    assert_eq!(made(machine), 0);
}

#[test]
fn a_machine_that_is_cut_off_in_the_middle_converges_later() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let machine = rig.machine("box");
    let resources = "\
- directory: {path: /srv/many}
- file: {path: /srv/many/first, content: first}
- file: {path: /srv/large, source: large}
- file: {path: /srv/last, content: last}";
    machine.write("/srv/large", b"old");
    let project = Project::new(&rig).machine(machine, "root", "", "");
    project.file("files/large", vec![b'l'; 30 << 20]);
    project.declare("box", resources);

    // A minute is what a machine may be silent by default; here it is two seconds.
    let known = std::fs::read_to_string(project.path("known_hosts")).unwrap();
    let mut options = SshOptions::new(KnownHosts::parse("known_hosts", &known).unwrap());
    options.keepalive_interval = Duration::from_secs(1);
    options.keepalive_count = 1;
    let connector = SshConnector::new(options);
    let library = project.library();
    let tell = |_: Event| {};
    let run = Run::new(&connector, library.options(), &tell);
    let outcome = std::thread::scope(|scope| {
        scope.spawn(|| {
            wait_until("the large file is on its way", || {
                machine.sh("find /srv -name '.fleetprov-*' -size +1M").text() != ""
            });
            machine.fault(Fault::Cut);
        });
        runtime().block_on(async {
            let prepared = run.prepare(library.jobs()).await;
            run.apply(prepared).await.remove(0)
        })
    });
    assert_eq!(outcome.failure.unwrap().kind, FailureKind::Unreachable);
    assert_eq!(
        outcome.steps,
        [StepOutcome::Changed, StepOutcome::Changed, StepOutcome::NotReached, StepOutcome::NotReached]
    );
    assert_eq!(machine.read("/srv/large"), b"old");
    assert!(!machine.exists("/srv/last"));
    machine.fault(Fault::Join);
    project.converge();
    assert_eq!(machine.check("wc -c </srv/large"), (30 << 20).to_string());
    wait_for_silence(machine);
    assert_eq!(leftovers(machine), "");
}

#[test]
fn a_machine_that_crashes_in_the_middle_converges_later() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let machine = rig.machine("box");
    let project = Project::new(&rig).machine(machine, "root", "", "");
    project.file("files/large", vec![b'l'; 30 << 20]);
    project
        .declare("box", "- file: {path: /srv/large, source: large}\n- file: {path: /srv/other, content: x}");
    machine.write("/srv/large", b"old");
    let running = project.start("apply", &["--yes"]);
    wait_until("the large file is on its way", || {
        machine.sh("find /srv -name '.fleetprov-*' -size +1M").text() != ""
    });
    machine.fault(Fault::Crash);
    running.finish().expect(4);
    assert_eq!(machine.read("/srv/large"), b"old");
    // What the crash has left is removed by the next one that writes there.
    assert_ne!(leftovers(machine), "");
    project.converge();
    assert_eq!(leftovers(machine), "");
    assert_eq!(machine.check("wc -c </srv/large"), (30 << 20).to_string());
}

#[test]
fn a_cable_that_is_cut_in_the_middle_of_a_file_frees_the_lock() {
    let rig = Rig::start(&[Machine::plain("box"), Machine::plain("other")]);
    let cases = [("box", "root", ""), ("other", "operator", "privilege: sudo")];
    let mut running = Vec::new();
    let mut projects = Vec::new();
    for (name, user, privilege) in cases {
        let machine = rig.machine(name);
        let project = Project::new(&rig).machine(machine, user, privilege, "");
        project.file("files/large", vec![b'l'; 60 << 20]);
        project.declare(name, "- file: {path: /srv/large, source: large}");
        running.push(project.start("apply", &["--yes"]));
        wait_until("the large file is on its way", || {
            machine.sh("find /srv -name '.fleetprov-*' -size +1M").text() != ""
        });
        machine.fault(Fault::Cut);
        projects.push(project);
    }
    let cut = Instant::now();
    for (name, ..) in cases {
        let machine = rig.machine(name);
        assert!(
            !machine.sh("flock -n /var/lib/fleetprov/lock true").success(),
            "{name}: nothing holds the lock"
        );
        while !machine.sh("flock -n /var/lib/fleetprov/lock true").success() {
            assert!(cut.elapsed() < Duration::from_secs(45), "{name}: the lock is still held");
            std::thread::sleep(Duration::from_millis(200));
        }
        assert!(!machine.exists("/srv/large"));
    }
    for running in running {
        running.signal("KILL");
        running.finish();
    }
    for (name, ..) in cases {
        rig.machine(name).fault(Fault::Join);
    }
    for (project, (name, ..)) in projects.iter().zip(cases) {
        project.converge();
        wait_for_silence(rig.machine(name));
        assert_eq!(leftovers(rig.machine(name)), "");
    }
}
