//! Past runs over the fleet, for a person and for programs.

use serde::Serialize;

use super::json::{JSON_VERSION, escaped, failure_kind};
use super::layout::{Break, Line};
use super::style::{Paint, Style};
use super::{plan, safe};
use crate::history::{FleetHistory, FleetRun, Part, RunFate};

/// Draws the runs, the newest first: a line for each, one for each machine it was on, and what could not
/// be asked in the end. Every line ends with `\n`.
#[must_use]
pub fn history(history: &FleetHistory, style: Style) -> String {
    let mut text = String::new();
    for run in &history.runs {
        if !text.is_empty() {
            text.push('\n');
        }
        let words = [&run.when, &run.who, &run.what].map(|words| safe::line(words, style)).join("  ");
        let head = Line::default().with(Paint::Strong, run.id.to_string());
        head.with(Paint::Plain, format!("  {words}")).write(
            &mut text,
            style,
            Break::Words,
            &Line::indented(4),
        );
        let widest = run.machines.iter().map(|part| part.machine.as_str().len()).max().unwrap_or(0);
        for part in &run.machines {
            let name = format!("{:<width$}", part.machine.as_str(), width = widest.min(16) + 2);
            Line::indented(2).with(Paint::Plain, name).flow(items(part), &mut text, style, 4);
        }
    }
    if history.runs.is_empty() {
        text.push_str("no runs\n");
    }
    for (machine, failure) in &history.absent {
        text.push('\n');
        let line = Line::default().with(Paint::Strong, machine.as_str());
        line.with(Paint::Alarm, "  did not answer; what is said of it is what was heard last").write(
            &mut text,
            style,
            Break::Words,
            &Line::indented(4),
        );
        plan::failed(&mut text, failure, style);
    }
    text
}

/// What a run did on one machine.
fn items(part: &Part) -> Vec<Line> {
    let run = &part.run;
    let some = |count: usize, words: &str, paint: Paint| {
        (count > 0).then(|| Line::default().with(paint, format!("{count} {words}")))
    };
    let one = |words: String, paint: Paint| Some(Line::default().with(paint, words));
    let changed = format!("{} of {} changed", run.changed, run.steps);
    let fate = match run.fate {
        RunFate::Ended => None,
        RunFate::Cut => one("cut off".to_owned(), Paint::Alarm),
        RunFate::Reverted => one("put back by the machine".to_owned(), Paint::Alarm),
    };
    let undo = match &part.undone_by {
        Some(undo) => one(format!("undone by {undo}"), Paint::Faint),
        None if run.can_be_undone => one("can be undone".to_owned(), Paint::Faint),
        None => one("cannot be undone any more".to_owned(), Paint::Faint),
    };
    let remembered = part.is_remembered.then(|| Line::default().with(Paint::Faint, "as heard last"));
    let paint = if run.changed > 0 { Paint::Created } else { Paint::Plain };
    [
        one(changed, paint),
        some(run.failed, "failed", Paint::Alarm),
        some(run.refused, "refused", Paint::Alarm),
        fate,
        undo,
        remembered,
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// One line of JSON with its line break, described in `docs/json.md`.
#[must_use]
pub fn history_json(fleet: &str, history: &FleetHistory, exit_code: u8) -> String {
    let absent = history.absent.iter().map(|(machine, failure)| AbsentPart {
        name: machine.as_str(),
        kind: failure_kind(failure.kind),
        message: &failure.message,
    });
    let document = Document {
        version: JSON_VERSION,
        fleet,
        runs: history.runs.iter().map(RunPart::of).collect(),
        absent: absent.collect(),
        exit_code,
    };
    // Text keys and plain values: there is nothing in it that cannot be written.
    let text = serde_json::to_string(&document).unwrap_or_else(|error| {
        serde_json::json!({ "version": JSON_VERSION, "error": error.to_string() }).to_string()
    });
    escaped(&text) + "\n"
}

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    fleet: &'a str,
    runs: Vec<RunPart<'a>>,
    absent: Vec<AbsentPart<'a>>,
    exit_code: u8,
}

#[derive(Serialize)]
struct AbsentPart<'a> {
    name: &'a str,
    kind: &'static str,
    message: &'a str,
}

#[derive(Serialize)]
struct RunPart<'a> {
    run: &'a str,
    when: &'a str,
    who: &'a str,
    what: &'a str,
    inventory: &'a str,
    machines: Vec<MachinePart<'a>>,
}

#[derive(Serialize)]
struct MachinePart<'a> {
    name: &'a str,
    steps: usize,
    changed: usize,
    failed: usize,
    refused: usize,
    fate: &'static str,
    can_be_undone: bool,
    undone_by: Option<&'a str>,
    remembered: bool,
}

impl<'a> RunPart<'a> {
    fn of(run: &'a FleetRun) -> Self {
        let machines = run.machines.iter().map(|part| MachinePart {
            name: part.machine.as_str(),
            steps: part.run.steps,
            changed: part.run.changed,
            failed: part.run.failed,
            refused: part.run.refused,
            fate: part.run.fate.word(),
            can_be_undone: part.run.can_be_undone,
            undone_by: part.undone_by.as_ref().map(|undo| undo.as_str()),
            remembered: part.is_remembered,
        });
        Self {
            run: run.id.as_str(),
            when: &run.when,
            who: &run.who,
            what: &run.what,
            inventory: &run.inventory,
            machines: machines.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Failure, FailureKind};
    use crate::history::{Remembered, read_past};
    use crate::model::MachineName;
    use crate::report::samples::{ASCII, NARROW};

    fn run(name: &str, when: &str, what: &str, progress: &str) -> [String; 4] {
        let head = format!(
            r#"{{"format":1,"run":"{name}","who":"root@cc-pc","when":"{when}","what":"{what}","inventory":{{"file":"lab.yaml","sha256":"x"}},"#
        );
        [
            format!("run {name}"),
            format!("head {head}"),
            "steps 3".to_owned(),
            format!("progress boot b,{progress}"),
        ]
    }

    fn sample() -> FleetHistory {
        let first = run("r1", "2026-11-24T05:23:01Z", "apply", "0 changed,1 failed,2 refused,end,");
        let undo = run("r2", "2026-11-25T05:23:01Z", "undo r1", "0 changed,end,");
        let cut = run("r1", "2026-11-24T05:23:01Z", r"apply \u001b[31m", "0 changed,1 started,");
        let kept = ["kept".to_owned()];
        let machine = |name: &str, lines: Vec<String>, failure: Option<Failure>| Remembered {
            machine: MachineName::new(name).unwrap(),
            runs: read_past(&lines),
            failure,
        };
        let failure =
            Failure { kind: FailureKind::Unreachable, message: "reach it: no \u{1b}[2Jroute".to_owned() };
        FleetHistory::of(&[
            machine("droplet", [&undo[..], &kept, &first, &kept].concat(), None),
            machine("nas", [&cut[..]].concat(), Some(failure)),
        ])
    }

    #[test]
    fn runs_stand_together_and_say_what_became_of_them() {
        insta::assert_snapshot!("history_80", history(&sample(), NARROW));
        assert!(!history(&sample(), ASCII).contains('\u{1b}'));
        let json = history_json("lab", &sample(), 4);
        assert!(!json.contains('\u{1b}'), "{json}");
        insta::assert_snapshot!("history_json", json);
    }
}
