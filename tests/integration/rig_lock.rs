//! Two controllers at the same machine at the same time: one applies, the other says who does. With
//! the kernel's lock, and where there is no flock(1) with the one made of links.

use crate::project::{Project, Ran};
use crate::rig::{Machine, Rig, RunningMachine};

/// A service that takes a little to start and to stop, and notes that it did.
const SLOW: &str = "#!/bin/sh
case $1 in
status) [ -e /srv/slow.runs ] ;;
start | stop)
	echo \"$1\" >>/srv/slow.log
	sleep 0.3
	case $1 in start) : >/srv/slow.runs ;; *) rm -f /srv/slow.runs ;; esac
	;;
esac
";

fn furnish(machine: &RunningMachine) {
    machine.write("/etc/init.d/slow", SLOW.as_bytes());
    machine.check("chmod 755 /etc/init.d/slow; : >/srv/slow.log");
}

/// What the machine is to be in a round; a step of each round takes a little.
fn resources(round: usize) -> String {
    format!(
        "- file: {{path: /srv/before, content: \"{round}\"}}\n\
         - init-script: {{name: slow, running: {}}}\n\
         - file: {{path: /srv/after, content: \"{round}\"}}",
        round.is_multiple_of(2)
    )
}

fn runs(machine: &RunningMachine) -> usize {
    std::fs::read_dir(machine.root().join("var/lib/fleetprov/runs")).map_or(0, Iterator::count)
}

fn acts(machine: &RunningMachine) -> usize {
    std::fs::read_to_string(machine.root().join("srv/slow.log")).unwrap().lines().count()
}

/// Starts both at once, and gives the one that applied and the other one.
fn race(projects: &[Project; 2], round: usize, more: &[&str]) -> (Ran, Ran) {
    let more = [&["--yes"], more].concat();
    for project in projects {
        project.declare("box", &resources(round));
    }
    let [one, other] = projects.each_ref().map(|project| project.start("apply", &more));
    let (one, other) = (one.finish(), other.finish());
    if one.code == Some(0) { (one, other) } else { (other, one) }
}

/// So many rounds; each time one writes, and only one.
fn rounds(machine: &RunningMachine, projects: &[Project; 2], count: usize) {
    let mut met = 0;
    for round in 0..count {
        let before = acts(machine);
        let (winner, loser) = race(projects, round, &[]);
        winner.expect(0);
        if loser.code == Some(0) {
            // On a busy computer one may even look only when the other is through: they did not meet.
            let words = [winner.words(), loser.words()];
            assert!(words.iter().any(|words| words.contains("nothing to do")), "{winner}\n{loser}");
            assert_eq!(acts(machine), before + 1, "round {round}: both wrote\n{winner}\n{loser}");
            assert_eq!(runs(machine), round + 1, "one run a round\n{winner}\n{loser}");
            continue;
        }
        // On a busy computer one may come when the other is through already, and refuses then, too.
        if loser.words().contains("another run holds the lock:") {
            met += 1;
        } else {
            loser.says("another run has changed this machine since it was looked at");
        }
        loser.expect(5).says(" since ").says(", run ");
        assert_eq!(acts(machine), before + 1, "round {round}: both wrote\n{winner}\n{loser}");
        assert_eq!(machine.root().join("srv/slow.runs").exists(), round.is_multiple_of(2));
        for path in ["srv/before", "srv/after"] {
            assert_eq!(std::fs::read_to_string(machine.root().join(path)).unwrap(), round.to_string());
        }
        assert_eq!(runs(machine), round + 1, "one run a round\n{winner}\n{loser}");
        // Who it was: the run that is there now.
        let newest = std::fs::read_to_string(machine.root().join("var/lib/fleetprov/holder")).unwrap();
        loser.says(newest.lines().next().unwrap());
    }
    assert!(met * 2 >= count, "only {met} of {count} pairs met");
    eprintln!("two controllers: {count} rounds, {met} met at the lock, one wrote each time");
    projects[0].plan(&[]).expect(0);
    projects[1].plan(&[]).expect(0);
}

fn two(rig: &Rig, machine: &RunningMachine) -> [Project; 2] {
    [(); 2].map(|()| Project::new(rig).machine(machine, "root", "", ""))
}

#[test]
fn of_two_controllers_one_applies_and_the_other_says_who() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let machine = rig.machine("box");
    furnish(machine);
    rounds(machine, &two(&rig, machine), 50);
}

#[test]
fn so_it_is_on_a_machine_without_flock() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let machine = rig.machine("box");
    furnish(machine);
    machine.check("rm $(command -v flock)");
    let is_long = std::env::var("FLEETPROV_LONG").is_ok_and(|long| long == "1");
    rounds(machine, &two(&rig, machine), if is_long { 50 } else { 15 });
}

#[test]
fn one_that_waits_for_the_lock_finds_a_machine_that_has_moved() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let machine = rig.machine("box");
    furnish(machine);
    let projects = two(&rig, machine);
    for round in 0..3 {
        let before = acts(machine);
        let (winner, loser) = race(&projects, round, &["--lock-timeout", "20"]);
        winner.expect(0);
        loser
            .expect(5)
            .says("another run has changed this machine since it was looked at")
            .says("plan again");
        assert_eq!(acts(machine), before + 1);
    }
}
