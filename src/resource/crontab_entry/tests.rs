use serde_json::json;

use super::*;
use crate::resource::Answer;
use crate::resource::testing::{
    Bench, compared, differs, going, left, on_every_shell, read_with, removal, seen, shown,
};
use crate::resource::{Removal, Surroundings};

fn entry(user: &str, lines: &[&str]) -> CrontabEntry {
    CrontabEntry {
        user: user.to_owned(),
        id: "reports".to_owned(),
        lines: lines.iter().map(|line| (*line).to_owned()).collect(),
    }
}

const LINE: &str = "10 3 * * * /usr/local/bin/report --date=\\%F";

const BLOCK: &str = "# BEGIN fleetprov reports (managed: edits here are overwritten)\n10 3 * * * /usr/local/bin/report --date=\\%F\n# END fleetprov reports\n";

fn said(crontab: &str) -> Answer {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(crontab);
    Answer::Lines(vec![format!("crontab {text}")])
}

#[test]
fn states_become_details_and_operations() {
    let entry = entry("root", &[LINE]);
    let created = differs(&entry, &[said("")]);
    let digest = |text: &str| Digest::of(text.as_bytes());
    assert_eq!(
        shown(&created),
        format!(
            "create\n  crontab of root, reports: None → \"{}\\n\"\n  > fp_crontab_write root|{}|{}|{}",
            LINE.replace('\\', "\\\\"),
            digest(""),
            BLOCK.len(),
            digest(BLOCK)
        )
    );
    assert!(compared(&entry, &[said(BLOCK)]).unwrap().is_none());
    let mail = format!("MAILTO=a\n{BLOCK}@daily x");
    assert!(compared(&entry, &[said(&mail)]).unwrap().is_none());
    let other = differs(&entry, &[said(&BLOCK.replace("10 3", "20 4"))]);
    assert!(shown(&other).starts_with("update\n  crontab of root, reports: Some(\"20 4 "));
    let broken = compared(&entry, &[said("# END fleetprov reports\n")]).unwrap_err();
    assert_eq!(
        broken.to_string(),
        "the crontab of root cannot be edited: failed to find the beginning of the block that ends on line 1"
    );
    assert!(compared(&entry, &[Answer::Lines(vec!["crontab !".to_owned()])]).is_err());
}

#[test]
fn fields_are_read() {
    let declared = read_with(read, json!({"id": "reports", "lines": [LINE]})).unwrap();
    assert_eq!(declared[0].resource.id().to_string(), "crontab-entry alice#reports");
    assert_eq!(declared[0].resource.rendered()[0].path, "crontab.alice#reports");
    assert_eq!(
        read_with(read, json!({"id": "a b", "lines": ["", "a\nb"], "user": "root"})).unwrap_err(),
        [
            "`id`: `a b` cannot stand in a comment line",
            "`lines` has an empty line",
            "`lines` has more than one line"
        ]
    );
    assert_eq!(read_with(read, json!({"id": "a"})).unwrap_err(), ["crontab-entry has no `lines`"]);
}

/// A stand-in for crontab that keeps texts in files, with the words of Debian's: the real one
/// writes to the machine's own crontabs and is tested on real machines.
const CRONTAB: &str = r#"
user=$(id -un)
if [ "$1" = -u ]; then
	[ "$user" != "$2" ] || { echo "crontab: the user need not be named" >&2; exit 1; }
	user=$2
	shift 2
fi
printf '%s %s\n' "$user" "$1" >>"$LOG"
case $1 in
-r) rm "$HERE/crontab-$user" ;;
-l) cat "$HERE/crontab-$user" 2>/dev/null || { echo "no crontab for $user" >&2; exit 1; } ;;
-)
	cat >"$HERE/new"
	if grep -q '^nonsense' "$HERE/new"; then
		echo '"-":1: bad minute' >&2
		echo "errors in crontab file, can't install." >&2
		exit 1
	fi
	mv "$HERE/new" "$HERE/crontab-$user"
	;;
esac
"#;

fn planned(bench: &Bench, entry: &CrontabEntry) -> Option<Difference> {
    compared(entry, &bench.answer(&entry.questions())).unwrap()
}

#[test]
fn other_lines_stay_as_they_are() {
    on_every_shell(|bench| {
        bench.stand_in("crontab", CRONTAB);
        for user in ["backup-user", "me"] {
            let me =
                String::from_utf8(bench.command("/usr/bin/id").arg("-un").output().unwrap().stdout).unwrap();
            let user = if user == "me" { me.trim() } else { user };
            let file = bench.file(&format!("crontab-{user}"));
            for (before, between) in
                [("", ""), ("# mine\n\n\t5 * * * *  x %y\\%z 'q'\n\n\n", ""), ("@daily x", "\n")]
            {
                if before.is_empty() {
                    let _ = std::fs::remove_file(&file);
                } else {
                    std::fs::write(&file, before).unwrap();
                }
                let entry = entry(user, &[LINE]);
                let difference = planned(bench, &entry).unwrap();
                let said = bench.perform(&difference.operations);
                assert_eq!((said.status, said.text.as_str()), (0, ""));
                let after = std::fs::read_to_string(&file).unwrap();
                assert!(
                    after.starts_with(&format!("{before}{between}# BEGIN fleetprov reports")),
                    "{after:?}"
                );
                assert!(planned(bench, &entry).is_none(), "a second plan is empty");
            }
        }
    });
}

#[test]
fn a_crontab_that_has_moved_is_left_alone() {
    on_every_shell(|bench| {
        bench.stand_in("crontab", CRONTAB);
        let entry = entry("backup-user", &[LINE]);
        let difference = planned(bench, &entry).unwrap();
        std::fs::write(bench.file("crontab-backup-user"), "@daily x\n").unwrap();
        let said = bench.perform(&difference.operations);
        assert_eq!(said.status, 3);
        assert_eq!(said.text, "the crontab of backup-user has changed since it was looked at\n");
        assert_eq!(std::fs::read_to_string(bench.file("crontab-backup-user")).unwrap(), "@daily x\n");
    });
}

#[test]
fn what_cron_refuses_is_told() {
    on_every_shell(|bench| {
        bench.stand_in("crontab", CRONTAB);
        let entry = entry("backup-user", &["nonsense"]);
        let said = bench.perform(&planned(bench, &entry).unwrap().operations);
        assert_eq!(said.status, 1);
        assert_eq!(
            said.text,
            "failed to write the crontab of backup-user: \"-\":1: bad minute\nerrors in crontab file, can't install.\n"
        );
        bench.stand_in("crontab", "echo 'You (x) are not allowed to use this program (crontab)' >&2; exit 1");
        let answers = bench.answer(&entry.questions());
        assert_eq!(
            compared(&entry, &answers).unwrap_err().to_string(),
            "failed to read the crontab of backup-user: You (x) are not allowed to use this program (crontab)"
        );
    });
}

#[test]
fn lines_that_leave_take_an_empty_crontab_along_and_nothing_of_others() {
    on_every_shell(|bench| {
        bench.stand_in("crontab", CRONTAB);
        let entry = entry("backup-user", &[LINE]);
        let file = bench.file("crontab-backup-user");
        let answers = || bench.answer(&left(&entry).questions());
        assert_eq!(going(&entry, &answers(), &[]), "gone");
        assert!(seen(&entry, &answers()).is_empty());
        for before in ["", "# mine\n@daily x\n", "@daily y"] {
            if !before.is_empty() {
                std::fs::write(&file, before).unwrap();
            }
            bench.perform(&planned(bench, &entry).unwrap().operations);
            let Removal::Remove(difference) =
                removal(&entry, &answers(), &[], &Surroundings::default()).unwrap()
            else {
                panic!("it stays")
            };
            let text = shown(&difference);
            assert!(text.starts_with("remove\n  crontab of backup-user, reports: Some("), "{text}");
            assert_eq!(text.contains("so it goes"), before.is_empty(), "{text}");
            // What it is bound to is the whole crontab.
            let made = std::fs::read_to_string(&file).unwrap();
            std::fs::write(&file, format!("{made}@weekly z\n")).unwrap();
            assert_eq!(bench.perform(&difference.operations).status, 3);
            std::fs::write(&file, made).unwrap();
            assert_eq!(bench.perform(&difference.operations).status, 0);
            assert_eq!(std::fs::read_to_string(&file).ok().as_deref().unwrap_or(""), before);
            let _ = std::fs::remove_file(&file);
        }
    });
}

#[test]
fn a_user_who_is_gone_has_no_crontab() {
    on_every_shell(|bench| {
        bench.stand_in("crontab", r#"echo "crontab:  user \`nobody-such' unknown" >&2; exit 1"#);
        let entry = entry("nobody-such", &[LINE]);
        let answers = bench.answer(&entry.questions());
        assert_eq!(compared(&entry, &answers).unwrap_err().to_string(), "there is no user nobody-such");
        assert_eq!(going(&entry, &answers, &[]), "gone");
    });
}
