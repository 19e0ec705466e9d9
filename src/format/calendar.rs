//! Cron expressions as systemd timer settings that fire at exactly the same minutes.
//!
//! The grammar is that of systemd.time(7), CALENDAR EVENTS. A calendar event
//! demands weekday *and* date, so [`Days::Either`] becomes two events; everything
//! else is one. A timer may have several `OnCalendar=` lines and elapses at each
//! event of each (systemd.timer(5)). A minute that two lines share fires once: the
//! timer always waits for the earliest event after its last run, and both lines
//! then give the same instant.
//!
//! Seconds are 0. Lines say nothing of `AccuracySec=` (one minute unless set),
//! `RandomizedDelaySec=` or `Persistent=`; those are other settings of the timer.
//!
//! A line without a zone follows the machine's local time. Where the clock skips a
//! minute systemd skips the run, where it repeats one systemd runs once (measured
//! with 252 in America/New_York).

#[cfg(test)]
mod tests;

use super::cron::{CronExpression, Days, Field, Piece, Times, Values};

/// What starts a systemd timer for a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    /// The values of one or more `OnCalendar=` lines; together they fire at exactly
    /// the minutes of the expression.
    Calendar(Vec<String>),
    /// The machine's start. No calendar says that; `OnBootSec=` or a unit that a
    /// boot target wants does.
    Boot,
}

/// Why a schedule cannot become `OnCalendar=` lines.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotExpressible {
    /// The zone could be no name of the time zone database, or would change the
    /// meaning of the line it stands in.
    #[error(
        "use `{zone}` as a time zone: a zone name has letters, digits, `_`, `+`, `-` and single inner slashes, such as Europe/Berlin or UTC"
    )]
    ZoneName {
        /// The zone as given.
        zone: String,
    },
}

/// systemd's week begins on Monday; its ranges may not wrap.
const WEEKDAYS_FROM_MONDAY: [(u8, &str); 7] =
    [(1, "Mon"), (2, "Tue"), (3, "Wed"), (4, "Thu"), (5, "Fri"), (6, "Sat"), (0, "Sun")];

/// The calendar events whose union fires at exactly the minutes of `expression`.
///
/// `zone` is an IANA name or `UTC`; whether the machine knows it, only the machine
/// can say (`systemd-analyze calendar`).
///
/// # Errors
/// When the zone's name has the wrong shape. Every cron expression is expressible.
pub fn on_calendar(expression: &CronExpression, zone: Option<&str>) -> Result<Trigger, NotExpressible> {
    if let Some(zone) = zone.filter(|zone| !is_zone_name(zone)) {
        return Err(NotExpressible::ZoneName { zone: zone.to_owned() });
    }
    Ok(match expression {
        CronExpression::Boot => Trigger::Boot,
        CronExpression::Times(times) => Trigger::Calendar(
            day_patterns(times).into_iter().map(|pattern| line(pattern, times, zone)).collect(),
        ),
    })
}

/// The shape that systemd's own check asks for (`timezone_is_valid`): letters, digits
/// and `-_+/`, no slash at either end, no two in a row.
fn is_zone_name(zone: &str) -> bool {
    zone.split('/').all(|part| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+-".contains(&byte))
    })
}

/// The days one event fires on: both sets must match, and `None` restricts nothing.
#[derive(Clone, Copy)]
struct DayPattern {
    of_month: Option<Values>,
    of_week: Option<Values>,
}

fn day_patterns(times: &Times) -> Vec<DayPattern> {
    let pattern = |of_month, of_week| DayPattern { of_month, of_week };
    match times.days() {
        Days::Every => vec![pattern(None, None)],
        Days::OfMonth(of_month) => vec![pattern(Some(of_month), None)],
        Days::OfWeek(of_week) => vec![pattern(None, Some(of_week))],
        Days::Both { of_month, of_week } => vec![pattern(Some(of_month), Some(of_week))],
        // An event that never comes (30 February) is legal, but only confuses its reader.
        Days::Either { of_month, of_week } if !times.has_date_of(of_month) => {
            vec![pattern(None, Some(of_week))]
        }
        Days::Either { of_month, of_week } => {
            vec![pattern(Some(of_month), None), pattern(None, Some(of_week))]
        }
    }
}

/// One event: `[weekdays ]*-month-day hour:minute:00[ zone]`.
fn line(days: DayPattern, times: &Times, zone: Option<&str>) -> String {
    let weekdays = days.of_week.map_or_else(String::new, |of_week| format!("{} ", weekdays(of_week)));
    let month = component(times.months(), Field::Month);
    let day = days.of_month.map_or_else(|| "*".to_owned(), |of_month| component(of_month, Field::DayOfMonth));
    let hour = component(times.hours(), Field::Hour);
    let minute = component(times.minutes(), Field::Minute);
    let zone = zone.map_or_else(String::new, |zone| format!(" {zone}"));
    format!("{weekdays}*-{month}-{day} {hour}:{minute}:00{zone}")
}

/// `*`, or a list of `05`, `05..09` and `05..25/10`.
///
/// Steps always say where they end. With the open form systemd 252 counts past the
/// end of the field and loses the run after the carry: `*:00/7` skips 00:00 every
/// night, `00/5:00` skips it on the first of a month (measured; in
/// `tm_within_bounds` of its `calendarspec.c` a carry over two units keeps the rest
/// of the lowest one).
fn component(values: Values, field: Field) -> String {
    if values == field.all() {
        return "*".to_owned();
    }
    let words: Vec<String> = values
        .pieces()
        .into_iter()
        .map(|piece| match piece {
            Piece::One(value) => format!("{value:02}"),
            Piece::Range { first, last } => format!("{first:02}..{last:02}"),
            Piece::Steps { first, last, step } => format!("{first:02}..{last:02}/{step}"),
        })
        .collect();
    words.join(",")
}

/// English names from Monday on, with `Mon..Fri` for three or more neighbours.
fn weekdays(of_week: Values) -> String {
    let flags = WEEKDAYS_FROM_MONDAY.map(|(number, name)| (of_week.contains(number), name));
    let runs =
        flags.chunk_by(|(left, _), (right, _)| left == right).filter(|run| matches!(run, [(true, _), ..]));
    let words: Vec<String> = runs
        .flat_map(|run| match run {
            [(_, first), _, .., (_, last)] => vec![format!("{first}..{last}")],
            few => few.iter().map(|(_, name)| (*name).to_owned()).collect(),
        })
        .collect();
    words.join(",")
}
