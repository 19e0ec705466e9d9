//! Properties of JSON edits, on documents of every layout, with serde_json as the judge.

use jsonc_parser::common::Ranged;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::document::{Document, Lookup};
use super::{JsonError, Pointer, get, holds, remove, set};

/// The keys of generated objects; all short, so that pointers hit them.
const KEYS: [&str; 4] = ["a", "b", "c", "long key/é~"];

/// White space and comments that may stand between tokens.
fn gap(with_comments: bool) -> BoxedStrategy<String> {
    let mut pieces = vec!["", "", " ", "\n  ", "\r\n\t", "  \n\n"];
    if with_comments {
        pieces.extend([" /* , { \" */ ", "/**/", " // } \\\" ,\n", "\n// x\r\n  ", "// y\r"]);
    }
    prop::collection::vec(prop::sample::select(pieces), 0..3).prop_map(|pieces| pieces.concat()).boxed()
}

fn scalar() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "null",
        "true",
        "0",
        "-1.50e+2",
        "12345678901234567890123",
        "\"\"",
        "\"\\u00e9 // \\\" \\/\"",
        "\"/* ü */\"",
    ])
    .prop_map(str::to_owned)
}

/// The text of an object: members between gaps, perhaps a trailing comma.
fn object(
    value: BoxedStrategy<String>,
    gap: BoxedStrategy<String>,
    with_comments: bool,
) -> BoxedStrategy<String> {
    let member = (value, [gap.clone(), gap.clone(), gap.clone(), gap.clone()]);
    let members = prop::collection::vec(member, 0..4);
    (Just(KEYS).prop_shuffle(), members, gap, any::<bool>())
        .prop_map(move |(keys, members, end, trailing)| {
            let count = members.len();
            let texts: Vec<String> = keys
                .iter()
                .zip(members)
                .map(|(key, (value, [before, left, right, after]))| {
                    format!("{before}{}{left}:{right}{value}{after}", json!(key))
                })
                .collect();
            // A blank object is only ever written `{}` here: see `remove`.
            let end = if count == 0 && end.trim().is_empty() { "" } else { &end };
            let comma = if with_comments && trailing && count > 0 { "," } else { "" };
            format!("{{{}{comma}{end}}}", texts.join(","))
        })
        .boxed()
}

fn documents(with_comments: bool) -> BoxedStrategy<String> {
    let gap = gap(with_comments);
    let inner_gap = gap.clone();
    let value = scalar().boxed().prop_recursive(3, 12, 3, move |inner| {
        let array = prop::collection::vec((inner_gap.clone(), inner.clone()), 0..3).prop_map(|elements| {
            let texts: Vec<_> =
                elements.into_iter().map(|(gap, element)| format!("{gap}{element}")).collect();
            format!("[{}]", texts.join(","))
        });
        prop_oneof![object(inner, inner_gap.clone(), with_comments), array.boxed()]
    });
    let random = (gap.clone(), object(value.boxed(), gap.clone(), with_comments), gap, any::<bool>())
        .prop_map(|(before, object, after, mark)| {
            let mark = if mark { "\u{feff}" } else { "" };
            format!("{mark}{before}{object}{after}")
        });
    prop_oneof![3 => random, 1 => tidy_documents()].boxed()
}

/// Documents as programs write them.
fn tidy_documents() -> impl Strategy<Value = String> {
    (objects(), prop::sample::select(vec!["\n", "\r\n"]), 0..3).prop_map(|(object, newline, layout)| {
        let pretty = serde_json::to_string_pretty(&object).unwrap();
        match layout {
            0 => object.to_string(),
            1 => pretty.replace("  ", "\t").replace('\n', newline),
            _ => format!("{pretty}\n").replace('\n', newline),
        }
    })
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        // Eighths: serde_json rounds longer fractions when it reads them.
        any::<i32>().prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
        "[ -~é\n\t]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 10, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(prop::sample::select(KEYS.to_vec()), inner, 0..3).prop_map(
                |members| {
                    let members = members.into_iter().map(|(key, value)| (key.to_owned(), value));
                    Value::Object(members.collect())
                }
            ),
        ]
    })
}

fn objects() -> impl Strategy<Value = Value> {
    prop::collection::btree_map(prop::sample::select(KEYS.to_vec()), values(), 0..4).prop_map(|members| {
        let members = members.into_iter().map(|(key, value)| (key.to_owned(), value));
        Value::Object(members.collect())
    })
}

fn pointers() -> impl Strategy<Value = Pointer> {
    prop::collection::vec(prop::sample::select(KEYS.to_vec()), 1..4)
        .prop_map(|keys| Pointer::new(keys).unwrap())
}

/// The text without comments, trailing commas and byte order mark, so that serde_json reads it.
/// It knows nothing of the code under test.
fn without_comments(text: &[u8]) -> String {
    let text = std::str::from_utf8(text).unwrap().trim_start_matches('\u{feff}');
    let mut plain = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find(['\n', '\r']).unwrap_or(rest.len())
        } else if let Some(comment) = rest.strip_prefix("/*") {
            comment.find("*/").unwrap() + 4
        } else if first == '"' {
            let mut escaped = false;
            let end = rest[1..]
                .find(|c| {
                    let ends = c == '"' && !escaped;
                    escaped = c == '\\' && !escaped;
                    ends
                })
                .unwrap();
            plain.push_str(&rest[..end + 2]);
            end + 2
        } else {
            if matches!(first, '}' | ']') && plain.trim_end().ends_with(',') {
                plain.truncate(plain.trim_end().len() - 1);
            }
            plain.push(first);
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    plain
}

fn read(text: &[u8]) -> Value {
    let plain = without_comments(text);
    if plain.trim().is_empty() {
        return json!({});
    }
    serde_json::from_str(&plain).unwrap_or_else(|error| panic!("{error}: {plain}"))
}

/// What a set should make of a value; `None` when something is in the way.
fn set_model(document: &mut Value, keys: &[String], value: &Value) -> Option<()> {
    let Some((key, rest)) = keys.split_first() else {
        *document = value.clone();
        return Some(());
    };
    let object = document.as_object_mut()?;
    let entry = object.entry(key.clone()).or_insert_with(|| Value::Object(Map::new()));
    set_model(entry, rest, value)
}

fn remove_model(document: &mut Value, keys: &[String]) {
    if let (Some((key, rest)), Some(object)) = (keys.split_first(), document.as_object_mut()) {
        if rest.is_empty() {
            object.remove(key);
        } else if let Some(inner) = object.get_mut(key) {
            remove_model(inner, rest);
        }
    }
}

/// All comments outside the member at a pointer, in their order.
fn comments(text: &[u8], outside: &Pointer) -> Vec<String> {
    let document = Document::parse(text).unwrap();
    let member = match document.look_up(outside) {
        Lookup::Found { member, .. } => member.start()..member.end(),
        _ => 0..0,
    };
    document
        .comments(0, document.body.len())
        .filter(|comment| !member.contains(&comment.start))
        .map(|comment| document.slice(comment.start, comment.end).to_owned())
        .collect()
}

fn check_edits(text: &str, pointer: &Pointer, value: &Value) -> Result<(), TestCaseError> {
    let text = text.as_bytes();
    let before = read(text);

    let mut expected = before.clone();
    let once = match set(text, pointer, value) {
        Ok(once) => once,
        Err(error) => {
            let is_blocked = matches!(error, JsonError::NotAnObject { .. });
            prop_assert!(is_blocked, "{error}");
            prop_assert!(set_model(&mut expected, pointer.keys(), value).is_none());
            return Ok(());
        }
    };
    prop_assert!(set_model(&mut expected, pointer.keys(), value).is_some());
    prop_assert_eq!(read(&once), expected);
    prop_assert!(holds(&once, pointer, value).unwrap());
    let stored = get(&once, pointer).unwrap();
    prop_assert_eq!(stored.as_ref(), Some(value));
    prop_assert_eq!(&set(&once, pointer, value).unwrap(), &once);
    prop_assert_eq!(comments(&once, pointer), comments(text, pointer));

    let document = Document::parse(text).unwrap();
    match document.look_up(pointer) {
        Lookup::Found { member, .. } => {
            // Only the value's own bytes may differ.
            let start = document.prefix.len() + member.value.start();
            let end = document.prefix.len() + member.value.end();
            prop_assert!(once.starts_with(&text[..start]));
            prop_assert!(once.ends_with(&text[end..]));
        }
        Lookup::Missing { keys: [_], .. } => {
            prop_assert_eq!(remove(&once, pointer).unwrap(), text);
        }
        _ => {}
    }

    let removed = remove(text, pointer).unwrap();
    let mut expected = before;
    remove_model(&mut expected, pointer.keys());
    prop_assert_eq!(read(&removed), expected);
    prop_assert_eq!(get(&removed, pointer).unwrap(), None);
    prop_assert_eq!(comments(&removed, pointer), comments(text, pointer));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn edits_of_strict_json(
        text in documents(false),
        pointer in pointers(),
        value in values(),
    ) {
        check_edits(&text, &pointer, &value)?;
        let edited = set(text.as_bytes(), &pointer, &value);
        if let Ok(edited) = edited {
            let body = edited.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&edited);
            prop_assert!(serde_json::from_slice::<Value>(body).is_ok());
        }
    }

    #[test]
    fn edits_of_json_with_comments(
        text in documents(true),
        pointer in pointers(),
        value in values(),
    ) {
        check_edits(&text, &pointer, &value)?;
    }

    #[test]
    fn a_strict_document_is_read_as_serde_json_reads_it(
        tokens in prop::collection::vec(prop::sample::select(vec![
            "{", "}", "[", "]", ",", ":", "\"a\"", "\"b\"", "1", "-", ".5", "e", "0", "true", "nul",
            " ", "\n", "\"", "\\", "\u{a0}", "\u{c}", "\u{1}", "'", "\\u0061", "\\ud800", "+",
        ]), 0..10),
    ) {
        let text = format!("{{\"a\":{}}}", tokens.concat());
        let ours = get(text.as_bytes(), &Pointer::new(["a"]).unwrap());
        let judge = serde_json::from_str::<Value>(&text);
        match (ours, judge) {
            (Ok(value), Ok(judge)) => prop_assert_eq!(value.as_ref(), judge.get("a")),
            (Err(JsonError::DuplicateKey { .. } | JsonError::NumberOutOfRange { .. }), _) => {}
            (Err(_), Err(_)) => {}
            (Ok(_), Err(error)) => {
                let trailing = serde_json::from_str::<Value>(&without_comments(text.as_bytes()));
                prop_assert!(trailing.is_ok(), "{text:?}: {error}");
            }
            (Err(error), Ok(_)) => prop_assert!(false, "{text:?}: {error}"),
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..60),
        tokens in prop::collection::vec(prop::sample::select(vec![
            "{", "}", "[", "]", ",", ":", "\"a\"", "1", "//", "/*", "*/", "\n", "\r", "\"", "\\", "é",
        ]), 0..20),
        pointer in pointers(),
        value in values(),
    ) {
        for text in [bytes, tokens.concat().into_bytes()] {
            if let Ok(edited) = set(&text, &pointer, &value) {
                prop_assert!(holds(&edited, &pointer, &value).unwrap());
            }
            if let Ok(edited) = remove(&text, &pointer) {
                prop_assert!(get(&edited, &pointer).unwrap().is_none());
            }
        }
    }
}
