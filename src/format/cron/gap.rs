//! The longest wait between two runs of a schedule.

use super::Times;
use super::values::Values;

/// The Gregorian calendar repeats after 400 years, weekdays included.
const CYCLE_YEARS: u32 = 400;
const MINUTES_PER_DAY: u64 = 24 * 60;
/// 1 January 2000 was a Saturday; the cycle is walked from there.
const FIRST_WEEKDAY: u8 = 6;

/// The longest gap in minutes between neighbouring runs, the last run of the
/// cycle and the first of the next included. `None` if nothing ever fires, which
/// the parser rules out.
pub(super) fn longest_minutes(times: &Times) -> Option<u64> {
    let (first, last, within) = day_profile(times.minutes, times.hours)?;
    let overnight = MINUTES_PER_DAY - last + first;
    let days = longest_days(times)?;
    Some(within.max((days - 1) * MINUTES_PER_DAY + overnight))
}

/// The first and the last minute of a day that fires, and the longest gap between.
fn day_profile(minutes: Values, hours: Values) -> Option<(u64, u64, u64)> {
    let mut runs = hours
        .iter()
        .flat_map(|hour| minutes.iter().map(move |minute| u64::from(hour) * 60 + u64::from(minute)));
    let first = runs.next()?;
    let (last, within) = runs.fold((first, 0), |(previous, longest), run| (run, longest.max(run - previous)));
    Some((first, last, within))
}

/// The most days from one day that fires to the next, at least 1.
fn longest_days(times: &Times) -> Option<u64> {
    let mut position: u64 = 0;
    let mut weekday = FIRST_WEEKDAY;
    let mut first_and_previous: Option<(u64, u64)> = None;
    let mut longest = 0;
    for year in 0..CYCLE_YEARS {
        for month in 1..=12_u8 {
            for day in 1..=days_in_month(year, month) {
                if times.matches_day(day, month, weekday) {
                    let (first, previous) = first_and_previous.unwrap_or((position, position));
                    longest = longest.max(position - previous);
                    first_and_previous = Some((first, position));
                }
                weekday = (weekday + 1) % 7;
                position += 1;
            }
        }
    }
    let (first, previous) = first_and_previous?;
    Some(longest.max(position - previous + first))
}

/// The length of a month; year 0 stands for any year divisible by 400.
fn days_in_month(year: u32, month: u8) -> u8 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
