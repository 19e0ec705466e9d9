//! What a machine reports of the steps of a plan.

use super::error::ProbeError;
use crate::shell::frames::Line;

/// What became of a step on the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepReport {
    /// The step's index.
    pub index: usize,
    /// What became of it.
    pub result: StepResult,
}

impl StepReport {
    /// Its place among the reports of a run of so many steps: each begins and ends once, in their order,
    /// and may be put back after all of them.
    pub(super) fn news(&self, steps: usize) -> usize {
        match self.result {
            StepResult::Started => 2 * self.index,
            StepResult::Reverted => 2 * steps + self.index,
            _ => 2 * self.index + 1,
        }
    }
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepResult {
    /// It is under way.
    Started,
    /// It is done.
    Changed,
    /// The machine had moved; nothing was done.
    Refused(String),
    /// It failed.
    Failed(String),
    /// A step it needs has failed; that one's index.
    Skipped(usize),
    /// It was told not to make it.
    LeftOut,
    /// It had been made and was put back.
    Reverted,
}

/// What a machine says of its lockout guard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum GuardNews {
    /// The revert is armed.
    Armed,
    /// A service does not run, so what it reads is not in force; its name.
    Idle(String),
    /// All guarded steps are made; they have to be confirmed.
    Made,
    /// They are confirmed.
    Confirmed,
    /// Not all of them are made, or not yet.
    Unmade,
    /// The revert is not armed any more.
    Gone,
}

pub(super) fn guard_news(line: &Line) -> Option<GuardNews> {
    let Line::Frame(words) = line else { return None };
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    Some(match words.as_slice() {
        ["guard", "armed"] => GuardNews::Armed,
        ["guard", "idle", name] => GuardNews::Idle(name.chars().take(40).collect()),
        ["guard", "made"] => GuardNews::Made,
        ["guard", "confirmed"] => GuardNews::Confirmed,
        ["guard", "unmade"] => GuardNews::Unmade,
        ["guard", "gone"] => GuardNews::Gone,
        _ => return None,
    })
}

pub(super) fn is_ready(line: &Line) -> bool {
    matches!(line, Line::Frame(words) if words.len() == 1 && words.first().is_some_and(|word| word == "ready"))
}

pub(super) fn is_apply_frame(line: &Line) -> bool {
    let is = |words: &[String], frame: &[&str]| words.iter().map(String::as_str).eq(frame.iter().copied());
    match line {
        Line::Frame(words) => is(words, &["begin", "apply"]) || is(words, &["began"]),
        Line::Text(_) => false,
    }
}

/// Whether the machine waits to be told to go on.
pub(super) fn is_held(line: &Line) -> bool {
    matches!(line, Line::Frame(words) if words.iter().map(String::as_str).eq(["hold"]))
}

/// Why a run was not begun, when a line says so. Nothing has been changed then.
pub(super) fn unbegun(line: &Line) -> Option<ProbeError> {
    let Line::Frame(words) = line else { return None };
    let (word, rest) = words.split_first()?;
    let text = || {
        let coded = rest.first().map(String::as_str).unwrap_or_default();
        let bytes = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, coded);
        String::from_utf8_lossy(&bytes.unwrap_or_default()).trim().replace('\n', ", ")
    };
    let reason = match word.as_str() {
        "locked" => format!("another run holds the lock: {}", text()),
        "moved" => {
            format!("another run has changed this machine since it was looked at ({}); plan again", text())
        }
        "armed" => format!(
            "the revert of run {} is still armed; it is confirmed or reverts by itself",
            rest.first().map(String::as_str).unwrap_or_default()
        ),
        "unbegun" => return Some(ProbeError::NotBegun { reason: text() }),
        _ => return None,
    };
    Some(ProbeError::Busy { reason })
}

pub(super) fn step_report(line: &Line) -> Option<StepReport> {
    let Line::Frame(words) = line else { return None };
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ["step", index, word, rest @ ..] = words.as_slice() else { return None };
    let reason = || {
        let said = rest.get(1).and_then(|encoded| {
            base64::Engine::decode(&base64::engine::general_purpose::STANDARD, encoded).ok()
        });
        let text = String::from_utf8_lossy(&said.unwrap_or_default()).trim().to_owned();
        if text.is_empty() { format!("it ended with status {}", rest.first().unwrap_or(&"?")) } else { text }
    };
    let result = match *word {
        "started" => StepResult::Started,
        "changed" => StepResult::Changed,
        "refused" => StepResult::Refused(reason()),
        "failed" => StepResult::Failed(reason()),
        "left-out" => StepResult::LeftOut,
        "skipped" => StepResult::Skipped(rest.first()?.parse().ok()?),
        "reverted" => StepResult::Reverted,
        _ => return None,
    };
    Some(StepReport { index: index.parse().ok()?, result })
}
