use serde_json::json;

use super::*;
use crate::model::Digest;
use crate::resource::testing::{compared, differs, on_every_shell, read_with, shown};
use crate::resource::{PathFacts, PathType};

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
