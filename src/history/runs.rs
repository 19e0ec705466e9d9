//! The list of runs that a machine gives.

use serde::Deserialize;

use super::PAST;
use crate::resource::Question;
use crate::shell::Call;
use crate::state::{Progress, RunId, StepEnd, StepState};

/// The most runs that are taken of one machine.
const MOST: usize = 200;
/// The longest text about a run that is taken, in characters.
const LONGEST: usize = 300;

/// One run on one machine, as that machine's journal has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastRun {
    /// Its name.
    pub id: RunId,
    /// Who ran it: `user@host`.
    pub who: String,
    /// When it began, by that controller's clock, RFC 3339 in UTC. For people.
    pub when: String,
    /// What it was: `apply`, `undo RUN`.
    pub what: String,
    /// The inventory's file name.
    pub inventory: String,
    /// How many steps it had.
    pub steps: usize,
    /// How many of them were made.
    pub changed: usize,
    /// How many failed.
    pub failed: usize,
    /// How many were refused.
    pub refused: usize,
    /// What became of it as a whole.
    pub fate: RunFate,
    /// Whether what was there before is still kept.
    pub can_be_undone: bool,
}

/// What became of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunFate {
    /// It came to its end.
    Ended,
    /// It was cut off.
    Cut,
    /// Its guarded steps were put back by the machine.
    Reverted,
}

impl RunFate {
    /// The word of reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::Cut => "cut",
            Self::Reverted => "reverted",
        }
    }

    /// All.
    pub const ALL: &'static [Self] = &[Self::Ended, Self::Cut, Self::Reverted];
}

/// What is read of a run's document: all but its steps.
#[derive(Deserialize)]
struct Head {
    run: String,
    who: String,
    when: String,
    what: String,
    inventory: Inventory,
}

#[derive(Deserialize)]
struct Inventory {
    file: String,
}

/// Asks for the runs in a state folder.
#[must_use]
pub fn past_question(state: &str) -> Question {
    Question::Ask { library: PAST, call: Call::new("fp_past", [state]), within: None }
}

/// Reads the answer: the newest first. A run whose document makes no sense is left out.
#[must_use]
pub fn read_past(lines: &[String]) -> Vec<PastRun> {
    let mut runs: Vec<Draft> = Vec::new();
    for line in lines {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        if word == "run" {
            if runs.len() == MOST {
                break;
            }
            runs.push(Draft { name: rest, ..Draft::default() });
        } else if let Some(run) = runs.last_mut() {
            match word {
                "head" => run.head.push_str(rest),
                "steps" => run.steps = rest.parse().unwrap_or(0),
                "progress" => run.progress = rest,
                "kept" => run.kept = true,
                _ => {}
            }
        }
    }
    runs.into_iter().filter_map(Draft::finish).collect()
}

#[derive(Default)]
struct Draft<'a> {
    name: &'a str,
    head: String,
    steps: usize,
    progress: &'a str,
    kept: bool,
}

impl Draft<'_> {
    fn finish(self) -> Option<PastRun> {
        let head: Head = serde_json::from_str(&format!("{}}}", self.head.trim_end_matches(','))).ok()?;
        let id = RunId::new(&head.run).filter(|id| id.as_str() == self.name)?;
        // A step counts once, and a machine cannot have more of them than its answer has room for.
        let steps = self.steps.min(1_000_000);
        if steps == 0 {
            return None;
        }
        let progress = Progress::read(self.progress.replace(',', "\n").as_bytes(), steps);
        let count = |end| (0..steps).filter(|index| progress.step(*index) == StepState::Ended(end)).count();
        let short = |text: String| text.chars().take(LONGEST).collect::<String>();
        let fate = match (progress.is_reverted(), progress.is_ended()) {
            (true, _) => RunFate::Reverted,
            (false, true) => RunFate::Ended,
            (false, false) => RunFate::Cut,
        };
        Some(PastRun {
            id,
            who: short(head.who),
            when: short(head.when),
            what: short(head.what),
            inventory: short(head.inventory.file),
            steps,
            changed: count(StepEnd::Changed),
            failed: count(StepEnd::Failed),
            refused: count(StepEnd::Refused),
            fate,
            can_be_undone: self.kept,
        })
    }
}
