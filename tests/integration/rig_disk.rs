//! Disks in trouble: full, out of inodes, read-only. The old file stays, nothing half is left, the
//! rest goes on, and the message says what it was.

use crate::boundary::{Boundary, Watch};
use crate::project::Project;
use crate::rig::{Fault, Machine, Rig, RunningMachine};

const OLD: &str = "\
- directory: {path: /srv/data}
- file: {path: /srv/data/large, content: old, mode: '0640'}
- file: {path: /srv/data/small, content: old}
- file: {path: /srv/data/mode, content: same, mode: '0644'}";

fn new(content: &str) -> String {
    format!(
        "\
- directory: {{path: /srv/data}}
- file: {{path: /srv/data/large, content: \"{content}\", mode: '0640'}}
- file: {{path: /srv/data/small, content: new}}
- file: {{path: /srv/data/mode, content: same, mode: '0600'}}"
    )
}

/// Whatever fleetprov leaves on a machine only while it works.
pub(crate) fn leftovers(machine: &RunningMachine) -> String {
    machine.check("find / -xdev -name '.fleetprov-*'; ls -d /run/fleetprov* /dev/shm/fleetprov* /tmp/fleetprov* 2>/dev/null || true")
}

#[test]
fn a_full_disk_keeps_the_old_file() {
    let rig = Rig::start(&[Machine::plain("box").size("24m")]);
    let machine = rig.machine("box");
    let project = Project::new(&rig).machine(machine, "root", "", OLD);
    project.converge();
    let content = new(&"x".repeat(300_000));
    project.declare("box", &content);
    machine.fault(Fault::Fill);
    project.plan(&[]).expect(2);
    // What cannot be written down first is not done.
    let ran = project.apply(&[]);
    ran.expect(1).says("begin, so nothing was changed: it cannot be written down in /var/lib/fleetprov");
    ran.says("No space left on device");
    assert_eq!(machine.read("/srv/data/large"), b"old");
    assert_eq!(machine.check("stat -c %a /srv/data/mode"), "644");
    assert_eq!(leftovers(machine), "");
    machine.fault(Fault::Unfill);
    project.converge();
    assert_eq!(machine.read("/srv/data/large").len(), 300_000);
}

#[test]
fn a_disk_that_fills_up_on_the_way_fails_steps_and_changes_nothing_by_halves() {
    let rig = Rig::start(&[Machine::plain("box").size("24m")]);
    let machine = rig.machine("box");
    let project = Project::new(&rig).machine(machine, "root", "", OLD);
    project.converge();
    project.declare("box", &new(&"x".repeat(300_000)));
    let watch = Watch::new(machine, 0, Boundary::Begun);
    let mut running = project.start("apply", &["--yes"]);
    let held = watch.wait(|| running.is_running()).expect("the first step");
    assert_eq!(held.steps[0].0, "file /srv/data/large");
    machine.fault(Fault::Fill);
    drop(watch);
    running.finish().expect(3).says("No space left on device");
    assert_eq!(machine.read("/srv/data/large"), b"old");
    // Nothing is changed that could not be put back: there is no room to keep what was there.
    assert_eq!(machine.check("stat -c %a /srv/data/mode"), "644");
    assert_eq!(leftovers(machine), "");
    machine.fault(Fault::Unfill);
    project.converge();
    assert_eq!(machine.read("/srv/data/large").len(), 300_000);
}

#[test]
fn a_disk_without_inodes_keeps_the_old_file() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let machine = rig.machine("box");
    let project = Project::new(&rig).machine(machine, "root", "", OLD);
    project.converge();
    project.declare("box", &new("new"));
    machine.fault(Fault::FillInodes);
    // What cannot be written down first is not done.
    project.apply(&[]).expect(1).says("begin, so nothing was changed").says("No space left on device");
    assert_eq!(machine.read("/srv/data/large"), b"old");
    assert_eq!(machine.check("stat -c %a /srv/data/mode"), "644");
    assert_eq!(leftovers(machine), "");
    machine.fault(Fault::UnfillInodes);
    project.converge();
}

#[test]
fn a_read_only_file_system_is_said_and_costs_only_what_is_on_it() {
    let rig = Rig::start(&[Machine::plain("box"), Machine::plain("other")]);
    let machine = rig.machine("box");
    let project =
        Project::new(&rig).machine(machine, "root", "", OLD).machine(rig.machine("other"), "root", "", OLD);
    project.converge();
    let large = "- file: {path: /srv/data/large, content: \"".to_owned() + &"y".repeat(300_000) + "\"}";
    let more = "- link: {path: /srv/data/link, target: x}\n- directory: {path: /srv/data/sub}\n- file: {path: /srv/data/sub/x, content: x}\n- file: {path: /srv/free, content: free}";
    for name in ["box", "other"] {
        project.declare(
            name,
            &format!("{large}\n{more}\n- file: {{path: /srv/data/mode, content: same, mode: '0600'}}"),
        );
    }
    machine.fault(Fault::ReadOnly("/srv/data"));
    project.apply(&[]).expect(3).says("Read-only file system");
    assert_eq!(machine.read("/srv/data/large"), b"old");
    assert_eq!(machine.read("/srv/free"), b"free");
    assert_eq!(rig.machine("other").read("/srv/data/sub/x"), b"x");
    project.plan(&["-m", "other"]).expect(0);
    machine.fault(Fault::Writable("/srv/data"));
    assert_eq!(leftovers(machine), "");
    project.converge();
}

#[test]
fn a_machine_without_room_for_notes_still_says_why() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let machine = rig.machine("box");
    let project = Project::new(&rig).machine(machine, "root", "", &new("new"));
    // Not even /run can be written: what an operation said has no place to be kept.
    machine.fault(Fault::ReadOnly("/"));
    machine.fault(Fault::ReadOnly("/run"));
    machine.check("umount -l /dev/shm 2>/dev/null || true");
    machine.sh("mount -o remount,ro /dev");
    project.plan(&[]).expect(2).hides("stat:");
    let ran = project.apply(&[]);
    ran.expect(1).says("begin, so nothing was changed").says("Read-only file system").hides("stat:");
    assert!(!machine.exists("/srv/data"));
}
