//! Reading a cron expression exactly.

use std::ops::Range;

use super::error::{CronError, CronProblem};
use super::field::{Field, SUNDAY_AT_THE_END};
use super::values::Values;
use super::{CronExpression, Days, Times};

/// Names that stand for five fields, and the one that stands for the machine's start.
const NICKNAMES: [(&str, Option<&str>); 9] = [
    ("@hourly", Some("0 * * * *")),
    ("@daily", Some("0 0 * * *")),
    ("@midnight", Some("0 0 * * *")),
    ("@weekly", Some("0 0 * * 0")),
    ("@monthly", Some("0 0 1 * *")),
    ("@quarterly", Some("0 0 1 1,4,7,10 *")),
    ("@yearly", Some("0 0 1 1 *")),
    ("@annually", Some("0 0 1 1 *")),
    ("@boot", None),
];

/// A part of the expression and the byte at which it begins.
#[derive(Clone, Copy)]
struct Part<'a> {
    text: &'a str,
    start: usize,
}

impl<'a> Part<'a> {
    fn span(self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    /// The parts between separators, empty ones included.
    fn split(self, separators: &'static [char]) -> impl Iterator<Item = Part<'a>> {
        // Every separator in use is one byte long.
        self.text.split(separators).scan(self.start, |start, text| {
            let part = Part { text, start: *start };
            *start += text.len() + 1;
            Some(part)
        })
    }

    /// The parts before and after the first separator.
    fn split_once(self, separator: char) -> (Part<'a>, Option<Part<'a>>) {
        match self.text.split_once(separator) {
            None => (self, None),
            Some((before, after)) => {
                let start = self.start + before.len() + separator.len_utf8();
                (Part { text: before, start: self.start }, Some(Part { text: after, start }))
            }
        }
    }

    fn error(self, problem: CronProblem, expected: impl Into<String>) -> CronError {
        CronError { span: self.span(), problem, expected: expected.into(), suggestion: None }
    }
}

pub(super) fn expression(text: &str) -> Result<CronExpression, CronError> {
    let whole = Part { text, start: 0 };
    let parts: Vec<Part<'_>> = whole.split(&[' ', '\t']).filter(|part| !part.text.is_empty()).collect();
    match parts.as_slice() {
        [] => Err(whole.error(CronProblem::Empty, "five fields or a name such as @daily")),
        [first, rest @ ..] if first.text.starts_with('@') => nickname(*first, rest),
        [minute, hour, day, month, weekday] => five_fields([*minute, *hour, *day, *month, *weekday]),
        [first, ..] => Err(field_count(*first, &parts)),
    }
}

/// The error for a number of fields other than five.
fn field_count(first: Part<'_>, parts: &[Part<'_>]) -> CronError {
    let found = parts.len();
    let end = parts.last().unwrap_or(&first).span().end;
    let order = "minute, hour, day of month, month and weekday";
    let (start, problem, expected) = match parts.get(5) {
        None => (first.start, CronProblem::TooFewFields { found }, order.to_owned()),
        Some(sixth) => (
            sixth.start,
            CronProblem::TooManyFields { found },
            format!("nothing after {order}; there are no seconds, years or commands"),
        ),
    };
    CronError { span: start..end, problem, expected, suggestion: None }
}

fn nickname(name: Part<'_>, rest: &[Part<'_>]) -> Result<CronExpression, CronError> {
    let known = NICKNAMES.iter().find(|(known, _)| *known == name.text);
    let Some((_, fields)) = known else {
        let expected = NICKNAMES.map(|(known, _)| known).join(", ");
        let problem = CronProblem::UnknownNickname { name: name.text.to_owned() };
        return Err(name
            .error(problem, format!("one of {expected}"))
            .suggesting(nearest_nickname(name.text)));
    };
    if let (Some(first), Some(last)) = (rest.first(), rest.last()) {
        let span = first.start..last.span().end;
        let found = rest.len() + 1;
        let problem = CronProblem::TooManyFields { found };
        let expected = format!("nothing after {}", name.text);
        return Err(CronError { span, problem, expected, suggestion: None });
    }
    match fields {
        None => Ok(CronExpression::Boot),
        Some(fields) => expression(fields),
    }
}

/// The known name a person most likely meant: cron's own word for it, or few letters away.
fn nearest_nickname(name: &str) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    if matches!(lower.as_str(), "@reboot" | "@startup") {
        return Some("@boot".to_owned());
    }
    nearest(&lower, NICKNAMES.iter().map(|(known, _)| *known))
}

fn nearest<'a>(text: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    known
        .map(|candidate| (strsim::osa_distance(text, candidate), candidate))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance <= 2)
        .map(|(_, candidate)| candidate.to_owned())
}

fn five_fields([minute, hour, day, month, weekday]: [Part<'_>; 5]) -> Result<CronExpression, CronError> {
    let minutes = field_values(minute, Field::Minute)?;
    let hours = field_values(hour, Field::Hour)?;
    let of_month = field_values(day, Field::DayOfMonth)?;
    let months = field_values(month, Field::Month)?;
    let of_week = field_values(weekday, Field::DayOfWeek)?;
    let unrestricted = day.text.starts_with('*') || weekday.text.starts_with('*');
    let days = combine(of_month, of_week, unrestricted);
    let times = Times { minutes, hours, months, days };
    match times.days {
        Days::OfMonth(asked) | Days::Both { of_month: asked, .. } if !times.has_date_of(asked) => {
            let first_day = asked.first().unwrap_or_default();
            Err(CronError {
                span: day.start..month.span().end,
                problem: CronProblem::NeverFires { first_day },
                expected: "a day that one of the months has".to_owned(),
                suggestion: None,
            })
        }
        _ => Ok(CronExpression::Times(times)),
    }
}

/// Applies the day rule of the module's page.
fn combine(of_month: Values, of_week: Values, unrestricted: bool) -> Days {
    let every_date = of_month == Field::DayOfMonth.all();
    let every_weekday = of_week == Field::DayOfWeek.all();
    match (unrestricted, every_date, every_weekday) {
        (true, true, true) => Days::Every,
        (true, true, false) => Days::OfWeek(of_week),
        (true, false, true) => Days::OfMonth(of_month),
        (true, false, false) => Days::Both { of_month, of_week },
        (false, false, false) => Days::Either { of_month, of_week },
        (false, _, _) => Days::Every,
    }
}

fn field_values(part: Part<'_>, field: Field) -> Result<Values, CronError> {
    let mut values = Values::EMPTY;
    for item in part.split(&[',']) {
        values = values.union(item_values(item, field)?);
    }
    if values.contains(SUNDAY_AT_THE_END) && field == Field::DayOfWeek {
        values = values.without(SUNDAY_AT_THE_END).with(0);
    }
    Ok(values)
}

/// `*`, `a`, `a-b`, each with an optional `/n`. Weekdays may still hold a 7.
fn item_values(item: Part<'_>, field: Field) -> Result<Values, CronError> {
    let (base, step) = item.split_once('/');
    let stride = step.map(step_width).transpose()?;
    let (low, high) = base.split_once('-');
    match (low.text, high) {
        ("*", None) => {
            let last = field.last_written();
            Ok(Values::steps(field.first(), last, stride.unwrap_or(1)))
        }
        ("*", Some(_)) => Err(base
            .error(CronProblem::StarInRange { field }, format!("`*` alone or {}", field.values_in_words()))),
        (_, None) => {
            let first = value(low, field)?;
            match stride {
                None => Ok(Values::EMPTY.with(first)),
                Some(stride) => open_steps(item, field, first, stride),
            }
        }
        (_, Some(high)) => {
            let (first, last) = (value(low, field)?, value(high, field)?);
            if first > last {
                return Err(base
                    .error(CronProblem::ReversedRange { field }, "a range that runs forwards")
                    .suggesting(forwards(field, first, last, stride)));
            }
            Ok(Values::steps(first, last, stride.unwrap_or(1)))
        }
    }
}

/// `a/n`: on to the end of the field. crontab(5) does not define it and Debian's cron
/// refuses it; where it is read, it means this.
fn open_steps(item: Part<'_>, field: Field, first: u8, stride: u32) -> Result<Values, CronError> {
    let values = Values::steps(first, field.last_written(), stride);
    let inside_the_week = (1..SUNDAY_AT_THE_END).contains(&first);
    if field == Field::DayOfWeek && inside_the_week && values.contains(SUNDAY_AT_THE_END) {
        let written = item.text.split('/').next().unwrap_or_default();
        let expected =
            format!("a range that says where it ends, {written}-6/{stride} or {written}-7/{stride}");
        let problem = CronProblem::AmbiguousStep { text: item.text.to_owned() };
        return Err(item.error(problem, expected));
    }
    Ok(values)
}

/// A reversed range as the two forward ones it most likely stands for.
fn forwards(field: Field, first: u8, last: u8, stride: Option<u32>) -> Option<String> {
    match (field, last, stride) {
        (_, _, Some(_)) => None,
        (Field::DayOfWeek, 0, None) => Some(format!("{first}-7")),
        (Field::DayOfWeek, _, None) if first == SUNDAY_AT_THE_END => Some(format!("0-{last}")),
        _ => {
            let text = |from, to| match from == to {
                true => format!("{from}"),
                false => format!("{from}-{to}"),
            };
            Some(format!("{},{}", text(first, field.last()), text(field.first(), last)))
        }
    }
}

fn step_width(part: Part<'_>) -> Result<u32, CronError> {
    let is_number = !part.text.is_empty() && part.text.bytes().all(|byte| byte.is_ascii_digit());
    match part.text.parse::<u32>() {
        Ok(width) if is_number && width > 0 => Ok(width),
        _ => Err(part.error(CronProblem::BadStep { text: part.text.to_owned() }, "a whole number above 0")),
    }
}

/// One number or name, 7 for Sunday included.
fn value(part: Part<'_>, field: Field) -> Result<u8, CronError> {
    let text = part.text;
    if text.is_empty() {
        return Err(part.error(CronProblem::MissingValue { field }, field.values_in_words()));
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return match text.parse::<u8>() {
            Ok(number) if (field.first()..=field.last_written()).contains(&number) => Ok(number),
            _ => Err(part
                .error(CronProblem::OutOfRange { field, value: text.to_owned() }, field.values_in_words())),
        };
    }
    (field.first()..)
        .zip(field.names())
        .find(|(_, name)| name.eq_ignore_ascii_case(text))
        .map(|(number, _)| number)
        .ok_or_else(|| {
            part.error(CronProblem::NotAValue { field, text: text.to_owned() }, field.values_in_words())
                .suggesting(nearest_name(text, field))
        })
}

/// The name that the text begins with (`monday`), or one letter away from it.
fn nearest_name(text: &str, field: Field) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    field
        .names()
        .iter()
        .find(|name| lower.starts_with(**name) || strsim::osa_distance(&lower, name) <= 1)
        .map(|name| (*name).to_owned())
}
