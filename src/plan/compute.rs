//! From answers to steps.

use super::class::{Class, Threefold};
use super::departure::{self, Departure};
use super::force;
use super::guarded;
use super::making::Making;
use super::order::{Cycle, order};
use crate::model::{MachineName, ResourceId};
use crate::resource::{Declared, Difference, Observation, Origin, Surroundings, Touched};
use crate::state::{Entry, Ledger};

/// The closed list of changes for one machine.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The changes, in the order they are made.
    pub steps: Vec<Step>,
    /// What cannot be told or cannot be changed, with the reason.
    pub blocked: Vec<Blocked>,
    /// How many resources are in order.
    pub in_order: usize,
    /// Entries of resources that are in order, as the record has to have them. They travel with the
    /// next apply.
    pub settled: Vec<Entry>,
    /// How many of those the record does not have so yet.
    pub unsettled: usize,
    /// Entries of resources that have left the inventory and the machine: the next apply drops them.
    pub forgotten: Vec<Entry>,
    /// The first step of those that can cut the way in, when there are any: from there on all are one
    /// transaction.
    pub guarded_from: Option<usize>,
}

/// One change.
#[derive(Clone, Debug)]
pub struct Step {
    /// The resource that changes.
    pub id: ResourceId,
    /// Where it was declared.
    pub origin: Origin,
    /// What differs and what mends it.
    pub difference: Difference,
    /// Indices of the steps that have to succeed first.
    pub needs: Vec<usize>,
    /// Who moved.
    pub class: Class,
    /// The aspects that differ.
    pub aspects: Vec<Threefold>,
    /// Resources whose change it follows.
    pub because: Vec<ResourceId>,
    /// Its entry in the record afterwards; `None` when it goes or is let go of.
    pub entry: Option<Entry>,
    /// Its entry in the record now.
    pub former: Option<Entry>,
    /// What it may change on the machine.
    pub touches: Vec<Touched>,
    /// Machines whose changes have to be made before it.
    pub awaits: Vec<MachineName>,
    /// Whether it can cut the way in, or needs a step that can.
    pub guarded: bool,
}

impl Step {
    /// A step of which no more is known than this: nothing was ever applied.
    #[must_use]
    pub fn new(id: ResourceId, origin: Origin, difference: Difference, needs: Vec<usize>) -> Self {
        Self {
            id,
            origin,
            difference,
            needs,
            class: Class::Pending,
            aspects: Vec::new(),
            because: Vec::new(),
            entry: None,
            former: None,
            touches: Vec::new(),
            awaits: Vec::new(),
            guarded: false,
        }
    }
}

/// A resource that nothing can be done about.
#[derive(Clone, Debug)]
pub struct Blocked {
    /// The resource.
    pub id: ResourceId,
    /// Where it was declared.
    pub origin: Origin,
    /// Why.
    pub reason: String,
}

/// What a plan is computed from.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// What the machine is to be.
    pub declared: &'a [Declared],
    /// What has left the inventory.
    pub departures: &'a [Departure],
    /// What the machine answered: to the declared resources' questions, then to the departures'.
    pub observation: &'a Observation,
    /// What holds for all resources.
    pub surroundings: &'a Surroundings,
    /// What fleetprov remembers of the machine.
    pub ledger: &'a Ledger,
    /// A random word of this run, for what is kept of secrets.
    pub salt: &'a str,
}

impl Plan {
    /// Compares what is desired with what was observed and what was applied.
    ///
    /// # Errors
    /// [`Cycle`] when resources wait for each other.
    pub fn compute(known: Known<'_>) -> Result<Self, Cycle> {
        let mut making = Making::new(known);
        let turns = departure::order(known.departures, known.declared);
        making.depart(turns.iter().filter(|turn| turn.first));
        for (index, needs) in order(known.declared)? {
            making.bring(index, &needs);
        }
        making.depart(turns.iter().filter(|turn| !turn.first));
        let (mut plan, unread) = making.finish();
        guarded::arrange(&mut plan);
        force::warn(&mut plan, &unread);
        Ok(plan)
    }

    /// Whether there is nothing to do and nothing in the way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.blocked.is_empty()
    }
}

#[cfg(test)]
mod tests;
