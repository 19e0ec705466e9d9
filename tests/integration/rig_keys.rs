//! A seat's access keys on real machines: made, let in, exchanged, and looked for where they should not be.

use std::process::Command;

use crate::killed::{CALLS, Killed, killed_at};
use crate::project::{Project, make_key};
use crate::rig::{Machine, Rig, RunningMachine};

/// A machine whose seat got in with a key that was brought along, and has one of its own now.
fn enrolled(rig: &Rig, machine: &RunningMachine, user: &str, more: &str) -> Project {
    let mut project = Project::new(rig).machine(machine, user, more, "  []");
    keys(&project, "enrol", &["--seat", "here"]).expect(0).says("here is enrolled: 1 key made, for");
    keys(&project, "enrol", &[]).expect(0).says("nothing to do");
    project.plan(&[]).expect(2).says("seat here");
    project.converge();
    project.forget_key(machine.name());
    project.plan(&[]).expect(0);
    project
}

/// `fleetprov keys WHAT`.
fn keys(project: &Project, what: &str, more: &[&str]) -> crate::project::Ran {
    crate::project::Ran::of(project.keys(what, more).output().expect("fleetprov runs"))
}

/// The lines of a user's `authorized_keys`.
fn authorized(machine: &RunningMachine, home: &str) -> Vec<String> {
    let text = machine.check(&format!("cat {home}/.ssh/authorized_keys"));
    text.lines().map(str::to_owned).collect()
}

fn ours(machine: &RunningMachine, home: &str) -> Vec<String> {
    authorized(machine, home).into_iter().filter(|line| line.contains("fleetprov:")).collect()
}

#[test]
fn a_key_is_exchanged_and_the_former_one_opens_nothing() {
    let rig = Rig::start(&[Machine::systemd("box")]);
    let machine = rig.machine("box");
    for (user, home, more) in [("root", "/root", ""), ("operator", "/home/operator", "privilege: sudo")] {
        let project = enrolled(&rig, machine, user, more);
        let before = ours(machine, home);
        assert_eq!(before.len(), 1, "{before:?}");
        let others = authorized(machine, home).len() - 1;
        keys(&project, "list", &[]).expect(0).says("box here opens it with a key of its own");
        keys(&project, "rotate", &["box", "--yes"]).expect(0).says("its key is exchanged");
        let after = ours(machine, home);
        assert_eq!(after.len(), 1, "{after:?}");
        assert_ne!(after, before);
        assert_eq!(authorized(machine, home).len(), others + 1, "nobody else's key went");
        project.plan(&[]).expect(0);
        // The key lies nowhere in the clear.
        let found =
            Command::new("grep").args(["-rl", "OPENSSH PRIVATE"]).arg(project.path("config")).output();
        assert_eq!(found.unwrap().stdout, b"");
        machine
            .check(&format!("rm -rf /var/lib/fleetprov; sed -i /fleetprov:/d {home}/.ssh/authorized_keys"));
    }
}

#[test]
fn an_exchange_that_is_killed_anywhere_is_finished_by_the_next() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let machine = rig.machine("box");
    let project = enrolled(&rig, machine, "root", "");
    let mut killed = 0;
    for call in CALLS {
        for at in 1.. {
            let before = ours(machine, "/root");
            match killed_at(&project.keys("rotate", &["box", "--yes"]), call, at) {
                Killed::Ended(ran) => {
                    ran.expect(0);
                    break;
                }
                Killed::Yes => killed += 1,
            }
            let place = format!("killed at {call} {at}");
            // One of the keys opens it, whatever lies where.
            let plan = project.plan(&[]);
            assert!(matches!(plan.code, Some(0 | 2)), "{place}: {plan}");
            keys(&project, "rotate", &["box", "--yes"]).expect(0);
            let after = ours(machine, "/root");
            assert_eq!(after.len(), 1, "{place}: {after:?}");
            assert_ne!(after, before, "{place}");
            project.plan(&[]).expect(0);
        }
    }
    eprintln!("rotate: killed at {killed} changes of its files; finished by the next each time");
    assert!(killed >= 5, "{killed}");
}

#[test]
fn a_copied_key_is_named_by_the_audit() {
    let rig = Rig::start(&[Machine::plain("box"), Machine::plain("nas")]);
    let (machine, nas) = (rig.machine("box"), rig.machine("nas"));
    let project = Project::new(&rig).machine(machine, "root", "", "  []").machine(nas, "root", "", "  []");
    // What the rig itself got in with is nobody's in this fleet.
    for one in [machine, nas] {
        one.check("rm /home/*/.ssh/authorized_keys");
        one.check(
            "grep ' test$' /root/.ssh/authorized_keys >/root/k; cat /root/k >/root/.ssh/authorized_keys",
        );
    }
    keys(&project, "audit", &[])
        .expect(0)
        .says("2 machines looked at: 2 keys to get in by, 0 private keys held");
    // One key for two machines: its public half on the second one.
    let line = machine.check("cat /root/k");
    nas.check(&format!("echo '{line}' >>/root/.ssh/authorized_keys"));
    keys(&project, "audit", &[])
        .expect(2)
        .says("one key opens box (root, /root/.ssh/authorized_keys), nas (root, /root/.ssh/authorized_keys)")
        .says("a key that the inventory does not know opens nas");
    nas.check("cat /root/k >/root/.ssh/authorized_keys");
    // And its private half, by hand, under another name.
    let stray = project.path("keys/box");
    nas.write("/root/.ssh/copy", &std::fs::read(&stray).unwrap());
    nas.check("chmod 600 /root/.ssh/copy");
    machine.write("/root/.ssh/mine", &std::fs::read(&stray).unwrap());
    machine.check("chmod 600 /root/.ssh/mine");
    let audit = keys(&project, "audit", &["--json"]);
    audit.expect(2).says("\"kind\":\"copied\"").says("/root/.ssh/copy").hides("PRIVATE KEY");
    machine.check("rm /root/.ssh/mine");
    nas.check("rm /root/.ssh/copy");
    // Whoever is not root sees to its own keys alone.
    let stranger = make_key(&project.path("stranger"));
    let alice = Project::new(&rig).machine(machine, "alice", "", "  []");
    machine.check(&format!("echo '{}' >>/home/alice/.ssh/authorized_keys", stranger.trim()));
    keys(&alice, "audit", &[])
        .expect(2)
        .says("does not know opens box (alice, /home/alice/.ssh/authorized_keys)");
}
