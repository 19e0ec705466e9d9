//! Plans for a person: what would change, grouped by machine and resource.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::layout::{Break, Line};
use super::machine::{Counts, MachineReport};
use super::step::{self, BODY};
use super::style::{Paint, Style};
use super::{safe, words};
use crate::event::Failure;
use crate::plan::{Blocked, Plan};

/// The most that is shown of what is there to be copied: a host key of RSA with 16384 bits fits.
const COPIED: usize = 4_000;

/// Draws the plans of all machines, in the order given.
///
/// A machine with something to do is a block: a line of counts, its steps in the order in which they
/// are made, and what is blocked. Every other machine is one line, or two when it cannot be worked on.
/// Every line ends with `\n`.
#[must_use]
pub fn plans(machines: &[MachineReport<'_>], style: Style) -> String {
    let widest = words::name_columns(machines);
    let mut text = String::new();
    let mut after_block = false;
    for machine in machines {
        let block = machine.plan.is_some_and(|plan| !plan.is_empty());
        if !text.is_empty() && (block || after_block) {
            text.push('\n');
        }
        after_block = block;
        machine_text(&mut text, machine, widest, style);
    }
    text
}

fn machine_text(text: &mut String, machine: &MachineReport<'_>, widest: usize, style: Style) {
    let head = words::name(machine, widest);
    let hang = head.columns().min(widest + 2);
    let mut rest = String::new();
    let mut items = Vec::new();
    if let Some(reason) = machine.unsupported {
        let reason = safe::line(reason, style);
        items.push(Line::default().with(Paint::Faint, format!("not touched: {reason}")));
    } else if let Some(plan) = machine.plan {
        items = counts(plan, machine);
        body(&mut rest, plan, machine.stale, style);
    }
    if let Some(failure) = machine.failure {
        if machine.plan.is_none() {
            items.push(Line::default().with(Paint::Alarm, machine.status().words()));
        }
        failed(&mut rest, failure, style);
    } else if items.is_empty() {
        items.push(Line::default().with(Paint::Alarm, "not reached"));
    }
    head.flow(items, text, style, hang);
    machine.notes.iter().for_each(|note| step::note(text, note, 2, style));
    text.push_str(&rest);
}

/// `3 to create`, `1 to update`, `28 in order`, or that there is nothing to do.
///
/// Of a report about drift also how many changes are pending, which it does not show.
fn counts(plan: &Plan, machine: &MachineReport<'_>) -> Vec<Line> {
    let counts = Counts::made(machine);
    let hidden = match machine.pending {
        None | Some(0) => String::new(),
        Some(hidden) => format!("{hidden} pending not shown"),
    };
    if plan.is_empty() {
        let nothing = if machine.pending.is_some() { "no drift" } else { "nothing to do" };
        let hidden = if hidden.is_empty() { hidden } else { format!(", {hidden}") };
        let words = format!("{nothing} ({} in order{hidden})", counts.in_order);
        return vec![Line::default().with(Paint::Plain, words)];
    }
    let sorts = [
        (counts.create, "to create", Paint::Created),
        (counts.update, "to update", Paint::Changed),
        (counts.replace, "to replace", Paint::Replaced),
        (counts.remove, "to remove", Paint::Removed),
        (counts.release, "to release", Paint::Faint),
        (counts.restart, "to restart", Paint::Place),
        (machine.refused(), "refused", Paint::Alarm),
        (counts.blocked, "blocked", Paint::Alarm),
        (counts.in_order, "in order", Paint::Faint),
    ];
    let mut items = words::counts(&sorts);
    items.extend((!hidden.is_empty()).then(|| Line::default().with(Paint::Faint, hidden)));
    items
}

fn body(text: &mut String, plan: &Plan, stale: Option<&BTreeMap<usize, String>>, style: Style) {
    let mut roomy = false;
    for (index, one) in plan.steps.iter().enumerate() {
        if let Some(reason) = stale.and_then(|stale| stale.get(&index)) {
            let head = step::Heading { sign: "!", verb: "refused", paint: Paint::Alarm };
            head.write(text, &one.id, &one.origin, "", style);
            step::reason(text, reason, BODY, style);
            continue;
        }
        let wide = step::has_text(one);
        // A diff stands free; short steps stand together.
        if index > 0 && (wide || roomy) {
            text.push('\n');
        }
        roomy = wide;
        step::write(text, one, style);
    }
    if !plan.blocked.is_empty() {
        if !plan.steps.is_empty() {
            text.push('\n');
        }
        let heading = format!(
            "{} blocked, left as {}",
            plan.blocked.len(),
            if plan.blocked.len() == 1 { "it is" } else { "they are" }
        );
        Line::indented(2).with(Paint::Alarm, heading).write(text, style, Break::Words, &Line::indented(4));
        plan.blocked.iter().for_each(|one| blocked(text, one, style));
    }
}

/// Writes what is blocked, and why.
pub(super) fn blocked(text: &mut String, one: &Blocked, style: Style) {
    let head = step::Heading { sign: "!", verb: "blocked", paint: Paint::Alarm };
    head.write(text, &one.id, &one.origin, "", style);
    step::reason(text, &one.reason, BODY, style);
}

/// Writes what a machine failed to do. What stands indented in a row of its own is there to be copied, as
/// the line that pins a host key is: it stays whole, however narrow the terminal.
pub(super) fn failed(text: &mut String, failure: &Failure, style: Style) {
    let (words, copied) = match failure.message.split_once("\n    ") {
        Some((words, copied)) => (words, Some(copied)),
        None => (failure.message.as_str(), None),
    };
    step::reason(text, &format!("failed to {words}"), 2, style);
    if let Some(copied) = copied {
        text.push_str("    ");
        text.push_str(&safe::bounded(&safe::line(copied, style), COPIED, style));
        text.push('\n');
    }
}
