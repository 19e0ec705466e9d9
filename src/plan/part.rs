//! A part of a plan: some of its steps, in their order.

use std::collections::BTreeMap;

use super::compute::{Plan, Step};
use crate::resource::Action;

impl Plan {
    /// The plan with those of its steps only that `keep` takes. What a step needs and is not kept does
    /// not count any more; whatever else the plan says stays.
    #[must_use]
    pub fn only(&self, keep: impl Fn(usize, &Step) -> bool) -> Self {
        let kept: Vec<usize> = self
            .steps
            .iter()
            .enumerate()
            .filter(|(index, step)| keep(*index, step))
            .map(|(index, _)| index)
            .collect();
        self.arranged(&kept)
    }

    /// The steps with these indices, in this order, their needs said anew.
    pub(super) fn arranged(&self, order: &[usize]) -> Self {
        let places: BTreeMap<usize, usize> =
            order.iter().enumerate().map(|(place, index)| (*index, place)).collect();
        let steps = order.iter().filter_map(|index| self.steps.get(*index)).cloned().map(|mut step| {
            step.needs = step.needs.iter().filter_map(|need| places.get(need).copied()).collect();
            step.needs.sort_unstable();
            step
        });
        let is_guarded = |index: &usize| self.guarded_from.is_some_and(|first| *index >= first);
        Self {
            steps: steps.collect(),
            blocked: self.blocked.clone(),
            in_order: self.in_order,
            settled: self.settled.clone(),
            unsettled: self.unsettled,
            forgotten: self.forgotten.clone(),
            guarded_from: order.iter().position(is_guarded),
        }
    }

    /// What the machine moved away from what was applied, and how many changes are left out because it is
    /// the inventory that moved. Restarts that follow a change are neither.
    #[must_use]
    pub fn drifted(&self) -> (Self, usize) {
        let is_own = |step: &Step| step.difference.action != Action::Restart;
        let drifted = self.only(|_, step| is_own(step) && step.class.is_drift());
        let pending = self.steps.iter().filter(|step| is_own(step) && !step.class.is_drift()).count();
        (drifted, pending)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ResourceId, Source, Span};
    use crate::plan::Class;
    use crate::resource::{Difference, Origin};

    fn step(path: &str, action: Action, class: Class, needs: &[usize]) -> Step {
        let source = Source::new("test.yaml", "test");
        let origin = Origin { from: "role test".to_owned(), span: Span::new(&source, 0, 4) };
        let difference = Difference { action, details: Vec::new(), operations: Vec::new() };
        let step = Step::new(ResourceId::new("file", path), origin, difference, needs.to_vec());
        Step { class, ..step }
    }

    fn plan(steps: Vec<Step>, guarded_from: Option<usize>) -> Plan {
        Plan { steps, in_order: 3, guarded_from, ..Plan::default() }
    }

    #[test]
    fn what_is_kept_needs_what_is_kept() {
        let of = |path, needs: &[usize]| step(path, Action::Update, Class::Pending, needs);
        let whole = plan(vec![of("/a", &[]), of("/b", &[0]), of("/c", &[0, 1]), of("/d", &[2])], Some(2));
        let part = whole.only(|index, _| index != 1);
        let told: Vec<_> = part.steps.iter().map(|one| (one.id.target.as_str(), one.needs.clone())).collect();
        assert_eq!(told, [("/a", vec![]), ("/c", vec![0]), ("/d", vec![1])]);
        assert_eq!((part.guarded_from, part.in_order), (Some(1), 3));
        assert_eq!(whole.only(|index, _| index < 2).guarded_from, None);
    }

    #[test]
    fn drift_is_what_the_machine_moved() {
        let whole = plan(
            vec![
                step("/pending", Action::Create, Class::Pending, &[]),
                step("/drifted", Action::Update, Class::Drifted, &[0]),
                step("/both", Action::Update, Class::Both, &[1]),
                step("/restart", Action::Restart, Class::Pending, &[2]),
            ],
            None,
        );
        let (drifted, pending) = whole.drifted();
        let told: Vec<_> =
            drifted.steps.iter().map(|one| (one.id.target.as_str(), one.needs.clone())).collect();
        assert_eq!(told, [("/drifted", vec![]), ("/both", vec![0])]);
        assert_eq!(pending, 1);
    }
}
