//! Walks a plan on a machine: one script, one stream, one verification.

mod guarded;
mod restraint;

pub use restraint::{Barred, Restraint, Waiting};

use std::sync::Arc;
use std::time::Duration;

use guarded::{Guarded, irrevocable};

use crate::event::StepOutcome;
use crate::model::Digest;
use crate::plan::Plan;
use crate::probe::{Conversation, Performed, ProbeError, StepReport, StepResult};
use crate::resource::{Operation, Payload, Touched};
use crate::shell::{Call, Library, posix, program};
use crate::state::RunId;

/// What a machine reported of the steps of a plan, and how it looked afterwards.
#[derive(Debug)]
pub struct Applied {
    /// For each step of the plan, how it ended.
    pub outcomes: Vec<StepOutcome>,
    /// How it came to its end, or why it did not.
    pub(crate) performed: Result<Performed, ProbeError>,
}

/// Something that happened to a step, by its index.
#[derive(Clone, Debug)]
pub enum StepNews {
    /// It is under way.
    Started(usize),
    /// It has ended.
    Ended(usize, StepOutcome),
}

/// What a run writes down on a machine before it changes anything.
#[derive(Clone, Debug)]
pub struct Intent {
    /// The run's name.
    pub run: RunId,
    /// The state folder on the machine.
    pub folder: String,
    /// The file that says where the record is, and the line about it, when there is to be one.
    pub notice: Option<(String, String)>,
    /// How long to wait for the lock.
    pub lock_timeout: Duration,
    /// How long the machine waits for the confirmation of guarded steps before it puts them back.
    pub guard_timeout: Duration,
    /// What the plan is bound to ([`crate::state::Kept::seen`]).
    pub seen: String,
    /// Who holds the lock, for others to read.
    pub holder: String,
    /// The run, as it is written down.
    pub document: Vec<u8>,
    /// The record as it is before the run.
    pub record: Vec<u8>,
}

/// Makes the changes of a plan and looks at the machine again over the same session.
///
/// The lock is taken, the run and the record are written down, and only then something is changed. A
/// step whose needs failed is skipped; the others go on. The first step that waits for another machine
/// waits until it is told to go on, and the lock is kept meanwhile. When the session breaks, the steps
/// that were not reported are [`StepOutcome::NotReached`].
pub async fn apply(
    conversation: &mut Conversation,
    plan: &Plan,
    intent: &Intent,
    restraint: Restraint<'_>,
    tell: &mut (dyn FnMut(StepNews) + Send),
) -> Applied {
    let Restraint { barred, waiting } = restraint;
    let held_at = waiting.as_ref().and_then(|_| plan.awaiting_from());
    let operations = plan.steps.iter().flat_map(|step| &step.difference.operations);
    let guard = plan.guarded_from.map(|_| posix::GUARD);
    let libraries = std::iter::once(posix::APPLY).chain(operations.map(|operation| operation.library));
    let unsent = conversation.unsent(libraries.chain(guard));
    let script = script(plan, intent, &unsent, &barred, held_at);
    let bytes = |bytes: &[u8]| Payload::Bytes(Arc::from(bytes));
    let payloads: Vec<Payload> = [intent.holder.as_bytes(), &intent.document, &intent.record]
        .map(bytes)
        .into_iter()
        .chain(restraint::payloads(plan, 0..held_at.unwrap_or(plan.steps.len()), &barred))
        .collect();
    let known = restraint::Known::new(barred.clone());
    let hold = waiting
        .zip(held_at)
        .map(|(waiting, from)| restraint::hold(plan, from, barred, known.clone(), waiting));
    let mut outcomes = vec![StepOutcome::NotReached; plan.steps.len()];
    let mut note = |report: StepReport| {
        let outcome = match report.result {
            StepResult::Started => return tell(StepNews::Started(report.index)),
            StepResult::Changed => StepOutcome::Changed,
            StepResult::Refused(reason) => StepOutcome::Refused(reason),
            StepResult::Failed(reason) => StepOutcome::Failed(reason),
            StepResult::Skipped(need) => StepOutcome::Skipped(need),
            StepResult::LeftOut => known.outcome(report.index),
            StepResult::Reverted => StepOutcome::Reverted,
        };
        if let Some(place) = outcomes.get_mut(report.index) {
            *place = outcome.clone();
            tell(StepNews::Ended(report.index, outcome));
        }
    };
    let performed = conversation.perform(&script, &payloads, hold, plan.steps.len(), &mut note).await;
    Applied { outcomes, performed }
}

/// The script that walks a plan. Values are data: quoted, and quoted again where a call itself travels as one.
///
/// Steps that are `barred` are left out; the step at `held_at` and what follows wait to be told to go on.
fn script(
    plan: &Plan,
    intent: &Intent,
    libraries: &[Library],
    barred: &Barred,
    held_at: Option<usize>,
) -> String {
    let mut script = program::more_definitions(libraries);
    script.push_str(&begin(intent));
    script.push_str("fp_apply_begin\n");
    if !barred.is_empty() {
        let indices: String = barred.keys().map(|index| format!(" {index}")).collect();
        script.push_str(&format!("fp_bar{indices}\n"));
    }
    let guarded = Guarded::of(plan);
    for (index, step) in plan.steps.iter().enumerate() {
        if held_at == Some(index) {
            script.push_str("fp_hold\n");
        }
        let operations = &step.difference.operations;
        let total: u64 = operations.iter().map(length).sum();
        let guard = guarded.as_ref().filter(|guarded| guarded.has(index));
        if let Some(guard) = guard.filter(|guard| guard.begins_at(index)) {
            script.push_str(&guard.arm(intent.guard_timeout));
        }
        let needs = guard.map_or_else(|| step.needs.clone(), |guard| guard.needs(index, step));
        let needs: Vec<String> = needs.iter().map(ToString::to_string).collect();
        script.push_str(&format!("if fp_step {index} {total} {}; then\n{{\n", needs.join(" ")));
        let touched: String =
            step.touches.iter().filter_map(touched).map(|text| format!(" {text}")).collect();
        let mut calls: Vec<String> = operations.iter().map(call).collect();
        if let Some(reason) = guard.and_then(|_| irrevocable(step)) {
            calls.insert(0, posix::command(&Call::new("fp_refuse", [reason])));
        }
        if let Some(needed) = guard.and_then(|guard| guard.needed(step)) {
            calls.insert(0, needed);
        }
        calls.extend(guard.filter(|guard| guard.ends_at(index)).map(Guarded::force));
        if touched.is_empty() || operations.is_empty() {
            script.push_str(if calls.is_empty() { ":" } else { "" });
            script.push_str(&calls.join(" &&\n"));
        } else {
            let calls = calls.join(" &&\n");
            let surely = if guard.is_some() { "fp_guard_kept &&\n" } else { "" };
            script.push_str(&format!("fp_keep{touched} &&\n{surely}{calls}\nfp_kept_after $?{touched}"));
        }
        // Nothing that an operation starts may hold the lock: it is at descriptor 7.
        script.push_str("\n} >\"$fp_output\" 2>&1 7>&-\nfp_stepped $?\nfi\n");
    }
    if let Some(guarded) = guarded {
        script.push_str(&guarded.made());
    }
    script.push_str("fp_apply_end\n");
    script
}

/// The call that takes the lock and writes down what is about to be done.
fn begin(intent: &Intent) -> String {
    let written = |bytes: &[u8]| [bytes.len().to_string(), Digest::of(bytes).to_string()];
    let arguments = [
        intent.folder.clone(),
        intent.run.to_string(),
        intent.lock_timeout.as_secs().to_string(),
        intent.seen.clone(),
        intent.holder.len().to_string(),
    ];
    let arguments = arguments.into_iter().chain(written(&intent.document)).chain(written(&intent.record));
    let notice = intent.notice.iter().flat_map(|(file, line)| [file.clone(), line.clone()]);
    let arguments = arguments.chain(notice);
    posix::command(&Call::new("fp_begin", arguments)) + "\n"
}

/// Something that a step may change, as an argument of the machine's functions.
fn touched(touched: &Touched) -> Option<String> {
    match touched {
        Touched::Path(path) => Some(posix::quote(&format!("path:{path}"))),
        Touched::Unit(name) => Some(posix::quote(&format!("unit:{name}"))),
        Touched::Crontab(user) => Some(posix::quote(&format!("crontab:{user}"))),
        Touched::Other(_) => None,
    }
}

fn length(operation: &Operation) -> u64 {
    operation.payload.as_ref().map_or(0, Payload::length)
}

fn call(operation: &Operation) -> String {
    let length = length(operation);
    let plain = posix::command(&operation.call);
    let command = match &operation.within {
        Some(folder) => {
            format!("fp_within {} {}", posix::quote(folder.as_str()), posix::quote(&plain))
        }
        None => plain,
    };
    format!("{{ fp_left={length}; {command}; fp_operated $? {length}; }}")
}

impl Applied {
    /// Whether every step was made.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.outcomes.iter().all(|outcome| *outcome == StepOutcome::Changed)
    }
}
