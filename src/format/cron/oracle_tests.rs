//! Random expressions compared with an independent implementation of cron.

use croner::Weekday;
use croner::parser::{CronParser, Seconds, Year};

use super::CronExpression;
use super::samples::{firing, rounds};

/// croner 4 as an oracle, made to follow Debian's cron where it does not by itself:
///
/// * it joins both days with *or* unless a field is exactly `*`, while Debian looks
///   at the first character only: *and* is switched on for those texts;
/// * it knows `*` as a whole field or before a step, not inside a list: written as a
///   range there;
/// * `a/n` needs its lenient mode; its `sun` at the end of a range means 7 while
///   Debian's means 0, so no sample has that.
fn oracle(text: &str) -> croner::Cron {
    let fields: Vec<&str> = text.split(' ').collect();
    let both = [2, 4].iter().any(|index| fields[*index].starts_with('*'));
    let ranges = ["0-59", "0-23", "1-31", "1-12", "0-7"];
    let rewritten: Vec<String> = fields
        .iter()
        .zip(ranges)
        .map(|(field, range)| {
            let items = field.split(',').map(|item| if item == "*" { range } else { item });
            if *field == "*" { "*".to_owned() } else { items.collect::<Vec<_>>().join(",") }
        })
        .collect();
    CronParser::builder()
        .seconds(Seconds::Disallowed)
        .year(Year::Disallowed)
        .sloppy_ranges(true)
        .dom_and_dow(both)
        .build()
        .parse(&rewritten.join(" "))
        .unwrap_or_else(|error| panic!("{text}: the oracle refuses it: {error}"))
}

#[test]
fn agrees_with_croner() {
    let first = jiff::civil::date(2023, 1, 1);
    let mut fired = 0_u64;
    for (round, (text, expression)) in firing(rounds()).into_iter().enumerate() {
        let CronExpression::Times(times) = expression else { panic!("{text} is no calendar") };
        let pattern = oracle(&text).pattern;
        for minute in 0..60_u8 {
            assert_eq!(
                times.minutes().contains(minute),
                pattern.minute_match(minute.into()).unwrap(),
                "{text}"
            );
        }
        for hour in 0..24_u8 {
            assert_eq!(times.hours().contains(hour), pattern.hour_match(hour.into()).unwrap(), "{text}");
        }
        // Every weekday meets every date within a few years; each text takes its own stretch.
        let offset = i64::try_from(round).unwrap() * 97 % 10_000;
        let start = first.saturating_add(jiff::Span::new().days(offset));
        for date in start.series(jiff::Span::new().days(1)).take(400) {
            let (day, month) = (date.day().unsigned_abs(), date.month().unsigned_abs());
            let weekday = date.weekday().to_sunday_zero_offset().unsigned_abs();
            let theirs = pattern.month_match(month.into()).unwrap()
                && pattern
                    .day_match(
                        date.year().into(),
                        month.into(),
                        day.into(),
                        Weekday::from_days_from_sunday(weekday.into()),
                    )
                    .unwrap();
            assert_eq!(times.matches_day(day, month, weekday), theirs, "{text} on {date}");
            fired += u64::from(theirs);
        }
    }
    assert!(fired > 0, "no sample ever fired");
}
