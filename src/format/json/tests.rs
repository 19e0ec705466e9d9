//! Cases for owned keys in a JSON document.

use serde_json::{Value, json};

use super::{JsonError, MAXIMUM_DEPTH, Pointer, get, holds, remove, set};

fn pointer(text: &str) -> Pointer {
    text.parse().unwrap()
}

fn set_text(before: &str, at: &str, value: &Value) -> String {
    String::from_utf8(set(before.as_bytes(), &pointer(at), value).unwrap()).unwrap()
}

fn remove_text(before: &str, at: &str) -> String {
    String::from_utf8(remove(before.as_bytes(), &pointer(at)).unwrap()).unwrap()
}

#[test]
fn a_changed_value_keeps_everything_around_it() {
    let cases = [
        (
            "{\n  // a\n  \"a\": 1, // one\n  \"b\": 1e400,\n}\n",
            json!("x\"\n"),
            "{\n  // a\n  \"a\": \"x\\\"\\n\", // one\n  \"b\": 1e400,\n}\n",
        ),
        (
            "\u{feff}{ \"b\":\"\\u00e9\\/\",\"\\u0061\" :/**/ [1, 2] }",
            json!({"k": [true, {}], "l": null}),
            "\u{feff}{ \"b\":\"\\u00e9\\/\",\"\\u0061\" :/**/ {\"k\": [true,{}],\"l\": null} }",
        ),
        (
            "{\r\n\t\"x\": {\r\n\t\t\"y\": 1\r\n\t},\r\n\t\"a\": {}\r\n}",
            json!({"k": [1, []]}),
            "{\r\n\t\"x\": {\r\n\t\t\"y\": 1\r\n\t},\r\n\t\"a\": {\r\n\t\t\"k\": [\r\n\t\t\t1,\r\n\t\t\t[]\r\n\t\t]\r\n\t}\r\n}",
        ),
    ];
    for (before, value, after) in cases {
        assert_eq!(set_text(before, "/a", &value), after, "from {before:?}");
    }
}

#[test]
fn a_new_key_follows_the_layout() {
    let cases = [
        // Empty documents.
        ("", "/z", "{\n  \"z\": 1\n}\n"),
        ("// mine", "/z", "// mine\n{\n  \"z\": 1\n}\n"),
        ("\u{feff}\r\n", "/z", "\u{feff}\r\n{\r\n  \"z\": 1\r\n}\r\n"),
        ("{}", "/z/y", "{\n  \"z\": {\n    \"y\": 1\n  }\n}"),
        ("{ // none yet\n}", "/z", "{ // none yet\n  \"z\": 1\n}"),
        ("{ /* none */ }", "/z", "{ /* none */ \"z\": 1 }"),
        // One line.
        ("{\"a\":1}", "/z", "{\"a\":1,\"z\":1}"),
        ("{ \"a\": 1 }\n", "/z", "{ \"a\": 1, \"z\": 1 }\n"),
        ("{ \"a\": 1, }", "/z/y", "{ \"a\": 1, \"z\": {\"y\": 1}, }"),
        ("{\"a\":{}}", "/a/z", "{\"a\":{\"z\":1}}"),
        // Own lines, with and without a trailing comma, comments where people put them.
        ("{\n    \"a\": 1\n}\n", "/z/y", "{\n    \"a\": 1,\n    \"z\": {\n        \"y\": 1\n    }\n}\n"),
        ("{\r\n\t\"a\" : 1 // one\r\n}", "/z", "{\r\n\t\"a\" : 1, // one\r\n\t\"z\" : 1\r\n}"),
        ("{\n  \"a\": 1, // one\n  // end\n}", "/z", "{\n  \"a\": 1, // one\n  \"z\": 1,\n  // end\n}"),
        ("{\n  \"a\": 1 /* one */ }", "/z", "{\n  \"a\": 1, /* one */\n  \"z\": 1 }"),
        ("{\n  \"a\": {}\n}", "/a/z", "{\n  \"a\": {\n    \"z\": 1\n  }\n}"),
        ("{\n  \"a\": {\"b\": {}}\n}", "/a/b/z", "{\n  \"a\": {\"b\": {\"z\": 1}}\n}"),
        ("{\n\"a\": 1,\n\n\"b\": 2\n\n}", "/z", "{\n\"a\": 1,\n\n\"b\": 2,\n\"z\": 1\n\n}"),
    ];
    for (before, at, after) in cases {
        assert_eq!(set_text(before, at, &json!(1)), after, "from {before:?}");
    }
}

#[test]
fn a_removed_key_takes_its_comma_and_its_line() {
    let cases = [
        ("{\"z\":1}", "{}"),
        ("{\n  \"z\": 1,\n}", "{}"),
        ("{ /* c */ \"z\": 1 }", "{ /* c */ }"),
        ("{\"z\":1,\"b\":2}", "{\"b\":2}"),
        ("{ \"a\": 1, \"z\": 2 }", "{ \"a\": 1 }"),
        ("{ \"a\": 1, \"z\": 2, }", "{ \"a\": 1, }"),
        ("{ \"a\": 1, \"z\": 2, \"b\": 3 }", "{ \"a\": 1, \"b\": 3 }"),
        ("{ \"a\": 1 /* x */, /* y */ \"z\": 2 /* w */ }", "{ \"a\": 1 /* x */ /* y */ /* w */ }"),
        ("{\n  \"a\": 1,\n  \"z\": 2\n}\n", "{\n  \"a\": 1\n}\n"),
        ("{\r\n  \"z\": 2,\r\n  \"a\": 1\r\n}", "{\r\n  \"a\": 1\r\n}"),
        ("{\n  \"a\": 1, // one\n  \"z\": 2 // two\n}", "{\n  \"a\": 1 // one\n  // two\n}"),
        ("{\n  \"z\": 2 /* two */,\n  \"a\": 1\n}", "{\n  /* two */\n  \"a\": 1\n}"),
        // What stands behind must not slip into the comment above.
        ("{\n  // c\n  \"z\": 2 }", "{\n  // c\n  }"),
        ("{\n  // c\n  \"z\": 2, \"a\": 1\n}", "{\n  // c\n  \"a\": 1\n}"),
        ("{\n  \"a\": 1\n, \"z\": 2\n}", "{\n  \"a\": 1\n\n}"),
        ("{\n  \"a\": 1\n}", "{\n  \"a\": 1\n}"),
        ("", ""),
    ];
    for (before, after) in cases {
        assert_eq!(remove_text(before, "/z"), after, "from {before:?}");
    }
    assert_eq!(remove_text("{\"a\": {\"z\": 1}}", "/a/z"), "{\"a\": {}}");
    assert_eq!(remove_text("{\"a\": 1}", "/a/z"), "{\"a\": 1}");
}

#[test]
fn an_equal_value_changes_no_byte() {
    let before = r#"{ "s": "\u0061\/b", "n": 1.00, "o": {"y": [1e1], "x": null} }"#;
    for (at, value) in
        [("/s", json!("a/b")), ("/n", json!(1)), ("/n", json!(1.0)), ("/o", json!({"x": null, "y": [10]}))]
    {
        assert_eq!(set_text(before, at, &value), before);
        assert!(holds(before.as_bytes(), &pointer(at), &value).unwrap());
    }
    for (at, value) in [
        ("/s", json!("A/b")),
        ("/n", json!("1")),
        ("/o", json!({"x": null})),
        ("/o", json!({"x": null, "y": [10], "z": 1})),
        ("/o/y", json!([10, 10])),
        ("/s/t", json!("a/b")),
    ] {
        assert!(!holds(before.as_bytes(), &pointer(at), &value).unwrap());
    }
}

#[test]
fn numbers_beyond_64_bits_are_compared_exactly() {
    let text = br#"{"a": 123456789012345678901234567890, "b": 1e400}"#;
    let rounded = get(text, &pointer("/a")).unwrap().unwrap();
    assert_eq!(rounded, json!(123_456_789_012_345_680_000_000_000_000.0));
    assert!(!holds(text, &pointer("/a"), &rounded).unwrap());
    assert_eq!(get(text, &pointer("/b")), Err(JsonError::NumberOutOfRange { line: 1, column: 44 }));
    assert!(!holds(text, &pointer("/b"), &json!(1)).unwrap());
}

#[test]
fn what_is_not_json_is_refused_with_its_place() {
    let cases = [
        ("{\n  \"a\": 1\n  \"é\": x\n}", 2, 9, "expected comma"),
        ("{\"é\": x}", 1, 7, "unexpected token"),
        ("{\"a\": \"x\ty\"}", 1, 9, "unexpected control character in a string"),
        ("{\"a\":\u{a0}1}", 1, 6, "unexpected character"),
        ("{} {}", 1, 4, "text cannot contain more than one JSON value"),
        ("{'a': 1}", 1, 2, "single-quoted strings are not allowed"),
        ("// c\r\n/* open", 2, 1, "unterminated comment block"),
        ("{\"a\": 01}", 1, 8, "expected comma"),
    ];
    for (text, line, column, message) in cases {
        assert_eq!(
            get(text.as_bytes(), &pointer("/a")),
            Err(JsonError::Syntax { line, column, message: message.to_owned() }),
            "{text:?}"
        );
    }
    assert_eq!(
        get(b"\xef\xbb\xbf{\n \"\xc3\xa9\xff\"}", &pointer("/a")),
        Err(JsonError::NotUtf8 { line: 2, column: 4 })
    );
}

#[test]
fn a_doubled_key_is_refused_with_both_places() {
    assert_eq!(
        set(b"{\"a\": [{\n  \"k\": 1,\n  \"\\u006b\": 2\n}]}", &pointer("/b"), &json!(1)),
        Err(JsonError::DuplicateKey {
            key: "k".to_owned(),
            line: 3,
            column: 3,
            first_line: 2,
            first_column: 3
        })
    );
}

#[test]
fn a_value_in_the_way_is_not_replaced() {
    for (text, column) in [("{\"a\": [1]}", 7), ("{\"a\": null}", 7), ("[1]", 1)] {
        assert_eq!(
            set(text.as_bytes(), &pointer("/a/b"), &json!(1)),
            Err(JsonError::NotAnObject { pointer: pointer("/a/b"), line: 1, column }),
            "{text}"
        );
        assert_eq!(get(text.as_bytes(), &pointer("/a/0")).unwrap(), None);
    }
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| format!("{{\"a\": {}{}}}", "[".repeat(depth), "]".repeat(depth));
    let deepest = nested(MAXIMUM_DEPTH - 1);
    assert!(get(deepest.as_bytes(), &pointer("/a")).unwrap().is_some());
    assert_eq!(
        get(nested(MAXIMUM_DEPTH).as_bytes(), &pointer("/a")),
        Err(JsonError::TooDeep { line: 1, column: 134 })
    );
    for open in ["[", "{\"a\":", "[{\"a\":"] {
        assert!(matches!(
            get(open.repeat(100_000).as_bytes(), &pointer("/a")),
            Err(JsonError::TooDeep { line: 1, .. })
        ));
    }

    let mut value = json!(1);
    for _ in 0..MAXIMUM_DEPTH - 1 {
        value = json!([value]);
    }
    let edited = set(b"", &pointer("/a"), &value).unwrap();
    assert!(holds(&edited, &pointer("/a"), &value).unwrap());
    assert_eq!(set(b"", &pointer("/a/b"), &value), Err(JsonError::ValueTooDeep { pointer: pointer("/a/b") }));
    let long = Pointer::new(vec!["k"; MAXIMUM_DEPTH]).unwrap();
    let edited = set(b"", &long, &json!(1)).unwrap();
    assert_eq!(get(&edited, &long).unwrap(), Some(json!(1)));
    let too_long = Pointer::new(vec!["k"; MAXIMUM_DEPTH + 1]).unwrap();
    assert!(matches!(set(b"", &too_long, &json!(1)), Err(JsonError::ValueTooDeep { .. })));
}

#[test]
fn a_long_line_is_edited_too() {
    let elements = vec!["{\"k\": [1]}"; 100_000].join(", ");
    let before = format!("\n{{\"list\": [{elements}]}}");
    assert_eq!(set_text(&before, "/z", &json!(1)), format!("\n{{\"list\": [{elements}], \"z\": 1}}"));
}

#[test]
fn pointers_are_read_and_written_as_rfc_6901_says() {
    for (text, keys) in [
        ("/a/b", &["a", "b"][..]),
        ("/", &[""]),
        ("/a~1b/m~0n/~01", &["a/b", "m~n", "~1"]),
        ("/ /0/é", &[" ", "0", "é"]),
    ] {
        assert_eq!(pointer(text).keys(), keys);
        assert_eq!(pointer(text).to_string(), text);
        assert_eq!(Pointer::new(keys.iter().copied()).unwrap(), pointer(text));
    }
    for text in ["", "a", "a/b", "/~", "/~2", "/a~"] {
        assert_eq!(text.parse::<Pointer>(), Err(JsonError::Pointer { text: text.to_owned() }));
    }
    assert!(Pointer::new(Vec::<String>::new()).is_err());
}
