//! A machine is managed under one login and privilege and has one record: one that is found elsewhere is an
//! error that says where it is, whose it is, and what to do.

use crate::project::Project;
use crate::rig::{Machine, Rig, RunningMachine};

/// A folder that every login may write to.
fn prepare(machine: &RunningMachine) {
    machine.check("mkdir -p /srv/shared && chmod 1777 /srv/shared");
}

/// A project that manages a machine as a user, with a file of that user's.
fn project(rig: &Rig, machine: &RunningMachine, user: &str, more: &str) -> Project {
    let resources = format!(
        "- file: {{path: /srv/shared/{user}, owner: {user}, content: x}}\n\
         - crontab-entry: {{id: job, user: {user}, lines: [\"5 4 * * * /bin/true\"]}}\n"
    );
    Project::new(rig).machine(machine, user, more, &resources)
}

/// What is managed under login `user`, found from another login: refused, and untouched.
fn refused(project: &Project, machine: &RunningMachine, says: &[&str]) {
    let everything = || machine.sh("find /srv/shared /var/lib/fleetprov* /home/*/.local | sort").text();
    let before = everything();
    for command in [&["plan"][..], &["apply", "--yes"], &["drift"]] {
        let ran = project.run(command[0], &command[1..]);
        ran.expect(5).says("failed to take over this machine");
        says.iter().for_each(|text| {
            ran.says(text);
        });
    }
    assert_eq!(everything(), before);
}

#[test]
fn a_machine_that_is_managed_under_one_login_is_not_managed_under_another() {
    let rig = Rig::start(&[Machine::plain("box"), Machine::systemd("droplet")]);
    for machine in rig.machines() {
        prepare(machine);
        let alice = project(&rig, machine, "alice", "");
        alice.apply(&[]).expect(0);
        let home = "/home/alice/.local/state/fleetprov";
        let root = project(&rig, machine, "root", "");
        let take = format!("`mv {home} /var/lib/fleetprov && chown -R root: /var/lib/fleetprov`");
        refused(&root, machine, &["with login alice", home, "last applied by", &take]);
        let operator = project(&rig, machine, "operator", "privilege: sudo");
        refused(&operator, machine, &["with login alice", home]);
        // Who manages it goes on.
        alice.plan(&[]).expect(0);

        // Handed over as the error says, and as the next one says.
        machine.check(&take.replace('`', ""));
        let root_was = |was: &str| {
            let mut root = project(&rig, machine, "root", "");
            root.alter(machine.name(), "connect: {", &format!("connect: {{{was}"));
            root
        };
        root_was("").plan(&[]).expect(5).says("managed as alice, not as root");
        let address = machine.address();
        let root = root_was(&format!("was: \"alice@{address}\", "));
        root.apply(&["--allow-prune"]).expect(0);
        assert_eq!(machine.check("ls /srv/shared; crontab -u alice -l 2>/dev/null; true"), "root");
        let root = root_was("");
        root.plan(&[]).expect(0);

        // And back again: alice cannot look into root's folder, and finds out all the same.
        refused(&alice, machine, &["with login root is in /var/lib/fleetprov"]);
        machine.check("rm /var/lib/fleetprov.fleets");
        refused(&alice, machine, &["/var/lib/fleetprov", "alice cannot look into it"]);
        // Moved away, it counts as not there.
        machine.check("mv /var/lib/fleetprov /var/lib/other");
        alice.apply(&[]).expect(0);
    }
}

#[test]
fn a_record_is_found_where_the_inventory_had_it_before() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let machine = rig.machine("box");
    prepare(machine);
    for (user, default) in [("root", "/var/lib/fleetprov"), ("alice", "/home/alice/.local/state/fleetprov")] {
        machine.check(&format!(
            "mkdir -p /srv/{user} && chown {user}: /srv/{user}; rm -rf /var/lib/fleetprov* /home/*/.local"
        ));
        let declared = format!("/srv/{user}/state");
        let mut project = project(&rig, machine, user, "");
        let login = format!("{{ssh: \"{user}@{}\"", machine.address());
        project.apply(&[]).expect(0);
        // One is declared.
        let with = |folder: &str| format!("state: {folder}, connect: {login}");
        let bare = format!("connect: {login}");
        project.alter("box", &bare, &with(&declared));
        refused(
            &project,
            machine,
            &[&format!("is in {default}"), &format!("`mv {default} {declared} && chown")],
        );
        assert!(!machine.exists(&declared));
        machine.check(&format!("mv {default} {declared}"));
        project.plan(&[]).expect(0);
        project.declare("box", &format!("- file: {{path: /srv/shared/x, owner: {user}, content: x}}\n"));
        project.apply(&["--allow-prune"]).expect(0);
        assert_eq!(machine.check("ls /srv/shared"), "x", "what left the inventory is gone");
        // It is none any more, or another one.
        project.alter("box", &with(&declared), &bare);
        refused(
            &project,
            machine,
            &[&format!("is in {declared}"), &format!("`mv {declared} {default} && chown")],
        );
        project.alter("box", &bare, &with(&format!("/srv/{user}/new")));
        refused(&project, machine, &[&format!("is in {declared}")]);
        // An empty folder, or one of logs only, is none.
        project.alter("box", &with(&format!("/srv/{user}/new")), &with(&declared));
        machine.check(&format!("mkdir -p {default}/legs && chown -R {user}: {default}"));
        project.plan(&[]).expect(0);
        machine.check(&format!("rm -r {default}; rm /srv/shared/x"));
        project.apply(&[]).expect(0);
        // Once it is moved away, a new one begins.
        machine.check(&format!("mv {declared} /srv/{user}/away"));
        project.alter("box", &with(&declared), &bare);
        project.apply(&[]).expect(0);
        machine.check("rm -rf /srv/shared/*");
    }
}

#[test]
fn other_fleets_on_the_same_machine_are_left_alone() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let machine = rig.machine("box");
    prepare(machine);
    let of_fleet = |fleet: &str, user: &str, more: &str| {
        let project = project(&rig, machine, user, more);
        let inventory = std::fs::read_to_string(project.path("inventory.yaml")).unwrap();
        project.file("inventory.yaml", inventory.replace("fleet: lab", &format!("fleet: {fleet}")));
        project
    };
    let fleets = [
        of_fleet("one", "root", ""),
        of_fleet("two", "alice", ""),
        of_fleet("three", "operator", "privilege: sudo, state: /srv/three"),
    ];
    for fleet in &fleets {
        fleet.apply(&[]).expect(0);
    }
    for fleet in &fleets {
        fleet.plan(&[]).expect(0);
    }
    assert_eq!(
        machine.check("sort /var/lib/fleetprov.fleets"),
        "one box root /var/lib/fleetprov\nthree box operator /srv/three"
    );
    // A user cannot make root read anything by what lies there instead of a record.
    machine.check(
        "cd /home/doer && mkdir -p .local/state/fleetprov && mkfifo .local/state/fleetprov/record \
                   .local/state/fleetprov.fleets && chown -R doer: .local",
    );
    fleets[0].plan(&["--timeout", "20"]).expect(5).says("/home/doer/.local/state/fleetprov");
}
