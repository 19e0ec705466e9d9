//! The five fields of a cron expression: their numbers and names.

use std::fmt;

use super::values::Values;

/// One of the five fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// 0–59.
    Minute,
    /// 0–23.
    Hour,
    /// 1–31.
    DayOfMonth,
    /// 1–12 or a name.
    Month,
    /// 0–6 from Sunday, 7 for Sunday too, or a name.
    DayOfWeek,
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// The second number of Sunday, only known while reading.
pub(super) const SUNDAY_AT_THE_END: u8 = 7;

impl fmt::Display for Field {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::DayOfMonth => "day of month",
            Self::Month => "month",
            Self::DayOfWeek => "weekday",
        })
    }
}

impl Field {
    /// The lowest value.
    pub fn first(self) -> u8 {
        match self {
            Self::Minute | Self::Hour | Self::DayOfWeek => 0,
            Self::DayOfMonth | Self::Month => 1,
        }
    }

    /// The highest value; 6 for weekdays.
    pub fn last(self) -> u8 {
        match self {
            Self::Minute => 59,
            Self::Hour => 23,
            Self::DayOfMonth => 31,
            Self::Month => 12,
            Self::DayOfWeek => 6,
        }
    }

    /// Every value of the field.
    pub fn all(self) -> Values {
        Values::range(self.first(), self.last())
    }

    /// The highest number that may be written.
    pub(super) fn last_written(self) -> u8 {
        match self {
            Self::DayOfWeek => SUNDAY_AT_THE_END,
            other => other.last(),
        }
    }

    /// Names of the values in rising order, from the first value on; none for most fields.
    pub(super) fn names(self) -> &'static [&'static str] {
        match self {
            Self::Month => &MONTHS,
            Self::DayOfWeek => &WEEKDAYS,
            Self::Minute | Self::Hour | Self::DayOfMonth => &[],
        }
    }

    /// What a single value may be, for messages.
    pub(super) fn values_in_words(self) -> String {
        let numbers = format!("a number from {} to {}", self.first(), self.last_written());
        match self {
            Self::Month => format!("{numbers} or a name from jan to dec"),
            Self::DayOfWeek => format!("{numbers} or a name from sun to sat"),
            Self::Minute | Self::Hour | Self::DayOfMonth => numbers,
        }
    }
}

/// The most days a month can have.
pub(super) fn longest_month(month: u8) -> u8 {
    match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
