//! Which steps can cut the way in: they come last, as one transaction (contract C6).

use super::compute::Plan;
use super::force;

/// Moves the guarded steps of a plan to its end and notes where they begin. What needs a guarded step is
/// guarded, too: it would have to be put back with it. The order among the guarded and among the others
/// stays as it was.
pub fn arrange(plan: &mut Plan) {
    // Steps only need earlier ones, so one pass finds everything that needs a guarded step.
    for index in 0..plan.steps.len() {
        let needs = plan.steps.get(index).map(|step| step.needs.clone()).unwrap_or_default();
        let leans = needs.iter().any(|need| plan.steps.get(*need).is_some_and(|step| step.guarded));
        if let Some(step) = plan.steps.get_mut(index) {
            step.guarded |= leans;
        }
    }
    let is_guarded: Vec<bool> = plan.steps.iter().map(|step| step.guarded).collect();
    let free = is_guarded.iter().filter(|guarded| !**guarded).count();
    plan.guarded_from = (free < is_guarded.len()).then_some(free);
    let (mut next_free, mut next_guarded) = (0, free);
    let places: Vec<usize> = is_guarded
        .iter()
        .map(|guarded| {
            let next = if *guarded { &mut next_guarded } else { &mut next_free };
            *next += 1;
            *next - 1
        })
        .collect();
    for step in &mut plan.steps {
        step.needs = step.needs.iter().filter_map(|need| places.get(*need).copied()).collect();
        step.needs.sort_unstable();
    }
    // Stable: what is equally guarded stays in its order.
    plan.steps.sort_by_key(|step| step.guarded);
    force::explain(plan);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ResourceId, Source, Span};
    use crate::plan::Step;
    use crate::resource::{Action, Difference, Origin};

    fn plan(steps: &[(&str, bool, &[usize])]) -> Plan {
        let source = Source::new("test.yaml", "test");
        let steps = steps.iter().map(|(name, guarded, needs)| {
            let origin = Origin { from: "role test".to_owned(), span: Span::new(&source, 0, 4) };
            let difference =
                Difference { action: Action::Update, details: Vec::new(), operations: Vec::new() };
            let id = ResourceId::new("file", *name);
            Step { guarded: *guarded, ..Step::new(id, origin, difference, needs.to_vec()) }
        });
        Plan { steps: steps.collect(), ..Plan::default() }
    }

    fn arranged(steps: &[(&str, bool, &[usize])]) -> (Vec<(String, Vec<usize>)>, Option<usize>) {
        let mut plan = plan(steps);
        arrange(&mut plan);
        let steps = plan.steps.iter().map(|step| (step.id.target.clone(), step.needs.clone()));
        (steps.collect(), plan.guarded_from)
    }

    fn named(steps: &[(&str, &[usize])]) -> Vec<(String, Vec<usize>)> {
        steps.iter().map(|(name, needs)| ((*name).to_owned(), needs.to_vec())).collect()
    }

    #[test]
    fn guarded_steps_come_last_in_their_order() {
        let (steps, from) = arranged(&[
            ("sshd", true, &[]),
            ("a", false, &[]),
            ("keys", true, &[1]),
            ("b", false, &[1]),
            ("restart", false, &[0, 3]),
        ]);
        let expected: &[(&str, &[usize])] =
            &[("a", &[]), ("b", &[0]), ("sshd", &[]), ("keys", &[0]), ("restart", &[1, 2])];
        assert_eq!((steps, from), (named(expected), Some(2)));
    }

    #[test]
    fn what_needs_a_guarded_step_is_guarded_however_far_away() {
        let (steps, from) = arranged(&[
            ("guarded", true, &[]),
            ("free", false, &[]),
            ("second", false, &[0]),
            ("third", false, &[1, 2]),
        ]);
        let expected: &[(&str, &[usize])] =
            &[("free", &[]), ("guarded", &[]), ("second", &[1]), ("third", &[0, 2])];
        assert_eq!((steps, from), (named(expected), Some(1)));
    }

    #[test]
    fn a_plan_without_guarded_steps_stays_as_it_is() {
        let (steps, from) = arranged(&[("a", false, &[]), ("b", false, &[0])]);
        assert_eq!((steps, from), (named(&[("a", &[]), ("b", &[0])]), None));
        assert_eq!(arranged(&[]), (Vec::new(), None));
        assert_eq!(arranged(&[("a", true, &[])]).1, Some(0));
    }
}
