//! Changes by hand, of every kind: each is found, shown with what was changed, and put back; what
//! others own beside it stays as it is.

use serde_json::Value;

use crate::project::{Project, Ran};
use crate::rig::{Machine, Rig};

const RESOURCES: &str = r#"
- directory: {path: /srv/app, mode: '0750', owner: alice}
- file: {path: /srv/conf, content: "a: 1\n", mode: '0640', group: adm}
- file: {path: /srv/token, secret: token}
- link: {path: /srv/current, target: /srv/app}
- block: {path: /etc/hosts, id: lab, content: "192.0.2.1 alpha\n192.0.2.2 beta\n"}
- json-keys: {path: /srv/settings.json, values: {theme: dark, /editor/tabs: '4'}}
- ini-keys: {path: /srv/app.ini, sections: {main: {level: high}}}
- schedule: {name: nightly, at: "10 3 * * *", command: "/bin/true"}
- crontab-entry: {id: job, user: root, lines: ["5 4 * * * /bin/true"]}
- service: {name: cron, enabled: true, running: true}
"#;

/// A change by hand: what is done, the resource in whose plan it shows, what the plan says of it,
/// and a command whose answer is the same before the change and after it was put back.
struct Hand {
    script: &'static str,
    step: &'static str,
    says: &'static str,
    look: &'static str,
}

const fn hand(script: &'static str, step: &'static str, says: &'static str, look: &'static str) -> Hand {
    Hand { script, step, says, look }
}

const HANDS: &[Hand] = &[
    hand("echo 'b: 2' >>/srv/conf", "file /srv/conf", "b: 2", "cat /srv/conf"),
    hand("chmod 666 /srv/conf", "file /srv/conf", "0666", "stat -c %a /srv/conf"),
    hand("chown alice:users /srv/conf", "file /srv/conf", "alice", "stat -c %U:%G /srv/conf"),
    hand(
        "rm /srv/conf; ln -s /etc/passwd /srv/conf",
        "file /srv/conf",
        "/etc/passwd",
        "stat -c '%F' /srv/conf /etc/passwd",
    ),
    hand("echo other >/srv/token", "file /srv/token", "secret", "sha256sum /srv/token"),
    hand("ln -sfn /tmp /srv/current", "link /srv/current", "/tmp", "readlink /srv/current; ls -A /tmp"),
    hand("rm /srv/current", "link /srv/current", "/srv/app", "readlink /srv/current"),
    hand("chmod 2777 /srv/app", "directory /srv/app", "2777", "stat -c %a /srv/app"),
    hand("chown root /srv/app", "directory /srv/app", "root", "stat -c %U /srv/app"),
    hand("rmdir /srv/app", "directory /srv/app", "create", "stat -c '%U %a' /srv/app"),
    hand("sed -i s/alpha/omega/ /etc/hosts", "block /etc/hosts#lab", "omega", "cat /etc/hosts"),
    hand(
        "sed -i /fleetprov/,/fleetprov/d /etc/hosts",
        "block /etc/hosts#lab",
        "beta",
        "grep -c alpha /etc/hosts",
    ),
    hand(
        "sed -i s/dark/light/ /srv/settings.json",
        "json-keys /srv/settings.json#keys",
        "light",
        "cat /srv/settings.json",
    ),
    hand(
        "sed -i /tabs/d /srv/settings.json",
        "json-keys /srv/settings.json#keys",
        "tabs",
        "grep -c 'the other' /srv/settings.json",
    ),
    hand("sed -i s/high/low/ /srv/app.ini", "ini-keys /srv/app.ini#keys", "low", "cat /srv/app.ini"),
    hand(
        "sed -i s,/bin/true,/bin/false, /etc/systemd/system/fleetprov-nightly.service",
        "file /etc/systemd/system/fleetprov-nightly.service",
        "/bin/false",
        "cat /etc/systemd/system/fleetprov-nightly.service; systemctl show -p NeedDaemonReload fleetprov-nightly.service",
    ),
    hand(
        "sed -i s/03:10/04:10/ /etc/systemd/system/fleetprov-nightly.timer; systemctl daemon-reload",
        "file /etc/systemd/system/fleetprov-nightly.timer",
        "04:10",
        "systemctl cat fleetprov-nightly.timer; systemctl show -p TimersCalendar fleetprov-nightly.timer | cut -d ';' -f 1",
    ),
    hand(
        "systemctl disable -q fleetprov-nightly.timer",
        "unit fleetprov-nightly.timer",
        "enabled",
        "systemctl is-enabled fleetprov-nightly.timer",
    ),
    hand(
        "systemctl stop fleetprov-nightly.timer",
        "unit fleetprov-nightly.timer",
        "active",
        "systemctl is-active fleetprov-nightly.timer; systemctl list-timers --no-legend fleetprov-nightly.timer | wc -l",
    ),
    hand("systemctl stop cron", "unit cron.service", "active", "systemctl is-active cron"),
    hand("crontab -l | sed s/^5/6/ | crontab -", "crontab-entry root#job", "6 4 * * *", "crontab -l"),
    hand(
        "crontab -l | grep -v 4 | crontab -",
        "crontab-entry root#job",
        "5 4 * * *",
        "crontab -l | grep -c 'the other'",
    ),
];

/// The one machine of a run's report.
fn report(ran: &Ran) -> Value {
    let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}\n{ran}"));
    report["machines"][0].clone()
}

fn steps(report: &Value) -> Vec<String> {
    let steps = report["steps"].as_array().unwrap();
    steps
        .iter()
        .map(|step| format!("{} {}", step["kind"].as_str().unwrap(), step["target"].as_str().unwrap()))
        .collect()
}

#[test]
fn what_is_changed_by_hand_is_found_shown_and_put_back() {
    let rig = Rig::start(&[Machine::systemd("droplet")]);
    let droplet = rig.machine("droplet");
    droplet.write(
        "/srv/settings.json",
        b"{\n  // the other's\n  \"other\": [1, 2],\n  \"theme\": \"none\"\n}\n",
    );
    droplet.write("/srv/app.ini", b"; the other's\n[main]\nother = 1\nlevel = none\n[else]\nlevel = 2\n");
    droplet.check("echo '# the other line\n0 0 1 1 * /bin/false' | crontab -");
    let project = Project::new(&rig).machine(droplet, "root", "", RESOURCES);
    project.secret("token", b"the marker secret");
    project.converge();

    for Hand { script, step, says, look } in HANDS {
        let before = droplet.check(look);
        droplet.check(script);
        let ran = project.apply(&["--json"]);
        let plan = report(ran.expect(0).hides("the marker secret"));
        let found = steps(&plan);
        assert!(found.iter().any(|found| found == step), "{script}: {found:?}");
        // What follows the change is restarted or read again, nothing else is touched.
        let others: Vec<_> = found
            .iter()
            .filter(|found| found != step && !found.starts_with("unit fleetprov-nightly"))
            .collect();
        assert!(others.is_empty(), "{script}: {found:?}");
        assert!(plan["steps"].to_string().contains(says), "{script}: {plan}");
        assert_eq!(droplet.check(look), before, "{script}");
    }
    project.plan(&[]).expect(0);
    for (path, kept) in [
        ("/srv/settings.json", "// the other's"),
        ("/srv/app.ini", "; the other's"),
        ("/srv/app.ini", "level = 2"),
    ] {
        let text = String::from_utf8(droplet.read(path)).unwrap();
        assert!(text.contains(kept), "{text}");
    }
    assert!(droplet.check("crontab -l").contains("0 0 1 1 * /bin/false"));
}

#[test]
fn a_crontab_line_changed_by_hand_is_put_back_without_systemd() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let machine = rig.machine("box");
    let resources = "- schedule: {name: nightly, at: \"10 3 * * *\", command: \"/bin/true\"}\n- service: {name: cron, enabled: true, running: true}";
    let project = Project::new(&rig).machine(machine, "root", "", resources);
    machine.check("echo '# the other line' | crontab -");
    project.converge();
    let before = machine.check("crontab -l");
    for (script, says) in [
        ("crontab -l | sed 's/^10 3/11 3/' | crontab -", "11 3"),
        ("crontab -r", "10 3"),
        ("service cron stop", "running"),
    ] {
        machine.check(script);
        project.plan(&["--json"]).expect(2).says(says);
        project.apply(&[]).expect(0);
        machine.check("service cron status");
    }
    project.plan(&[]).expect(0);
    assert!(before.contains("# the other line"));
    assert!(machine.check("crontab -l").contains("10 3 * * *"));
}

#[test]
fn what_moves_between_plan_and_apply_is_refused() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let machine = rig.machine("box");
    let resources = "\
- file: {path: /srv/moved, content: new}
- file: {path: /srv/still, content: new}
- directory: {path: /srv/folder}
- link: {path: /srv/link, target: new}
- file: {path: /srv/folder/inside, content: x}";
    let project = Project::new(&rig).machine(machine, "root", "", resources);
    machine.check("echo old >/srv/moved; echo old >/srv/still; ln -s old /srv/link");
    let library = project.library();
    let tell = |_: fleetprov::event::Event| {};
    let run = fleetprov::fleet::Run::new(&library.connector, library.options(), &tell);
    let outcome = crate::project::runtime().block_on(async {
        let prepared = run.prepare(library.jobs()).await;
        // Somebody else is quicker.
        machine.check("echo theirs >/srv/moved; ln -sfn theirs /srv/link; echo x >/srv/folder");
        run.apply(prepared).await.remove(0)
    });
    use fleetprov::event::StepOutcome::{Changed, Refused, Skipped};
    let [moved, still, folder, link, inside] = outcome.steps.as_slice() else { panic!("{outcome:?}") };
    assert!(
        matches!(moved, Refused(reason) if reason.contains("/srv/moved has changed since it was looked at")),
        "{moved:?}"
    );
    assert_eq!(*still, Changed);
    assert!(matches!(folder, Refused(reason) if reason.contains("it was absent, it is file")), "{folder:?}");
    assert!(matches!(link, Refused(_)), "{link:?}");
    assert_eq!(*inside, Skipped(2));
    assert_eq!(machine.read("/srv/moved"), b"theirs\n");
    assert_eq!(machine.check("readlink /srv/link"), "theirs");
    assert_eq!(outcome.left.unwrap().steps.len(), 2, "the file in the way blocks the rest");
}

#[test]
fn drift_is_what_the_machine_moved_and_nothing_else() {
    let rig = Rig::start(&[Machine::plain("box"), Machine::plain("calm")]);
    let machine = rig.machine("box");
    let of = |text: &str| {
        format!(
            "- file: {{path: /srv/drifted, content: same}}\n\
             - file: {{path: /srv/pending, content: {text}}}\n\
             - file: {{path: /srv/both, content: {text}}}"
        )
    };
    let project = Project::new(&rig).machine(machine, "root", "", &of("old")).machine(
        rig.machine("calm"),
        "root",
        "",
        &of("old"),
    );
    project.converge();
    project.drift(&[]).expect(0).says("no drift (3 in order)").says("no drift on 2 machines");
    machine.check("echo theirs >/srv/drifted; echo theirs >/srv/both");
    project.declare("box", &of("new"));
    let ran = project.drift(&[]);
    ran.expect(2)
        .says("file /srv/drifted (role box, drifted)")
        .says("file /srv/both (role box, drifted and pending)")
        .says("1 pending not shown")
        .says("2 resources drifted on 1 machine, no drift on 1")
        .hides("file /srv/pending");
    let digest = |text: &str| fleetprov::model::Digest::of(text.as_bytes()).short();
    ran.says(&format!(
        "content: sha256 {} is asked for now, sha256 {} was applied, sha256 {} is there",
        digest("new"),
        digest("old"),
        digest("theirs\n")
    ));
    let ran = project.drift(&["--json"]);
    let report = report(ran.expect(2));
    assert_eq!((report["status"].as_str(), report["pending"].as_u64()), (Some("drifted"), Some(1)));
    assert_eq!(steps(&report), ["file /srv/drifted", "file /srv/both"]);
    // Changing it back is no drift any more; what is pending still is.
    machine.check("printf same >/srv/drifted; printf old >/srv/both");
    project.drift(&[]).expect(0).says("no drift (1 in order, 2 pending not shown)");
    project.converge();
}
