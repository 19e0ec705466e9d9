use serde_json::json;

use super::*;
use crate::resource::testing::{
    Bench, compared, differs, going, left, on_every_shell, read_with, seen, shown,
};
use crate::resource::{Answer, Surroundings};

fn unit(name: &str, enabled: Option<bool>, active: Option<bool>) -> Unit {
    Unit { name: name.to_owned(), enabled, active, related: Vec::new(), restart: restarts(name) }
}

fn facts(load: &str, active: &str, file: &str, needs_reload: bool) -> Answer {
    Answer::Unit(UnitFacts {
        load: load.to_owned(),
        active: active.to_owned(),
        file: file.to_owned(),
        needs_reload,
        drop_ins: Vec::new(),
    })
}

#[test]
fn a_drop_in_that_is_not_ours_blocks_a_unit_whose_file_is() {
    let unit = unit("a.timer", Some(true), Some(true));
    let drop_in = "/etc/systemd/system/a.timer.d/override.conf";
    let Answer::Unit(mut facts) = facts("loaded", "active", "enabled", false) else { panic!() };
    facts.drop_ins = vec!["/usr/lib/systemd/system/timer.d/vendor.conf".to_owned(), drop_in.to_owned()];
    let answers = [Answer::Unit(facts)];
    let seen = |declared: &[&str]| {
        let declared = declared.iter().map(|path| MachinePath::new(path).unwrap()).collect();
        let surroundings = Surroundings { declared, ..Surroundings::default() };
        unit.compare(Answers::new(&answers, &surroundings)).map(|comparison| format!("{comparison:?}"))
    };
    assert_eq!(seen(&[]).unwrap(), "InOrder", "somebody else's unit is somebody else's business");
    let own = "/etc/systemd/system/a.timer";
    let error = seen(&[own]).unwrap_err().to_string();
    assert!(error.contains(drop_in) && error.contains("does not own"), "{error}");
    assert_eq!(seen(&[own, drop_in]).unwrap(), "InOrder");
}

/// What a plan shows for a unit in a state; "in order" when there is nothing to do.
fn planned(unit: &Unit, answers: &[Answer]) -> String {
    match compared(unit, answers) {
        Ok(None) => "in order".to_owned(),
        Ok(Some(difference)) => shown(&difference),
        Err(error) => format!("error: {error}"),
    }
}

#[test]
fn states_become_details_and_operations() {
    let both = unit("a.service", Some(true), Some(true));
    let neither = unit("a.service", Some(false), Some(false));
    let cases = [
        (&both, facts("loaded", "active", "enabled", false), "in order"),
        (&both, facts("loaded", "activating", "alias", false), "in order"),
        (
            &both,
            facts("loaded", "inactive", "disabled", false),
            "update\n  enabled no → yes\n  active inactive → active\n  > fp_unit_reload a.service\n  > fp_unit_file a.service|enable\n  > fp_unit_start a.service",
        ),
        (
            &both,
            facts("not-found", "inactive", "", false),
            "create\n  enabled no → yes\n  active inactive → active\n  > fp_unit_reload a.service\n  > fp_unit_file a.service|enable\n  > fp_unit_start a.service",
        ),
        (
            &both,
            facts("loaded", "failed", "static", false),
            "update\n  enabled no (static) → yes\n  active failed → active\n  > fp_unit_reload a.service\n  > fp_unit_file a.service|enable\n  > fp_unit_start a.service",
        ),
        (
            &both,
            facts("loaded", "active", "enabled-runtime", false),
            "update\n  enabled until the next start of the machine → yes\n  > fp_unit_reload a.service\n  > fp_unit_file a.service|enable",
        ),
        (
            &both,
            facts("loaded", "active", "enabled", true),
            "restart\n  unit file in use an older one → the present one\n  > fp_unit_reload a.service\n  > fp_unit_restart a.service",
        ),
        (
            &both,
            facts("masked", "inactive", "masked", false),
            "error: a.service is masked, so it can neither be enabled nor started; `systemctl unmask a.service` undoes that",
        ),
        (&neither, facts("masked", "inactive", "masked", false), "in order"),
        (&neither, facts("not-found", "inactive", "", false), "in order"),
        (&neither, facts("loaded", "failed", "static", false), "in order"),
        (
            &neither,
            facts("loaded", "active", "enabled", true),
            "update\n  enabled yes → no\n  active active → inactive\n  unit file in use an older one → the present one\n  > fp_unit_reload a.service\n  > fp_unit_file a.service|disable\n  > fp_unit_stop a.service",
        ),
        (
            &neither,
            facts("loaded", "inactive", "generated", false),
            "error: a.service is generated from another file such as /etc/fstab or a script in /etc/init.d, which decides whether it starts with the machine",
        ),
    ];
    for (unit, answer, expected) in cases {
        assert_eq!(planned(unit, std::slice::from_ref(&answer)), expected, "{answer:?}");
    }
}

#[test]
fn a_related_unit_with_a_newer_file_counts() {
    let mut timer = unit("a.timer", Some(true), Some(true));
    timer.related.push("a.service".to_owned());
    let answers = [facts("loaded", "active", "enabled", false), facts("loaded", "inactive", "static", true)];
    assert_eq!(
        planned(&timer, &answers),
        "restart\n  unit file in use an older one → the present one\n  > fp_unit_reload a.timer|a.service\n  > fp_unit_restart a.timer"
    );
    assert_eq!(timer.questions().len(), 2);
}

#[test]
fn a_followed_change_restarts_what_is_active() {
    let because = [ResourceId::new("file", "/etc/a.conf")];
    let follow = |unit: &Unit, answer: Answer| {
        let surroundings = Surroundings::default();
        unit.follow(Answers::new(&[answer], &surroundings), &because).map(|difference| shown(&difference))
    };
    let service = unit("a.service", None, Some(true));
    assert_eq!(
        follow(&service, facts("loaded", "active", "enabled", false)).unwrap(),
        "restart\n  restarts for file /etc/a.conf\n  > fp_unit_reload a.service\n  > fp_unit_restart a.service"
    );
    // Started by the plan anyway.
    assert_eq!(follow(&service, facts("not-found", "inactive", "", false)), None);
    let target = unit("a.target", Some(true), None);
    assert_eq!(
        follow(&target, facts("loaded", "active", "enabled", false)).unwrap(),
        "update\n  reads its files again for file /etc/a.conf\n  > fp_unit_reload a.target"
    );
}

#[test]
fn fields_are_read() {
    let declared = read_with(
        read,
        json!({"name": "a.timer", "enabled": true, "active": true, "related": ["a.service"]}),
    )
    .unwrap();
    let follows: Vec<String> = declared[0].follows.iter().map(ToString::to_string).collect();
    assert_eq!(follows, ["file /etc/systemd/system/a.timer", "file /etc/systemd/system/a.service"]);
    assert_eq!(
        read_with(read, json!({"name": "nginx", "enabled": "maybe", "related": ["x"]})).unwrap_err(),
        [
            "`name`: `nginx` is not a unit's name",
            "`enabled` is `maybe`",
            "`related`: `x` is not a unit's name"
        ]
    );
    for good in ["a@b.service", "mnt-hs\\x20nas.mount", "-.mount"] {
        assert!(name_from(good).is_ok(), "{good}");
    }
}

/// A stand-in for systemctl with one unit, whose state is in files: the real one is tested on real
/// machines. `file`, `state`, `reload` hold its properties; `breaks` makes it fail to start.
const SYSTEMCTL: &str = r#"
words=''
for word; do
	case $word in
	--no-*) ;;
	*) words="$words $word" ;;
	esac
done
read -r line && echo "took the stream: $line" && exit 9
property() { cat "$HERE/$1" 2>/dev/null; }
case $words in
*--property=UnitFileState*) echo "UnitFileState=$(property file)" ;;
*--property=ActiveState*) echo "ActiveState=$(property state)" ;;
*--property=NeedDaemonReload*) echo "NeedDaemonReload=no"; echo; echo "NeedDaemonReload=$(property reload)" ;;
*--property=Result*) echo 'Result=exit-code' ;;
*--property=Type*) echo 'Type=simple' ;;
*)
	echo "systemctl$words" >>"$LOG"
	case $words in
	*daemon-reload) echo no >"$HERE/reload" ;;
	*enable*) [ -e "$HERE/stuck" ] || echo "${words%% -- *}d" | tr -d ' ' >"$HERE/file" ;;
	*start*)
		if [ -e "$HERE/breaks" ]; then
			echo failed >"$HERE/state"
			echo "Job for a.service failed because the control process exited with error code."
			exit 1
		fi
		[ -e "$HERE/ends" ] || echo active >"$HERE/state" ;;
	*stop*) echo inactive >"$HERE/state" ;;
	esac
	;;
esac
exit 0
"#;

fn systemd(bench: &Bench, file: &str, state: &str, reload: &str) {
    bench.stand_in("systemctl", SYSTEMCTL);
    bench.stand_in("journalctl", "echo 'nginx: [emerg] unknown directive \"srever\"'");
    for (name, value) in [("file", file), ("state", state), ("reload", reload)] {
        std::fs::write(bench.file(name), format!("{value}\n")).unwrap();
    }
}

fn a_service(bench: &Bench, load: &str, state: &str, file: &str) -> crate::resource::testing::Said {
    let service = unit("a.service", Some(true), Some(true));
    bench.perform(&differs(&service, &[facts(load, state, file, false)]).operations)
}

#[test]
fn a_new_unit_is_read_enabled_and_started() {
    on_every_shell(|bench| {
        systemd(bench, "disabled", "inactive", "yes");
        let said = a_service(bench, "loaded", "inactive", "disabled");
        assert_eq!((said.status, said.text.as_str()), (0, ""));
        assert_eq!(
            bench.log(),
            "systemctl daemon-reload\nsystemctl enable -- a.service\nsystemctl start -- a.service\n"
        );
        // Nothing to read again: not done. A failed unit is forgiven before it is started.
        systemd(bench, "disabled", "failed", "no");
        assert_eq!(a_service(bench, "loaded", "failed", "disabled").status, 0);
        assert_eq!(
            bench.log(),
            "systemctl enable -- a.service\nsystemctl reset-failed -- a.service\nsystemctl start -- a.service\n"
        );
    });
}

#[test]
fn a_start_that_fails_tells_what_the_journal_says() {
    on_every_shell(|bench| {
        systemd(bench, "disabled", "inactive", "no");
        std::fs::write(bench.file("breaks"), "").unwrap();
        let said = a_service(bench, "loaded", "inactive", "disabled");
        assert_eq!(said.status, 1);
        assert_eq!(
            said.text,
            "failed to start a.service: Job for a.service failed because the control process exited with error code.\nresult: exit-code\njournal: nginx: [emerg] unknown directive \"srever\"\n"
        );
        systemd(bench, "disabled", "inactive", "no");
        std::fs::remove_file(bench.file("breaks")).unwrap();
        std::fs::write(bench.file("ends"), "").unwrap();
        let said = a_service(bench, "loaded", "inactive", "disabled");
        assert_eq!(said.status, 1);
        assert!(
            said.text
                .starts_with("failed to keep a.service active: it was started and is inactive already\n")
        );
    });
}

#[test]
fn what_cannot_be_enabled_is_an_error_although_systemctl_is_content() {
    on_every_shell(|bench| {
        systemd(bench, "static", "active", "no");
        std::fs::write(bench.file("stuck"), "").unwrap();
        let said = a_service(bench, "loaded", "active", "static");
        assert_eq!(said.status, 1);
        assert_eq!(said.text, "failed to enable a.service: its file has no [Install] section\n");
        systemd(bench, "masked", "active", "no");
        let said = a_service(bench, "loaded", "active", "disabled");
        assert_eq!(said.status, 3);
        assert_eq!(said.text, "a.service has been masked since it was looked at\n");
    });
}

#[test]
fn a_unit_is_restarted_once() {
    on_every_shell(|bench| {
        systemd(bench, "enabled", "active", "yes");
        let service = unit("a.service", None, Some(true));
        let mut operations = vec![service.reload(), Unit::operation("fp_unit_restart", ["a.service"])];
        operations.push(Unit::operation("fp_unit_restart", ["a.service"]));
        assert_eq!(bench.perform(&operations).status, 0);
        assert_eq!(bench.log(), "systemctl daemon-reload\nsystemctl try-restart -- a.service\n");
        let operations = [Unit::operation("fp_unit_stop", ["a.service"])];
        assert_eq!(bench.perform(&operations).status, 0);
        assert_eq!(bench.log(), "systemctl stop -- a.service\n");
    });
}

#[test]
fn a_unit_that_leaves_is_stopped_and_disabled() {
    let timer = unit("a.timer", Some(true), Some(true));
    let cases = [
        (facts("not-found", "inactive", "", false), "gone"),
        (facts("loaded", "inactive", "disabled", false), "gone"),
        (facts("loaded", "inactive", "static", false), "gone"),
        (
            facts("loaded", "active", "enabled", false),
            "remove\n  enabled yes → no\n  active active → inactive\n  > fp_unit_retire a.timer",
        ),
        (
            facts("not-found", "failed", "", false),
            "remove\n  active failed → inactive\n  > fp_unit_retire a.timer",
        ),
        (
            facts("loaded", "inactive", "enabled", false),
            "remove\n  enabled yes → no\n  > fp_unit_retire a.timer",
        ),
        // Its file was deleted by hand.
        (
            facts("not-found", "active", "", false),
            "remove\n  active active → inactive\n  > fp_unit_retire a.timer",
        ),
    ];
    let links = |links: &[&str]| Answer::Lines(links.iter().map(|link| (*link).to_owned()).collect());
    for (answer, expected) in cases {
        assert_eq!(going(&timer, &[answer, links(&[])], &[]), expected);
    }
    let link = links(&["/etc/systemd/system/timers.target.wants/a.timer"]);
    assert_eq!(
        going(&timer, &[facts("not-found", "inactive", "", false), link.clone()], &[]),
        "remove\n  enabled yes → no\n  > fp_unit_retire a.timer"
    );
    // Whose link that is, is for systemd to say where it knows the unit.
    assert_eq!(going(&timer, &[facts("loaded", "inactive", "static", false), link], &[]), "gone");
    let automount = unit("mnt-a.automount", Some(true), Some(true));
    let going = going(&automount, &[facts("loaded", "active", "enabled", false), links(&[])], &[]);
    assert!(going.ends_with("> fp_unit_retire mnt-a.automount|mnt-a.mount"), "{going}");
}

#[test]
fn aspects_are_those_that_are_declared() {
    let there = [facts("loaded", "reloading", "enabled-runtime", false)];
    assert_eq!(seen(&unit("a.service", Some(true), Some(true)), &there), ["active active", "enabled no"]);
    assert_eq!(seen(&unit("a.service", None, Some(true)), &there), ["active active"]);
    assert!(
        seen(&unit("a.service", Some(true), Some(true)), &[facts("not-found", "inactive", "", false)])
            .is_empty()
    );
    let rests: Vec<String> = unit("a.timer", None, None).rests_on().iter().map(ToString::to_string).collect();
    assert_eq!(rests, ["file /etc/systemd/system/a.timer"]);
}

#[test]
fn what_a_unit_has_mounted_is_foreseen_to_be_unmounted() {
    let surroundings = Surroundings::default();
    let foreseen = |name: &str| {
        let remnant = left(&unit(name, Some(true), Some(true)));
        let foreseen = remnant.foreseen(Answers::new(&[], &surroundings));
        foreseen
            .into_iter()
            .filter_map(|(question, _)| match question {
                Question::Path { path, .. } => Some(path.to_string()),
                _ => None,
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(foreseen("mnt-a\\x20b.mount"), ["/mnt/a b"]);
    assert_eq!(foreseen("fleetprov-mount-mnt-store.service"), ["/mnt/store"]);
    assert!(foreseen("a.service").is_empty() && foreseen("-.mount") == ["/"]);
}

#[test]
fn retiring_says_what_failed_and_cleans_up_after_timers() {
    on_every_shell(|bench| {
        bench.stand_in(
            "systemctl",
            r#"printf '%s\n' "$*" >>"$LOG"
case " $* " in
*=ActiveState*) [ -e "$HERE/stopped" ] && echo ActiveState=inactive || echo ActiveState=active ;;
*" show "*) cat "$HERE/shown" ;;
*" disable "*) [ ! -e "$HERE/unknown" ] || { echo "it does not exist" >&2; exit 1; } ;;
*" stop "*) [ ! -e "$HERE/stuck" ] || { echo "it does not stop" >&2; exit 1; }; [ -e "$HERE/goes-on" ] || : >"$HERE/stopped" ;;
esac"#,
        );
        let shows = |text: &str| std::fs::write(bench.file("shown"), text).unwrap();
        shows("LoadState=loaded\nUnitFileState=enabled\nPersistent=yes\n");
        let operation = Unit::operation("fp_unit_retire", ["a.timer"]);
        assert_eq!(bench.perform(std::slice::from_ref(&operation)).status, 0);
        let log = bench.log();
        let verbs: Vec<&str> =
            log.lines().map(|line| line.split(' ').find(|word| !word.starts_with('-')).unwrap()).collect();
        assert_eq!(verbs, ["show", "show", "stop", "show", "disable", "clean", "reset-failed"], "{log}");
        // Its file was deleted by hand: it runs all the same, and its links are there.
        std::fs::remove_file(bench.file("stopped")).unwrap();
        shows("LoadState=not-found\nUnitFileState=\nPersistent=\n");
        assert_eq!(bench.perform(std::slice::from_ref(&operation)).status, 0);
        let log = bench.log();
        assert!(log.contains(" stop -- a.timer") && log.contains(" disable -- a.timer"), "{log}");
        // systemctl does not disable what has neither file nor links, and there is nothing to disable.
        std::fs::write(bench.file("unknown"), "").unwrap();
        assert_eq!(bench.perform(std::slice::from_ref(&operation)).status, 0);
        bench.log();
        // One that says it has stopped and goes on has not.
        std::fs::remove_file(bench.file("stopped")).unwrap();
        std::fs::write(bench.file("goes-on"), "").unwrap();
        let said = bench.perform(std::slice::from_ref(&operation));
        assert_eq!((said.status, said.text.as_str()), (1, "failed to stop a.timer: it is still active\n"));
        bench.log();
        std::fs::write(bench.file("stuck"), "").unwrap();
        let said = bench.perform(&[operation]);
        assert_eq!((said.status, said.text.as_str()), (1, "failed to stop a.timer: it does not stop\n"));
        assert!(!bench.log().contains("disable"), "a unit that runs keeps its place");
    });
}
