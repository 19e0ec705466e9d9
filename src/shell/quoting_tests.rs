//! Quoting through real shells: whatever an argument holds arrives byte for byte.

use std::process::{Command, Stdio};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::posix::{command, quote, through_login_shell};
use super::{Call, frames::Frames, frames::Line, program};

/// The shells that every Debian has, and `BusyBox`'s.
const SHELLS: [&[&str]; 4] = [&["sh", "-c"], &["dash", "-c"], &["bash", "-c"], &["busybox", "ash", "-c"]];

/// How many lists of arguments go through each shell.
const CASES: usize = 300;

/// A text as hard as they come: what some shell gives a meaning to, and anything else but NUL.
fn hard() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("'".to_owned()),
        Just("\\".to_owned()),
        Just("\n".to_owned()),
        Just("\\n".to_owned()),
        Just("\\0101".to_owned()),
        Just("\\c".to_owned()),
        Just("%s%b%%".to_owned()),
        Just("!!".to_owned()),
        Just("!$^".to_owned()),
        Just("$(id)`id`${HOME}$1".to_owned()),
        Just("\"".to_owned()),
        Just("-n".to_owned()),
        Just("~root/*?[a-z]{a,b}".to_owned()),
        Just("\t\r\u{1}\u{7f}\u{1b}[31m".to_owned()),
        "[^\u{0}]{0,8}",
        vec(1_u8..128, 0..8).prop_map(|bytes| bytes.into_iter().map(char::from).collect()),
    ];
    vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn samples<S: Strategy>(strategy: &S, count: usize) -> Vec<S::Value> {
    let config = Config { failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

/// What a shell prints that gets a text as its command.
fn output(shell: &[&str], text: &str) -> Vec<u8> {
    let output = Command::new(shell[0])
        .args(&shell[1..])
        .arg(text)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .unwrap_or_else(|error| panic!("this test needs {}: {error}", shell[0]));
    assert!(output.status.success(), "{shell:?}: {output:?}");
    output.stdout
}

/// Programs that print their arguments, each followed by NUL, and what they have to print. Each is
/// short enough to be an argument of a process.
fn programs(cases: &[Vec<String>]) -> Vec<(String, Vec<u8>)> {
    cases
        .chunks(100)
        .map(|cases| {
            let mut program = "show() { printf '%s\\0' \"$@\"; }\n".to_owned();
            let mut expected = Vec::new();
            for arguments in cases {
                program.push_str(&command(&Call::new("show", arguments)));
                program.push('\n');
                for argument in arguments {
                    expected.extend_from_slice(argument.as_bytes());
                    expected.push(0);
                }
            }
            (program, expected)
        })
        .collect()
}

#[test]
fn arguments_arrive_byte_for_byte() {
    let cases = samples(&vec(hard(), 1..5), CASES);
    for shell in SHELLS {
        for (program, expected) in programs(&cases) {
            assert!(output(shell, &program) == expected, "{shell:?}: quoted");
            let carried = through_login_shell("", &program, &[]);
            assert!(output(shell, &carried) == expected, "{shell:?}: through it as a login shell");
        }
    }
}

#[test]
fn programs_keep_their_arguments_and_line_ends() {
    for shell in SHELLS {
        for program in ["printf '%s|' \"$2\" \"$3\"", "\n\nprintf '%s|' \"$2\" \"$3\" # \u{e9}\n\n"] {
            let carried = through_login_shell("env", program, &["a-b_c.d/e", "2"]);
            assert_eq!(output(shell, &carried), b"a-b_c.d/e|2|", "{shell:?}");
        }
    }
}

#[test]
fn a_quoted_word_stays_one_word_when_it_is_quoted_again() {
    for text in samples(&hard(), CASES) {
        let twice = quote(&quote(&text));
        let expected = [text.as_bytes(), b"."].concat();
        if text.len() % 16 == 0 {
            let program = format!("eval printf '%s.' {twice}");
            assert_eq!(output(SHELLS[1], &program), expected, "{text:?}");
        }
        assert_eq!(shell_words(&quote(&text)), std::slice::from_ref(&text));
    }
}

/// The words of a command line of sh that holds quotes and backslashes only, read the slow way.
fn shell_words(line: &str) -> Vec<String> {
    let (mut words, mut quoted, mut characters) = (vec![String::new()], false, line.chars());
    while let Some(character) = characters.next() {
        let word = words.last_mut().unwrap();
        match character {
            '\'' => quoted = !quoted,
            '\\' if !quoted => word.push(characters.next().unwrap()),
            ' ' if !quoted => words.push(String::new()),
            _ => word.push(character),
        }
    }
    assert!(!quoted, "{line}");
    words
}

#[test]
fn a_session_takes_any_script_and_answers_in_frames() {
    // The last argument is the nonce; whatever the script prints besides frames is text.
    for shell in SHELLS {
        for text in samples(&hard(), 20) {
            let script = format!("fp_frame begin; printf '%s\\n' {}; fp_frame end", quote(&text));
            let start = program::start("n0nce", &format!("{}{script}", program::definitions(&[])));
            let mut frames = Frames::new("n0nce", 10_000, 100_000);
            let lines = frames.push(&output(shell, &start)).unwrap();
            let frame = |word: &str| Line::Frame(vec![word.to_owned()]);
            assert_eq!(lines[1..3], [frame("ready"), frame("begin")], "{shell:?}: {text:?}");
            assert_eq!(lines.last(), Some(&frame("end")), "{shell:?}: {text:?}");
            let said: Vec<String> = lines[3..lines.len() - 1]
                .iter()
                .map(|line| match line {
                    Line::Text(text) => text.clone(),
                    Line::Frame(words) => panic!("{words:?}"),
                })
                .collect();
            assert_eq!(said.join("\n"), text, "{shell:?}");
        }
    }
}
