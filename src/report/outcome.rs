//! What did not go as planned, for a person: every step that failed, was refused, skipped or not
//! reached, what is left, and what is blocked that the plan did not show as blocked.

use super::layout::{Break, Line};
use super::machine::{Ended, MachineReport};
use super::step::{self, BODY, Heading};
use super::style::{Paint, Style};
use super::{plan as planned, safe, words};
use crate::event::StepOutcome;
use crate::plan::{Blocked, Plan, Step};

/// Draws what did not go as planned on each machine, in the order given. Empty when all went well.
#[must_use]
pub fn outcomes(machines: &[MachineReport<'_>], style: Style) -> String {
    let widest = words::name_columns(machines);
    let mut text = String::new();
    for machine in machines {
        let body = body(machine, style);
        if body.is_empty() {
            continue;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        let name = words::name(machine, widest);
        let hang = name.columns().min(widest + 2);
        name.flow(counts(machine), &mut text, style, hang);
        text.push_str(&body);
    }
    text
}

/// `9 of 12 changed`, `1 failed`, `2 skipped`, or what became of the machine as a whole.
fn counts(machine: &MachineReport<'_>) -> Vec<Line> {
    if machine.steps.is_empty() {
        return vec![Line::default().with(Paint::Alarm, machine.status().words())];
    }
    let ended = Ended::of(machine.steps);
    let changed = format!("{} of {} changed", ended.changed, machine.steps.len());
    let paint = if ended.changed > 0 { Paint::Created } else { Paint::Plain };
    let mut counts = vec![Line::default().with(paint, changed)];
    counts.extend(words::counts(&[
        (ended.failed, "failed", Paint::Alarm),
        (ended.refused, "refused", Paint::Alarm),
        (ended.reverted, "put back", Paint::Alarm),
        (ended.skipped, "skipped", Paint::Changed),
        (ended.held, "still waiting", Paint::Changed),
        (ended.not_reached, "not reached", Paint::Changed),
    ]));
    counts
}

fn body(machine: &MachineReport<'_>, style: Style) -> String {
    let mut text = String::new();
    if let Some(failure) = machine.failure {
        planned::failed(&mut text, failure, style);
    }
    machine.learned.iter().for_each(|note| step::note(&mut text, note, 2, style));
    let Some(plan) = machine.plan else { return text };
    let mut not_reached = Vec::new();
    for (one, outcome) in plan.steps.iter().zip(machine.steps) {
        let (sign, verb, paint, reason) = match outcome {
            StepOutcome::Changed => continue,
            StepOutcome::NotReached => {
                not_reached.push(one);
                continue;
            }
            StepOutcome::Failed(reason) => ("!", "failed", Paint::Alarm, reason.clone()),
            StepOutcome::Refused(reason) => ("!", "refused", Paint::Alarm, reason.clone()),
            StepOutcome::Held(reason) => ("-", "waits", Paint::Changed, reason.clone()),
            StepOutcome::Reverted => {
                let reason = "it was made, and the machine is as it was before";
                ("!", "put back", Paint::Alarm, reason.to_owned())
            }
            StepOutcome::Skipped(need) => {
                ("-", "skipped", Paint::Changed, skipped(plan, machine.steps, *need))
            }
        };
        Heading { sign, verb, paint }.write(&mut text, &one.id, &one.origin, "", style);
        step::reason(&mut text, &reason, BODY, style);
    }
    list(&mut text, "not reached", &not_reached, style);
    if let Some(left) = machine.left {
        list(
            &mut text,
            "changed, but not as planned when looked at again",
            &unexplained(plan, machine.steps, left),
            style,
        );
        let known = |one: &&Blocked| plan.blocked.iter().any(|other| other.id == one.id);
        left.blocked.iter().filter(|one| !known(one)).for_each(|one| planned::blocked(&mut text, one, style));
    }
    text
}

fn skipped(plan: &Plan, steps: &[StepOutcome], need: usize) -> String {
    let Some(needed) = plan.steps.get(need) else { return "what it needs failed".to_owned() };
    let how = match steps.get(need) {
        Some(StepOutcome::Refused(_)) => "was refused",
        Some(StepOutcome::Skipped(_)) => "was skipped",
        Some(StepOutcome::Held(_)) => "waits for another machine",
        Some(StepOutcome::NotReached) => "was not reached",
        Some(StepOutcome::Reverted) => "was put back",
        Some(StepOutcome::Failed(_) | StepOutcome::Changed) | None => "failed",
    };
    format!("it needs {}, which {how}", needed.id)
}

/// Steps that are left although they were made, or that were not in the plan.
fn unexplained<'a>(plan: &Plan, steps: &[StepOutcome], left: &'a Plan) -> Vec<&'a Step> {
    let explained = |step: &&Step| {
        let mut planned = plan.steps.iter().zip(steps);
        planned.any(|(one, outcome)| one.id == step.id && *outcome != StepOutcome::Changed)
    };
    left.steps.iter().filter(|step| !explained(step)).collect()
}

/// So many are named in a list.
const NAMED: usize = 10;

fn list(text: &mut String, words: &str, steps: &[&Step], style: Style) {
    if steps.is_empty() {
        return;
    }
    let heading = Line::indented(2).with(Paint::Changed, format!("{} {words}", steps.len()));
    heading.write(text, style, Break::Words, &Line::indented(4));
    for one in steps.iter().take(NAMED) {
        let verb = one.difference.action.verb();
        let line = Line::indented(BODY)
            .with(Paint::Plain, format!("{verb} {}", safe::line(&one.id.to_string(), style)));
        line.write(text, style, Break::Words, &Line::indented(BODY + 2));
    }
    if let Some(hidden) = steps.len().checked_sub(NAMED).filter(|hidden| *hidden > 0) {
        let words = format!("{} {hidden} more", style.ellipsis());
        Line::indented(BODY).with(Paint::Faint, words).write(text, style, Break::Words, &Line::default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MachineName;
    use crate::report::samples::{ASCII, NARROW, Sample, WIDE, plan, step, visible};
    use crate::resource::Action;

    #[test]
    fn what_is_blocked_only_afterwards_is_named() {
        let sample = Sample::new();
        let planned = sample.planned();
        let blocked = planned.iter().find_map(|one| one.plan.filter(|plan| !plan.blocked.is_empty()));
        let blocked = blocked.unwrap().blocked.first().unwrap().clone();
        let name = MachineName::new("m").unwrap();
        let made = plan(vec![step("file", "/f", "x", Action::Create, Vec::new())], 0);
        let left = Plan { blocked: vec![blocked.clone()], ..plan(Vec::new(), 0) };
        let of = |plan| MachineReport {
            plan: Some(plan),
            steps: &[StepOutcome::Changed],
            left: Some(&left),
            ..MachineReport::new(&name)
        };
        let text = outcomes(&[of(&made)], NARROW);
        assert!(text.contains("blocked") && text.contains(&blocked.id.target), "{text}");
        // What the plan has shown already is not said again.
        let shown = Plan { blocked: vec![blocked.clone()], ..made.clone() };
        let text = outcomes(&[of(&shown)], NARROW);
        assert!(!text.contains(&blocked.id.target), "{text}");
    }

    #[test]
    fn what_went_wrong() {
        let sample = Sample::new();
        insta::assert_snapshot!("applied_80", outcomes(&sample.applied(), NARROW));
        insta::assert_snapshot!("applied_80_ascii", outcomes(&sample.applied(), ASCII));
        insta::assert_snapshot!("applied_120_colour", visible(&outcomes(&sample.applied(), WIDE)));
    }
}
