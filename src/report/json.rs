//! Plans and outcomes for programs: versioned JSON, described field by field in `docs/json.md`.
//!
//! The shapes are written here and not derived from the domain's types, so that a change inside
//! does not change what programs read.

#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::machine::{MachineReport, Status};
use super::safe;
use crate::event::{FailureKind, StepOutcome};
use crate::model::{Aspect, MachineName};
use crate::plan::{Blocked, Plan, Step, Threefold};
use crate::resource::{Detail, Origin};

/// The version of the shape. It rises when a field goes away or changes its meaning; new fields may
/// come without.
pub const JSON_VERSION: u32 = 1;

/// Gives one line of JSON with its line break: the machines in the order given, the fields in a fixed order.
///
/// Characters that could steer a terminal are escaped (`\u001b`, `\u202e`), which changes no value.
#[must_use]
pub fn json(fleet: &str, machines: &[MachineReport<'_>], exit_code: u8) -> String {
    let machines = machines.iter().map(Machine::of).collect();
    let document = Document { version: JSON_VERSION, fleet, machines, exit_code };
    // Text keys and plain values: there is nothing in it that cannot be written.
    let text = serde_json::to_string(&document).unwrap_or_else(|error| {
        serde_json::json!({ "version": JSON_VERSION, "error": error.to_string() }).to_string()
    });
    escaped(&text) + "\n"
}

/// Escapes what could steer a terminal. It can stand in strings only, so this stays the same JSON.
pub(super) fn escaped(text: &str) -> String {
    let mut made = String::with_capacity(text.len());
    for character in text.chars() {
        if safe::is_harmful(character) {
            let mut units = [0_u16; 2];
            character
                .encode_utf16(&mut units)
                .iter()
                .for_each(|unit| made.push_str(&format!("\\u{unit:04x}")));
        } else {
            made.push(character);
        }
    }
    made
}

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    fleet: &'a str,
    machines: Vec<Machine<'a>>,
    exit_code: u8,
}

#[derive(Serialize)]
struct Machine<'a> {
    name: &'a str,
    status: &'static str,
    notes: Vec<&'a str>,
    steps: Vec<StepPart<'a>>,
    blocked: Vec<BlockedPart<'a>>,
    in_order: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pending: Option<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unplanned: Vec<IdPart<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unsupported: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<FailurePart<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<LeftPart<'a>>,
}

#[derive(Serialize)]
struct IdPart<'a> {
    kind: &'a str,
    target: &'a str,
}

#[derive(Serialize)]
struct LeftPart<'a> {
    steps: Vec<StepPart<'a>>,
    blocked: Vec<BlockedPart<'a>>,
    in_order: usize,
}

#[derive(Serialize)]
struct FailurePart<'a> {
    kind: &'static str,
    message: &'a str,
}

#[derive(Serialize)]
struct StepPart<'a> {
    kind: &'a str,
    target: &'a str,
    action: &'static str,
    class: &'static str,
    origin: OriginPart<'a>,
    needs: &'a [usize],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    awaits: Vec<&'a str>,
    details: Vec<DetailPart<'a>>,
    aspects: Vec<AspectPart<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<OutcomePart<'a>>,
}

/// An aspect that differs. A secret is shown as `<secret>`, whichever of the three it is.
#[derive(Serialize)]
struct AspectPart<'a> {
    name: &'a str,
    class: &'static str,
    desired: Option<String>,
    applied: Option<String>,
    observed: Option<String>,
}

#[derive(Serialize)]
struct BlockedPart<'a> {
    kind: &'a str,
    target: &'a str,
    origin: OriginPart<'a>,
    reason: &'a str,
}

#[derive(Serialize)]
struct OriginPart<'a> {
    from: &'a str,
    file: &'a str,
    line: usize,
    column: usize,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum DetailPart<'a> {
    Value { name: &'a str, from: Option<&'a str>, to: &'a str },
    Text { name: &'a str, from: Option<Bytes<'a>>, to: Bytes<'a> },
    Summary { name: &'a str, from: Option<&'a str>, to: &'a str },
    Secret { name: &'a str, existed: bool },
    Note { text: &'a str },
}

/// A text, or bytes that are none.
#[derive(Serialize)]
#[serde(tag = "encoding", content = "data")]
enum Bytes<'a> {
    #[serde(rename = "utf-8")]
    Text(&'a str),
    #[serde(rename = "base64")]
    Base64(String),
}

#[derive(Serialize)]
#[serde(tag = "result", rename_all = "snake_case")]
enum OutcomePart<'a> {
    Changed,
    Refused { reason: &'a str },
    Failed { reason: &'a str },
    Skipped { needs: usize },
    Held { reason: &'a str },
    NotReached,
    Reverted,
}

impl<'a> Machine<'a> {
    fn of(report: &MachineReport<'a>) -> Self {
        let steps = report.plan.map_or(&[][..], |plan| &plan.steps);
        let outcome = |index: usize| match report.steps.get(index) {
            Some(outcome) => Some(OutcomePart::of(outcome)),
            None => {
                let reason = report.stale.and_then(|stale| stale.get(&index));
                reason.map(|reason| OutcomePart::Refused { reason })
            }
        };
        Self {
            name: report.name.as_str(),
            status: status(report.status()),
            notes: report.notes.iter().chain(report.learned).map(String::as_str).collect(),
            steps: (steps.iter().enumerate())
                .map(|(index, step)| StepPart::of(step, outcome(index)))
                .collect(),
            blocked: report.plan.map_or_else(Vec::new, blocked),
            in_order: report.plan.map(|plan| plan.in_order),
            pending: report.pending,
            unplanned: report
                .unplanned
                .iter()
                .map(|id| IdPart { kind: id.kind, target: &id.target })
                .collect(),
            unsupported: report.unsupported,
            failure: report
                .failure
                .map(|failure| FailurePart { kind: failure_kind(failure.kind), message: &failure.message }),
            left: report.left.map(|left| LeftPart {
                steps: left.steps.iter().map(|step| StepPart::of(step, None)).collect(),
                blocked: blocked(left),
                in_order: left.in_order,
            }),
        }
    }
}

fn blocked(plan: &Plan) -> Vec<BlockedPart<'_>> {
    plan.blocked.iter().map(BlockedPart::of).collect()
}

impl<'a> BlockedPart<'a> {
    fn of(blocked: &'a Blocked) -> Self {
        Self {
            kind: blocked.id.kind,
            target: &blocked.id.target,
            origin: OriginPart::of(&blocked.origin),
            reason: &blocked.reason,
        }
    }
}

impl<'a> StepPart<'a> {
    fn of(step: &'a Step, outcome: Option<OutcomePart<'a>>) -> Self {
        Self {
            kind: step.id.kind,
            target: &step.id.target,
            action: step.difference.action.verb(),
            class: step.class.word(),
            origin: OriginPart::of(&step.origin),
            needs: &step.needs,
            awaits: step.awaits.iter().map(MachineName::as_str).collect(),
            details: step.difference.details.iter().map(DetailPart::of).collect(),
            aspects: step.aspects.iter().map(AspectPart::of).collect(),
            outcome,
        }
    }
}

impl<'a> AspectPart<'a> {
    fn of(aspect: &'a Threefold) -> Self {
        let text = |value: &Option<Aspect>| value.as_ref().map(ToString::to_string);
        Self {
            name: &aspect.name,
            class: aspect.class.word(),
            desired: text(&aspect.desired),
            applied: text(&aspect.applied),
            observed: text(&aspect.observed),
        }
    }
}

impl<'a> OriginPart<'a> {
    fn of(origin: &'a Origin) -> Self {
        let (line, column) = origin.span.line_and_column();
        Self { from: &origin.from, file: origin.span.source().name(), line, column }
    }
}

impl<'a> DetailPart<'a> {
    fn of(detail: &'a Detail) -> Self {
        match detail {
            Detail::Value { name, from, to } => Self::Value { name, from: from.as_deref(), to },
            Detail::Text { name, from, to } => {
                Self::Text { name, from: from.as_deref().map(Bytes::of), to: Bytes::of(to) }
            }
            Detail::Summary { name, from, to } => Self::Summary { name, from: from.as_deref(), to },
            Detail::Secret { name, existed } => Self::Secret { name, existed: *existed },
            Detail::Note(text) => Self::Note { text },
        }
    }
}

impl<'a> Bytes<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text),
            Err(_) => Self::Base64(STANDARD.encode(bytes)),
        }
    }
}

impl<'a> OutcomePart<'a> {
    fn of(outcome: &'a StepOutcome) -> Self {
        match outcome {
            StepOutcome::Changed => Self::Changed,
            StepOutcome::Refused(reason) => Self::Refused { reason },
            StepOutcome::Failed(reason) => Self::Failed { reason },
            StepOutcome::Skipped(needs) => Self::Skipped { needs: *needs },
            StepOutcome::Held(reason) => Self::Held { reason },
            StepOutcome::NotReached => Self::NotReached,
            StepOutcome::Reverted => Self::Reverted,
        }
    }
}

fn status(status: Status) -> &'static str {
    match status {
        Status::InOrder => "in_order",
        Status::Done => "done",
        Status::Pending => "pending",
        Status::Drifted => "drifted",
        Status::NoDrift => "no_drift",
        Status::Blocked => "blocked",
        Status::Unsupported => "unsupported",
        Status::Partly => "partly",
        Status::Refused => "refused",
        Status::Unreachable => "unreachable",
        Status::Interrupted => "interrupted",
        Status::Failed => "failed",
    }
}

pub(super) fn failure_kind(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::Unreachable => "unreachable",
        FailureKind::Refused => "refused",
        FailureKind::Interrupted => "interrupted",
        FailureKind::Other => "other",
    }
}
