use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

fn read_text(text: &str) -> (Option<Node>, Vec<Diagnostic>) {
    let source = Source::new("t.yaml", text);
    let mut problems = Diagnostics::new();
    let node = read(&source, &mut problems);
    (node, problems.sorted().into_iter().cloned().collect())
}

fn node(text: &str) -> Node {
    let (node, problems) = read_text(text);
    assert_eq!(problems, [], "{text}");
    node.unwrap()
}

/// The part of the source a span covers.
fn written(span: &Span) -> &str {
    &span.source().text()[span.start()..span.end()]
}

#[test]
fn scalars_stay_text_and_say_whether_they_are_plain() {
    let root = node("a: 0644\nb: 'no'\nc: \"x\\ty\"\nd: 1.10\ne: |\n  one\n  two\nf: true\n");
    let scalar = |key: &str| match &root.get(key).unwrap().value {
        Value::Scalar { text, plain } => (text.as_str().to_owned(), *plain),
        other => panic!("{other:?}"),
    };
    assert_eq!(scalar("a"), ("0644".to_owned(), true));
    assert_eq!(scalar("b"), ("no".to_owned(), false));
    assert_eq!(scalar("c"), ("x\ty".to_owned(), false));
    assert_eq!(scalar("d"), ("1.10".to_owned(), true));
    assert_eq!(scalar("e"), ("one\ntwo\n".to_owned(), false));
    assert_eq!(scalar("f"), ("true".to_owned(), true));
}

#[test]
fn nothing_is_null_only_without_quotes() {
    let root = node("a:\nb: ~\nc: null\nd: ''\ne: '~'\nf: [~, x]\nnull: g\n");
    for key in ["a", "b", "c"] {
        assert_eq!(root.get(key).unwrap().value, Value::Null, "{key}");
    }
    assert_eq!(root.get("d").unwrap().as_text(), Some(""));
    assert_eq!(root.get("e").unwrap().as_text(), Some("~"));
    assert_eq!(root.get("null").unwrap().as_text(), Some("g"), "a key is a text");
    assert_eq!(node("").value, Value::Null);
    assert_eq!(node("# only a comment\n").value, Value::Null);
}

#[test]
fn places_are_bytes_of_the_source() {
    for text in [
        "a: b  # ü ü ü\nkey: {x: é1, \"y\": [ü, f ] }\nlist:\n  - g  \n  - h: i\n    j: k\n\nlast: z\n",
        "\u{feff}a: b  # ü ü ü\r\nkey: {x: é1, \"y\": [ü, f ] }\r\nlist:\r\n  - g  \r\n  - h: i\r\n    j: k\r\n\r\nlast: z\r\n",
    ] {
        let root = node(text);
        let key = root.get("key").unwrap();
        assert_eq!(written(&key.span), "{x: é1, \"y\": [ü, f ] }");
        assert_eq!(written(&key.get("x").unwrap().span), "é1");
        assert_eq!(written(&key.get("y").unwrap().span), "[ü, f ]");
        let list = root.get("list").unwrap();
        assert!(written(&list.span).starts_with("- g") && written(&list.span).ends_with("j: k"));
        let Value::List(items) = &list.value else { panic!("{list:?}") };
        assert_eq!(written(&items[0].span), "g");
        assert_eq!(written(&root.get("last").unwrap().span), "z");
        assert!(written(&root.span).ends_with("last: z"));
    }
}

#[test]
fn a_place_ends_before_the_comment_behind_it() {
    let text = "a: {b: c}  # d\ne: [f]  # g\nh: \"i\"  # j\nk: &l 'm'  # n\no: {}   # p\nq: [f, ]  # ], }\nr: {\n  s: t,  # }\n  } # u\nv: \"w\\\" x\" # \"\ny: 'it''s' # '\n";
    let root = node(text);
    for (key, expected) in [
        ("a", "{b: c}"),
        ("e", "[f]"),
        ("h", "\"i\""),
        ("k", "&l 'm'"),
        ("o", "{}"),
        ("q", "[f, ]"),
        ("r", "{\n  s: t,  # }\n  }"),
        ("v", "\"w\\\" x\""),
        ("y", "'it''s'"),
    ] {
        assert_eq!(written(&root.get(key).unwrap().span), expected);
    }
}

#[test]
fn an_alias_is_a_copy_that_points_to_its_anchor() {
    let root = node("a: &x {k: [v]}\nb: *x\nc: [*x, *x]\n");
    assert_eq!(root.get("a"), root.get("b"));
    let Value::List(items) = &root.get("c").unwrap().value else { panic!("{root:?}") };
    assert_eq!(items.len(), 2);
    assert_eq!(&items[0], root.get("a").unwrap());
}

#[test]
fn faults_do_not_hide_what_stands_behind_them() {
    let (node, problems) = read_text("a: 1\na: 2\n<<: {x: y}\n[k]: v\nb: !t 3\nc: 4\n");
    let messages: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "the key `a` is given twice",
            "the merge key `<<` is not supported",
            "a key is a list",
            "the tag `!t` is not supported"
        ]
    );
    let node = node.unwrap();
    assert_eq!(node.get("a").unwrap().as_text(), Some("1"), "the first one holds");
    assert_eq!(node.get("c").unwrap().as_text(), Some("4"));
}

#[test]
fn a_template_without_quotes_is_one_mistake() {
    let (node, problems) = read_text("a: {{ b.c }}\nd: [{{e}}, f]\ng: {{h: i}: j}\n");
    let messages: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(messages, [UNQUOTED, UNQUOTED, "a key is a map"]);
    assert_eq!(written(problems[0].span.as_ref().unwrap()), "{{ b.c }}");
    let node = node.unwrap();
    assert_eq!(node.get("a").unwrap().as_text(), Some("{{ b.c }}"));
    let Value::List(items) = &node.get("d").unwrap().value else { panic!("{node:?}") };
    assert_eq!(items[0].as_text(), Some("{{e}}"));
    let (_, problems) = read_text("a: {{ b }}/c\n");
    assert_eq!(problems.len(), 1, "what follows it is the same mistake");
}

#[test]
fn small_files_that_grow_are_refused_at_once() {
    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..30 {
        let before = level - 1;
        laughs.push_str(&format!("a{level}: &a{level} [{}]\n", vec![format!("*a{before}"); 10].join(", ")));
    }
    let long = format!("a: &a '{}'\nb: [{}]\n", "x".repeat(1 << 20), vec!["*a"; 4000].join(", "));
    let anchors =
        format!("{}x{}\n", (0..60).map(|at| format!("&a{at} [")).collect::<String>(), "]".repeat(60));
    let start = Instant::now();
    for (text, message) in [(laughs, "the file is too large"), (long, "the file is too large")] {
        let (node, problems) = read_text(&text);
        assert_eq!((node, problems.len()), (None, 1));
        assert_eq!(problems[0].message, message);
    }
    assert!(node(&anchors).span.start() < 10, "anchors within anchors are fine");
    assert!(start.elapsed() < Duration::from_secs(5), "took {:?}", start.elapsed());
}

#[test]
fn depth_counts_what_aliases_bring() {
    let chain = |levels: usize| {
        let mut text = "a0: &a0 [x]\n".to_owned();
        for level in 1..levels {
            text.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
        }
        read_text(&text).1.first().map(|problem| problem.message.clone())
    };
    assert_eq!(chain(DEPTH - 1), None);
    assert_eq!(chain(DEPTH + 1).as_deref(), Some("lists and maps are nested too deep"));
    for bracket in ["[", "{", "- ", "? ", "a: [", "[{"] {
        let (node, problems) = read_text(&bracket.repeat(100_000));
        assert!(node.is_none() && problems.len() == 1, "{bracket}");
    }
}

/// A plain scalar, so that its text and its place in the file have to agree.
fn plain() -> impl Strategy<Value = String> {
    "[a-zé漢][a-zé漢0-9 ]{0,8}[a-zé漢]"
        .prop_filter("null is nothing", |text| text != "null")
        .prop_map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn what_a_place_covers_is_what_was_read(
        values in proptest::collection::vec((plain(), plain()), 1..8),
        mark: bool, flow: bool, carriage: bool, comment in "[a-zé漢 ]{0,6}",
    ) {
        let end = if carriage { "\r\n" } else { "\n" };
        let mut text = if mark { "\u{feff}".to_owned() } else { String::new() };
        for (number, (key, value)) in values.iter().enumerate() {
            let line = if flow { format!("k{number}: {{{key}: [{value} , {value}]}}") } else { format!("k{number}:{end}  {key}:{end}  - {value}  ") };
            text.push_str(&format!("{line} # {comment}{end}"));
        }
        let root = node(&text);
        for (number, (key, value)) in values.iter().enumerate() {
            let inner = root.get(&format!("k{number}")).unwrap();
            let Value::Map(entries) = &inner.value else { panic!("{inner:?}") };
            prop_assert_eq!(&entries[0].key.text, key);
            prop_assert_eq!(written(&entries[0].key.span), key);
            let Value::List(items) = &entries[0].value.value else { panic!("{inner:?}") };
            prop_assert_eq!(items[0].as_text(), Some(value.as_str()));
            prop_assert_eq!(written(&items[0].span), value);
        }
    }
}
