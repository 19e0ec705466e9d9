use serde_json::json;

use super::*;
use crate::model::Digest;
use crate::resource::testing::{
    compared, differs, going, left, on_every_shell, read_with, removal, seen, shown,
};
use crate::resource::{Former, PathFacts, PathType, Removal, Surroundings};

fn keys(path: MachinePath, values: &[(&str, Json)]) -> JsonKeys {
    JsonKeys {
        path,
        id: "keys".to_owned(),
        values: values.iter().map(|(pointer, value)| (pointer.parse().unwrap(), value.clone())).collect(),
        owner: None,
        group: None,
        mode: None,
    }
}

fn settings(values: &[(&str, Json)]) -> JsonKeys {
    keys(MachinePath::new("/home/alice/.claude/settings.json").unwrap(), values)
}

fn file(text: &str) -> Answer {
    Answer::Path(PathFacts {
        what: PathType::File,
        mode: 0o644,
        digest: Some(Digest::of(text.as_bytes())),
        bytes: Some(text.as_bytes().to_vec()),
        acting: None,
        ..PathFacts::absent()
    })
}

/// The first lines of a plan, without the operation.
fn details(keys: &JsonKeys, text: &str) -> String {
    let shown = shown(&differs(keys, &[file(text)]));
    shown.lines().filter(|line| !line.starts_with("  >")).collect::<Vec<_>>().join("\n")
}

#[test]
fn states_become_details() {
    let both = settings(&[("/model", json!("opus")), ("/permissions/deny", json!(["Read(.env)"]))]);
    assert_eq!(details(&both, "{}"), "create\n  /model \"opus\"\n  /permissions/deny [\"Read(.env)\"]");
    assert_eq!(
        details(
            &both,
            "{\"model\": \"sonnet\", \"permissions\": {\"deny\": [\"Read(.env)\"], \"allow\": []}}"
        ),
        "update\n  /model \"sonnet\" → \"opus\""
    );
    let theirs = "{\n  // mine\n  \"permissions\": {\"deny\": [\"Read(.env)\"]}, \"model\": \"\\u006fpus\", \"x\": 1e400}";
    assert!(compared(&both, &[file(theirs)]).unwrap().is_none());
    let long = settings(&[("/env", json!({"A": "a".repeat(80)}))]);
    assert!(
        details(&long, "{\"env\": 1}").starts_with("update\n  /env: Some(\"1\\n\") → \"{\\n  \\\"A\\\": ")
    );
}

#[test]
fn what_is_no_json_is_a_conflict() {
    let keys = settings(&[("/a/b", json!(1))]);
    let error = |text: &str| compared(&keys, &[file(text)]).unwrap_err().to_string();
    assert_eq!(
        error("{\"a\": []}"),
        "/home/alice/.claude/settings.json cannot be edited: failed to write /a/b: the value at line 1, column 7 is not an object"
    );
    assert!(error("{").starts_with(
        "/home/alice/.claude/settings.json cannot be edited: failed to read the JSON at line 1"
    ));
}

#[test]
fn fields_are_read() {
    let fields =
        json!({"path": "~/x.json", "values": {"a": "1", "/b/c": 1, "d": {"e": [true, "true", null]}}});
    let declared = read_with(read, fields).unwrap();
    assert_eq!(declared[0].resource.id().to_string(), "json-keys /home/alice/x.json#keys");
    let rendered = declared[0].resource.rendered();
    let Content::Bytes(bytes) = &rendered[0].content else { panic!("{rendered:?}") };
    assert_eq!(
        serde_json::from_slice::<Json>(bytes).unwrap(),
        json!({"a": "1", "b": {"c": 1}, "d": {"e": [true, "true", null]}})
    );
    let fields = json!({"path": "/x", "id": "a", "values": {"/a": 1, "/a/b": 2, "/~": 3}});
    assert_eq!(
        read_with(read, fields).unwrap_err(),
        [
            "/a/b and /a overlap",
            "failed to use \"/~\" as a JSON pointer: it must be /key or /key/key, with ~0 for ~ and ~1 for /"
        ]
    );
    assert_eq!(read_with(read, json!({"path": "/x"})).unwrap_err(), ["json-keys has no `values`"]);
}

#[test]
fn keys_are_written_and_the_rest_stays() {
    on_every_shell(|bench| {
        let keys = keys(bench.path("settings.json"), &[("/model", json!("opus"))]);
        let plan = || compared(&keys, &bench.answer(&keys.questions())).unwrap();
        let path = bench.file("settings.json");
        for (before, after) in [
            (None, "{\n  \"model\": \"opus\"\n}\n"),
            (Some("{\"model\": 1, /* mine */ \"x\": 2}"), "{\"model\": \"opus\", /* mine */ \"x\": 2}"),
        ] {
            if let Some(text) = before {
                std::fs::write(&path, text).unwrap();
            }
            let said = bench.perform(&plan().unwrap().operations);
            assert_eq!((said.status, said.text.as_str()), (0, ""));
            assert_eq!(std::fs::read_to_string(&path).unwrap(), after);
            assert!(plan().is_none(), "a second plan is empty");
        }
    });
}

/// The document that is left when some keys have gone; "none" when it goes, too.
fn without(keys: &JsonKeys, text: &str, adopted: &[&str]) -> String {
    let answers = [file(text)];
    match removal(keys, &answers, adopted, &Surroundings::default()).unwrap() {
        Removal::Gone => "gone".to_owned(),
        Removal::Release(reason) => reason,
        Removal::Remove(difference) => match &difference.operations[0].payload {
            Some(crate::resource::Payload::Bytes(bytes)) => String::from_utf8(bytes.to_vec()).unwrap(),
            _ => "none".to_owned(),
        },
    }
}

#[test]
fn keys_that_leave_take_along_what_was_made_for_them_and_nothing_else() {
    let keys = settings(&[("/a", json!(1)), ("/b/c/d", json!(2))]);
    let place = "file /home/alice/.claude/settings.json";
    let object = |pointer: &str| format!("object {pointer} of /home/alice/.claude/settings.json");
    let made = String::from_utf8(keys.set(b"").unwrap()).unwrap();
    assert_eq!(without(&keys, &made, &[]), "none");
    assert_eq!(without(&keys, &made, &[place]), "{}\n");
    assert_eq!(without(&keys, &made, &[place, &object("/b")]), "{\n  \"b\": {}\n}\n");
    assert_eq!(without(&keys, &made, &["/a", &object("/b")]), "{\n  \"a\": 1,\n  \"b\": {}\n}\n");
    assert_eq!(
        without(&keys, "{\"x\": {}, \"a\": 5, \"b\": {\"c\": {\"d\": 2, \"e\": 3}}}", &[]),
        "{\"x\": {}, \"b\": {\"c\": {\"e\": 3}}}"
    );
    // A comment somebody wrote in there is not ours to lose.
    assert_eq!(without(&keys, "// mine\n{\"a\": 1}\n", &[]), "// mine\n{}\n");
    assert_eq!(
        without(&keys, "{\"b\": {\"c\": {\"d\": 2 /* why */}}}", &[]),
        "{\"b\": {\"c\": {/* why */}}}".replace("{/*", "{ /*")
    );
    assert_eq!(without(&keys, "{\"x\": 1}", &[]), "gone");
    let broken = going(&keys, &[file("{")], &[]);
    assert!(broken.starts_with("error: /home/alice/.claude/settings.json cannot be edited"), "{broken}");
}

#[test]
fn keys_that_leave_a_set_that_stays_go_unless_they_were_there_or_another_set_has_them() {
    let text = "{\"a\": 1, \"b\": {\"c\": 2}, \"d\": 3, \"e\": 4}";
    let all = settings(&[("/a", json!(1)), ("/b/c", json!(2)), ("/d", json!(3)), ("/e", json!(4))]);
    let fewer = settings(&[("/a", json!(1))]);
    let former = Former { remains: all.remains(), adopted: ["/d".to_owned()].into() };
    let elsewhere = (KIND, fewer.path.clone(), "/e".to_owned());
    let surroundings = Surroundings { wanted: [elsewhere].into(), ..Surroundings::default() };
    let answers = [file(text)];
    let answers = Answers::new(&answers, &surroundings).with_former(Some(&former));
    let Comparison::Differs(difference) = fewer.compare(answers).unwrap() else { panic!("in order") };
    let text = shown(&difference);
    assert!(text.starts_with("update\n  /b/c 2 → none\n  > fp_edited_write "), "{text}");
    let foreseen = fewer.foreseen(answers);
    let (_, Answer::Path(facts)) = &foreseen[0] else { panic!("{foreseen:?}") };
    assert_eq!(facts.bytes.as_deref(), Some(&b"{\"a\": 1, \"d\": 3, \"e\": 4}"[..]));
    // Once they are gone, nothing is left to do.
    let answers = [file("{\"a\": 1, \"d\": 3, \"e\": 4}")];
    let answers = Answers::new(&answers, &surroundings).with_former(Some(&former));
    assert!(matches!(fewer.compare(answers).unwrap(), Comparison::InOrder));
}

#[test]
fn aspects_are_keys_by_what_they_mean_and_the_places_around_them() {
    let keys = settings(&[("/a", json!(1)), ("/b/c", json!("x"))]);
    assert_eq!(
        seen(&keys, &[file("{\"a\": 1.0, \"b\": {}, \"z\": 1}")]),
        [
            "/a 1",
            "file /home/alice/.claude/settings.json there",
            "object /b of /home/alice/.claude/settings.json there"
        ]
    );
    assert_eq!(
        seen(&keys, &[file("{\"a\": 2, \"b\": 3}")]),
        [
            "/a 2",
            "file /home/alice/.claude/settings.json there",
            "object /b of /home/alice/.claude/settings.json no object"
        ]
    );
    assert!(seen(&keys, &[Answer::Path(PathFacts::absent())]).is_empty());
    assert!(keys.guards() == left(&keys).guards() && !keys.guards());
}
