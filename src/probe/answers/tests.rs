use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::model::{Facts, MachinePath, Platform};

/// A probe for `/etc/a`, `/home/alice/b` and `/etc/c`.
static PROBE: LazyLock<Probe> = LazyLock::new(probe);

fn probe() -> Probe {
    let facts = Facts {
        platform: Platform::Debian,
        init: Init::Sysv,
        root: true,
        user: "root".to_owned(),
        home: "/root".to_owned(),
        state: None,
    };
    let asked = |path: &str| {
        let path = MachinePath::new(path).unwrap();
        vec![Question::Path { path, want: Want::Bytes { limit: 100 } }]
    };
    Probe::new(&facts, ["/etc/a", "/home/alice/b", "/etc/c"].map(asked).to_vec())
}

/// Feeds lines, of which those that start with `N ` are frames; gives the answers.
fn answers(text: &str) -> Result<Vec<Answer>, String> {
    let mut gathered = Gathered::default();
    for line in text.lines() {
        let line = match line.strip_prefix("N ") {
            Some(words) => Line::Frame(words.split_whitespace().map(str::to_owned).collect()),
            None => Line::Text(line.to_owned()),
        };
        gathered.take(line);
    }
    gathered.observation(&PROBE).map(|observation| observation.answers.concat())
}

const FACTS: &str = "N begin facts\nuid 0\nN end\n";

fn digest(byte: char) -> String {
    byte.to_string().repeat(64)
}

fn what(answer: &Answer) -> String {
    match answer {
        Answer::Path(facts) => facts.guard(),
        Answer::Unanswered(reason) => reason.clone(),
        other => format!("{other:?}"),
    }
}

#[test]
fn facts_and_absence_are_told_apart() {
    let a = digest('a');
    let text = format!(
        "{FACTS}N begin paths\ns 81a4 0 0 root root 1 /etc/a\nd 0 {a}\n\
         stat: cannot statx '/home/alice/b': Permission denied\n\
         stat: cannot statx '/etc/c': No such file or directory\nN end\n"
    );
    let answers: Vec<String> = answers(&text).unwrap().iter().map(what).collect();
    assert_eq!(
        answers,
        [
            format!("file 644 0 0 {a}").as_str(),
            "stat: cannot statx '/home/alice/b': Permission denied",
            "absent"
        ]
    );
}

#[test]
fn what_another_users_process_says_counts_for_its_own_paths_only() {
    let (a, b) = (digest('a'), digest('b'));
    let text = format!(
        "{FACTS}N begin paths\ns 81a4 0 0 root root 1 /etc/a\nd 0 {a}\n\
         stat: cannot statx '/etc/c': No such file or directory\nN end\n\
         N begin theirs 1\nu s 81a4 1001 1001 alice alice 1 /home/alice/b\nu d 1 {b}\n\
         u s 81ff 0 0 root root 1 /etc/a\nu d 0 {b}\nu d 2 {b}\nu b 0 eA==\nu l 0 eA==\n\
         u stat: cannot statx '/etc/c': Permission denied\nu N end\ns 81ff 0 0 root root 1 /etc/a\nN end\n"
    );
    let answers: Vec<String> = answers(&text).unwrap().iter().map(what).collect();
    assert_eq!(
        answers,
        [format!("file 644 0 0 {a}"), format!("file 644 1001 1001 {b}"), "absent".to_owned()]
    );
}

#[test]
fn silence_has_its_reason() {
    let text = format!("{FACTS}N silent hung 0\nN silent late alice 1\n");
    let answers: Vec<String> = answers(&text).unwrap().iter().map(what).collect();
    assert_eq!(
        answers,
        [
            "/etc/a does not answer: the file system it is on hangs",
            "/home/alice/b could not be looked at in time as alice",
            "the machine says nothing about /etc/c"
        ]
    );
}

#[test]
fn a_file_whose_digest_is_missing_is_not_taken_for_known() {
    let text = format!(
        "{FACTS}N begin paths\ns 81a4 0 0 root root 1 /etc/a\ns a1ff 0 0 root root 1 /etc/c\nN end\n"
    );
    let answers: Vec<String> = answers(&text).unwrap().iter().map(what).collect();
    assert_eq!(answers[0], "/etc/a cannot be read");
    assert_eq!(answers[2], "/etc/c is a link whose target cannot be read");
}

/// Lines as a machine sends them, or nearly.
fn line() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("begin".to_owned()),
        Just("end".to_owned()),
        Just("paths".to_owned()),
        Just("theirs".to_owned()),
        Just("ask".to_owned()),
        Just("units".to_owned()),
        Just("facts".to_owned()),
        Just("silent".to_owned()),
        Just("late".to_owned()),
        Just("uid".to_owned()),
        Just("s".to_owned()),
        Just("d".to_owned()),
        Just("b".to_owned()),
        Just("l".to_owned()),
        Just("u".to_owned()),
        Just("81a4".to_owned()),
        Just("/etc/a".to_owned()),
        Just("eA==".to_owned()),
        Just("99999999999999999999".to_owned()),
        Just(digest('a')),
        "[0-3]",
        "\\PC{0,4}",
    ];
    (any::<bool>(), proptest::collection::vec(word, 0..9))
        .prop_map(|(frame, words)| format!("{}{}", if frame { "N " } else { "" }, words.join(" ")))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn whatever_a_machine_sends_is_an_answer_or_an_error(lines in proptest::collection::vec(line(), 0..60)) {
        if let Ok(answers) = answers(&format!("{FACTS}{}", lines.join("\n"))) {
            prop_assert_eq!(answers.len(), 3);
        }
    }
}

#[test]
fn documents_come_together_and_the_last_may_have_grown() {
    let line = |text: &str, sizes: &str| kept_lines(&format!("documents {} {sizes}", STANDARD.encode(text)));
    let told = |documents: Vec<(&'static str, Vec<u8>)>| -> Vec<String> {
        let text = |(name, bytes)| format!("{name}={}", String::from_utf8(bytes).unwrap());
        documents.into_iter().map(text).collect()
    };
    assert_eq!(
        told(line("RRuuuPPPP", "record 2 run 3 progress 1")),
        ["record=RR", "run=uuu", "progress=PPPP"]
    );
    assert_eq!(told(line("RR", "record 2")), ["record=RR"]);
    // A machine may say anything.
    assert_eq!(told(line("R", "record 9 run x")), ["record=R", "run="]);
    assert_eq!(told(line("R", "other 1 record")), Vec::<String>::new());
    assert_eq!(told(kept_lines("documents %% record 1")), ["record="]);
    assert!(kept_lines("documents").is_empty() && kept_lines("what else").is_empty());
}
