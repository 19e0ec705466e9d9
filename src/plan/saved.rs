//! A plan that was shown, kept for later: which steps of a new plan are the same.

mod form;
mod reason;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use super::compute::{Plan, Step};
use crate::model::{Aspect, Digest, MachineName, ResourceId};
use crate::resource::Detail;

pub use form::PlanFileError;

/// The plans of some machines, as they were shown. It holds nothing secret but digests of secrets, made
/// with a key that is in it, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedPlan {
    /// The version of the fleetprov that made it.
    pub version: String,
    /// The fleet's name.
    pub fleet: String,
    /// The inventory's file name and digest.
    pub inventory: (String, Digest),
    /// When it was made, by the controller's clock, RFC 3339 in UTC.
    pub when: String,
    /// Who made it: `user@host` of the controller.
    pub who: String,
    /// The machines that had something to do, in the order of the inventory.
    pub machines: Vec<SavedMachine>,
}

/// One machine's part of a saved plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedMachine {
    /// The machine.
    pub name: MachineName,
    /// The key of the run that looked at it: 1 to 128 letters and digits.
    pub key: String,
    /// Its steps, in their order.
    pub steps: Vec<SavedStep>,
}

/// One step of a saved plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedStep {
    /// The resource.
    pub id: ResourceId,
    /// The verb: create, update, …
    pub action: String,
    /// Who moved: `pending`, `drifted`, `both`.
    pub class: String,
    /// What it does and what it is bound to ([`Step::fingerprint`]).
    pub fingerprint: Digest,
    /// What was there of what it changes, by name; `None` where nothing was.
    pub seen: BTreeMap<String, Option<Seen>>,
}

/// What was there of one thing that a step changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// A short text that may be shown.
    Text(String),
    /// The digest of a content.
    Digest(Digest),
    /// The digest of a secret, made with the machine's key.
    Keyed(Digest),
}

/// What of a saved plan still holds on a machine.
#[derive(Clone, Debug)]
pub struct Bound {
    /// Those steps of the new plan that are in the saved one, the stale ones included.
    pub plan: Plan,
    /// Those of them that must not be made, by their indices, and why: what they change is not as it was.
    pub stale: BTreeMap<usize, String>,
    /// Steps of the new plan that the saved one does not have.
    pub unplanned: Vec<ResourceId>,
    /// Steps of the saved plan that are not needed any more.
    pub settled: Vec<ResourceId>,
}

impl SavedMachine {
    /// Keeps a plan that was made with `key`.
    #[must_use]
    pub fn of(name: MachineName, plan: &Plan, key: &str) -> Self {
        let steps = plan.steps.iter().map(|step| SavedStep {
            id: step.id.clone(),
            action: step.difference.action.verb().to_owned(),
            class: step.class.word().to_owned(),
            fingerprint: step.fingerprint(key),
            seen: seen(step, key),
        });
        Self { name, key: key.to_owned(), steps: steps.collect() }
    }

    /// Compares the saved plan with a new one, made with the same key: what may be made is what has not
    /// changed since, and needs nothing that nobody has been shown. Resources that were `announced` may change
    /// in whichever way, or not at all.
    #[must_use]
    pub fn bind(&self, plan: &Plan, announced: &dyn Fn(&ResourceId) -> bool) -> Bound {
        let saved: BTreeMap<&ResourceId, &SavedStep> =
            self.steps.iter().map(|step| (&step.id, step)).collect();
        let mut stale: BTreeMap<usize, String> = BTreeMap::new();
        let mut places: BTreeMap<usize, usize> = BTreeMap::new();
        let mut unplanned = Vec::new();
        for (index, step) in plan.steps.iter().enumerate() {
            let place = places.len();
            if announced(&step.id) {
                places.insert(index, place);
                continue;
            }
            let Some(saved) = saved.get(&step.id) else {
                unplanned.push(step.id.clone());
                continue;
            };
            places.insert(index, place);
            let needed = step.needs.iter().find(|need| !places.contains_key(need));
            if saved.fingerprint != step.fingerprint(&self.key) {
                stale.insert(place, reason::changed(saved, step, &seen(step, &self.key)));
            } else if let Some(needed) = needed.and_then(|need| plan.steps.get(*need)) {
                stale.insert(place, format!("it needs {}, whose change is not in the plan file", needed.id));
            }
        }
        let is_there = |id: &ResourceId| {
            plan.steps.iter().any(|step| step.id == *id) || plan.blocked.iter().any(|one| one.id == *id)
        };
        let settled = self.steps.iter().map(|step| &step.id).filter(|id| !is_there(id) && !announced(id));
        let settled = settled.cloned().collect();
        let planned: BTreeSet<usize> = places.into_keys().collect();
        Bound { plan: plan.only(|index, _| planned.contains(&index)), stale, unplanned, settled }
    }
}

/// What is there of what a step changes.
fn seen(step: &Step, key: &str) -> BTreeMap<String, Option<Seen>> {
    let mut seen = BTreeMap::new();
    let named = |name: &str| if name == step.id.target { "content".to_owned() } else { name.to_owned() };
    for detail in &step.difference.details {
        let (name, value) = match detail {
            Detail::Value { name, from, .. } => (name, from.clone().map(Seen::Text)),
            Detail::Text { name, from, .. } => (name, from.as_deref().map(Digest::of).map(Seen::Digest)),
            Detail::Summary { name, from, .. } => (name, from.clone().map(Seen::Text)),
            Detail::Secret { .. } | Detail::Note(_) => continue,
        };
        seen.insert(named(name), value);
    }
    for aspect in &step.aspects {
        let value = aspect.observed.as_ref().map(|value| match value {
            Aspect::Plain(text) => Seen::Text(text.clone()),
            Aspect::Digest(digest) | Aspect::Sealed { digest, .. } => Seen::Digest(*digest),
            Aspect::Keyed(digest) => Seen::Keyed(*digest),
            Aspect::Secret(secret) => Seen::Keyed(Digest::keyed(key, secret.expose())),
        });
        seen.insert(aspect.name.clone(), value);
    }
    seen
}
