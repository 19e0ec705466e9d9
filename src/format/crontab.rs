//! Lines of a user's crontab: written so that the daemon on the other side runs
//! exactly the command that was asked for, and read without ever failing.
//!
//! Facts are from the sources of cron 3.0pl1-162 (Debian), cronie (its main branch,
//! 2026) and BusyBox 1.35: `entry.c`, `env.c` and `do_command.c` of the first two,
//! `miscutils/crond.c` and `libbb/parse_config.c` of the last. What Debian's cron and
//! BusyBox crond do to a command was also measured by running both. System crontabs
//! (`/etc/crontab`, `/etc/cron.d`) have a user between schedule and command; that
//! column is the caller's.
//!
//! cron has no time zone per line: minutes are those of the daemon's local time.

mod command;

#[cfg(test)]
mod tests;

use super::cron::{CronError, CronExpression, Days, Times};

pub use command::{Command, unescape};

/// Which program reads the crontab; they differ in what they do to a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Daemon {
    /// Debian's cron: `%` ends the command, `\%` and `\\` stand for `%` and `\`.
    Debian,
    /// cronie (Fedora, Arch and others): `%` ends the command, `\%` stands for `%`,
    /// `\\` stays as it is.
    Cronie,
    /// BusyBox crond: `%` is an ordinary character, `#` cuts the command off, and
    /// days of month and week are never joined by *and*. `@reboot` needs
    /// `FEATURE_CROND_SPECIAL_TIMES`, which a build may lack.
    BusyBox,
}

/// Why a schedule and a command cannot become one crontab line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CrontabError {
    /// There is no command.
    #[error("write a crontab entry without a command")]
    EmptyCommand,
    /// A crontab line cannot hold this character.
    #[error("write {character:?} into a crontab line")]
    ForbiddenCharacter {
        /// A newline, carriage return or NUL; with BusyBox also `#`.
        character: char,
    },
    /// Daemons drop blanks at either end of a command.
    #[error("keep the blanks at the ends of a crontab command")]
    OuterBlanks,
    /// cron takes `*` for a sixth field and `=` after `@reboot` for a variable.
    #[error("begin a crontab command with `{character}`")]
    ForbiddenStart {
        /// The first character.
        character: char,
    },
    /// A backslash directly before `%` (cronie), or at the end (BusyBox joins lines there).
    #[error("write the backslash before {before} into a crontab line of this daemon")]
    Backslash {
        /// What follows it.
        before: &'static str,
    },
    /// The line is longer than the daemon reads.
    #[error("write a crontab command of {bytes} bytes: cron reads at most {limit}")]
    TooLong {
        /// The length of the command as written, escapes included.
        bytes: usize,
        /// The longest the daemon takes.
        limit: usize,
    },
    /// BusyBox joins day of month and weekday by *or* whatever they begin with.
    #[error("ask BusyBox crond for days that match both the date and the weekday of `{expression}`")]
    BothDays {
        /// The schedule.
        expression: String,
    },
}

/// One line of a crontab. `raw` is the line as it stands, its newline included, so
/// that the raw texts of all lines make the file again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<'a> {
    /// The bytes of the line.
    pub raw: &'a str,
    /// What the line says.
    pub content: Content<'a>,
}

/// What a crontab line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content<'a> {
    /// Nothing but blanks.
    Blank,
    /// A line whose first visible character is `#`.
    Comment,
    /// `name = value`, without the quotes that may enclose either.
    Environment {
        /// The variable.
        name: &'a str,
        /// Its value.
        value: &'a str,
    },
    /// A schedule and what follows it.
    Entry {
        /// The schedule as written: five words, or one that begins with `@`.
        schedule: &'a str,
        /// What the schedule means. An error here may still be an entry that some
        /// daemon runs, or prose that only looks like one.
        expression: Result<CronExpression, CronError>,
        /// The command as written; [`unescape`] gives what the shell gets.
        command: &'a str,
    },
    /// Anything else.
    Unknown,
}

/// One crontab line, without a newline, that makes `daemon` run exactly `command`
/// through its shell at exactly the minutes of `expression`.
///
/// # Errors
/// When the daemon has no way to write that. Put such a command into a script.
pub fn entry(expression: &CronExpression, command: &str, daemon: Daemon) -> Result<String, CrontabError> {
    let command = command::escape(command, daemon)?;
    match expression {
        CronExpression::Boot => Ok(format!("@reboot {command}")),
        CronExpression::Times(times) if daemon == Daemon::BusyBox && wants_both(times) => {
            let expression = expression.to_string();
            Err(CrontabError::BothDays { expression })
        }
        CronExpression::Times(_) => Ok(format!("{expression} {command}")),
    }
}

fn wants_both(times: &Times) -> bool {
    matches!(times.days(), Days::Both { .. })
}

/// The lines of a crontab, whatever they hold.
pub fn parse(text: &str) -> Vec<Line<'_>> {
    text.split_inclusive('\n').map(|raw| Line { raw, content: content(raw) }).collect()
}

fn content(raw: &str) -> Content<'_> {
    let line = raw.strip_suffix('\n').unwrap_or(raw);
    let line = line.trim_start_matches(BLANKS);
    if line.is_empty() {
        Content::Blank
    } else if line.starts_with('#') {
        Content::Comment
    } else {
        // cron tries the variable first as well (`load_env` before `load_entry`).
        environment(line).or_else(|| schedule_and_command(line)).unwrap_or(Content::Unknown)
    }
}

const BLANKS: [char; 2] = [' ', '\t'];

/// `name=value` as `load_env` reads it: the name is one word or quoted, blanks
/// around `=` do not count, and quotes must enclose the whole of what they enclose.
fn environment(line: &str) -> Option<Content<'_>> {
    let (name, rest) = match quoted(line) {
        Some((name, _)) if name.contains('=') => return None,
        Some(parts) => parts,
        None => line.split_at_checked(line.find(['=', ' ', '\t'])?)?,
    };
    let value = rest.trim_start().strip_prefix('=')?.trim();
    let value = match quoted(value) {
        Some((inner, "")) => inner,
        Some(_) => return None,
        None if value.starts_with(['"', '\'']) => return None,
        None => value,
    };
    (!name.is_empty()).then_some(Content::Environment { name, value })
}

/// The text between the quotes that `text` begins with, and what follows them.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|first| matches!(first, '"' | '\''))?;
    text.strip_prefix(quote)?.split_once(quote)
}

fn schedule_and_command(line: &str) -> Option<Content<'_>> {
    let words = if line.starts_with('@') { 1 } else { 5 };
    let mut rest = line;
    for _ in 0..words {
        let (_, after) = rest.trim_start_matches(BLANKS).split_once(BLANKS)?;
        rest = after;
    }
    // The blank after the last word is one byte and belongs to neither side.
    let schedule = line.get(..line.len() - rest.len() - 1)?;
    let command = rest.trim_start_matches(BLANKS);
    let expression = match schedule {
        "@reboot" => Ok(CronExpression::Boot),
        other => CronExpression::parse(other),
    };
    (!command.is_empty()).then_some(Content::Entry { schedule, expression, command })
}
