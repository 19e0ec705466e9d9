use std::process::Command;

use super::*;
use crate::format::crontab::{Content as Line, parse, unescape};
use crate::model::{Facts, Init, Platform, Source, Span};

fn spanned<T>(value: T) -> Spanned<T> {
    Spanned { value, span: Span::new(&Source::new("t", "x"), 0, 1) }
}

fn schedule(command: &str) -> Schedule {
    Schedule {
        name: "job".to_owned(),
        description: "a job".to_owned(),
        at: spanned("10 3 * * *".to_owned()),
        zone: None,
        spread: None,
        catch_up: None,
        job: Job::Command(spanned(command.to_owned())),
        user: "root".to_owned(),
        after_failure: None,
        timeout: None,
        network: false,
    }
}

/// What cron would hand to sh, run by sh: its exit code and what it printed.
fn run(schedule: &Schedule) -> (i32, String) {
    let facts = Facts {
        platform: Platform::Debian,
        init: Init::Sysv,
        user: "root".to_owned(),
        home: "/root".to_owned(),
        root: true,
        state: None,
    };
    let origin = Origin { from: "role test".to_owned(), span: spanned(()).span };
    let mut problems = Diagnostics::new();
    let declared = schedule.expand(&origin, &facts, &mut problems);
    assert!(problems.is_empty(), "{problems:?}");
    let rendered = declared.last().unwrap().resource.rendered();
    let Content::Bytes(text) = &rendered[0].content else { panic!("{rendered:?}") };
    let text = std::str::from_utf8(text).unwrap();
    let lines = parse(text);
    let Line::Entry { command, .. } = lines[0].content else { panic!("{text}") };
    let command = unescape(command, crate::format::crontab::Daemon::Debian);
    let output = Command::new("/bin/sh").arg("-c").arg(&*command.text).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn cron_runs_what_was_asked_for() {
    assert_eq!(run(&schedule("echo '100%' \"a  b\" \\\\")), (0, "100% a  b \\\n".to_owned()));
}

#[test]
fn what_follows_a_failure_runs_after_it_and_keeps_its_code() {
    let mut failing = schedule("exit 7");
    failing.after_failure = Some(spanned("echo after $code".to_owned()));
    assert_eq!(run(&failing), (7, "after 7\n".to_owned()));
    failing.job = Job::Command(spanned("echo fine".to_owned()));
    assert_eq!(run(&failing), (0, "fine\n".to_owned()));
}

#[test]
fn a_job_ends_at_its_timeout() {
    let mut slow = schedule("sleep 60; echo never");
    slow.timeout = Some(1);
    slow.after_failure = Some(spanned("echo ended".to_owned()));
    assert_eq!(run(&slow), (124, "ended\n".to_owned()));
}

#[test]
fn a_spread_of_one_second_waits_for_none() {
    let mut spread = schedule("echo now");
    spread.spread = Some(spanned(1));
    assert_eq!(run(&spread), (0, "now\n".to_owned()));
}
