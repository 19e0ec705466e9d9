//! Random cron expressions as people write them, for the tests of this module's users.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::{CronExpression, CronProblem};

const MONTHS: [&str; 12] =
    ["jan", "Feb", "MAR", "apr", "May", "JUN", "jul", "Aug", "SEP", "oct", "Nov", "DEC"];
const WEEKDAYS: [&str; 7] = ["sun", "Mon", "TUE", "wed", "Thu", "FRI", "sat"];

/// Five fields in every spelling that the parser takes, most of which can fire.
pub(in crate::format) fn five_fields() -> impl Strategy<Value = String> {
    (field(0, 59, &[]), field(0, 23, &[]), field(1, 31, &[]), field(1, 12, &MONTHS), field(0, 7, &WEEKDAYS))
        .prop_map(|(minute, hour, day, month, weekday)| format!("{minute} {hour} {day} {month} {weekday}"))
}

/// `count` random texts with what they parse to; those that can never fire are left out.
pub(in crate::format) fn firing(count: usize) -> Vec<(String, CronExpression)> {
    let mut runner = TestRunner::default();
    let strategy = five_fields();
    let mut texts = std::iter::repeat_with(|| {
        strategy.new_tree(&mut runner).expect("the strategy rejects nothing").current()
    });
    let mut found = Vec::with_capacity(count);
    while found.len() < count {
        let text = texts.next().expect("endless");
        match CronExpression::parse(&text) {
            Ok(expression) => found.push((text, expression)),
            Err(error) => assert!(matches!(error.problem, CronProblem::NeverFires { .. }), "{text}: {error}"),
        }
    }
    found
}

/// How many random expressions an oracle test tries.
pub(in crate::format) fn rounds() -> usize {
    if std::env::var_os("FLEETPROV_LONG").is_some_and(|value| value == "1") { 20_000 } else { 1_000 }
}

fn field(first: u8, last: u8, names: &'static [&'static str]) -> impl Strategy<Value = String> {
    let every = Just("*".to_owned());
    let list = prop::collection::vec(item(first, last, names), 1..=3).prop_map(|items| items.join(","));
    prop_oneof![2 => every, 5 => list]
}

fn item(first: u8, last: u8, names: &'static [&'static str]) -> BoxedStrategy<String> {
    let value = (first..=last).boxed();
    let range =
        (first..=last, first..=last).prop_map(|(left, right)| (left.min(right), left.max(right))).boxed();
    let step = prop_oneof![4 => 1..=u32::from(last), 1 => 1..=200_u32].boxed();
    let weekdays = last == 7;
    prop_oneof![
        1 => Just("*".to_owned()),
        2 => step.clone().prop_map(|step| format!("*/{step}")),
        4 => value.clone().prop_map(|value| value.to_string()),
        2 => value.clone().prop_map(move |value| named(value, first, names)),
        3 => range.clone().prop_map(|(left, right)| format!("{left}-{right}")),
        1 => range.clone().prop_map(move |(left, right)| {
            // `sun` at the end of a range is 0 here and 7 elsewhere: no sample has it.
            let right = if weekdays { right.clamp(1, 6) } else { right };
            format!("{}-{}", named(left.min(right), first, names), named(right, first, names))
        }),
        3 => (range, step.clone()).prop_map(|((left, right), step)| format!("{left}-{right}/{step}")),
        2 => (value, step).prop_map(move |(value, step)| {
            // Weekday steps that reach 7 are refused as ambiguous.
            let ambiguous = weekdays && (1..7).contains(&value) && u32::from(7 - value) % step == 0;
            if ambiguous { format!("{value}-7/{step}") } else { format!("{value}/{step}") }
        }),
    ]
    .boxed()
}

fn named(value: u8, first: u8, names: &[&str]) -> String {
    names.get(usize::from(value - first)).map_or_else(|| value.to_string(), |name| (*name).to_owned())
}
