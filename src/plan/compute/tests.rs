use std::collections::BTreeSet;

use super::*;
use crate::format::block::{Comment, Position};
use crate::model::{Digest, Init, MachineFacts, MachinePath, Source, Span};
use crate::resource::block::Block;
use crate::resource::link::Link;
use crate::resource::{Answer, PathFacts, PathType, Payload};

/// The plan of a machine that nothing was ever applied to.
fn computed(declared: &[Declared], observation: &Observation) -> Result<Plan, Cycle> {
    let surroundings = &Surroundings::default();
    let ledger = &Ledger::default();
    Plan::compute(Known { declared, departures: &[], observation, surroundings, ledger, salt: "salt" })
}

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
    let machine = MachineFacts {
        uid: 0,
        home: None,
        init: Init::Systemd,
        system: "Linux".to_owned(),
        sshd: Vec::new(),
    };
    let answers = vec![vec![Answer::Path(PathFacts::absent())]; 2];
    let observation = Observation { machine, answers };
    let plan = computed(&declared, &observation).unwrap();
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
    let machine = MachineFacts {
        uid: 0,
        home: None,
        init: Init::Systemd,
        system: "Linux".to_owned(),
        sshd: Vec::new(),
    };
    let observation = Observation { machine, answers };
    computed(declared, &observation).unwrap()
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
        |declared: &[Declared], a: Vec<Answer>, b: Vec<Answer>| plan(declared, vec![a, b]).fingerprint("key");
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
