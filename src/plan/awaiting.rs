//! What waits for other machines comes after what does not.

use std::collections::BTreeSet;

use super::compute::Plan;
use crate::model::MachineName;

impl Plan {
    /// The same plan with the steps last that wait for other machines, and those that need them. Otherwise
    /// the order is kept.
    pub(super) fn awaiting_last(self) -> Self {
        if self.steps.iter().all(|step| step.awaits.is_empty()) {
            return self;
        }
        let mut waiting = BTreeSet::new();
        // Needs stand before what needs them, so one walk finds all that follow.
        for (index, step) in self.steps.iter().enumerate() {
            if !step.awaits.is_empty() || step.needs.iter().any(|need| waiting.contains(need)) {
                waiting.insert(index);
            }
        }
        let mut order: Vec<usize> = (0..self.steps.len()).collect();
        order.sort_by_key(|index| waiting.contains(index));
        self.arranged(&order)
    }

    /// The step before which the plan waits for other machines, when any of it does. The guarded steps are
    /// one transaction, in which nothing is waited for: what they wait for is waited for before.
    #[must_use]
    pub fn awaiting_from(&self) -> Option<usize> {
        let first = self.steps.iter().position(|step| !step.awaits.is_empty())?;
        Some(self.guarded_from.map_or(first, |guarded| guarded.min(first)))
    }

    /// The machines that steps of this plan wait for.
    #[must_use]
    pub fn awaited(&self) -> BTreeSet<&MachineName> {
        self.steps.iter().flat_map(|step| &step.awaits).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ResourceId, Source, Span};
    use crate::plan::Step;
    use crate::resource::{Action, Difference, Origin};

    fn step(path: &str, awaits: &[&str], needs: &[usize]) -> Step {
        let source = Source::new("test.yaml", "test");
        let origin = Origin { from: "role test".to_owned(), span: Span::new(&source, 0, 4) };
        let difference = Difference { action: Action::Create, details: Vec::new(), operations: Vec::new() };
        let step = Step::new(ResourceId::new("file", path), origin, difference, needs.to_vec());
        Step { awaits: awaits.iter().map(|name| MachineName::new(name).unwrap()).collect(), ..step }
    }

    fn told(plan: &Plan) -> Vec<(&str, Vec<usize>)> {
        plan.steps.iter().map(|one| (one.id.target.as_str(), one.needs.clone())).collect()
    }

    #[test]
    fn what_waits_and_what_needs_it_comes_last() {
        let steps = vec![
            step("/first", &[], &[]),
            step("/mount", &["hub"], &[0]),
            step("/job", &[], &[1]),
            step("/free", &[], &[0]),
        ];
        let plan = Plan { steps, ..Plan::default() }.awaiting_last();
        assert_eq!(
            told(&plan),
            [("/first", vec![]), ("/free", vec![0]), ("/mount", vec![0]), ("/job", vec![2])]
        );
        assert_eq!(plan.awaiting_from(), Some(2));
        assert_eq!(plan.awaited().iter().map(|name| name.as_str()).collect::<Vec<_>>(), ["hub"]);
    }

    #[test]
    fn a_guarded_transaction_is_not_begun_before_what_it_waits_for() {
        let steps = vec![step("/a", &[], &[]), step("/sshd", &[], &[]), step("/firewall", &["hub"], &[])];
        let plan = Plan { steps, guarded_from: Some(1), ..Plan::default() };
        assert_eq!(plan.awaiting_from(), Some(1));
    }

    #[test]
    fn without_anything_that_waits_the_order_is_kept() {
        let plan = Plan { steps: vec![step("/a", &[], &[]), step("/b", &[], &[0])], ..Plan::default() };
        let plan = plan.awaiting_last();
        assert_eq!(told(&plan), [("/a", vec![]), ("/b", vec![0])]);
        assert_eq!(plan.awaiting_from(), None);
    }
}
