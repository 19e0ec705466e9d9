//! Cron expressions: what one means, minute by minute, and its canonical text.
//!
//! # The rule for days
//! The meaning is that of Vixie cron as Debian ships it (cron 3.0pl1-162).
//! crontab(5) says: "If both fields are restricted (ie, aren't *), the command
//! will be run when either field matches the current time". The program decides
//! "restricted" by the *first character* of the field, before it reads the rest
//! (`entry.c` sets `DOM_STAR` and `DOW_STAR` when the field begins with `*`;
//! `find_jobs` in `cron.c` then tests with *and* if either flag is set, with *or*
//! otherwise). So, exactly:
//!
//! * neither day field begins with `*`: a day matches when the day of the month
//!   **or** the weekday matches (`0 0 1 * 1`: the 1st, and every Monday; also
//!   `0 0 1-31 * 1`: every day);
//! * at least one begins with `*`: a day matches when **both** match
//!   (`0 0 */2 * 1`: Mondays with an odd date; `0 0 *,5 * 1`: Mondays).
//!
//! # Time zones
//! An expression speaks of wall-clock minutes. What a scheduler does with a minute
//! that the clock skips or repeats is its own: systemd skips the first and runs
//! once in the second; Debian's cron runs a job of a skipped hour right after it
//! unless its minute or hour field begins with `*`. Schedules outside 01:00–03:00
//! local time, or in UTC, have no such minutes.

mod error;
mod field;
mod gap;
mod parse;
mod values;

#[cfg(test)]
mod oracle_tests;
#[cfg(test)]
pub(in crate::format) mod samples;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

pub use error::{CronError, CronProblem};
pub use field::Field;
pub use values::{Piece, Values};

/// When something runs: at the machine's start, or at the minutes of a calendar.
///
/// Parsed from five cron fields or a name such as `@daily`. Two expressions are
/// equal when they allow the same minutes, however they were spelt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CronExpression {
    /// `@boot`: once, when the machine starts.
    Boot,
    /// At every minute that the calendar allows.
    Times(Times),
}

/// The minutes at which a calendar expression fires. At least one exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Times {
    minutes: Values,
    hours: Values,
    months: Values,
    days: Days,
}

/// Which days of an allowed month a schedule fires on.
///
/// This is the day rule already applied: no set in it holds every value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Days {
    /// Every day.
    Every,
    /// These days of the month (1–31).
    OfMonth(Values),
    /// These weekdays (0–6, 0 is Sunday).
    OfWeek(Values),
    /// Days that are in both sets: `0 0 */2 * 1`.
    Both {
        /// Days of the month (1–31).
        of_month: Values,
        /// Weekdays (0–6, 0 is Sunday).
        of_week: Values,
    },
    /// Days that are in at least one set: `0 0 1 * 1`.
    Either {
        /// Days of the month (1–31).
        of_month: Values,
        /// Weekdays (0–6, 0 is Sunday).
        of_week: Values,
    },
}

impl CronExpression {
    /// Reads five fields separated by blanks, or one of `@hourly @daily @midnight
    /// @weekly @monthly @quarterly @yearly @annually @boot`.
    ///
    /// A field is a list of `*`, `a`, `a-b`, each with an optional step `/n`
    /// (`a/n` runs to the end of the field); months and weekdays also take their
    /// English three-letter names in any case, and 7 is Sunday like 0.
    ///
    /// # Errors
    /// Says which bytes of `text` are wrong and what was expected there. What
    /// Debian's cron accepts but silently never runs (reversed ranges, the 30th of
    /// February) is an error here.
    pub fn parse(text: &str) -> Result<Self, CronError> {
        parse::expression(text)
    }

    /// Whether the expression fires in this minute of the wall clock.
    ///
    /// `minute` 0–59, `hour` 0–23, `day` of the month 1–31, `month` 1–12,
    /// `weekday` 0–6 with 0 as Sunday; that they belong together is the caller's
    /// affair. [`CronExpression::Boot`] matches no minute.
    pub fn matches(&self, minute: u8, hour: u8, day: u8, month: u8, weekday: u8) -> bool {
        match self {
            Self::Boot => false,
            Self::Times(times) => {
                times.minutes.contains(minute)
                    && times.hours.contains(hour)
                    && times.matches_day(day, month, weekday)
            }
        }
    }

    /// The most minutes that can lie between two runs, over the calendar's whole
    /// cycle of 400 years. A wall clock that changes its offset moves this by as much.
    ///
    /// `None` for [`CronExpression::Boot`], whose runs have no rhythm.
    pub fn longest_gap_minutes(&self) -> Option<u64> {
        match self {
            Self::Boot => None,
            Self::Times(times) => gap::longest_minutes(times),
        }
    }
}

impl Times {
    /// The minutes of the hour, 0–59.
    pub fn minutes(&self) -> Values {
        self.minutes
    }

    /// The hours of the day, 0–23.
    pub fn hours(&self) -> Values {
        self.hours
    }

    /// The months, 1–12.
    pub fn months(&self) -> Values {
        self.months
    }

    /// The days of those months.
    pub fn days(&self) -> Days {
        self.days
    }

    /// Whether one of the months has one of these days of the month.
    pub fn has_date_of(&self, of_month: Values) -> bool {
        of_month.first() <= self.months.iter().map(field::longest_month).max()
    }

    /// Whether any minute of this day is allowed, by month and day.
    pub fn matches_day(&self, day: u8, month: u8, weekday: u8) -> bool {
        self.months.contains(month)
            && match self.days {
                Days::Every => true,
                Days::OfMonth(of_month) => of_month.contains(day),
                Days::OfWeek(of_week) => of_week.contains(weekday),
                Days::Both { of_month, of_week } => of_month.contains(day) && of_week.contains(weekday),
                Days::Either { of_month, of_week } => of_month.contains(day) || of_week.contains(weekday),
            }
    }
}

impl FromStr for CronExpression {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// Writes the canonical text: `@boot`, or five numeric fields that parse back to
/// an equal expression.
///
/// It keeps to what Debian's cron, cronie and BusyBox crond all read alike:
/// numbers instead of names, 0 for Sunday (BusyBox runs 7 on every day), ranges
/// instead of `a/n` (Debian's cron refuses it), and day fields spelt `1-31/2`
/// instead of `*/2` (BusyBox counts that from day 0, and Debian's cron reads the
/// star as "unrestricted"). Only [`Days::Both`] has to begin a day field with `*`.
impl fmt::Display for CronExpression {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times = match self {
            Self::Boot => return out.write_str("@boot"),
            Self::Times(times) => times,
        };
        let (of_month, of_week) = match times.days {
            Days::Every => ("*".to_owned(), "*".to_owned()),
            Days::OfMonth(of_month) => (restricted(of_month), "*".to_owned()),
            Days::OfWeek(of_week) => ("*".to_owned(), restricted(of_week)),
            Days::Either { of_month, of_week } => (restricted(of_month), restricted(of_week)),
            // One of the two was written with a star, so it holds its field's first value.
            Days::Both { of_month, of_week } => match starred(of_month, Field::DayOfMonth) {
                Some(starred) => (starred, restricted(of_week)),
                None => (
                    restricted(of_month),
                    starred(of_week, Field::DayOfWeek).unwrap_or_else(|| restricted(of_week)),
                ),
            },
        };
        write!(
            out,
            "{} {} {of_month} {} {of_week}",
            plain(times.minutes, Field::Minute),
            plain(times.hours, Field::Hour),
            plain(times.months, Field::Month),
        )
    }
}

/// A field whose first character has no meaning of its own: `*` and `*/n` where they fit.
fn plain(values: Values, field: Field) -> String {
    let all = field.all();
    if values == all {
        return "*".to_owned();
    }
    match values.pieces().as_slice() {
        [Piece::Steps { first, last, step }] if Some(*first) == all.first() && last + step > field.last() => {
            format!("*/{step}")
        }
        pieces => list(pieces),
    }
}

/// A day field that must not begin with `*`.
fn restricted(values: Values) -> String {
    list(&values.pieces())
}

/// A day field that must begin with `*`: the widest `*/n` inside the set, then the rest.
/// `None` when the set lacks the field's first value.
fn starred(values: Values, field: Field) -> Option<String> {
    let (first, last) = (field.first(), field.last());
    let (step, covered) = (1..=last + 1)
        .map(|step| (step, Values::steps(first, last, u32::from(step))))
        .find(|(_, covered)| covered.is_within(values))?;
    let rest = values.minus(covered);
    if rest.is_empty() {
        return Some(format!("*/{step}"));
    }
    Some(format!("*/{step},{}", list(&rest.pieces())))
}

fn list(pieces: &[Piece]) -> String {
    let words: Vec<String> = pieces
        .iter()
        .map(|piece| match piece {
            Piece::One(value) => value.to_string(),
            Piece::Range { first, last } => format!("{first}-{last}"),
            Piece::Steps { first, last, step } => format!("{first}-{last}/{step}"),
        })
        .collect();
    words.join(",")
}
