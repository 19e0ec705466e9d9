//! A run is put back: every byte, mode and unit state, except where somebody has moved since.

use serde_json::Value as Json;

use crate::project::Project;
use crate::rig::{Fault, Machine, Rig, RunningMachine};

/// What is there before fleetprov is.
const BEFORE: &str = "\
printf 'old\\nlines\\n' >/etc/changed.conf; chmod 4640 /etc/changed.conf; chown daemon:adm /etc/changed.conf
printf 'no line end' >/etc/text; chmod 604 /etc/text
printf '# ours\\n1.2.3.4 theirs\\n' >/etc/list
ln -s /somewhere/else /etc/a-link
mkdir -m 2711 /srv/kept; chgrp adm /srv/kept
mkdir -p /home/alice/conf; printf 'a=1\\n' >/home/alice/conf/app.ini; chown -R alice: /home/alice/conf
chmod 700 /home/alice/conf
printf '{\"theirs\": 1}' >/etc/app.json
printf 'first-secret' >/etc/token; chmod 600 /etc/token
printf '7 7 * * * /bin/theirs\\n' | crontab -
";

const UNITS: &str = "\
printf '[Service]\\nExecStart=/bin/sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n' >/etc/systemd/system/runs.service
printf '[Service]\\nType=oneshot\\nExecStart=/bin/true\\nRemainAfterExit=yes\\n[Install]\\nWantedBy=multi-user.target\\n' >/etc/systemd/system/rests.service
systemctl daemon-reload
systemctl enable --now runs.service
";

const RESOURCES: &str = "\
- file: {path: /etc/changed.conf, content: \"new\\nlines\\n\", mode: 0644}
- file: {path: /etc/text, content: \"new text\\n\"}
- file: {path: /etc/made, content: x, owner: daemon}
- block: {path: /etc/list, id: lab, content: \"192.0.2.1 alpha\"}
- link: {path: /etc/a-link, target: /etc/made}
- directory: {path: /srv/kept, mode: 0755}
- directory: {path: /srv/made/deep, owner: alice}
- file: {path: /srv/made/deep/file, content: x, owner: alice}
- ini-keys: {path: /home/alice/conf/app.ini, owner: alice, sections: {main: {key: value}}}
- json-keys: {path: /etc/app.json, values: {ours: 2}}
- file: {path: /home/alice/conf/new, owner: alice, content: \"it is hers\"}
- file: {path: /etc/token, secret: token}
- crontab-entry: {id: job, user: root, lines: [\"5 4 * * * /bin/ours\"]}
- authorized-key: {user: alice, key: \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHPLmn2IYkcHlsGT7nqIIL9OJvFX52UOiDJ5vtIflv0F test@lab\"}
";

const UNIT_RESOURCES: &str = "\
- file: {path: /etc/systemd/system/fresh.service, content: \"[Service]\\nExecStart=/bin/sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n\"}
- unit: {name: fresh.service, enabled: true, active: true}
- unit: {name: runs.service, enabled: false, active: false}
- unit: {name: rests.service, enabled: true, active: true}
";

/// Everything that could differ, and no time of it.
fn everything(machine: &RunningMachine) -> String {
    machine.check(
        "for p in /etc/changed.conf /etc/text /etc/made /etc/list /etc/a-link /etc/app.json /etc/token /srv \
         /home/alice /etc/systemd/system; do find $p ! -path '*/.cache*' -printf '%p %y %m %u %g %l\\n' \
         2>/dev/null; find $p -type f -exec sha256sum {} + 2>/dev/null; done | sort; crontab -l; \
         if [ -d /run/systemd/system ]; then for u in fresh runs rests; do \
         systemctl show --property=UnitFileState,ActiveState $u.service; done; fi",
    )
}

fn newest_run(project: &Project) -> String {
    let ran = project.run("history", &["--json"]);
    let json: Json = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran}"));
    json["runs"][0]["run"].as_str().unwrap().to_owned()
}

fn undo(project: &Project, run: &str, more: &[&str]) -> crate::project::Ran {
    project.run("undo", &[&[run, "--yes"], more].concat())
}

fn round_trip(machine: &RunningMachine, project: &Project, hidden: &[&str]) {
    let hide = |ran: crate::project::Ran, code| {
        ran.expect(code);
        for text in hidden {
            ran.hides(text);
        }
        ran
    };
    let before = everything(machine);
    hide(project.apply(&["-vv"]), 0);
    hide(project.plan(&[]), 0);
    let after = everything(machine);
    assert_ne!(before, after);
    let run = newest_run(project);
    let planned = everything(machine);
    hide(undo(project, &run, &["-vv"]), 0);
    assert_eq!(everything(machine), before, "{planned}");
    let left = machine.check("find /etc /srv /home /root -name '.fleetprov-*'");
    assert_eq!(left, "", "a temporary file is left");
    // What was undone is pending again, and nothing of it is drift.
    let ran = hide(project.plan(&["--json"]), 2);
    let json: Json = serde_json::from_str(&ran.stdout).unwrap();
    let classes: Vec<&str> = json["machines"][0]["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["class"].as_str().unwrap())
        .collect();
    assert!(!classes.is_empty() && classes.iter().all(|class| *class == "pending"), "{classes:?}");
    // The undo is a run itself.
    let again = newest_run(project);
    assert_ne!(again, run);
    hide(undo(project, &again, &["--json"]), 0);
    assert_eq!(everything(machine), after);
    hide(project.plan(&[]), 0);
    // Undone already, so nothing is to do.
    hide(undo(project, &again, &[]), 0);
    assert_eq!(everything(machine), after);
}

#[test]
fn a_run_on_systemd_is_undone_to_the_byte() {
    let rig = Rig::start(&[Machine::systemd("droplet")]);
    let droplet = rig.machine("droplet");
    droplet.check(&format!("{BEFORE}{UNITS}"));
    let project = Project::new(&rig).machine(droplet, "root", "", &format!("{RESOURCES}{UNIT_RESOURCES}"));
    project.secret("token", b"second-secret");
    round_trip(droplet, &project, &["first-secret", "second-secret"]);
}

#[test]
fn a_run_through_sudo_is_undone_to_the_byte() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let machine = rig.machine("box");
    machine.check(BEFORE);
    let project = Project::new(&rig).machine(machine, "operator", "privilege: sudo", RESOURCES);
    project.secret("token", b"second-secret");
    round_trip(machine, &project, &["first-secret", "second-secret"]);
}

#[test]
fn what_was_edited_since_is_refused_and_the_rest_is_undone() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let machine = rig.machine("box");
    machine.check(BEFORE);
    let project = Project::new(&rig).machine(machine, "root", "", RESOURCES);
    project.secret("token", b"second-secret");
    project.apply(&[]).expect(0);
    let run = newest_run(&project);
    machine.check("echo by hand >>/etc/changed.conf; chmod 600 /srv/kept; echo x >/srv/made/deep/foreign");
    let ran = undo(&project, &run, &[]);
    ran.expect(5)
        .says("/etc/changed.conf: its content changed since")
        .says("its mode or owner changed since");
    assert_eq!(machine.check("cat /etc/changed.conf"), "new\nlines\nby hand", "{ran}");
    assert_eq!(machine.check("cat /etc/text"), "no line end");
    assert_eq!(machine.check("readlink /etc/a-link"), "/somewhere/else");
    assert!(machine.exists("/srv/made/deep/foreign") && !machine.exists("/srv/made/deep/file"), "{ran}");
    assert_eq!(machine.check("cat /etc/token"), "first-secret");
    undo(&project, "20200101-000000-abcdef", &[]).expect(6).says("no machine has run");
    undo(&project, "../../etc", &[]).expect(6);
    assert_eq!(project.run("undo", &[&run]).code, Some(6), "there is nobody to ask");
}

#[test]
fn history_comes_from_the_machines_and_else_from_what_was_heard() {
    let rig = Rig::start(&[Machine::plain("one"), Machine::plain("two")]);
    let file = "- file: {path: /etc/made, content: x}\n- file: {path: /no/such/folder, content: x}";
    let project = Project::new(&rig).machine(rig.machine("one"), "root", "", file).machine(
        rig.machine("two"),
        "operator",
        "privilege: sudo",
        "- file: {path: /etc/made, content: x}",
    );
    project.run("history", &[]).expect(0).says("no runs");
    project.apply(&[]).expect(3);
    let run = newest_run(&project);
    let told = project.run("history", &[]);
    told.expect(0).says(&run).says("1 of 2 changed, 1 failed, can be undone").says("1 of 1 changed");
    undo(&project, &run, &["--machine", "two"]).expect(0);
    rig.machine("two").fault(Fault::Cut);
    let told = project.run("history", &["--timeout", "5", "--json"]);
    let json: Json = serde_json::from_str(&told.stdout).unwrap_or_else(|_| panic!("{told}"));
    assert_eq!(json["absent"][0]["name"], "two", "{told}");
    assert_eq!(json["exit_code"], 4);
    let machines = json["runs"].as_array().unwrap().last().unwrap()["machines"].as_array().unwrap();
    let remembered: Vec<_> = machines.iter().map(|one| one["remembered"].as_bool().unwrap()).collect();
    assert_eq!(remembered, [false, true], "{told}");
    assert_eq!(json["runs"].as_array().unwrap().len(), 1, "of the undo nothing was heard yet: {told}");
    rig.machine("two").fault(Fault::Join);
    project.run("history", &[]).expect(0).says(&format!("undo {run}")).says("undone by");
}

#[test]
fn a_full_disk_stops_a_step_before_it_changes_anything() {
    let rig = Rig::start(&[Machine::plain("box").size("48m")]);
    let machine = rig.machine("box");
    // What is there is too large for the room that is left, and what comes is small.
    machine.check(
        "head -c 4000000 /dev/urandom >/srv/large; \
         head -c 1000000000 /dev/zero >/srv/fill 2>/dev/null; truncate -s -1048576 /srv/fill; \
         sha256sum /srv/large >/run/sum",
    );
    let project =
        Project::new(&rig).machine(machine, "root", "", "- file: {path: /srv/large, content: small}");
    project.apply(&[]).expect(3).says("could not be kept");
    machine.check("sha256sum -c /run/sum");
    machine.check("rm /srv/fill");
    project.converge();
    let run = newest_run(&project);
    undo(&project, &run, &[]).expect(0);
    machine.check("sha256sum -c /run/sum");
}

/// What became of the only machine, of a run with `--json`.
fn machine_of(ran: &crate::project::Ran) -> Json {
    let json: Json = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran}"));
    json["machines"][0].clone()
}

#[test]
fn to_name_the_run_is_to_agree_to_what_its_undo_removes() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let machine = rig.machine("box");
    let files = |numbers: std::ops::Range<usize>| -> String {
        numbers.map(|number| format!("- file: {{path: /srv/f{number}, content: x}}\n")).collect()
    };
    let project = Project::new(&rig).machine(machine, "root", "", &files(0..3));
    let (old, role) = ("inventory.yaml", "roles/box.yaml");
    let first = [old, role].map(|path| std::fs::read(project.path(path)).unwrap());
    project.apply(&[]).expect(0);
    project.declare("box", &files(0..8));
    project.apply(&[]).expect(0);
    let run = newest_run(&project);
    // The inventory is put back before the machine is.
    project.file(old, &first[0]);
    project.file(role, &first[1]);
    let ran = undo(&project, &run, &[]);
    ran.expect(0).hides("--allow").says("5 to remove");
    assert_eq!(machine.check("ls /srv"), "f0\nf1\nf2");
    project.plan(&[]).expect(0);
}

#[test]
fn parts_of_one_file_are_back_when_the_file_is() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let machine = rig.machine("box");
    machine.check("printf '# ours\\n' >/etc/list; printf '[theirs]\\na = 1\\n' >/root/rclone.conf");
    let before = machine.check("sha256sum /etc/list /root/rclone.conf");
    let project = Project::new(&rig).machine(
        machine,
        "root",
        "",
        "- block: {path: /etc/list, id: one, content: a}\n- block: {path: /etc/list, id: two, content: b}\n\
         - ini-keys: {path: /root/rclone.conf, id: one, sections: {one: {type: local}}}\n\
         - ini-keys: {path: /root/rclone.conf, id: two, sections: {two: {type: local}}}\n",
    );
    project.apply(&[]).expect(0);
    let run = newest_run(&project);
    let ran = undo(&project, &run, &["--json"]);
    ran.expect(0);
    let left = &machine_of(&ran)["left"];
    assert_eq!((left["blocked"].as_array().unwrap().len(), &left["in_order"]), (0, &Json::from(4)), "{ran}");
    assert_eq!(machine.check("sha256sum /etc/list /root/rclone.conf"), before);
    undo(&project, &run, &[]).expect(0).says("nothing to do");
    // Edited by hand, it is blocked, and that is said.
    machine.check("echo by hand >>/etc/list");
    let ran = undo(&project, &newest_run(&project), &[]);
    ran.expect(5).says("block /etc/list#one").says("block /etc/list#two").says("changed since");
}

#[test]
fn what_the_guard_put_back_is_not_undone_again_and_the_rest_is() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let machine = rig.machine("box");
    let project = Project::new(&rig).machine(machine, "root", "", "");
    let before = machine.read("/root/.ssh/authorized_keys");
    project.declare(
        "box",
        "- file: {path: /root/.ssh/authorized_keys, mode: '0600', content: \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGmqGoNLTB3LBvZXzRqgVlBzgbBWXpYw6VZbmWUCbd0J other\\n\"}\n\
         - file: {path: /etc/harmless, content: made}\n",
    );
    project.apply(&["--guard-timeout", "10"]).expect(5).says("put back");
    let run = newest_run(&project);
    let ran = undo(&project, &run, &["--json"]);
    ran.expect(0);
    let steps = machine_of(&ran)["steps"].clone();
    assert_eq!(steps.as_array().unwrap().len(), 1, "{ran}");
    assert_eq!(steps[0]["target"], "/etc/harmless");
    assert!(!machine.exists("/etc/harmless"));
    assert_eq!(machine.read("/root/.ssh/authorized_keys"), before);
    undo(&project, &run, &["--json"]).expect(0);
}

#[test]
fn a_run_that_was_cut_is_undone_as_far_as_it_came() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let machine = rig.machine("box");
    let many: String =
        (0..400).map(|number| format!("- file: {{path: /srv/f{number}, content: \"{number}\"}}\n")).collect();
    machine.check("echo theirs >/srv/f0");
    let project = Project::new(&rig).machine(machine, "root", "", &many);
    let running = project.start("apply", &["--yes"]);
    let made = || machine.check("ls /srv | wc -l").parse::<usize>().unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while made() < 20 {
        assert!(std::time::Instant::now() < deadline);
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    running.signal("KILL");
    running.finish();
    // The session on the machine ends with its connection.
    while !machine.sh("flock -n /var/lib/fleetprov/lock true").success() {
        assert!(std::time::Instant::now() < deadline);
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let count = made();
    assert!(count < 400, "it came to its end before it could be cut");
    let run = newest_run(&project);
    let ran = undo(&project, &run, &["--json"]);
    ran.expect(0);
    assert_eq!(machine.check("ls /srv; cat /srv/f0"), "f0\ntheirs", "{ran}");
    let ran = undo(&project, &run, &["--json"]);
    ran.expect(0);
    assert_eq!(machine_of(&ran)["status"], "in_order", "{ran}");
}
