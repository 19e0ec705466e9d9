//! What leaves the inventory after people have been at it: units without their files, users that are gone,
//! folders in which root can give nothing away.

use crate::project::Project;
use crate::rig::{Machine, Rig};

const UNITS: &str = r##"
- file: {path: /etc/systemd/system/app.service, content: "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n"}
- unit: {name: app.service, enabled: true, active: true}
- file: {path: /etc/systemd/system/plain.service, content: "[Service]\nExecStart=/bin/sleep infinity\n"}
- unit: {name: plain.service, active: true}
- file: {path: /etc/systemd/system/mnt-x.mount, content: "[Mount]\nWhat=tmpfs\nWhere=/mnt/x\nType=tmpfs\n[Install]\nWantedBy=multi-user.target\n"}
- unit: {name: mnt-x.mount, enabled: true, active: true}
- schedule: {name: nightly, at: "10 3 * * *", catch-up: true, script: "#!/bin/sh\ntrue\n"}
- file: {path: /etc/systemd/system/idle.service, content: "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n"}
- unit: {name: idle.service, enabled: true}
"##;

#[test]
fn units_whose_files_were_deleted_by_hand_end_and_are_not_started_again() {
    let rig = Rig::start(&[Machine::systemd("box")]);
    let machine = rig.machine("box");
    let project = Project::new(&rig).machine(machine, "root", "", UNITS);
    project.converge();
    machine.check("cd /etc/systemd/system && rm app.service plain.service mnt-x.mount idle.service fleetprov-nightly.* && systemctl daemon-reload");
    machine.check("systemctl is-active app.service plain.service mnt-x.mount");
    project.declare("box", "  []");
    let plan = project.plan(&[]).expect(2).words();
    for name in ["app.service", "plain.service", "mnt-x.mount", "fleetprov-nightly.timer", "idle.service"] {
        assert!(plan.contains(&format!("remove unit {name}")), "{name}\n{plan}");
    }
    project.apply(&["--allow-prune"]).expect(0);
    project.plan(&[]).expect(0);
    let left = machine.check(
        "systemctl list-units --all --plain --no-legend app.service plain.service mnt-x.mount idle.service 'fleetprov-nightly.*'
         find /etc/systemd/system -name 'app.*' -o -name 'plain.*' -o -name 'mnt-x.*' -o -name 'idle.*' -o -name '*nightly*'
         grep ' /mnt/x ' /proc/self/mounts; :",
    );
    assert_eq!(left, "");
}

#[test]
fn what_a_user_who_is_gone_left_behind_is_named_and_goes_when_it_can() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let machine = rig.machine("box");
    machine.check("useradd --create-home bob");
    let resources = r#"
- file: {path: /home/bob/conf, content: "a\n", owner: bob}
- crontab-entry: {id: job, user: bob, lines: ["5 4 * * * /bin/true"]}
"#;
    let project = Project::new(&rig).machine(machine, "root", "", resources);
    project.converge();
    machine.check("userdel bob");
    project.declare("box", "  []");
    let plan = project.plan(&[]).expect(1).words();
    for words in [
        "/home/bob/conf is in what belongs to a user that is not there any more; remove it by hand, or give it to somebody (chown)",
        "user bob is not there any more, and its crontab is: whoever gets that name gets its jobs; remove /var/spool/cron/crontabs/bob by hand",
    ] {
        assert!(plan.contains(words), "{words}\n{plan}");
    }
    machine.check("rm -r /home/bob /var/spool/cron/crontabs/bob");
    project.apply(&[]).expect(0).says("written down");
    project.plan(&[]).expect(0);
}

#[test]
fn what_root_cannot_give_away_in_a_user_s_folder_is_blocked_in_words() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let machine = rig.machine("box");
    machine.check("install -d -o alice /home/alice/app");
    let resources = r#"
- file: {path: /home/alice/app/conf, content: "a\n", owner: root}
- directory: {path: /home/alice/app/deep/er, owner: alice, group: staff}
- link: {path: /home/alice/app/link, target: conf, owner: root}
- block: {path: /home/alice/app/text, id: one, content: "x", owner: root}
- file: {path: /home/alice/app/good, content: "b\n", owner: alice, group: alice}
"#;
    let project = Project::new(&rig).machine(machine, "root", "", resources);
    let plan = project.plan(&[]).expect(1).words();
    for (path, what) in
        [("conf", "owner root"), ("deep/er", "group staff"), ("link", "owner root"), ("text", "owner root")]
    {
        let words = format!(
            "/home/alice/app/{path} is in a folder of alice, where changes are made as alice, who cannot give it {what};"
        );
        assert!(plan.contains(&words), "{words}\n{plan}");
    }
    project.apply(&[]).expect(3);
    assert_eq!(machine.check("ls -A /home/alice/app"), "good");
}
