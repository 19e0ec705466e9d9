use serde_json::json;

use super::*;
use crate::model::ResourceId;
use crate::resource::Answer;
use crate::resource::testing::{
    compared, differs, going, left, on_every_shell, read_with, removal, seen, shown,
};
use crate::resource::{Removal, Surroundings};

fn package(name: &str) -> Package {
    Package { name: name.to_owned() }
}

#[test]
fn a_missing_package_is_installed() {
    let rclone = package("rclone");
    assert_eq!(rclone.questions(), [Question::Package("rclone".to_owned())]);
    let installed = compared(&rclone, &[Answer::Package(Some("1.60.1+dfsg-2".to_owned()))]).unwrap();
    assert!(installed.is_none());
    assert_eq!(
        shown(&differs(&rclone, &[Answer::Package(None)])),
        "create\n  installed no → yes\n  > fp_package_install rclone"
    );
    assert!(compared(&rclone, &[Answer::Unanswered("no dpkg".to_owned())]).is_err());
}

#[test]
fn names_follow_debians_policy() {
    for good in ["rclone", "g++", "libc6:i386", "python3.11", "0ad"] {
        assert!(is_name(good), "{good}");
    }
    for bad in ["", "a", "-y", "rclone-", "Rclone", "a b", "a=1", "a/stable", "rclone:", ".hidden"] {
        assert!(!is_name(bad), "{bad}");
    }
}

#[test]
fn a_name_alone_is_enough() {
    for fields in [json!("rclone"), json!({"name": "rclone"})] {
        let declared = read_with(read, fields).unwrap();
        assert_eq!(declared[0].resource.id().to_string(), "package rclone");
    }
    assert_eq!(read_with(read, json!("rclone-")).unwrap_err(), ["`rclone-` is not a package's name"]);
    assert_eq!(read_with(read, json!({"nam": "rclone"})).unwrap_err(), ["package has an unknown key `nam`"]);
}

/// Stand-ins for apt-get, dpkg-query and dpkg: the real ones are tested on real machines.
/// `known` and `broken` are files that say whether the lists know the package and whether dpkg was cut.
const APT: &str = r#"
printf 'apt-get %s\n' "$*" >>"$LOG"
[ "$DEBIAN_FRONTEND" = noninteractive ] || exit 9
case " $* " in
*" update "*) : >"$HERE/known"; exit 0 ;;
esac
for package; do :; done
if [ -e "$HERE/broken" ]; then
	echo "E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem. "
	exit 100
fi
if [ ! -e "$HERE/known" ] || [ "$package" = nonesuch ]; then
	echo 'Reading package lists...'
	echo "E: Unable to locate package $package"
	exit 100
fi
read -r line && echo "took the stream: $line"
: >"$HERE/installed-$package"
"#;

fn install(bench: &crate::resource::testing::Bench, name: &str) -> crate::resource::testing::Said {
    bench.perform(&differs(&package(name), &[Answer::Package(None)]).operations)
}

fn stand_ins(bench: &crate::resource::testing::Bench) {
    bench.stand_in("apt-get", APT);
    bench.stand_in(
        "dpkg-query",
        r#"for package; do :; done; [ -e "$HERE/installed-$package" ] && echo installed"#,
    );
    bench.stand_in("dpkg", r#"printf 'dpkg %s\n' "$*" >>"$LOG"; rm -f "$HERE/broken""#);
}

#[test]
fn lists_are_fetched_only_when_they_do_not_know_the_package() {
    on_every_shell(|bench| {
        stand_ins(bench);
        assert_eq!(install(bench, "rclone").status, 0);
        let log = bench.log();
        let verbs: Vec<&str> =
            log.lines().map(|line| if line.ends_with(" update") { "update" } else { "install" }).collect();
        assert_eq!(verbs, ["install", "update", "install"], "{log}");
        assert!(log.contains("--no-remove") && log.contains("install -- rclone"), "{log}");
        assert_eq!(install(bench, "sshfs").status, 0);
        assert_eq!(bench.log().lines().count(), 1);
    });
}

#[test]
fn an_interrupted_dpkg_is_finished_first() {
    on_every_shell(|bench| {
        stand_ins(bench);
        std::fs::write(bench.file("known"), "").unwrap();
        std::fs::write(bench.file("broken"), "").unwrap();
        assert_eq!(install(bench, "rclone").status, 0);
        assert!(bench.log().contains("--configure -a"));
    });
}

#[test]
fn failures_say_why() {
    on_every_shell(|bench| {
        stand_ins(bench);
        let said = install(bench, "nonesuch");
        assert_eq!(said.status, 1);
        assert_eq!(said.text, "failed to install nonesuch: E: Unable to locate package nonesuch\n");
        bench.stand_in("dpkg-query", "exit 1");
        let said = install(bench, "awk");
        assert_eq!(said.status, 1);
        assert!(said.text.contains("another package provides it"), "{}", said.text);
    });
}

#[test]
fn a_machine_without_apt_says_so() {
    on_every_shell(|bench| {
        if bench.shell() == "ash" {
            let said = install(bench, "rclone");
            assert_eq!(said.status, 1);
            assert_eq!(said.text, "failed to install rclone: this machine has no apt-get\n");
        }
    });
}

#[test]
fn a_package_goes_when_nothing_that_stays_needs_it() {
    let base = package("lab-base");
    let said = |lines: &[&str]| [Answer::Lines(lines.iter().map(|line| (*line).to_owned()).collect())];
    assert_eq!(going(&base, &said(&["installed no"]), &[]), "gone");
    let alone = said(&["installed yes", "takes lab-base"]);
    assert_eq!(going(&base, &alone, &[]), "remove\n  installed yes → no\n  > fp_package_remove lab-base");
    let needed = said(&["installed yes", "takes lab-extra", "takes lab-base", "takes lab-more:i386"]);
    assert_eq!(going(&base, &needed, &[]), "stays: lab-extra and 1 more need it; it stays installed");
    let departing = ["lab-extra", "lab-more"].map(|name| ResourceId::new(KIND, name)).into();
    let surroundings = Surroundings { departing, ..Surroundings::default() };
    let Removal::Remove(difference) = removal(&base, &needed, &[], &surroundings).unwrap() else {
        panic!("it stays")
    };
    assert!(shown(&difference).ends_with("> fp_package_remove lab-base|lab-extra|lab-more:i386"));
    assert_eq!(seen(&base, &[Answer::Package(Some("1".to_owned()))]), ["installed yes"]);
    assert!(seen(&base, &[Answer::Package(None)]).is_empty());
}

#[test]
fn what_else_would_go_is_asked_of_apt_and_asked_again() {
    on_every_shell(|bench| {
        stand_ins(bench);
        bench.stand_in(
            "apt-get",
            r#"for package; do :; done
case " $* " in
*" -s "*) cat "$HERE/simulated" ;;
*) printf '%s\n' "$*" >>"$LOG"; rm -f "$HERE/installed-$package" ;;
esac"#,
        );
        std::fs::write(bench.file("installed-lab"), "").unwrap();
        std::fs::write(bench.file("simulated"), "Reading...\nRemv lab [1]\nInst x\n").unwrap();
        let lab = package("lab");
        let answers = bench.answer(&left(&lab).questions());
        let Removal::Remove(difference) = removal(&lab, &answers, &[], &Surroundings::default()).unwrap()
        else {
            panic!("it stays")
        };
        std::fs::write(bench.file("simulated"), "Remv other [1]\nRemv lab [1]\n").unwrap();
        let said = bench.perform(&difference.operations);
        assert_eq!((said.status, said.text.as_str()), (3, "removing lab would take other along\n"));
        assert_eq!(
            going(&lab, &bench.answer(&left(&lab).questions()), &[]),
            "stays: other needs it; it stays installed"
        );
        std::fs::write(bench.file("simulated"), "Remv lab [1]\n").unwrap();
        assert_eq!(bench.perform(&difference.operations).status, 0);
        assert!(bench.log().contains("remove -- lab") && !bench.file("installed-lab").exists());
        assert_eq!(going(&lab, &bench.answer(&left(&lab).questions()), &[]), "gone");
        assert_eq!(bench.perform(&difference.operations).status, 0, "gone already");
    });
}
