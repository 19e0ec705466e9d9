//! What leaves the inventory, or gets another name there, is gone from the machine after one apply, and
//! nothing else is.

use crate::listing::{Listing, units};
use crate::project::{Project, make_key};
use crate::rig::{Machine, Rig, RunningMachine};

/// What is there before, beside everything that is going to come and go.
const FOREIGN: &str = r#"
printf '# the other one\n0 1 1 1 * /bin/true\n' | crontab -
mkdir -p /srv/data /srv/mounts
mkdir -p -m 0700 /root/.config/rclone
umask 077
printf '[foreign]\ntype = local\n' >/root/.config/rclone/rclone.conf
umask 022
printf '[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n' >/etc/systemd/system/foreign.service
systemctl daemon-reload
systemctl enable --quiet --now foreign.service
echo foreign >/srv/data/file
"#;

/// What comes and goes, all of it with a name that ends so.
fn resources(name: &str, key: &str) -> String {
    format!(
        r#"
- directory: {{path: /srv/kept}}
- crontab-entry: {{id: job-{name}, lines: ["1 2 3 4 * /bin/true {name}"]}}
- crontab-entry: {{id: job-{name}, user: alice, lines: ["1 2 3 4 * /bin/true {name}"]}}
- schedule: {{name: tidy-{name}, at: "3 4 5 6 *", catch-up: true, command: "/bin/true {name}"}}
- file:
    path: /etc/systemd/system/app-{name}.service
    content: "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n"
- unit: {{name: app-{name}.service, enabled: true, active: true}}
- rclone-remote: {{name: store-{name}, type: alias, options: {{remote: /srv/data}}}}
- directory: {{path: /srv/mounts/{name}}}
- mount: {{path: /srv/mounts/{name}, kind: rclone, from: "store-{name}:"}}
- authorized-key: {{user: alice, key: "{key}", options: restrict, id: key-{name}}}
{}
"#,
        if name == "one" { "- package: rig-hello" } else { "" }
    )
}

/// The files of a machine, and what it is beside them.
fn listing(machine: &RunningMachine) -> Listing {
    let units = units("'app-*' 'fleetprov-*' 'srv-*' 'rig-*' foreign.service");
    let more = r#"
systemctl list-unit-files --no-legend | grep -v transient | awk '{ print "file", $1, $2 }'
systemctl list-timers --all --no-legend | awk '{ print "timer", $(NF-1), "" }'
dpkg-query --show --showformat 'package ${Package} ${db:Status-Status}\n' | grep ' installed$'
ls /var/lib/systemd/timers | sed 's/.*/stamp & ./'
grep ' /srv/' /proc/self/mounts | awk '{ print "mount", $2, $3 }'
"#;
    Listing::with(machine, &format!("{units}\n{more}"))
}

fn same(what: &str, wanted: &Listing, now: &Listing) {
    // A package is removed, not purged: what an administrator may have changed of it stays.
    let is_configuration =
        |line: &String| line.contains("rig-daemon") && !line.contains("package rig-daemon");
    let differences: Vec<String> =
        wanted.differences(now).into_iter().filter(|line| !is_configuration(line)).collect();
    assert!(differences.is_empty(), "{what}: {differences:#?}");
}

#[test]
fn what_left_the_inventory_is_gone_and_nothing_else_is() {
    let rig = Rig::start(&[Machine::systemd("box")]);
    let machine = rig.machine("box");
    machine.check(FOREIGN);
    let none = "- directory: {path: /srv/kept}";
    let project = Project::new(&rig).machine(machine, "root", "", none);
    let keys = ["one", "two"].map(|name| make_key(&project.path(name)).trim().to_owned());
    let [one, two] = [resources("one", &keys[0]), resources("two", &keys[1])];
    let reach = |resources: &str| {
        project.declare("box", resources);
        project.apply(&["--allow-prune"]).expect(0);
        project.plan(&[]).expect(0);
        listing(machine)
    };
    let bare = reach(none);
    let with_one = reach(&one);
    // All of it is really there, or its absence says nothing.
    let came = bare.differences(&with_one);
    for part in [
        "timer fleetprov-tidy-one.timer",
        "unit app-one.service",
        "mount /srv/mounts/one",
        "package rig-hello",
        "/home/alice/.ssh/authorized_keys",
        "/var/spool/cron/crontabs/alice",
        "/var/spool/cron/crontabs/root",
        "/root/.config/rclone/rclone.conf",
    ] {
        assert!(came.iter().any(|line| line.contains(part)), "{part} has not come: {came:#?}");
    }
    same("removed", &bare, &reach(none));
    let with_two = reach(&two);
    same("renamed", &with_one, &reach(&one));
    same("renamed back", &with_two, &reach(&two));
    same("removed", &bare, &reach(none));
}
