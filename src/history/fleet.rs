//! Past runs over the fleet: what machines tell of the same run, put together.

use std::collections::BTreeMap;

use super::runs::PastRun;
use crate::event::Failure;
use crate::model::MachineName;
use crate::state::RunId;

/// What is known of one machine's past runs.
#[derive(Clone, Debug)]
pub struct Remembered {
    /// The machine.
    pub machine: MachineName,
    /// Its runs, the newest first.
    pub runs: Vec<PastRun>,
    /// Why they are what was heard of it last, and not what it says now.
    pub failure: Option<Failure>,
}

/// Past runs over the fleet.
#[derive(Clone, Debug)]
pub struct FleetHistory {
    /// The runs, the newest first by their controllers' clocks.
    pub runs: Vec<FleetRun>,
    /// Machines that did not answer now, and why.
    pub absent: Vec<(MachineName, Failure)>,
}

/// One run over the fleet.
#[derive(Clone, Debug)]
pub struct FleetRun {
    /// Its name.
    pub id: RunId,
    /// Who ran it.
    pub who: String,
    /// When it began.
    pub when: String,
    /// What it was.
    pub what: String,
    /// The inventory's file name.
    pub inventory: String,
    /// What it did on each machine, in the order of the inventory.
    pub machines: Vec<Part>,
}

/// What a run did on one machine.
#[derive(Clone, Debug)]
pub struct Part {
    /// The machine.
    pub machine: MachineName,
    /// The run there.
    pub run: PastRun,
    /// The run that undid it there, or parts of it.
    pub undone_by: Option<RunId>,
    /// Whether the machine did not answer now: it is what was heard of it last.
    pub is_remembered: bool,
}

impl FleetHistory {
    /// Puts together what machines tell, given in the order of the inventory.
    #[must_use]
    pub fn of(machines: &[Remembered]) -> Self {
        let mut runs: Vec<FleetRun> = Vec::new();
        let mut places: BTreeMap<&RunId, usize> = BTreeMap::new();
        for one in machines {
            for run in &one.runs {
                let undo = format!("undo {}", run.id);
                let undone_by = one.runs.iter().find(|other| other.what == undo && other.changed > 0);
                let part = Part {
                    machine: one.machine.clone(),
                    run: run.clone(),
                    undone_by: undone_by.map(|undo| undo.id.clone()),
                    is_remembered: one.failure.is_some(),
                };
                match places.get(&run.id).and_then(|place| runs.get_mut(*place)) {
                    Some(whole) => whole.machines.push(part),
                    None => {
                        places.insert(&run.id, runs.len());
                        runs.push(FleetRun {
                            id: run.id.clone(),
                            who: run.who.clone(),
                            when: run.when.clone(),
                            what: run.what.clone(),
                            inventory: run.inventory.clone(),
                            machines: vec![part],
                        });
                    }
                }
            }
        }
        // Stable: runs of the same second stay in the order in which a machine has them.
        runs.sort_by(|one, other| other.when.cmp(&one.when));
        let absent = machines.iter().filter_map(|one| Some((one.machine.clone(), one.failure.clone()?)));
        Self { runs, absent: absent.collect() }
    }
}
