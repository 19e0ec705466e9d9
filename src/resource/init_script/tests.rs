use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use serde_json::json;

use super::*;
use crate::resource::Removal;
use crate::resource::testing::{Bench, compared, going, on_every_shell, read_with, removal, seen, shown};
use crate::resource::{Answer, Surroundings};

fn script(enabled: Option<bool>, running: Option<bool>) -> InitScript {
    InitScript { name: "nginx".to_owned(), enabled, running }
}

fn said(present: &str, enabled: &str, running: &str) -> Answer {
    Answer::Lines(vec![
        format!("present {present}"),
        format!("enabled {enabled}"),
        format!("running {running}"),
    ])
}

#[test]
fn states_become_details_and_operations() {
    let both = script(Some(true), Some(true));
    let cases = [
        (&both, said("yes", "yes", "yes"), "in order"),
        (
            &both,
            said("yes", "no", "no"),
            "update\n  enabled no → yes\n  running no → yes\n  > fp_init_links nginx|/etc|enable\n  > fp_init_act nginx|/etc|start",
        ),
        (
            &both,
            said("no", "no", "no"),
            "create\n  enabled no → yes\n  running no → yes\n  > fp_init_links nginx|/etc|enable\n  > fp_init_act nginx|/etc|start",
        ),
        (
            &script(Some(false), Some(false)),
            said("yes", "yes", "yes"),
            "update\n  enabled yes → no\n  running yes → no\n  > fp_init_links nginx|/etc|disable\n  > fp_init_act nginx|/etc|stop",
        ),
        (&script(Some(true), None), said("yes", "yes", "unknown"), "in order"),
        (
            &both,
            said("yes", "yes", "unknown"),
            "error: /etc/init.d/nginx does not say whether its service runs (no status action), so leave `running` out",
        ),
    ];
    for (script, answer, expected) in cases {
        let planned = match compared(script, std::slice::from_ref(&answer)) {
            Ok(None) => "in order".to_owned(),
            Ok(Some(difference)) => shown(&difference),
            Err(error) => format!("error: {error}"),
        };
        assert_eq!(planned, expected, "{answer:?}");
    }
    assert!(compared(&both, &[Answer::Lines(vec!["noise".to_owned()])]).is_err());
}

#[test]
fn a_followed_change_restarts_what_runs() {
    let because = [ResourceId::new("file", "/etc/default/nginx")];
    let surroundings = Surroundings::default();
    let follow = |running: &str| {
        let answers = [said("yes", "yes", running)];
        script(None, Some(true))
            .follow(Answers::new(&answers, &surroundings), &because)
            .map(|difference| shown(&difference))
    };
    assert_eq!(
        follow("yes").unwrap(),
        "restart\n  restarts for file /etc/default/nginx\n  > fp_init_act nginx|/etc|restart"
    );
    assert_eq!(follow("no"), None);
}

#[test]
fn fields_are_read() {
    let declared = read_with(read, json!({"name": "nginx", "running": true})).unwrap();
    assert_eq!(declared[0].resource.id().to_string(), "init-script nginx");
    assert_eq!(declared[0].follows.len(), 2);
    assert!(read_with(read, json!({"name": "../nginx"})).is_err());
    assert!(read_with(read, json!({"running": true})).is_err());
}

/// A script as packages bring them, with its service's state in a file.
const SCRIPT: &str = r#"#!/bin/sh
HERE=${0%/etc/init.d/*}
[ -z "$SECRET" ] || exit 9
read -r line && exit 9
case $1 in
start) [ -e "$HERE/breaks" ] && { echo 'no such interface'; exit 2; }; : >"$HERE/up" ;;
stop) rm -f "$HERE/up" ;;
restart) echo again >"$HERE/up" ;;
status) [ -e "$HERE/up" ] || exit 3 ;;
esac
"#;

/// Calls as an inventory would make them, but below the bench's folder instead of in `/etc`.
fn below(bench: &Bench, difference: &Difference) -> Vec<Operation> {
    let mut operations = difference.operations.clone();
    for operation in &mut operations {
        operation.call.arguments[1] = bench.path("etc").to_string();
    }
    operations
}

fn look(bench: &Bench) -> Answer {
    let call = Call::new("fp_init_look", ["nginx".to_owned(), bench.path("etc").to_string()]);
    bench.answer(&[Question::Ask { library: LIBRARY, call, within: None }]).remove(0)
}

#[test]
fn a_service_is_started_stopped_and_linked() {
    on_every_shell(|bench| {
        assert_eq!(look(bench), said("no", "no", "no"));
        for folder in ["init.d", "rc2.d", "rc3.d"] {
            fs::create_dir_all(bench.file("etc").join(folder)).unwrap();
        }
        let path = bench.file("etc/init.d/nginx");
        fs::write(&path, SCRIPT).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        // A stand-in for update-rc.d: the real one writes to /etc and is tested on real machines.
        bench.stand_in("update-rc.d", "printf '%s\\n' \"$*\" >>\"$LOG\"");
        assert_eq!(look(bench), said("yes", "no", "no"));
        let wanted = script(Some(true), Some(true));
        let difference = compared(&wanted, &[look(bench)]).unwrap().unwrap();
        let outcome = bench.perform(&below(bench, &difference));
        assert_eq!((outcome.status, outcome.text.as_str()), (0, ""));
        assert_eq!(bench.log(), "nginx defaults\nnginx enable\n");
        symlink("../init.d/nginx", bench.file("etc/rc3.d/S01nginx")).unwrap();
        assert_eq!(look(bench), said("yes", "yes", "yes"));

        let difference = compared(&script(None, Some(false)), &[look(bench)]).unwrap().unwrap();
        assert_eq!(bench.perform(&below(bench, &difference)).status, 0);
        assert_eq!(look(bench), said("yes", "yes", "no"));

        fs::write(bench.file("breaks"), "").unwrap();
        let difference = compared(&script(None, Some(true)), &[look(bench)]).unwrap().unwrap();
        let outcome = bench.perform(&below(bench, &difference));
        assert_eq!(outcome.status, 1);
        assert_eq!(outcome.text, "failed to start nginx: its script ended with 2: no such interface\n");

        fs::write(&path, "#!/bin/sh\nexit 0\n").unwrap();
        assert_eq!(look(bench), said("yes", "yes", "unknown"));
    });
}

#[test]
fn a_service_that_leaves_is_stopped_and_starts_no_more() {
    let both = script(Some(true), Some(true));
    let cases = [
        (said("no", "no", "no"), "gone"),
        (said("yes", "no", "no"), "gone"),
        (said("yes", "no", "unknown"), "gone"),
        (
            said("yes", "yes", "yes"),
            "remove\n  enabled yes → no\n  running yes → no\n  > fp_init_act nginx|/etc|stop\n  > fp_init_links nginx|/etc|disable",
        ),
        (said("yes", "yes", "no"), "remove\n  enabled yes → no\n  > fp_init_links nginx|/etc|disable"),
    ];
    for (answer, expected) in cases {
        assert_eq!(going(&both, &[answer], &[]), expected);
    }
    // With its script its links go, whether or not it starts with the machine.
    let departing = [ResourceId::new("file", "/etc/init.d/nginx")].into();
    let surroundings = Surroundings { departing, ..Surroundings::default() };
    let Removal::Remove(whole) = removal(&both, &[said("yes", "no", "no")], &[], &surroundings).unwrap()
    else {
        panic!("it stays")
    };
    assert_eq!(shown(&whole), "remove\n  > fp_init_forget nginx|/etc|");
    assert_eq!(seen(&both, &[said("yes", "no", "unknown")]), ["enabled no"]);
    assert!(seen(&both, &[said("no", "no", "no")]).is_empty());
    on_every_shell(|bench| {
        bench.stand_in(
            "update-rc.d",
            "printf '%s\\n' \"$*\" >>\"$LOG\"; [ ! -e \"$HERE/bad\" ] || { echo no; exit 1; }",
        );
        assert_eq!(bench.perform(&below(bench, &whole)).status, 0);
        assert_eq!(bench.log(), "-f nginx remove\n");
        fs::write(bench.file("bad"), "").unwrap();
        assert_eq!(bench.perform(&below(bench, &whole)).text, "failed to remove the links of nginx: no\n");
    });
}
