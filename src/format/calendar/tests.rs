//! Compiled lines as a table, and compared with what systemd computes from them.

use std::collections::BTreeSet;
use std::process::Command;

use jiff::Span;
use jiff::civil::{DateTime, date, datetime};
use proptest::prelude::*;

use super::{NotExpressible, Trigger, on_calendar};
use crate::format::cron::CronExpression;
use crate::format::cron::samples::{firing, rounds};

fn lines(text: &str, zone: Option<&str>) -> Vec<String> {
    let expression = CronExpression::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    match on_calendar(&expression, zone) {
        Ok(Trigger::Calendar(lines)) => lines,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn compiled_lines() {
    let cases: [(&str, &[&str]); 15] = [
        ("* * * * *", &["*-*-* *:*:00"]),
        ("10 3 * * *", &["*-*-* 03:10:00"]),
        ("*/15 * * * *", &["*-*-* *:00..45/15:00"]),
        ("5/20 8-18 * * *", &["*-*-* 08..18:05..45/20:00"]),
        ("0 */5 * * *", &["*-*-* 00..20/5:00:00"]),
        ("0 2,3 * * *", &["*-*-* 02,03:00:00"]),
        ("@weekly", &["Sun *-*-* 00:00:00"]),
        ("0 6 * * 1-5", &["Mon..Fri *-*-* 06:00:00"]),
        ("0 6 * * 0,5,6", &["Fri..Sun *-*-* 06:00:00"]),
        ("0 6 * * 0,3", &["Wed,Sun *-*-* 06:00:00"]),
        ("0 6 * * sat-sat,mon-tue", &["Mon,Tue,Sat *-*-* 06:00:00"]),
        ("@quarterly", &["*-01..10/3-01 00:00:00"]),
        ("0 0 */2 * 1", &["Mon *-*-01..31/2 00:00:00"]),
        ("30 4 1,15 * 5", &["*-*-01,15 04:30:00", "Fri *-*-* 04:30:00"]),
        ("0 0 30 2 1", &["Mon *-02-* 00:00:00"]),
    ];
    for (text, expected) in cases {
        assert_eq!(lines(text, None), expected, "{text}");
    }
}

#[test]
fn zones() {
    assert_eq!(
        lines("0 0 1 * 1", Some("America/Argentina/Buenos_Aires")),
        [
            "*-*-01 00:00:00 America/Argentina/Buenos_Aires",
            "Mon *-*-* 00:00:00 America/Argentina/Buenos_Aires",
        ]
    );
    assert_eq!(lines("@daily", Some("Etc/GMT+5")), ["*-*-* 00:00:00 Etc/GMT+5"]);
    let expression = CronExpression::parse("@daily").unwrap();
    for zone in [
        "",
        " ",
        "Europe Berlin",
        "UTC\nExecStart=/bin/false",
        "/etc/localtime",
        "Europe/",
        "a//b",
        "../x",
        "UTC%n",
        "Zürich",
    ] {
        let refused = on_calendar(&expression, Some(zone));
        assert_eq!(refused, Err(NotExpressible::ZoneName { zone: zone.to_owned() }));
    }
}

#[test]
fn boot_is_no_calendar() {
    assert_eq!(on_calendar(&CronExpression::Boot, None), Ok(Trigger::Boot));
}

/// How many elapses systemd is asked for per line.
const ITERATIONS: usize = 25;
/// Expressions per process; more would only make a failure harder to read.
const BATCH: usize = 100;
/// Days beyond the base time that are compared at most.
const HORIZON_DAYS: i64 = 12 * 366;

/// The next elapses of each line after `base`, as systemd computes them in UTC.
///
/// A line that gives fewer than [`ITERATIONS`] never elapses again.
fn systemd_elapses(lines: &[String], base: DateTime) -> Vec<Vec<DateTime>> {
    let output = Command::new("systemd-analyze")
        .env("TZ", "UTC")
        .env("LC_ALL", "C.UTF-8")
        .env("SYSTEMD_COLORS", "0")
        .arg("calendar")
        .arg(format!("--iterations={ITERATIONS}"))
        .arg(format!("--base-time={}", base.strftime("%Y-%m-%d %H:%M:%S")))
        .arg("--")
        .args(lines)
        .output()
        .expect("systemd-analyze must be installed: it is the reference for calendar events");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && complaint.is_empty(), "{complaint}\n{lines:#?}");
    let mut elapses: Vec<Vec<DateTime>> = Vec::new();
    for line in text.lines() {
        let Some((label, value)) = line.trim().split_once(": ") else {
            continue;
        };
        if label == "Normalized form" {
            elapses.push(Vec::new());
        } else if (label == "Next elapse" || label.starts_with("Iter. #")) && value != "never" {
            let moment = DateTime::strptime("%a %Y-%m-%d %H:%M:%S UTC", value)
                .unwrap_or_else(|error| panic!("{value}: {error}"));
            elapses.last_mut().expect("a form comes first").push(moment);
        }
    }
    assert_eq!(elapses.len(), lines.len(), "{text}");
    elapses
}

/// Every minute after `base` up to `end` that the expression matches.
fn matching_minutes(expression: &CronExpression, base: DateTime, end: DateTime) -> BTreeSet<DateTime> {
    let CronExpression::Times(times) = expression else { panic!("{expression} is no calendar") };
    let mut found = BTreeSet::new();
    for day in base.date().series(Span::new().days(1)).take_while(|day| *day <= end.date()) {
        let (number, month) = (day.day().unsigned_abs(), day.month().unsigned_abs());
        let weekday = day.weekday().to_sunday_zero_offset().unsigned_abs();
        if !times.matches_day(number, month, weekday) {
            continue;
        }
        for hour in 0..24_u8 {
            for minute in 0..60_u8 {
                if expression.matches(minute, hour, number, month, weekday) {
                    found.insert(day.at(hour.cast_signed(), minute.cast_signed(), 0, 0));
                }
            }
        }
    }
    found.retain(|moment| *moment > base && *moment <= end);
    found
}

/// Compares until the first line's list of elapses ends, or the horizon.
fn assert_same_minutes(text: &str, expression: &CronExpression, base: DateTime, elapses: &[Vec<DateTime>]) {
    let horizon = base.saturating_add(Span::new().days(HORIZON_DAYS));
    let end = elapses
        .iter()
        .filter(|line| line.len() == ITERATIONS)
        .filter_map(|line| line.last())
        .fold(horizon, |end, last| end.min(*last));
    let theirs: BTreeSet<DateTime> =
        elapses.iter().flatten().copied().filter(|moment| *moment <= end).collect();
    assert_eq!(matching_minutes(expression, base, end), theirs, "{text} ({expression}) from {base}");
}

/// A different moment for each round: any minute of any day, or shortly before the end
/// of a month or a year, where a carry runs over several units.
fn base_time(round: i64) -> DateTime {
    // The factors are prime, so that the rounds do not fall into step with the calendar.
    let day = date(1995, 1, 1).saturating_add(Span::new().days(round * 1_009 % 60_000));
    let day = match round % 4 {
        0 => day,
        1 | 2 => day.last_of_month(),
        _ => day.last_of_year(),
    };
    let minute = match round % 8 {
        0..4 => round * 557 % 1_440,
        _ => 1_439 - round * 31 % 180,
    };
    day.at(0, 0, 0, 0).saturating_add(Span::new().minutes(minute))
}

#[test]
fn systemd_fires_at_the_same_minutes() {
    let mut compared = 0;
    for (round, batch) in firing(rounds()).chunks(BATCH).enumerate() {
        let base = base_time(i64::try_from(round).expect("few rounds"));
        let per_expression: Vec<Vec<String>> = batch
            .iter()
            .map(|(text, expression)| match on_calendar(expression, None) {
                Ok(Trigger::Calendar(lines)) => lines,
                other => panic!("{text}: {other:?}"),
            })
            .collect();
        let mut elapses = systemd_elapses(&per_expression.concat(), base).into_iter();
        for ((text, expression), lines) in batch.iter().zip(&per_expression) {
            let mine: Vec<Vec<DateTime>> = elapses.by_ref().take(lines.len()).collect();
            assert_same_minutes(text, expression, base, &mine);
            compared += 1;
        }
    }
    assert_eq!(compared, rounds());
}

#[test]
fn systemd_agrees_on_rare_and_crowded_days() {
    let texts = [
        "* * * * *",
        "59 23 31 12 *",
        "0 0 29 2 *",
        "0 0 29 2 */8",
        "0 0 31 * */2",
        "0 0 13 * 5",
        "0 0 */2 * 1",
        "*/7 */5 */9 */5 *",
        "*/7 * * * *",
        "0 */5 * * *",
        "3 */7 */2 * *",
        "0 0 */9 */5 *",
        "0 12 1-7 * 1",
        "0 12 */100,1-7 * 1",
        "0 0 30,31 feb,apr *",
        "0 0 30 2 1",
    ];
    let bases = [
        datetime(1999, 12, 31, 23, 40, 0, 0),
        datetime(2024, 2, 28, 22, 59, 0, 0),
        datetime(2027, 4, 30, 20, 1, 0, 0),
        datetime(2095, 1, 1, 0, 0, 0, 0),
    ];
    for base in bases {
        for text in texts {
            let expression = CronExpression::parse(text).unwrap();
            let elapses = systemd_elapses(&lines(text, None), base);
            assert_same_minutes(text, &expression, base, &elapses);
        }
    }
}

#[test]
fn systemd_reads_zones() {
    let base = datetime(2027, 1, 10, 0, 0, 0, 0);
    // Berlin is an hour ahead of UTC in winter.
    let elapses = systemd_elapses(&lines("30 3 * * *", Some("Europe/Berlin")), base);
    assert_eq!(elapses[0][0], datetime(2027, 1, 10, 2, 30, 0, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_zone_stays_one_word(zone in "\\PC{0,12}") {
        if let Ok(Trigger::Calendar(lines)) = on_calendar(&CronExpression::parse("@daily").unwrap(), Some(&zone)) {
            prop_assert_eq!(lines[0].split_whitespace().count(), 3);
            prop_assert!(lines[0].is_ascii());
        }
    }
}
