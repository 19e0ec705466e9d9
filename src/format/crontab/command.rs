//! What a daemon makes of the command in a crontab line, both ways.

use super::{CrontabError, Daemon};

/// What a daemon runs for a crontab line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The text the shell gets.
    pub text: String,
    /// What the command reads on its standard input: the part after the first `%`,
    /// with its further `%` turned into newlines. `None` if there is none.
    pub input: Option<String>,
}

/// Debian's cron refuses a command that fills its buffer of 1000 bytes: 998 remain.
/// cronie had the same buffer before it grew to 131072.
const LONGEST_COMMAND: usize = 998;

/// The text to write so that `daemon` runs exactly `command` without any input.
pub(super) fn escape(command: &str, daemon: Daemon) -> Result<String, CrontabError> {
    if command.is_empty() {
        return Err(CrontabError::EmptyCommand);
    }
    if command.trim_matches([' ', '\t']).len() != command.len() {
        return Err(CrontabError::OuterBlanks);
    }
    let forbidden: &[char] = match daemon {
        Daemon::Debian | Daemon::Cronie => &['\n', '\r', '\0'],
        Daemon::BusyBox => &['\n', '\r', '\0', '#'],
    };
    if let Some(character) = command.chars().find(|character| forbidden.contains(character)) {
        return Err(CrontabError::ForbiddenCharacter { character });
    }
    if let Some(character) = command.chars().next().filter(|first| "*=".contains(*first)) {
        return Err(CrontabError::ForbiddenStart { character });
    }
    match daemon {
        Daemon::Debian => within_limit(escape_debian(command)),
        Daemon::Cronie => within_limit(escape_cronie(command)?),
        Daemon::BusyBox if command.ends_with('\\') => {
            Err(CrontabError::Backslash { before: "the end of the line" })
        }
        Daemon::BusyBox => Ok(command.to_owned()),
    }
}

fn within_limit(line: String) -> Result<String, CrontabError> {
    if line.len() > LONGEST_COMMAND {
        return Err(CrontabError::TooLong { bytes: line.len(), limit: LONGEST_COMMAND });
    }
    Ok(line)
}

/// Doubles only those backslashes that would be taken for an escape, since older
/// daemons leave a pair as it is.
fn escape_debian(command: &str) -> String {
    let mut line = String::with_capacity(command.len());
    let mut rest = command.chars().peekable();
    while let Some(character) = rest.next() {
        match (character, rest.peek()) {
            ('%', _) => line.push_str("\\%"),
            ('\\', Some('\\' | '%')) => line.push_str("\\\\"),
            ('\\', Some(_)) => {
                line.push('\\');
                line.extend(rest.next());
            }
            (other, _) => line.push(other),
        }
    }
    line
}

/// A backslash takes the next character along, whatever it is; only `\%` loses it.
fn escape_cronie(command: &str) -> Result<String, CrontabError> {
    let mut line = String::with_capacity(command.len());
    let mut rest = command.chars();
    while let Some(character) = rest.next() {
        match character {
            '%' => line.push_str("\\%"),
            '\\' => {
                line.push('\\');
                match rest.next() {
                    Some('%') => return Err(CrontabError::Backslash { before: "`%`" }),
                    taken => line.extend(taken),
                }
            }
            other => line.push(other),
        }
    }
    Ok(line)
}

/// What `daemon` runs for the command part of a line, as written.
pub fn unescape(written: &str, daemon: Daemon) -> Command {
    let doubles = match daemon {
        Daemon::Debian => true,
        Daemon::Cronie => false,
        Daemon::BusyBox => {
            let text = written.split('#').next().unwrap_or_default();
            let text = text.trim_end_matches([' ', '\t']).to_owned();
            return Command { text, input: None };
        }
    };
    let mut text = String::with_capacity(written.len());
    let mut rest = written.chars();
    while let Some(character) = rest.next() {
        match character {
            '%' => {
                let input = Some(input(rest.as_str()));
                return Command { text, input };
            }
            '\\' => match rest.next() {
                Some('%') => text.push('%'),
                Some('\\') if doubles => text.push('\\'),
                taken => {
                    text.push('\\');
                    text.extend(taken);
                }
            },
            other => text.push(other),
        }
    }
    Command { text, input: None }
}

/// Standard input: `%` is a newline, `\%` a percent sign, and a last newline is added.
fn input(written: &str) -> String {
    let mut text = String::with_capacity(written.len() + 1);
    let mut rest = written.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '%' => text.push('\n'),
            '\\' if rest.next_if_eq(&'%').is_some() => text.push('%'),
            other => text.push(other),
        }
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}
