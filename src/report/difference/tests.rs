use proptest::prelude::*;

use super::*;
use crate::report::samples::{ASCII, NARROW, visible};

const COLOUR: Style = Style { colour: true, ..NARROW };

fn drawn(from: Option<&[u8]>, to: &[u8], style: Style) -> String {
    let mut text = String::new();
    write(&mut text, style, 0, from, to);
    text
}

fn between(from: &str, to: &str) -> String {
    drawn(Some(from.as_bytes()), to.as_bytes(), NARROW)
}

#[test]
fn a_change_stands_between_three_lines_of_context() {
    let old = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16\n";
    let new = old.replace("2\n3\n4\n5\n6\n", "2\n3\n4\nfive\n6\n").replace("16\n", "16\n17\n");
    let expected = "@@ -2,7 +2,7 @@\n  2\n  3\n  4\n- 5\n+ five\n  6\n  7\n  8\n\
                    @@ -14,3 +14,4 @@\n  14\n  15\n  16\n+ 17\n";
    assert_eq!(between(old, &new), expected);
}

#[test]
fn a_new_text_and_one_that_goes_away_need_no_place() {
    assert_eq!(drawn(None, b"a\n\nb\n", NARROW), "+ a\n+\n+ b\n");
    assert_eq!(drawn(Some(b"a\nb\n"), b"", NARROW), "- a\n- b\n");
    assert_eq!(drawn(None, b"", NARROW), "empty\n");
}

#[test]
fn a_missing_line_break_at_the_end_is_said() {
    let expected = "@@ -1,2 +1,2 @@\n  a\n- b\n\\ no newline at end of file\n+ b\n";
    assert_eq!(between("a\nb", "a\nb\n"), expected);
    assert_eq!(drawn(None, b"a", NARROW), "+ a\n\\ no newline at end of file\n");
}

#[test]
fn what_looks_the_same_is_spelt_out() {
    assert_eq!(between("\tx \n", "    x \n"), "@@ -1 +1 @@\n- \\tx\\x20\n+     x\\x20\n");
    assert_eq!(between("a\n", "a \n"), "@@ -1 +1 @@\n- a\n+ a \n", "");
}

#[test]
fn hostile_bytes_are_shown_as_escapes() {
    let old = b"a\x1b[2J\r\n\xff\xfe\n".as_slice();
    let new = "a\u{202e}b\n".as_bytes();
    let expected = "@@ -1,2 +1 @@\n- a\\x1b[2J\\x0d\n- \\xff\\xfe\n+ a\\u{202e}b\n";
    assert_eq!(drawn(Some(old), new, NARROW), expected);
}

#[test]
fn a_long_line_goes_on_below_and_a_very_long_one_is_cut() {
    let new = format!("{} end\n", "x".repeat(100));
    let expected = format!("+ {}\n↳ {} end\n", "x".repeat(78), "x".repeat(22));
    assert_eq!(drawn(None, new.as_bytes(), NARROW), expected);
    assert_eq!(drawn(None, new.as_bytes(), ASCII), expected.replace('↳', ">"));
    let shown = drawn(None, "x".repeat(100_000).as_bytes(), NARROW);
    assert!(shown.len() < 1_300, "{} bytes", shown.len());
    assert!(shown.contains("x…\n"), "{shown}");
}

#[test]
fn two_very_long_lines_show_where_they_differ() {
    let long = "abcdefghij".repeat(1_000);
    let shown = between(&format!("{long}old{long}\n"), &format!("{long}new{long}\n"));
    assert!(shown.contains("- …") && shown.contains("+ …"), "{shown}");
    assert!(shown.contains("hijold") && shown.contains("hijnew"), "{shown}");
}

#[test]
fn a_long_text_is_counted_from_some_line_on() {
    let new: String = (0..1_000).map(|number| format!("line {number}\n")).collect();
    let shown = drawn(None, new.as_bytes(), NARROW);
    assert_eq!(shown.lines().count(), LINES + 1);
    assert!(shown.ends_with("+ line 399\n… 600 more lines (+600 -0)\n"), "{shown}");
    let old: String = (0..1_000).map(|number| format!("old {number}\n")).collect();
    let shown = between(&old, &new);
    assert!(shown.ends_with("- old 399\n… 1600 more lines (+1000 -600)\n"), "{shown}");
}

#[test]
fn colour_shows_what_changed_inside_a_line_and_spaces_at_its_end() {
    let shown = drawn(Some(b"port = 80;\n"), b"port = 8080;\n", COLOUR);
    let expected = "␛[36m@@ -1 +1 @@␛[0m\n␛[31m- port = 80;␛[0m\n\
                    ␛[32m+ port = 80␛[0m␛[7;32m80␛[0m␛[32m;␛[0m\n";
    assert_eq!(visible(&shown), expected);
    assert_eq!(visible(&drawn(None, b"a  \n", COLOUR)), "␛[32m+ a␛[0m␛[7;32m  ␛[0m\n");
    let shown = drawn(Some(b"abc\n"), b"xyz\n", COLOUR);
    assert!(!shown.contains("[7;"), "nothing is marked in lines that have nothing in common: {shown:?}");
}

#[test]
fn a_comparison_that_is_hard_on_purpose_ends_soon() {
    // 32,000 lines of two sorts in no order: the worst case for a minimal difference.
    let text = |seed: u32| -> Vec<u8> {
        let mut state = seed;
        let mut next = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if state & 0x8000_0000 == 0 { *b"a\n" } else { *b"b\n" }
        };
        (0..32_000).flat_map(|_| next()).collect()
    };
    let begin = std::time::Instant::now();
    let shown = drawn(Some(&text(1)), &text(2), NARROW);
    assert!(shown.lines().count() < 1_000, "{} lines", shown.lines().count());
    assert!(begin.elapsed() < std::time::Duration::from_secs(20), "took {:?}", begin.elapsed());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn whatever_the_texts_hold_the_rows_are_harmless_and_fit(
        from in prop::option::of(prop::collection::vec(any::<u8>(), 0..300)),
        to in prop::collection::vec(any::<u8>(), 0..300),
        width in 0_usize..120,
        unicode: bool,
    ) {
        let style = Style { colour: false, width, unicode };
        let mut text = String::new();
        write(&mut text, style, 6, from.as_deref(), &to);
        for row in text.lines() {
            prop_assert!(!row.chars().any(safe::is_harmful), "{row:?}");
            prop_assert!(safe::columns(row) <= width.max(40), "{row:?} is wider than {width}");
        }
    }

    #[test]
    fn every_line_that_differs_is_shown(old in "([ab]\n){0,30}", new in "([ab]\n){0,30}") {
        let shown = between(&old, &new);
        let count = |sign: char| shown.lines().filter(|row| row.starts_with(sign)).count();
        let lines = |text: &str| text.lines().count();
        prop_assert_eq!(lines(&old) + count('+'), lines(&new) + count('-'), "{}", shown);
        prop_assert!(old == new || count('+') + count('-') > 0);
    }
}
