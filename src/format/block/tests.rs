//! Cases for the managed block.

use proptest::prelude::*;

use super::{BlockError, Comment, Markers, Position, get, remove, set};
use crate::format::NotText;

fn hash(id: &str) -> Markers {
    Markers::new(Comment::line("#").unwrap(), id).unwrap()
}

fn html(id: &str) -> Markers {
    Markers::new(Comment::enclosed("<!--", "-->").unwrap(), id).unwrap()
}

const BEGIN: &str = "# BEGIN fleetprov jobs (managed: edits here are overwritten)";
const END: &str = "# END fleetprov jobs";

#[test]
fn a_new_block_goes_to_the_end() {
    let edited = set(b"one\n", &hash("jobs"), b"two\nthree", Position::End).unwrap();
    assert_eq!(String::from_utf8(edited).unwrap(), format!("one\n{BEGIN}\ntwo\nthree\n{END}\n"));
}

#[test]
fn an_enclosed_comment_is_closed() {
    let edited = set(b"", &html("owners"), b"| a | b |\n", Position::End).unwrap();
    assert_eq!(
        String::from_utf8(edited).unwrap(),
        "<!-- BEGIN fleetprov owners (managed: edits here are overwritten) -->\n\
         | a | b |\n\
         <!-- END fleetprov owners -->\n"
    );
}

#[test]
fn a_block_at_the_start_stands_after_the_byte_order_mark_and_the_interpreter_line() {
    let edited = set(b"\xef\xbb\xbf#!/bin/sh\r\nrun\r\n", &hash("jobs"), b"x", Position::Start).unwrap();
    assert_eq!(edited, format!("\u{feff}#!/bin/sh\r\n{BEGIN}\r\nx\r\n{END}\r\nrun\r\n").into_bytes());
    let edited = set(b"\xef\xbb\xbfrun\n", &hash("jobs"), b"", Position::Start).unwrap();
    assert_eq!(edited, format!("\u{feff}{BEGIN}\n{END}\nrun\n").into_bytes());
}

#[test]
fn an_existing_block_is_replaced_where_it_stands() {
    let text = format!("a\n  {BEGIN} \nold\n# END fleetprov jobs (an older note)\nz");
    let edited = set(text.as_bytes(), &hash("jobs"), b"new\r\n", Position::End).unwrap();
    assert_eq!(String::from_utf8(edited).unwrap(), format!("a\n{BEGIN}\nnew\n{END}\nz"));
}

#[test]
fn a_last_line_without_ending_is_restored_as_it_was() {
    let original = b"one\r\ntwo";
    let markers = hash("jobs");
    let edited = set(original, &markers, b"x", Position::End).unwrap();
    assert_eq!(
        edited,
        format!("one\r\ntwo\r\n{BEGIN}\r\nx\r\n{END} (the line before this block had no line ending)\r\n")
            .into_bytes()
    );
    let again = set(&edited, &markers, b"y", Position::End).unwrap();
    assert_eq!(remove(&again, &markers).unwrap(), original);
    // What somebody appends later needs the line ending, so it stays.
    let appended = [&again[..], b"three\r\n"].concat();
    assert_eq!(remove(&appended, &markers).unwrap(), b"one\r\ntwo\r\nthree\r\n");
}

#[test]
fn an_id_is_not_found_inside_a_longer_one() {
    let text = set(b"", &hash("jobs-2"), b"x", Position::End).unwrap();
    assert_eq!(get(&text, &hash("jobs")).unwrap(), None);
    assert_eq!(remove(&text, &hash("jobs")).unwrap(), text);
    assert_eq!(get(&text, &hash("jobs-2")).unwrap(), Some(b"x\n".to_vec()));
}

#[test]
fn broken_markers_are_refused_with_their_lines() {
    let cases = [
        (format!("a\n{BEGIN}\nb\n"), BlockError::BeginWithoutEnd { line: 2 }),
        (format!("{END}\n"), BlockError::EndWithoutBegin { line: 1 }),
        (format!("{END}\n\n{BEGIN}"), BlockError::EndBeforeBegin { begin: 3, end: 1 }),
        (format!("{BEGIN}\n{END}\n{BEGIN}\n{END}\n"), BlockError::TwoBegins { first: 1, second: 3 }),
        (format!("{BEGIN}\n{END}\nx\n{END}\n"), BlockError::TwoEnds { first: 2, second: 4 }),
        (
            format!("{BEGIN}\nx\n# BEGIN fleetprov other\n{END}\n# END fleetprov other\n"),
            BlockError::Overlap { line: 3 },
        ),
        (format!("{BEGIN}\n\0\n{END}\n"), BlockError::NotText(NotText::ZeroByte { line: 2 })),
    ];
    for (text, expected) in cases {
        let markers = hash("jobs");
        assert_eq!(set(text.as_bytes(), &markers, b"", Position::End), Err(expected.clone()), "{text}");
        assert_eq!(get(text.as_bytes(), &markers), Err(expected.clone()));
        assert_eq!(remove(text.as_bytes(), &markers), Err(expected));
    }
}

#[test]
fn content_that_would_end_the_block_early_is_refused() {
    for line in [END, BEGIN, "  # END fleetprov other", "#\tBEGIN fleetprov jobs"] {
        assert_eq!(
            set(b"", &hash("jobs"), format!("fine\n{line}\n").as_bytes(), Position::End),
            Err(BlockError::ContentHoldsMarker { line: 2 }),
            "{line}"
        );
    }
    for content in [&b"a\rb"[..], b"a\0", b"a\r\r\n"] {
        assert_eq!(
            set(b"", &hash("jobs"), content, Position::End),
            Err(BlockError::ContentNotText { line: 1 })
        );
    }
}

#[test]
fn ids_and_comment_signs_that_cannot_make_a_marker_are_refused() {
    for id in ["", "two words", "line\nbreak", "(x)"] {
        assert!(matches!(Markers::new(Comment::line("#").unwrap(), id), Err(BlockError::Id { .. })));
    }
    assert!(Markers::new(Comment::line("--").unwrap(), "a--b").is_ok());
    assert!(Markers::new(Comment::enclosed("<!--", "-->").unwrap(), "a--b").is_err());
    assert!(Markers::new(Comment::enclosed("/*", "*/").unwrap(), "a/b").is_ok());
    for sign in ["", " ", "a b", "\n"] {
        assert!(matches!(Comment::line(sign), Err(BlockError::Comment { .. })));
    }
}

fn texts() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        "\u{feff}",
        "#!/bin/sh",
        "\n",
        "\n",
        "\r\n",
        "\r\n",
        "x",
        " y\t",
        "# note",
        "é",
        "\r",
    ]);
    prop_oneof![
        prop::collection::vec(pieces, 0..12).prop_map(|parts| parts.concat().into_bytes()),
        prop::collection::vec(1_u8.., 0..60),
    ]
    .prop_filter("a lone carriage return at the end is refused", |text| !text.ends_with(b"\r"))
}

/// Lines ended by LF or CRLF, the last one perhaps not ended.
fn contents() -> impl Strategy<Value = Vec<u8>> {
    let byte = any::<u8>().prop_filter("line bytes", |byte| !matches!(byte, 0 | b'\r' | b'\n'));
    let line = (prop::collection::vec(byte, 0..10), any::<bool>())
        .prop_map(|(line, long)| [&line[..], if long { b"\r\n" } else { b"\n" }].concat());
    (prop::collection::vec(line, 0..5), any::<bool>()).prop_map(|(lines, ended)| {
        let content = lines.concat();
        match content.strip_suffix(b"\n") {
            Some(shorter) if !ended && !shorter.ends_with(b"\r") => shorter.to_vec(),
            _ => content,
        }
    })
}

/// The content as `get` gives it.
fn normal(content: &[u8]) -> Vec<u8> {
    let mut normal: Vec<u8> = content.iter().copied().filter(|byte| *byte != b'\r').collect();
    if !content.is_empty() && !content.ends_with(b"\n") {
        normal.push(b'\n');
    }
    normal
}

fn markers() -> impl Strategy<Value = Markers> {
    let comment = prop::sample::select(vec![
        ("#", ""),
        ("//", ""),
        (";", ""),
        ("--", ""),
        ("<!--", "-->"),
        ("/*", "*/"),
    ]);
    (comment, "[a-z]{1,4}(-[a-z0-9]{1,3})?")
        .prop_map(|((open, close), id)| Markers::new(Comment::enclosed(open, close).unwrap(), &id).unwrap())
}

fn positions() -> impl Strategy<Value = Position> {
    prop::sample::select(vec![Position::End, Position::Start])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn set_then_get_set_again_and_remove(
        text in texts(),
        markers in markers(),
        position in positions(),
        first in contents(),
        second in contents(),
    ) {
        let once = set(&text, &markers, &first, position).unwrap();
        let twice = set(&once, &markers, &first, position).unwrap();
        prop_assert_eq!(&once, &twice);
        let changed = set(&once, &markers, &second, position).unwrap();
        prop_assert_eq!(get(&changed, &markers).unwrap(), Some(normal(&second)));
        prop_assert_eq!(remove(&changed, &markers).unwrap(), text);
    }

    #[test]
    fn two_blocks_do_not_disturb_each_other(
        text in texts(),
        first in contents(),
        second in contents(),
        positions in (positions(), positions()),
    ) {
        let (one, two) = (hash("one"), hash("two"));
        let with_one = set(&text, &one, &first, positions.0).unwrap();
        let with_both = set(&with_one, &two, &second, positions.1).unwrap();
        prop_assert_eq!(get(&with_both, &one).unwrap(), get(&with_one, &one).unwrap());
        prop_assert_eq!(remove(&with_both, &two).unwrap(), with_one);
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        text in prop::collection::vec(any::<u8>(), 0..80),
        lines in prop::collection::vec(
            prop::sample::select(vec![BEGIN, END, "x", "# BEGIN fleetprov", "\0", "\r"]),
            0..6,
        ),
        content in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let markers = hash("jobs");
        for text in [text, lines.join("\n").into_bytes()] {
            if let Ok(edited) = set(&text, &markers, &content, Position::End) {
                prop_assert!(get(&edited, &markers).unwrap().is_some());
            }
            if let Ok(edited) = remove(&text, &markers) {
                prop_assert_eq!(get(&edited, &markers).unwrap(), None);
            }
        }
    }
}
