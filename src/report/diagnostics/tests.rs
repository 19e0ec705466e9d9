use super::*;
use crate::model::Source;

const ASCII: Style = Style { unicode: false, ..Style::PLAIN };

fn drawn(text: &str, part: &str, style: Style) -> String {
    let source = Source::new("a.yaml", text);
    let at = text.find(part).unwrap();
    let mut problems = Diagnostics::new();
    problems.push(
        Diagnostic::at(&Span::new(&source, at, at + part.len()), "something is wrong")
            .expected("one of this, that")
            .nearest_of("thsi", ["this", "that"]),
    );
    diagnostics(&problems, style)
}

const NARROW: Style = Style { width: 40, ..ASCII };

#[test]
fn a_problem_shows_its_place_its_line_and_what_would_be_right() {
    assert_eq!(
        drawn("x: 1\nkey: wrong # why\n", "wrong", ASCII),
        "error: something is wrong\n\
         \x20--> a.yaml:2:6\n\
         \x20 |\n\
         2 | key: wrong # why\n\
         \x20 |      ^^^^^\n\
         \x20 = expected: one of this, that\n\
         \x20 = did you mean `this`?\n\
         \n\
         1 problem in a.yaml\n"
    );
}

#[test]
fn unicode_and_colour_are_used_when_asked_for() {
    let style = Style { unicode: true, ..ASCII };
    let text = drawn("key: wrong\n", "wrong", style);
    assert!(text.contains(" ╭─▶ a.yaml:1:6\n  │\n1 │ key: wrong\n  │      ^^^^^\n"), "{text}");
    let text = drawn("key: wrong\n", "wrong", Style { colour: true, ..ASCII });
    assert!(text.starts_with("\u{1b}[1;31merror: \u{1b}[0msomething is wrong\n"), "{text}");
    assert!(text.contains("\u{1b}[1;31m^^^^^\u{1b}[0m"), "{text}");
    let mut plain = String::new();
    let mut parts = text.split('\u{1b}');
    plain.push_str(parts.next().unwrap());
    for part in parts {
        plain.push_str(part.split_once('m').unwrap().1);
    }
    assert_eq!(plain, drawn("key: wrong\n", "wrong", ASCII), "colour changes nothing else");
}

#[test]
fn marks_stand_under_wide_characters_tabs_and_accents() {
    for (line, before) in [("漢字: wrong", 6), ("\twrong", 4), ("u\u{308}: wrong", 3), ("\u{7}: wrong", 6)]
    {
        let text = drawn(line, "wrong", Style::PLAIN);
        let expected = format!("  │ {}^^^^^\n", " ".repeat(before));
        assert!(text.contains(&expected), "{line:?}:\n{text}");
    }
}

#[test]
fn a_hostile_line_and_name_steer_no_terminal() {
    let source = Source::new("a\u{1b}]0;x\u{7}.yaml", "k: \u{1b}[2J\u{202e}\u{9b}wrong\n");
    let mut problems = Diagnostics::new();
    problems.push(
        Diagnostic::at(&Span::new(&source, 0, 1), "says \u{1b}[2J")
            .expected("no \u{1b}")
            .related(&Span::new(&source, 0, 1), "here \u{1b}"),
    );
    for unicode in [false, true] {
        let text = diagnostics(&problems, Style { unicode, ..ASCII });
        assert!(text.chars().all(|character| character == '\n' || !character.is_control()), "{text:?}");
        assert!(!text.contains('\u{202e}'), "{text:?}");
    }
}

#[test]
fn long_lines_are_cut_around_the_place() {
    let long = "x".repeat(1_000_000);
    for text in [format!("{long} wrong {long}"), format!("wrong {long}"), format!("{long} wrong")] {
        let shown = drawn(&text, "wrong", NARROW);
        let lines: Vec<&str> = shown.lines().collect();
        assert!(lines.iter().all(|line| columns(line) <= NARROW.width), "{shown}");
        let marks = lines.iter().position(|line| line.contains("^^^^^")).unwrap();
        let at = lines[marks].find('^').unwrap();
        assert_eq!(&lines[marks - 1][at..at + 5], "wrong");
    }
    let shown = drawn(&long, &long, NARROW);
    assert!(shown.lines().all(|line| columns(line) <= NARROW.width), "{shown}");
}

#[test]
fn long_messages_are_broken_between_words() {
    let mut problems = Diagnostics::new();
    problems
        .push(Diagnostic::placeless("word ".repeat(20).trim_end()).expected("more ".repeat(20).trim_end()));
    let text = diagnostics(&problems, NARROW);
    assert!(text.lines().all(|line| columns(line) <= NARROW.width), "{text}");
    assert!(text.starts_with("error: word word"), "{text}");
    assert!(text.contains("\n       word"), "{text}");
    assert!(text.ends_with("\n1 problem\n"), "{text}");
}

#[test]
fn places_in_another_file_are_shown_there_and_files_are_counted() {
    let (base, over) = (Source::new("a.yaml", "x: 1\n"), Source::new("b.yaml", "\n\nx: 2\n"));
    let mut problems = Diagnostics::new();
    problems.push(
        Diagnostic::at(&Span::new(&over, 2, 3), "twice").related(&Span::new(&base, 0, 1), "first given here"),
    );
    problems.push(Diagnostic::at(&Span::new(&base, 3, 4), "one"));
    let text = diagnostics(&problems, ASCII);
    assert!(text.contains(" ::: a.yaml:1:1 first given here\n  |\n1 | x: 1\n  | -\n"), "{text}");
    assert!(text.ends_with("\n2 problems in 2 files\n"), "{text}");
    assert!(text.find("error: one").unwrap() < text.find("error: twice").unwrap(), "file by file");
}

#[test]
fn nothing_wrong_is_nothing_to_show_and_too_much_is_counted() {
    assert_eq!(diagnostics(&Diagnostics::new(), ASCII), "");
    let source = Source::new("a.yaml", "x".repeat(60));
    let mut problems = Diagnostics::new();
    for at in 0..60 {
        problems.push(Diagnostic::at(&Span::new(&source, at, at + 1), "wrong"));
    }
    let text = diagnostics(&problems, ASCII);
    assert_eq!(text.matches("error: wrong").count(), SHOWN);
    assert!(text.ends_with("10 more are not shown\n60 problems in a.yaml\n"), "{text}");
}
