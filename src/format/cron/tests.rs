//! What expressions mean, how they are written again, and what is said of wrong ones.

use proptest::prelude::*;

use super::samples::five_fields;
use super::{CronExpression, CronProblem, Days, Field};

fn parsed(text: &str) -> CronExpression {
    CronExpression::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn canonical_text() {
    let cases = [
        ("* * * * *", "* * * * *"),
        ("  5\t4  * * sun ", "5 4 * * 0"),
        ("*/15 0-23 * * *", "*/15 * * * *"),
        ("0,15,30,45 */2 * * *", "*/15 */2 * * *"),
        ("5/20 * * * *", "5-45/20 * * * *"),
        ("0-59/7 * * * *", "*/7 * * * *"),
        ("*/90 * * * *", "0 * * * *"),
        ("1-10/20 * * * *", "1 * * * *"),
        ("3,1,2,2,9 1,2 * * *", "1-3,9 1,2 * * *"),
        ("0 0 */2 * *", "0 0 1-31/2 * *"),
        ("0 0 * JAN,mar-May *", "0 0 * 1,3-5 *"),
        ("0 0 * */3 *", "0 0 * */3 *"),
        ("0 0 * * 5-7", "0 0 * * 0,5,6"),
        ("0 0 * * 7", "0 0 * * 0"),
        ("0 0 * * */2", "0 0 * * 0-6/2"),
        ("0 0 * * */7", "0 0 * * 0"),
        ("0 0 * * mon-FRI", "0 0 * * 1-5"),
        ("30 4 1,15 * 5", "30 4 1,15 * 5"),
        ("0 0 1-31 * 1", "0 0 * * *"),
        ("0 0 1 * 0-6", "0 0 * * *"),
        ("0 0 *,5 * 1", "0 0 * * 1"),
        ("0 0 */2 * 1", "0 0 */2 * 1"),
        ("0 0 */2,4 * 1", "0 0 */2,4 * 1"),
        ("0 0 2-30/2 * */3", "0 0 2-30/2 * */3"),
        ("0 0 */40 * */9", "0 0 */31 * 0"),
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@quarterly", "0 0 1 */3 *"),
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
        ("@boot", "@boot"),
    ];
    for (text, canonical) in cases {
        assert_eq!(parsed(text).to_string(), canonical, "{text}");
        assert_eq!(parsed(canonical), parsed(text), "{text}");
    }
}

#[test]
fn errors_point_at_the_fault() {
    use CronProblem as Problem;
    let not_a_value = |field, text: &str| Problem::NotAValue { field, text: text.to_owned() };
    let out_of_range = |field, value: &str| Problem::OutOfRange { field, value: value.to_owned() };
    let bad_step = |text: &str| Problem::BadStep { text: text.to_owned() };
    let (minute, hour, day, month, weekday) =
        (Field::Minute, Field::Hour, Field::DayOfMonth, Field::Month, Field::DayOfWeek);
    let cases = [
        ("", "", Problem::Empty, None),
        (" \t", " \t", Problem::Empty, None),
        ("5", "5", Problem::TooFewFields { found: 1 }, None),
        (" 0 3 * * ", "0 3 * *", Problem::TooFewFields { found: 4 }, None),
        ("0 0 3 * * * 2030", "* 2030", Problem::TooManyFields { found: 7 }, None),
        ("60 * * * *", "60", out_of_range(minute, "60"), None),
        ("0 24 * * *", "24", out_of_range(hour, "24"), None),
        ("0 0 0 * *", "0", out_of_range(day, "0"), None),
        ("0 0 31,32 * *", "32", out_of_range(day, "32"), None),
        ("0 0 * 13 *", "13", out_of_range(month, "13"), None),
        ("0 0 * * 8", "8", out_of_range(weekday, "8"), None),
        (
            "99999999999999999999 * * * *",
            "99999999999999999999",
            out_of_range(minute, "99999999999999999999"),
            None,
        ),
        ("1,,2 * * * *", "", Problem::MissingValue { field: minute }, None),
        ("1, * * * *", "", Problem::MissingValue { field: minute }, None),
        ("1- * * * *", "", Problem::MissingValue { field: minute }, None),
        ("-5 * * * *", "", Problem::MissingValue { field: minute }, None),
        ("/5 * * * *", "", Problem::MissingValue { field: minute }, None),
        ("0 22-2 * * *", "22-2", Problem::ReversedRange { field: hour }, Some("22-23,0-2")),
        ("0 0 * * fri-sun", "fri-sun", Problem::ReversedRange { field: weekday }, Some("5-7")),
        ("0 0 * * 7-2", "7-2", Problem::ReversedRange { field: weekday }, Some("0-2")),
        ("0 0 * * 6-1", "6-1", Problem::ReversedRange { field: weekday }, Some("6,0-1")),
        ("0 9-5/2 * * *", "9-5", Problem::ReversedRange { field: hour }, None),
        ("*-5 * * * *", "*-5", Problem::StarInRange { field: minute }, None),
        ("** * * * *", "**", not_a_value(minute, "**"), None),
        ("5* * * * *", "5*", not_a_value(minute, "5*"), None),
        ("+5 * * * *", "+5", not_a_value(minute, "+5"), None),
        ("1-2-3 * * * *", "2-3", not_a_value(minute, "2-3"), None),
        ("*/0 * * * *", "0", bad_step("0"), None),
        ("*/ * * * *", "", bad_step(""), None),
        ("*/+5 * * * *", "+5", bad_step("+5"), None),
        ("*/5/2 * * * *", "5/2", bad_step("5/2"), None),
        ("*/99999999999 * * * *", "99999999999", bad_step("99999999999"), None),
        ("0 0 * * monday", "monday", not_a_value(weekday, "monday"), Some("mon")),
        ("0 0 * janu *", "janu", not_a_value(month, "janu"), Some("jan")),
        ("0 mon * * *", "mon", not_a_value(hour, "mon"), None),
        ("0 0 * * 1/2", "1/2", Problem::AmbiguousStep { text: "1/2".to_owned() }, None),
        ("0 0 L * *", "L", not_a_value(day, "L"), None),
        ("0 0 30 2 *", "30 2", Problem::NeverFires { first_day: 30 }, None),
        ("0 0 31 feb,apr,jun */2", "31 feb,apr,jun", Problem::NeverFires { first_day: 31 }, None),
        ("@dayly", "@dayly", Problem::UnknownNickname { name: "@dayly".to_owned() }, Some("@daily")),
        ("@Daily", "@Daily", Problem::UnknownNickname { name: "@Daily".to_owned() }, Some("@daily")),
        ("@reboot", "@reboot", Problem::UnknownNickname { name: "@reboot".to_owned() }, Some("@boot")),
        ("@daily  5 *", "5 *", Problem::TooManyFields { found: 3 }, None),
        ("é * * * *", "é", not_a_value(minute, "é"), None),
        ("0 0\n* * * *", "0\n*", not_a_value(hour, "0\n*"), None),
    ];
    for (text, wrong, problem, suggestion) in cases {
        let error = CronExpression::parse(text).expect_err(text);
        assert_eq!(text.get(error.span.clone()), Some(wrong), "{text}");
        assert_eq!(error.problem, problem, "{text}");
        assert_eq!(error.suggestion.as_deref(), suggestion, "{text}");
        assert!(!error.expected.is_empty(), "{text}");
    }
}

#[test]
fn the_leftmost_fault_is_reported() {
    let error = CronExpression::parse("0 24 32 13 8").expect_err("four faults");
    assert_eq!(error.span, 2..4);
    assert_eq!(
        error.to_string(),
        "parse the cron expression: hour 24 does not exist; expected a number from 0 to 23"
    );
}

#[test]
fn day_rule_of_debian() {
    // Text, day of month, weekday (0 is Sunday), whether that day fires.
    let cases = [
        ("0 0 1 * 1", 1, 3, true),
        ("0 0 1 * 1", 2, 1, true),
        ("0 0 1 * 1", 2, 2, false),
        ("0 0 */2 * 1", 3, 1, true),
        ("0 0 */2 * 1", 3, 2, false),
        ("0 0 */2 * 1", 4, 1, false),
        ("0 0 1-31/2 * 1", 3, 2, true),
        ("0 0 1-31/2 * 1", 4, 1, true),
        ("0 0 5 * */2", 5, 1, false),
        ("0 0 5 * */2", 5, 2, true),
        ("0 0 5 * 0-6/2", 5, 1, true),
        ("0 0 5,* * 1", 6, 1, true),
        ("0 0 5,* * 1", 6, 2, true),
        ("0 0 *,5 * 1", 5, 2, false),
        ("0 0 1-31 * 1", 6, 2, true),
        ("0 0 * * 7", 6, 0, true),
    ];
    for (text, day, weekday, fires) in cases {
        assert_eq!(parsed(text).matches(0, 0, day, 6, weekday), fires, "{text} {day} {weekday}");
    }
    assert!(!parsed("@boot").matches(0, 0, 1, 1, 0));
}

#[test]
fn an_impossible_date_beside_a_weekday_still_fires() {
    let expression = parsed("0 0 30 2 1");
    assert!(expression.matches(0, 0, 7, 2, 1));
    assert!(!expression.matches(0, 0, 7, 2, 2));
}

#[test]
fn longest_gaps() {
    let day = 24 * 60;
    let cases = [
        ("* * * * *", Some(1)),
        ("*/7 * * * *", Some(7)),
        ("0 3 * * *", Some(day)),
        ("0 3,5 * * *", Some(22 * 60)),
        ("10 3 * * 1", Some(7 * day)),
        ("0 0 * * 1-5", Some(3 * day)),
        ("0 0 31 * *", Some(61 * day)),
        ("@yearly", Some(366 * day)),
        // 29 February 1896 was followed by that of 1904.
        ("0 0 29 2 *", Some(2921 * day)),
        // A Sunday the 29th of February: 40 years pass where a century year is none.
        ("0 0 29 2 */8", Some(14_609 * day)),
        ("@boot", None),
    ];
    for (text, minutes) in cases {
        assert_eq!(parsed(text).longest_gap_minutes(), minutes, "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn canonical_text_keeps_the_meaning(text in five_fields()) {
        if let Ok(expression) = CronExpression::parse(&text) {
            let canonical = expression.to_string();
            let again = CronExpression::parse(&canonical);
            prop_assert_eq!(again.as_ref(), Ok(&expression));
            prop_assert!(canonical.bytes().all(|byte| byte.is_ascii_digit() || b" *,-/".contains(&byte)));
            let starred_day = canonical.split(' ').nth(2).is_some_and(|field| field.len() > 1 && field.starts_with('*'))
                || canonical.split(' ').nth(4).is_some_and(|field| field.len() > 1 && field.starts_with('*'));
            let both = matches!(expression, CronExpression::Times(times) if matches!(times.days(), Days::Both { .. }));
            prop_assert_eq!(starred_day, both);
        }
    }

    #[test]
    fn any_text_gives_a_value_or_a_span_inside_it(
        text in prop_oneof!["[0-9a-z@*/, \t-]{0,30}", "\\PC{0,30}", "([*0-9]{1,2}[-,/]?[0-9]{0,2} ){4,6}"]
    ) {
        if let Err(error) = CronExpression::parse(&text) {
            prop_assert!(text.get(error.span.clone()).is_some(), "{:?}", error.span);
        }
    }
}
