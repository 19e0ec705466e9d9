//! What the live display shows: the machines under way and how many are finished. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::event::{Event, Happening};
use crate::model::MachineName;
use crate::plan::Plan;
use crate::report::{Paint, Style, safe};

/// So many machines are shown, the rest is counted.
const SHOWN: usize = 12;
/// A name longer than this is cut.
const NAME: usize = 24;

/// What a machine is doing.
#[derive(Debug)]
enum Doing {
    Connecting,
    Asking,
    AskingAgain,
    Step(usize),
    Checking,
    Finished,
}

/// The state of the display.
#[derive(Debug)]
pub(super) struct Board {
    machines: usize,
    doing: BTreeMap<MachineName, Doing>,
    plans: BTreeMap<MachineName, Arc<Plan>>,
}

impl Board {
    /// A board for so many machines.
    pub(super) fn new(machines: usize) -> Self {
        Self { machines, doing: BTreeMap::new(), plans: BTreeMap::new() }
    }

    /// The next part of the run: the machines that have something to do.
    pub(super) fn begin_again(&mut self) {
        self.doing.clear();
        self.machines = self.plans.values().filter(|plan| !plan.steps.is_empty()).count();
    }

    /// Takes in what happened.
    pub(super) fn hear(&mut self, event: &Event) {
        let doing = match &event.what {
            Happening::Connecting => Doing::Connecting,
            Happening::Connected => Doing::Asking,
            Happening::FactsDiffer { .. } => Doing::AskingAgain,
            Happening::Planned(plan) => {
                self.plans.insert(event.machine.clone(), Arc::clone(plan));
                Doing::Finished
            }
            Happening::StepStarted { index } => Doing::Step(*index),
            Happening::StepEnded { index, .. } => {
                let steps = self.plans.get(&event.machine).map_or(0, |plan| plan.steps.len());
                if index + 1 == steps { Doing::Checking } else { Doing::Step(*index) }
            }
            Happening::Unsupported(_) | Happening::Failed(_) | Happening::Verified(_) => Doing::Finished,
        };
        self.doing.insert(event.machine.clone(), doing);
    }

    /// The rows to show: a count, then one row for each machine under way, by name.
    pub(super) fn rows(&self, style: Style) -> Vec<String> {
        let under_way: Vec<(&MachineName, &Doing)> =
            self.doing.iter().filter(|(_, doing)| !matches!(doing, Doing::Finished)).collect();
        let finished = self.doing.len() - under_way.len();
        let noun = if self.machines == 1 { "machine" } else { "machines" };
        let mut rows = vec![format!("{finished} of {} {noun}", self.machines)];
        let shown = under_way.get(..SHOWN).unwrap_or(&under_way);
        let names = shown.iter().map(|(name, _)| name.as_str().len()).max().unwrap_or(0).min(NAME);
        for (machine, doing) in shown {
            let name = format!("{:names$}", safe::bounded(machine.as_str(), NAME, style));
            let words = safe::line(&self.words(machine, doing), style);
            // One column stays free: some terminals break a row that is exactly full.
            let room = style.width.saturating_sub(names + 5);
            let words = safe::bounded(&words, room, style);
            rows.push(format!("  {}  {words}", style.paint(Paint::Strong, &name)));
        }
        if let Some(hidden) = under_way.len().checked_sub(SHOWN).filter(|hidden| *hidden > 0) {
            let ellipsis = if style.unicode { "…" } else { "..." };
            rows.push(style.paint(Paint::Faint, &format!("  {ellipsis} and {hidden} more")));
        }
        rows
    }

    fn words(&self, machine: &MachineName, doing: &Doing) -> String {
        match doing {
            Doing::Connecting => "connecting".to_owned(),
            Doing::Asking => "asking".to_owned(),
            Doing::AskingAgain => "asking again".to_owned(),
            Doing::Checking => "checking".to_owned(),
            Doing::Finished => "finished".to_owned(),
            Doing::Step(index) => match self.plans.get(machine) {
                Some(plan) => {
                    let id = plan.steps.get(*index).map(|step| step.id.to_string()).unwrap_or_default();
                    format!("step {} of {}: {id}", index + 1, plan.steps.len())
                }
                None => format!("step {}", index + 1),
            },
        }
    }
}
