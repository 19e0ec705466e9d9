//! A schedule as lines of a crontab.

use super::{Job, Schedule};
use crate::format::cron::CronExpression;
use crate::format::crontab::{self, Daemon};
use crate::model::{Diagnostic, Diagnostics, Facts, MachinePath, Platform, Span, quote};
use crate::resource::crontab_entry::CrontabEntry;
use crate::resource::{Declared, Origin};

impl Schedule {
    pub(super) fn cron(
        &self,
        expression: &CronExpression,
        script: Option<&MachinePath>,
        origin: &Origin,
        facts: &Facts,
        problems: &mut Diagnostics,
    ) -> Vec<Declared> {
        let before = problems.len();
        self.refuse_what_cron_lacks(facts, &origin.span, problems);
        let daemon = if facts.platform == Platform::Debian { Daemon::Debian } else { Daemon::BusyBox };
        let line = match crontab::entry(expression, &self.line(script), daemon) {
            Ok(line) => line,
            Err(error) => {
                problems.push(
                    Diagnostic::at(&origin.span, format!("failed to {error}"))
                        .expected("a shorter command, or `script:` for a script of its own"),
                );
                return Vec::new();
            }
        };
        if problems.len() > before {
            return Vec::new();
        }
        let entry = CrontabEntry {
            user: self.user.clone(),
            id: format!("schedule-{}", self.name),
            lines: vec![line],
        };
        vec![Declared::new(entry, origin.clone())]
    }

    fn refuse_what_cron_lacks(&self, facts: &Facts, span: &Span, problems: &mut Diagnostics) {
        if let Some(zone) = &self.zone {
            problems.push(
                Diagnostic::at(&zone.span, "cron on this machine knows no time zone but the machine's own")
                    .expected("no `zone`, or systemd on the machine"),
            );
        }
        if let Some(catch_up) = self.catch_up.as_ref().filter(|flag| flag.value) {
            problems.push(
                Diagnostic::at(&catch_up.span, "cron does not catch up on runs it missed")
                    .expected("no `catch-up`, or systemd on the machine"),
            );
        }
        if !facts.root && self.user != facts.user {
            problems.push(
                Diagnostic::at(span, format!("only root can write the crontab of `{}`", self.user))
                    .expected(format!("`user: {}`, or `privilege: sudo` or `doas`", facts.user)),
            );
        }
    }

    /// What sh gets: a wait, the job, and what follows a failure.
    fn line(&self, script: Option<&MachinePath>) -> String {
        let mut line = match (&self.job, script) {
            (Job::Command(command), _) => match self.timeout {
                Some(seconds) => format!("timeout {seconds} sh -c {}", quote(&command.value)),
                None => command.value.clone(),
            },
            (Job::Program(path), _) | (Job::Script(_), Some(path)) => match self.timeout {
                Some(seconds) => format!("timeout {seconds} {}", word(path)),
                None => word(path),
            },
            (Job::Script(_), None) => "false".to_owned(),
        };
        if let Some(after) = &self.after_failure {
            line = format!("( {line} ) || {{ code=$?; {}; exit \"$code\"; }}", after.value);
        }
        match self.spread.as_ref().filter(|spread| spread.value > 0) {
            // The same on one machine every time, and different on others: from the machine's name.
            Some(spread) => {
                format!("sleep \"$(( $(uname -n | cksum | cut -d ' ' -f 1) % {} ))\"; {line}", spread.value)
            }
            None => line,
        }
    }
}

/// A path as a word of sh, in quotes only where it needs them.
fn word(path: &MachinePath) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    if path.as_str().bytes().all(plain) { path.to_string() } else { quote(path.as_str()) }
}
