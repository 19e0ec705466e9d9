//! `schedule`: something that runs at certain times, by the machine's own scheduler.

mod cron;
mod read;
#[cfg(test)]
mod tests;
mod timer;
mod zone;

pub use read::read;

use super::folders;
use crate::format::cron::CronExpression;
use crate::model::{Diagnostic, Diagnostics, Facts, Init, MachinePath, ResourceId, Spanned};
use crate::resource::file::File;
use crate::resource::{Content, Declared, Origin};

/// The word of a role.
pub const KIND: &str = "schedule";

/// Something that runs at certain times.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// Its name: `a-z 0-9 -`. The units are `fleetprov-NAME.timer` and `.service`.
    pub name: String,
    /// One line that says what it is.
    pub description: String,
    /// Five-field cron, or an `@` word.
    pub at: Spanned<String>,
    /// IANA time zone of `at`; the machine's own unless given.
    pub zone: Option<Spanned<String>>,
    /// Start up to this many seconds later; always the same delay on one machine.
    pub spread: Option<Spanned<u64>>,
    /// Run once after a start that was missed because the machine was off.
    pub catch_up: Option<Spanned<bool>>,
    /// What runs.
    pub job: Job,
    /// Who runs it.
    pub user: String,
    /// A command for sh that runs after the job has failed.
    pub after_failure: Option<Spanned<String>>,
    /// The job is ended after this many seconds.
    pub timeout: Option<u64>,
    /// Wait for the network when the machine has just started. systemd only.
    pub network: bool,
}

/// What a schedule runs.
#[derive(Clone, Debug)]
pub enum Job {
    /// One line for sh.
    Command(Spanned<String>),
    /// A program that is there, without arguments.
    Program(MachinePath),
    /// A script of its own.
    Script(Content),
}

impl Schedule {
    /// The files and units, or the crontab entry, that make it run on this machine.
    ///
    /// What the machine's scheduler cannot do exactly is a problem.
    #[must_use]
    pub fn expand(&self, origin: &Origin, facts: &Facts, problems: &mut Diagnostics) -> Vec<Declared> {
        let Some(expression) = self.expression(problems) else { return Vec::new() };
        let before = problems.len();
        if expression == CronExpression::Boot {
            self.refuse_at_boot(problems);
        }
        let (script, program) = match self.script(origin, facts) {
            Some(Ok((declared, path))) => (declared, Some(path)),
            Some(Err(problem)) => {
                problems.push(problem);
                (Vec::new(), None)
            }
            None => (Vec::new(), None),
        };
        let scheduled = match facts.init {
            Init::Systemd => self.timer(&expression, program.as_ref(), origin, facts, problems),
            Init::Sysv => self.cron(&expression, program.as_ref(), origin, facts, problems),
        };
        if problems.len() > before {
            return Vec::new();
        }
        let scripts: Vec<ResourceId> = script.iter().map(|declared| declared.resource.id()).collect();
        let scheduled = scheduled.into_iter().map(|declared| declared.after(scripts.clone()));
        script.iter().cloned().chain(scheduled).collect()
    }

    /// The resource at the end of the road: the timer, the service that boot starts, or the crontab entry.
    fn expression(&self, problems: &mut Diagnostics) -> Option<CronExpression> {
        match CronExpression::parse(&self.at.value) {
            Ok(expression) => Some(expression),
            Err(error) => {
                let span = self.at.part(error.span.start, error.span.end);
                let mut problem = Diagnostic::at(&span, error.problem.to_string()).expected(error.expected);
                problem.nearest = error.suggestion;
                problems.push(problem);
                None
            }
        }
    }

    fn refuse_at_boot(&self, problems: &mut Diagnostics) {
        let given = [
            self.zone.as_ref().map(|zone| (&zone.span, "zone")),
            self.spread.as_ref().map(|spread| (&spread.span, "spread")),
            self.catch_up.as_ref().filter(|flag| flag.value).map(|flag| (&flag.span, "catch-up")),
        ];
        for (span, name) in given.into_iter().flatten() {
            problems.push(
                Diagnostic::at(span, format!("`{name}` means nothing for a run at boot"))
                    .expected(format!("no `{name}`, or another `at` than @boot")),
            );
        }
    }

    /// A script's file and its folder, when the job is one.
    fn script(
        &self,
        origin: &Origin,
        facts: &Facts,
    ) -> Option<Result<(Vec<Declared>, MachinePath), Diagnostic>> {
        let Job::Script(content) = &self.job else { return None };
        let paths = folders::scripts(facts, "schedules")
            .and_then(|folder| Ok((folder.join(&self.name)?, folder)))
            .map_err(|error| Diagnostic::at(&origin.span, error.to_string()));
        Some(paths.map(|(path, folder)| {
            let folder = folders::declared(folder, 0o755, facts, origin);
            // Whoever runs a secret script has to be able to read it, and nobody else.
            let (owner, mode) = if content.is_secret() {
                (self.user.clone(), 0o700)
            } else {
                (folders::runner(facts).to_owned(), 0o755)
            };
            let file = File { path: path.clone(), content: content.clone(), owner, group: None, mode };
            let id = folder.resource.id();
            (vec![folder, Declared::new(file, origin.clone()).after([id])], path)
        }))
    }
}
