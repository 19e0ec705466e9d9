//! The fields of a schedule.

use super::super::folders;
use super::{Job, KIND, Schedule};
use crate::model::{
    Diagnostic, Diagnostics, Fields, NAME_SHAPE, Node, RoleName, Spanned, one_of, parse_duration,
};
use crate::resource::{Content, Declared, Origin, Reading, ownership};

/// The keys that say what runs.
const JOBS: &[&str] = &["command", "script", "template", "source"];

const DURATION: &str = "a duration such as 90s, 10m, 2h or 1d";

/// Reads `schedule: {name, description, at, zone, spread, catch-up, command | script | template |
/// source, user, after-failure, timeout, network}`.
pub fn read(
    node: &Node,
    origin: &Origin,
    reading: &Reading<'_>,
    problems: &mut Diagnostics,
) -> Vec<Declared> {
    let Some(mut fields) = Fields::open(node, KIND, problems) else { return Vec::new() };
    let name = fields.required("name", NAME_SHAPE, |text| RoleName::new(text).map(|_| text.to_owned()));
    let description = fields.text("description").map(|text| text.value);
    let at = fields.required_text("at");
    let zone = fields.text("zone");
    let spread = duration(&mut fields, "spread");
    let timeout = duration(&mut fields, "timeout").map(|timeout| timeout.value);
    let span = fields.node("catch-up").map(|node| node.span.clone());
    let catch_up = fields.flag("catch-up").zip(span).map(|(value, span)| Spanned { value, span });
    let network = fields.flag("network").unwrap_or(false);
    let user = ownership::read_account(&mut fields, "user");
    let after_failure = fields.text("after-failure");
    let job = job(&mut fields, reading);
    fields.close();
    for line in after_failure.iter().chain(match &job {
        Some(Job::Command(line)) => Some(line),
        _ => None,
    }) {
        if line.value.chars().any(char::is_control) {
            problems.push(
                Diagnostic::at(&line.span, "a command has several lines")
                    .expected("one line, or `script:` for a script of its own"),
            );
            return Vec::new();
        }
    }
    let (Some(name), Some(at), Some(job)) = (name, at, job) else { return Vec::new() };
    Schedule {
        description: description.unwrap_or_else(|| name.clone()),
        name,
        at,
        zone,
        spread,
        catch_up,
        job,
        user: user.unwrap_or_else(|| folders::runner(reading.facts).to_owned()),
        after_failure,
        timeout,
        network,
    }
    .expand(origin, reading.facts, problems)
}

fn duration(fields: &mut Fields<'_>, key: &'static str) -> Option<Spanned<u64>> {
    let span = fields.node(key)?.span.clone();
    let value = fields.parsed(key, DURATION, parse_duration)?;
    Some(Spanned { value, span })
}

fn job(fields: &mut Fields<'_>, reading: &Reading<'_>) -> Option<Job> {
    let script = |content: Result<Content, Diagnostic>| content.map(Job::Script);
    let jobs = [
        fields.text("command").map(|command| Ok(Job::Command(command))),
        fields.text("script").map(|text| Ok(Job::Script(Content::Bytes(text.value.into_bytes().into())))),
        fields.text("template").map(|name| script(reading.supply.template(&name))),
        fields.text("source").map(|name| script(reading.supply.file(&name))),
    ];
    let mut jobs: Vec<_> = jobs.into_iter().flatten().collect();
    let job = jobs.pop();
    match job {
        Some(job) if jobs.is_empty() => job.map_err(|problem| fields.problems().push(problem)).ok(),
        Some(_) => {
            let problem =
                Diagnostic::at(fields.span(), "schedule has more than one job").expected(one_of(JOBS));
            fields.problems().push(problem);
            None
        }
        None => {
            let problem = Diagnostic::at(fields.span(), "schedule has no job").expected(one_of(JOBS));
            fields.missing_one_of(JOBS, problem);
            None
        }
    }
}
