//! From answers to steps.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::order::{Cycle, order};
use crate::model::{Digest, ResourceId};
use crate::resource::{
    Action, Answer, Answers, Comparison, Declared, Difference, Observation, Origin, Question, Resource,
    Surroundings,
};

/// The closed list of changes for one machine.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The changes, in the order they are made.
    pub steps: Vec<Step>,
    /// What cannot be told or cannot be changed, with the reason.
    pub blocked: Vec<Blocked>,
    /// How many resources are in order.
    pub in_order: usize,
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

impl Plan {
    /// Compares what is desired with what was observed.
    ///
    /// # Errors
    /// [`Cycle`] when resources wait for each other.
    pub fn compute(
        declared: &[Declared],
        observation: &Observation,
        surroundings: &Surroundings,
    ) -> Result<Self, Cycle> {
        let mut plan = Self::default();
        let mut step_of: BTreeMap<usize, usize> = BTreeMap::new();
        let mut blocked: BTreeSet<usize> = BTreeSet::new();
        let mut foreseen = Foreseen::default();
        for (index, needs) in order(declared)? {
            let Some(one) = declared.get(index) else { continue };
            let none: &[Answer] = &[];
            let observed = observation.answers.get(index).map_or(none, Vec::as_slice);
            let (given, builds_on) = foreseen.instead_of(observed, one.resource.as_ref());
            let answers = Answers::new(&given, surroundings);
            let id = one.resource.id();
            let block = |reason: String| Blocked { id: id.clone(), origin: one.origin.clone(), reason };
            if let Some(need) = needs.iter().find(|need| blocked.contains(need)) {
                let needed = declared.get(*need).map(|one| one.resource.id().to_string()).unwrap_or_default();
                plan.blocked.push(block(format!("it needs {needed}, which is blocked")));
                blocked.insert(index);
                continue;
            }
            let because: Vec<ResourceId> = one
                .follows
                .iter()
                .filter(|id| plan.steps.iter().any(|step| step.id == **id))
                .cloned()
                .collect();
            let following = if because.is_empty() { None } else { one.resource.follow(answers, &because) };
            let difference = match one.resource.compare(answers) {
                Ok(Comparison::InOrder) => following,
                Ok(Comparison::Differs(difference)) => Some(joined(difference, following)),
                Err(error) => {
                    plan.blocked.push(block(error.to_string()));
                    blocked.insert(index);
                    continue;
                }
            };
            let Some(difference) = difference else {
                plan.in_order += 1;
                continue;
            };
            let step = plan.steps.len();
            step_of.insert(index, step);
            foreseen.add(step, one.resource.foreseen(answers));
            let needs = needs.iter().filter_map(|need| step_of.get(need).copied());
            let needs: BTreeSet<usize> = needs.chain(builds_on).collect();
            plan.steps.push(Step {
                id,
                origin: one.origin.clone(),
                difference,
                needs: needs.into_iter().collect(),
            });
        }
        Ok(plan)
    }

    /// Whether there is nothing to do and nothing in the way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.blocked.is_empty()
    }

    /// A digest of everything the plan would do, including the states it is bound to. Two plans
    /// with the same fingerprint make the same changes to the same observed state.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        let mut text = String::new();
        for step in &self.steps {
            text.push_str(&format!("{}\u{0}", step.id));
            for operation in &step.difference.operations {
                text.push_str(operation.call.function);
                for argument in &operation.call.arguments {
                    text.push('\u{0}');
                    text.push_str(argument);
                }
                text.push('\u{1}');
            }
        }
        for blocked in &self.blocked {
            text.push_str(&format!("{} {}\u{0}", blocked.id, blocked.reason));
        }
        Digest::of(text.as_bytes())
    }
}

/// What earlier steps of the plan will have changed of the answers to later ones' questions.
#[derive(Default)]
struct Foreseen(Vec<(Question, Answer, usize)>);

impl Foreseen {
    fn add(&mut self, step: usize, answers: Vec<(Question, Answer)>) {
        for (question, answer) in answers {
            self.0.retain(|(known, ..)| *known != question);
            self.0.push((question, answer, step));
        }
    }

    /// The answers to a resource's questions as they will be when its turn comes, and the steps that
    /// have to succeed for that.
    fn instead_of<'a>(
        &self,
        observed: &'a [Answer],
        resource: &dyn Resource,
    ) -> (Cow<'a, [Answer]>, Vec<usize>) {
        let mut answers = Cow::Borrowed(observed);
        let mut steps = Vec::new();
        if self.0.is_empty() {
            return (answers, steps);
        }
        for (place, question) in resource.questions().iter().enumerate() {
            let known = self.0.iter().find(|(known, ..)| known == question);
            if let Some((_, answer, step)) = known
                && let Some(given) = answers.to_mut().get_mut(place)
            {
                *given = answer.clone();
                steps.push(*step);
            }
        }
        (answers, steps)
    }
}

fn joined(mut difference: Difference, following: Option<Difference>) -> Difference {
    if let Some(following) = following
        && difference.action != Action::Remove
    {
        difference.operations.extend(following.operations);
        difference.details.extend(following.details);
    }
    difference
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::block::{Comment, Position};
    use crate::model::{Init, MachineFacts, MachinePath, Source, Span};
    use crate::resource::block::Block;
    use crate::resource::link::Link;
    use crate::resource::{PathFacts, PathType, Payload};

    fn block(id: &str) -> Declared {
        let source = Source::new("test.yaml", "test");
        let origin = Origin { from: "role test".to_owned(), span: Span::new(&source, 0, 4) };
        let block = Block {
            path: MachinePath::new("/etc/hosts").unwrap(),
            id: id.to_owned(),
            content: format!("10.0.0.1 {id}\n"),
            comment: Comment::line("#").unwrap(),
            position: Position::End,
            owner: None,
            group: None,
            mode: None,
        };
        Declared::new(block, origin)
    }

    #[test]
    fn parts_of_one_file_build_on_each_other() {
        let declared = [block("hub"), block("nas")];
        let machine = MachineFacts { uid: 0, home: None, init: Init::Systemd, system: "Linux".to_owned() };
        let answers = vec![vec![Answer::Path(PathFacts::absent())]; 2];
        let observation = Observation { machine, answers };
        let plan = Plan::compute(&declared, &observation, &Surroundings::default()).unwrap();
        let payload = |step: usize| match &plan.steps[step].difference.operations[0].payload {
            Some(Payload::Bytes(bytes)) => String::from_utf8(bytes.to_vec()).unwrap(),
            other => panic!("{other:?}"),
        };
        assert!(payload(0).contains("hub") && !payload(0).contains("nas"));
        assert!(payload(1).starts_with(&payload(0)) && payload(1).contains("nas"));
        assert_eq!(
            plan.steps[1].difference.operations[0].call.arguments[1],
            Digest::of(payload(0).as_bytes()).to_string()
        );
        assert_eq!([plan.steps[0].needs.clone(), plan.steps[1].needs.clone()], [vec![], vec![0]]);
    }

    fn link(path: &str, target: &str) -> Declared {
        let source = Source::new("test.yaml", "test");
        let origin = Origin { from: "role test".to_owned(), span: Span::new(&source, 0, 4) };
        let path = MachinePath::new(path).unwrap();
        Declared::new(Link { path, target: target.to_owned(), owner: "root".to_owned() }, origin)
    }

    fn found(what: PathType) -> Vec<Answer> {
        let user = "root".to_owned();
        vec![Answer::Path(PathFacts { what, user: user.clone(), group: user, ..PathFacts::absent() })]
    }

    fn to(target: &str) -> Vec<Answer> {
        found(PathType::Link(target.to_owned()))
    }

    fn plan(declared: &[Declared], answers: Vec<Vec<Answer>>) -> Plan {
        let machine = MachineFacts { uid: 0, home: None, init: Init::Systemd, system: "Linux".to_owned() };
        let observation = Observation { machine, answers };
        Plan::compute(declared, &observation, &Surroundings::default()).unwrap()
    }

    #[test]
    fn what_needs_something_blocked_is_blocked_and_the_rest_is_not() {
        let declared = [link("/a", "x"), link("/a/b", "x"), link("/a/b/c", "x"), link("/free", "x")];
        let answers = vec![found(PathType::File), to("y"), to("x"), to("y")];
        let plan = plan(&declared, answers);
        let reasons: Vec<&str> = plan.blocked.iter().map(|blocked| blocked.reason.as_str()).collect();
        assert_eq!(
            reasons,
            [
                "/a is a file; it is not replaced by a link",
                "it needs link /a, which is blocked",
                "it needs link /a, which is blocked"
            ]
        );
        assert_eq!((plan.steps.len(), plan.in_order), (1, 0));
        assert!(!plan.is_empty());
    }

    #[test]
    fn a_machine_that_does_not_answer_blocks() {
        let declared = [link("/a", "x"), link("/b", "x")];
        let plan = plan(&declared, vec![vec![Answer::Unanswered("it is asleep".to_owned())]]);
        assert_eq!(plan.blocked[0].reason, "it is asleep");
        assert_eq!(plan.blocked.len(), 2, "an answer that is missing is none");
        assert!(plan.steps.is_empty());
    }

    #[test]
    fn steps_need_the_steps_of_what_they_need() {
        let declared = [
            link("/last", "x").after([ResourceId::new("link", "/ok"), ResourceId::new("link", "/first")]),
            link("/ok", "x"),
            link("/first", "x"),
        ];
        let plan = plan(&declared, vec![to("y"), to("x"), to("y")]);
        let steps: Vec<_> = plan.steps.iter().map(|step| (step.id.to_string(), step.needs.clone())).collect();
        assert_eq!(steps, [("link /first".to_owned(), vec![]), ("link /last".to_owned(), vec![0])]);
        assert_eq!(plan.in_order, 1);
    }

    #[test]
    fn a_fingerprint_stands_for_the_changes_and_the_state_they_are_bound_to() {
        let declared = [link("/a", "x"), link("/b", "x")];
        let of =
            |declared: &[Declared], a: Vec<Answer>, b: Vec<Answer>| plan(declared, vec![a, b]).fingerprint();
        let first = of(&declared, to("y"), to("x"));
        assert_eq!(first, of(&declared, to("y"), to("x")));
        let others = [
            of(&declared, to("z"), to("x")),
            of(&declared, to("x"), to("y")),
            of(&declared, to("y"), to("y")),
            of(&declared, to("y"), found(PathType::File)),
            of(&declared, found(PathType::Absent), to("x")),
            of(&[link("/a", "xx"), link("/b", "x")], to("y"), to("x")),
        ];
        assert!(others.iter().all(|other| *other != first));
        assert_eq!(others.iter().collect::<BTreeSet<_>>().len(), others.len());
    }
}
