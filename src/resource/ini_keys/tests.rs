use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use super::*;
use crate::model::{Digest, Secret, SecretFrom};
use crate::resource::testing::{
    Bench, RUN_KEY, compared, differs, going, left, on_every_shell, read_with, removal, seen, shown,
};
use crate::resource::{Difference, Former, PathFacts, PathType, Payload, Removal, Surroundings};

fn plain(section: Option<&str>, key: &str, value: &str) -> IniValue {
    IniValue {
        section: section.map(str::to_owned),
        key: key.to_owned(),
        value: Content::Bytes(value.as_bytes().into()),
    }
}

fn secret(section: &str, key: &str, value: &str) -> IniValue {
    IniValue {
        section: Some(section.to_owned()),
        key: key.to_owned(),
        value: Content::Secret(Secret::new(value.as_bytes().to_vec())),
    }
}

fn keys(path: MachinePath, values: Vec<IniValue>) -> IniKeys {
    // Whoever runs the tests owns what they write.
    let owner = fs::metadata("/proc/self").map(|found| std::os::unix::fs::MetadataExt::uid(&found)).unwrap();
    IniKeys {
        path,
        id: "keys".to_owned(),
        values,
        sensitive: false,
        owner: owner.to_string(),
        group: None,
        mode: None,
    }
}

fn etc(values: Vec<IniValue>) -> IniKeys {
    IniKeys { owner: "root".to_owned(), ..keys(MachinePath::new("/etc/x.ini").unwrap(), values) }
}

fn file(mode: u32, text: &str) -> Answer {
    Answer::Path(PathFacts {
        what: PathType::File,
        mode,
        user: "root".to_owned(),
        digest: Some(Digest::of(text.as_bytes())),
        bytes: Some(text.as_bytes().to_vec()),
        acting: None,
        ..PathFacts::absent()
    })
}

#[test]
fn a_file_without_secrets_is_edited_on_the_controller() {
    let keys = etc(vec![plain(Some("smtp"), "host", "mail"), plain(None, "debug", "0")]);
    let text = "debug=1\n[smtp]\nhost = mail\n";
    let wanted = "debug=0\n[smtp]\nhost = mail\n";
    assert_eq!(
        shown(&differs(&keys, &[file(0o644, text)])),
        format!(
            "update\n  debug 1 → 0\n  > fp_edited_write /etc/x.ini|{}|root|-|-|{}|{}",
            Digest::of(text.as_bytes()),
            wanted.len(),
            Digest::of(wanted.as_bytes())
        )
    );
    assert!(compared(&keys, &[file(0o644, wanted)]).unwrap().is_none());
    assert!(!keys.is_secret());
    assert_eq!(
        compared(&keys, &[file(0o644, "debug=1\ndebug=2\n")]).unwrap_err().to_string(),
        "/etc/x.ini cannot be edited: failed to choose between two values of \"debug\", on lines 1 and 2"
    );
}

#[test]
fn a_file_with_secrets_is_asked_about_owned_keys_only() {
    let mut keys = etc(vec![plain(Some("b2"), "type", "b2"), secret("b2", "key", "hunter2")]);
    keys.mode = Some(0o600);
    assert!(keys.is_secret());
    let Question::Ask { call, within, .. } = &keys.questions()[1] else { panic!("no question of its own") };
    assert_eq!(call.arguments, ["/etc/x.ini", "[b2]", "type", "plain", "[b2]", "key", "keyed"]);
    assert_eq!(within.as_ref().unwrap().as_str(), "/etc");

    let said =
        |first: &str, second: &str| Answer::Lines(vec![format!("key0 {first}"), format!("key1 {second}")]);
    let right = format!("keyed {}", Digest::keyed(RUN_KEY, b"hunter2"));
    let wrong = Digest::keyed(RUN_KEY, b"hunter1").to_string();
    assert!(compared(&keys, &[file(0o600, ""), said("plain YjI=", &right)]).unwrap().is_none());

    let difference = differs(&keys, &[file(0o644, ""), said("absent", &format!("keyed {wrong}"))]);
    let Some(Payload::Secret(list)) = &difference.operations[0].payload else { panic!("a plain payload") };
    assert_eq!(
        String::from_utf8_lossy(list.expose()),
        format!("[b2]\ntype\nabsent\nb2\n[b2]\nkey\n{wrong}\nhunter2\nend\n")
    );
    let text = shown(&difference);
    assert_eq!(
        text,
        format!(
            "update\n  b2.type b2\n  b2.key: secret, existed true\n  mode 0644 → 0600\n  > fp_ini_edit /etc/x.ini|root|-|0600|{}",
            list.expose().len()
        )
    );
    let only_mode = shown(&differs(&keys, &[file(0o644, ""), said("plain YjI=", &right)]));
    assert_eq!(only_mode, "update\n  mode 0644 → 0600\n  > fp_ini_edit /etc/x.ini|root|-|0600|4");
    for nonsense in
        [said("odd", &right), said("keyed 00", &right), said(&right, &right), Answer::Lines(vec![])]
    {
        assert!(compared(&keys, &[file(0o600, ""), nonsense]).is_err());
    }
}

#[test]
fn secrets_show_nowhere() {
    let mut keys = etc(vec![secret("b2", "key", "hunter2\n")]);
    let shown = format!("{keys:?} {:?}", keys.rendered());
    assert!(!shown.contains("hunter2"), "{shown}");
    let answers = [file(0o600, ""), Answer::Lines(vec!["key0 absent".to_owned()])];
    let error = compared(&keys, &answers).unwrap_err().to_string();
    assert_eq!(
        error,
        "the value of b2.key cannot stand in an INI file: it must be one line without white space at its edges"
    );
    keys.values[0].value = Content::Sealed(SecretFrom::Name("b2-key".to_owned()));
    assert!(compared(&keys, &answers).unwrap_err().to_string().contains("is not at hand"));
}

#[test]
fn fields_are_read() {
    let fields = json!({
        "path": "~/.config/rclone/rclone.conf",
        "sections": {"b2": {"type": "b2", "key": {"secret": "b2-key"}}},
        "top": {"a": "b"}
    });
    let declared = read_with(read, fields).unwrap();
    let resource = &declared[0].resource;
    assert_eq!(resource.id().to_string(), "ini-keys /home/alice/.config/rclone/rclone.conf#keys");
    assert!(resource.is_secret());
    let rendered = resource.rendered();
    let Content::Bytes(bytes) = &rendered[0].content else { panic!("{rendered:?}") };
    assert_eq!(String::from_utf8_lossy(bytes), "a = b\n\n[b2]\nkey = <secret>\ntype = b2\n");
    let fields = json!({
        "path": "/x",
        "sections": {"b2": {"a": "x\ny", "k=": "v", "s": {"secre": "x"}}, "c": "d"}
    });
    assert_eq!(
        read_with(read, fields).unwrap_err(),
        [
            "failed to write the value of \"a\": it holds a line ending or a zero byte, or white space at its edge",
            "failed to use \"k=\" as a key",
            "key `s` has an unknown key `secre`",
            "section `c` is a single value"
        ]
    );
    assert_eq!(read_with(read, json!({"path": "/x"})).unwrap_err(), ["ini-keys has no keys"]);
}

fn plan(bench: &Bench, keys: &IniKeys) -> Result<Option<Difference>, ObserveError> {
    compared(keys, &bench.answer(&keys.questions()))
}

#[test]
fn secrets_are_written_on_the_machine_and_the_rest_stays() {
    on_every_shell(|bench| {
        let path = bench.file("rclone.conf");
        let mut keys = keys(
            bench.path("rclone.conf"),
            vec![plain(Some("b2"), "type", "b2"), secret("b2", "key", "a\\b%s'\"$x")],
        );
        for (before, after) in [
            (None, "[b2]\ntype = b2\nkey = a\\b%s'\"$x\n"),
            (
                Some("; mine\n[drive]\ntoken = {\"t\":1}\n[b2]\nkey=old\n"),
                "; mine\n[drive]\ntoken = {\"t\":1}\n[b2]\nkey=a\\b%s'\"$x\ntype=b2\n",
            ),
        ] {
            if let Some(text) = before {
                fs::write(&path, text).unwrap();
            }
            let said = bench.perform(&plan(bench, &keys).unwrap().unwrap().operations);
            assert_eq!((said.status, said.text.as_str()), (0, ""));
            assert_eq!(fs::read_to_string(&path).unwrap(), after);
            assert!(plan(bench, &keys).unwrap().is_none(), "a second plan is empty");
        }
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        keys.mode = Some(0o640);
        assert_eq!(bench.perform(&plan(bench, &keys).unwrap().unwrap().operations).status, 0);
        assert!(plan(bench, &keys).unwrap().is_none());
    });
}

#[test]
fn owned_keys_that_have_moved_are_left_alone_and_others_may_move() {
    on_every_shell(|bench| {
        let path = bench.file("rclone.conf");
        fs::write(&path, "[b2]\nkey = old\ntoken = 1\n").unwrap();
        let keys = keys(bench.path("rclone.conf"), vec![secret("b2", "key", "new")]);
        let stale = plan(bench, &keys).unwrap().unwrap();
        fs::write(&path, "[b2]\nkey = other\ntoken = 1\n").unwrap();
        let said = bench.perform(&stale.operations);
        assert_eq!(said.status, 3);
        assert!(
            said.text.starts_with("key in [b2] of /")
                && said.text.ends_with(" has changed since it was looked at\n"),
            "{}",
            said.text
        );
        // rclone writes tokens whenever it likes.
        fs::write(&path, "[b2]\nkey = old\ntoken = 2\n").unwrap();
        assert_eq!(bench.perform(&stale.operations).status, 0);
        assert_eq!(fs::read_to_string(&path).unwrap(), "[b2]\nkey = new\ntoken = 2\n");
    });
}

#[test]
fn sets_of_keys_in_one_file_do_not_disturb_each_other() {
    on_every_shell(|bench| {
        let first = keys(bench.path("rclone.conf"), vec![secret("b2", "key", "one")]);
        let mut second = keys(bench.path("rclone.conf"), vec![secret("drive", "key", "two")]);
        second.id = "drive".to_owned();
        let mut operations = plan(bench, &first).unwrap().unwrap().operations;
        operations.extend(plan(bench, &second).unwrap().unwrap().operations);
        let said = bench.perform(&operations);
        assert_eq!((said.status, said.text.as_str()), (0, ""));
        assert_eq!(
            fs::read_to_string(bench.file("rclone.conf")).unwrap(),
            "[b2]\nkey = one\n\n[drive]\nkey = two\n"
        );
        assert!(plan(bench, &first).unwrap().is_none() && plan(bench, &second).unwrap().is_none());
    });
}

#[test]
fn what_cannot_be_edited_safely_is_not() {
    on_every_shell(|bench| {
        let path = bench.file("x.ini");
        let keys = keys(bench.path("x.ini"), vec![secret("b2", "key", "new")]);
        let reasons = [
            (&b"a\0b\n"[..], "holds a zero byte, so it is not text"),
            (b"a\r", "ends with a carriage return alone"),
            (
                b"[x\nkey = hunter2\n",
                "failed to read the section header on line 1: it must be [name] and nothing else",
            ),
            (
                b"[b2]\nkey = hunter2\nkey = x\n",
                "failed to choose between two values of key, on lines 2 and 3",
            ),
        ];
        for (text, reason) in reasons {
            fs::write(&path, text).unwrap();
            let error = plan(bench, &keys).unwrap_err().to_string();
            assert!(error.ends_with(reason), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        // A list that was cut off on its way changes nothing.
        fs::write(&path, "[b2]\nkey = old\n").unwrap();
        let mut operation = plan(bench, &keys).unwrap().unwrap().operations.remove(0);
        let Some(Payload::Secret(list)) = &operation.payload else { panic!("a plain payload") };
        let cut = list.expose()[..list.expose().len() - 4].to_vec();
        *operation.call.arguments.last_mut().unwrap() = cut.len().to_string();
        operation.payload = Some(Payload::Secret(Secret::new(cut)));
        let said = bench.perform(&[operation]);
        assert_eq!(said.status, 1);
        assert!(said.text.starts_with("failed to receive the keys of "), "{}", said.text);
        assert_eq!(fs::read_to_string(&path).unwrap(), "[b2]\nkey = old\n");
    });
}

/// Files made of the pieces that the rules are about.
fn files() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "[b2]",
        "[ b2 ] ; mine",
        "[c]",
        "[b2]]",
        "[]",
        "key = 1",
        "key=",
        " key =",
        "\tother=x = y ",
        "=x",
        "word",
        "; c",
        "#c = 1",
        "",
        "  ",
        "\u{c}",
        "007 = 7",
        "\u{fc} = \u{fc}",
    ]);
    let line = (piece, prop::sample::select(vec!["\n", "\n", "\r\n", "\r\r\n"]));
    (any::<bool>(), prop::collection::vec(line, 0..8), any::<bool>()).prop_map(|(mark, lines, is_open)| {
        let mut text = if mark { "\u{feff}".to_owned() } else { String::new() };
        for (piece, ending) in &lines {
            text.push_str(piece);
            text.push_str(ending);
        }
        if is_open && let Some((_, ending)) = lines.last() {
            text.truncate(text.len() - ending.len());
        }
        text.into_bytes()
    })
}

fn edits() -> impl Strategy<Value = Vec<(Option<&'static str>, &'static str, &'static str)>> {
    let section = prop::sample::select(vec![None, Some("b2"), Some("c"), Some("new]")]);
    let key = prop::sample::select(vec!["key", "other", "007", "7", "\u{fc}"]);
    let value = prop::sample::select(vec!["1", "1.0", "", "x = y", "end", "\\n&%s", "\u{fc}"]);
    prop::collection::vec((section, key, value), 1..4)
}

#[test]
fn the_machine_edits_as_the_controller_does() {
    on_every_shell(|bench| {
        let path = bench.file("x.ini");
        let is_long = std::env::var_os("FLEETPROV_LONG").is_some_and(|value| value == "1");
        let cases = if is_long { 2_000 } else { 15 };
        let config = Config { cases, failure_persistence: None, ..Config::default() };
        let outcome = TestRunner::new(config).run(&(files(), edits()), |(text, edits)| {
            let mut values: Vec<IniValue> = Vec::new();
            for (section, key, value) in edits {
                let new = plain(section, key, value);
                if !values.iter().any(|known| known.name() == new.name()) {
                    values.push(new);
                }
            }
            let mut keys = keys(bench.path("x.ini"), values);
            fs::write(&path, &text).unwrap();
            let wanted = keys.set(&text);
            keys.sensitive = true;
            let planned = plan(bench, &keys);
            match (&wanted, planned) {
                (Err(_), planned) => prop_assert!(planned.is_err(), "{planned:?} but {wanted:?}"),
                (Ok(wanted), planned) => {
                    if let Some(difference) = planned.unwrap() {
                        let said = bench.perform(&difference.operations);
                        prop_assert_eq!((said.status, said.text.as_str()), (0, ""));
                    }
                    let found = fs::read(&path).unwrap();
                    prop_assert_eq!(String::from_utf8_lossy(&found), String::from_utf8_lossy(wanted));
                }
            }
            Ok(())
        });
        outcome.unwrap();
    });
}

/// What a set's leaving makes of a file, on the machine; nothing when the file goes.
fn cut(bench: &Bench, keys: &IniKeys, adopted: &[&str]) -> Option<Vec<u8>> {
    let path = bench.file("x.ini");
    let answers = bench.answer(&left(keys).questions());
    match removal(keys, &answers, adopted, &Surroundings::default()).unwrap() {
        Removal::Remove(difference) => {
            let said = bench.perform(&difference.operations);
            assert_eq!((said.status, said.text.as_str()), (0, ""));
        }
        Removal::Gone => {}
        Removal::Release(reason) => panic!("{reason}"),
    }
    fs::read(&path).ok()
}

#[test]
fn the_machine_takes_keys_out_as_the_controller_does() {
    on_every_shell(|bench| {
        let path = bench.file("x.ini");
        let is_long = std::env::var_os("FLEETPROV_LONG").is_some_and(|value| value == "1");
        let cases = if is_long { 2_000 } else { 15 };
        let config = Config { cases, failure_persistence: None, ..Config::default() };
        let outcome =
            TestRunner::new(config).run(&(files(), edits(), any::<bool>()), |(text, edits, is_ours)| {
                let mut values: Vec<IniValue> = Vec::new();
                for (section, key, value) in edits {
                    let new = plain(section, key, value);
                    if !values.iter().any(|known| known.name() == new.name()) {
                        values.push(new);
                    }
                }
                let mut keys = keys(bench.path("x.ini"), values);
                let place = format!("file {}", bench.path("x.ini"));
                let adopted: Vec<&str> = if is_ours { vec![] } else { vec![&place] };
                fs::write(&path, &text).unwrap();
                let Ok(made) = keys.set(&text) else { return Ok(()) };
                fs::write(&path, &made).unwrap();
                let here = cut(bench, &keys, &adopted);
                fs::write(&path, &made).unwrap();
                keys.sensitive = true;
                let there = cut(bench, &keys, &adopted);
                let shown = |bytes: &Option<Vec<u8>>| {
                    bytes.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
                };
                prop_assert_eq!(shown(&there), shown(&here));
                Ok(())
            });
        outcome.unwrap();
    });
}

#[test]
fn what_was_made_for_keys_goes_with_them_and_what_was_there_stays() {
    on_every_shell(|bench| {
        for hides in [false, true] {
            let path = bench.file("x.ini");
            let mut keys =
                keys(bench.path("x.ini"), vec![plain(Some("b"), "k", "1"), plain(Some("c"), "k", "2")]);
            keys.sensitive = hides;
            let text = |bytes: Option<Vec<u8>>| bytes.map(|bytes| String::from_utf8(bytes).unwrap());
            let leave = |before: &str, adopted: &[&str]| {
                fs::write(&path, before).unwrap();
                text(cut(bench, &keys, adopted))
            };
            let section = format!("section b of {}", bench.path("x.ini"));
            let place = format!("file {}", bench.path("x.ini"));
            assert_eq!(leave("[b]\nk = 1\n\n[c]\nk = 2\n", &[]), None);
            assert_eq!(leave("[b]\nk = 1\n\n[c]\nk = 2\n", &[&place]).as_deref(), Some(""));
            assert_eq!(leave("[b]\nk = 1\n\n[c]\nk = 2\n", &[&section]).as_deref(), Some("[b]\n"));
            assert_eq!(
                leave("[b]\nk = 1\n[c]\nk = by hand\nx = 1\n", &["b.k"]).as_deref(),
                Some("[b]\nk = 1\n[c]\nx = 1\n")
            );
            assert_eq!(leave("; mine\n[c]\nk = 2\n", &[]).as_deref(), Some("; mine\n"));
            let _ = fs::remove_file(&path);
            assert_eq!(going(&keys, &bench.answer(&left(&keys).questions()), &[]), "gone");
        }
    });
}

#[test]
fn keys_that_leave_a_set_go_on_the_machine_when_the_file_is_not_fetched() {
    on_every_shell(|bench| {
        let path = bench.file("x.ini");
        let all = keys(
            bench.path("x.ini"),
            vec![
                plain(Some("b"), "k", "1"),
                secret("c", "k", "s"),
                secret("d", "k", "s"),
                secret("d", "m", "s"),
            ],
        );
        fs::write(&path, "[b]\nk = 1\nother = x\n\n[c]\nk = by hand\n\n[d]\nk = s\nm = s\n").unwrap();
        let mut fewer = keys(bench.path("x.ini"), vec![secret("d", "k", "t")]);
        fewer.mode = None;
        let former = Former { remains: all.remains(), adopted: ["d.m".to_owned()].into() };
        let surroundings = Surroundings { key: RUN_KEY.to_owned(), ..Surroundings::default() };
        let answers = bench.answer(&fewer.questions());
        let answers = Answers::new(&answers, &surroundings).with_former(Some(&former));
        let Comparison::Differs(difference) = fewer.compare(answers).unwrap() else { panic!("in order") };
        let text = shown(&difference);
        assert!(text.contains("\n  b.k goes\n  c.k goes\n  > fp_ini_cut "), "{text}");
        let said = bench.perform(&difference.operations);
        assert_eq!((said.status, said.text.as_str()), (0, ""));
        assert_eq!(fs::read_to_string(&path).unwrap(), "[b]\nother = x\n\n[d]\nk = t\nm = s\n");
        assert!(plan(bench, &fewer).unwrap().is_none());
    });
}

#[test]
fn a_key_that_moved_between_plan_and_removal_stays() {
    on_every_shell(|bench| {
        let path = bench.file("x.ini");
        fs::write(&path, "[c]\nk = s\n").unwrap();
        let keys = keys(bench.path("x.ini"), vec![secret("c", "k", "s")]);
        let answers = bench.answer(&left(&keys).questions());
        let Removal::Remove(difference) = removal(&keys, &answers, &[], &Surroundings::default()).unwrap()
        else {
            panic!("it stays")
        };
        let arguments = &difference.operations[0].call.arguments;
        assert!(!arguments.contains(&"s".to_owned()) && !shown(&difference).contains("k s"), "{arguments:?}");
        fs::write(&path, "[c]\nk = other\n").unwrap();
        assert_eq!(bench.perform(&difference.operations).status, 3);
        assert_eq!(fs::read_to_string(&path).unwrap(), "[c]\nk = other\n");
    });
}

#[test]
fn aspects_are_keys_and_the_places_around_them_on_either_side() {
    on_every_shell(|bench| {
        fs::write(bench.file("x.ini"), "[b]\nk = 1\n[c]\n").unwrap();
        let mut keys =
            keys(bench.path("x.ini"), vec![plain(Some("b"), "k", "1"), plain(Some("c"), "k", "2")]);
        let fetched = seen(&keys, &bench.answer(&keys.questions()));
        keys.sensitive = true;
        let told = seen(&keys, &bench.answer(&keys.questions()));
        assert_eq!(fetched, told);
        let here = bench.path("x.ini");
        assert_eq!(told[0], "b.k 1");
        assert!(
            told.contains(&format!("section c of {here} there"))
                && told.contains(&format!("file {here} there"))
        );
        assert!(!told.iter().any(|told| told.starts_with("c.k")));
    });
}
