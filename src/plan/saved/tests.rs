use std::sync::Arc;

use super::*;
use crate::model::{MachinePath, Secret, Source, Span};
use crate::plan::{Class, Threefold};
use crate::resource::{Action, Difference, Operation, Origin, Payload};
use crate::shell::{Call, posix};

const KEY: &str = "k1";

fn step(path: &str, needs: &[usize]) -> Step {
    let source = Source::new("test.yaml", "test");
    let origin = Origin { from: "role test".to_owned(), span: Span::new(&source, 0, 4) };
    let details = vec![Detail::value("mode", Some("0600"), "0644")];
    let operation = Operation {
        library: posix::SESSION,
        call: Call::new("fp_write", [path, "file 600 0 0 -"]),
        payload: Some(Payload::Bytes(Arc::from(&b"new"[..]))),
        within: MachinePath::new("/srv").ok(),
    };
    let difference = Difference { action: Action::Update, details, operations: vec![operation] };
    let mut step = Step::new(ResourceId::new("file", path), origin, difference, needs.to_vec());
    step.aspects.push(Threefold {
        name: "content".to_owned(),
        desired: Some(Aspect::Digest(Digest::of(b"new"))),
        applied: None,
        observed: Some(Aspect::Digest(Digest::of(b"old"))),
        class: Class::Pending,
    });
    step
}

fn plan(steps: Vec<Step>) -> Plan {
    Plan { steps, ..Plan::default() }
}

fn saved(plan: &Plan) -> SavedMachine {
    SavedMachine::of(MachineName::new("box").unwrap(), plan, KEY)
}

/// What is said of a single step that was saved as it is and is found changed.
fn said(change: impl Fn(&mut Step)) -> String {
    let before = plan(vec![step("/f", &[])]);
    let mut after = before.clone();
    change(&mut after.steps[0]);
    let bound = saved(&before).bind(&after, &|_| false);
    assert_eq!(bound.plan.steps.len(), 1);
    bound.stale.get(&0).cloned().unwrap_or_default()
}

#[test]
fn a_fingerprint_covers_all_a_step_does_and_is_bound_to() {
    let of = |change: &dyn Fn(&mut Step)| {
        let mut step = step("/f", &[]);
        change(&mut step);
        step.fingerprint(KEY)
    };
    let changes: &[&dyn Fn(&mut Step)] = &[
        &|_| {},
        &|step| step.id.target = "/g".to_owned(),
        &|step| step.difference.action = Action::Create,
        &|step| step.class = Class::Drifted,
        &|step| step.because.push(ResourceId::new("file", "/x")),
        &|step| step.difference.details.push(Detail::Note("n".to_owned())),
        &|step| step.aspects[0].observed = Some(Aspect::Digest(Digest::of(b"other"))),
        &|step| step.aspects[0].observed = None,
        &|step| step.aspects[0].desired = None,
        &|step| step.difference.operations[0].call.arguments[1].push('x'),
        &|step| step.difference.operations[0].call.arguments.push(String::new()),
        &|step| step.difference.operations[0].call.function = "fp_attributes",
        &|step| step.difference.operations[0].within = None,
        &|step| step.difference.operations[0].payload = None,
        &|step| step.difference.operations[0].payload = Some(Payload::Bytes(Arc::from(&b"newer"[..]))),
        &|step| {
            let secret = Secret::new(b"new".to_vec());
            step.difference.operations[0].payload = Some(Payload::Secret(secret));
        },
        &|step| {
            let operation = step.difference.operations[0].clone();
            step.difference.operations.push(operation);
        },
    ];
    let all: BTreeSet<String> = changes.iter().map(|change| of(change).to_string()).collect();
    assert_eq!(all.len(), changes.len(), "two changes look the same");
    // Where it stands among the others and where it was declared say nothing of what it does.
    assert_eq!(of(&|step| step.needs = vec![7]), of(&|_| {}));
}

#[test]
fn a_secret_takes_part_under_the_key_alone() {
    let of = |text: &str, key: &str| {
        let mut step = step("/f", &[]);
        step.aspects[0].observed = Some(Aspect::Keyed(Digest::keyed(key, text.as_bytes())));
        step.difference.operations[0].payload = Some(Payload::Secret(Secret::new(text.as_bytes().to_vec())));
        step.fingerprint(key)
    };
    assert_eq!(of("hush", "k1"), of("hush", "k1"));
    assert_ne!(of("hush", "k1"), of("hush", "k2"));
    assert_ne!(of("hush", "k1"), of("husk", "k1"));
}

#[test]
fn what_has_not_changed_is_bound_and_what_has_is_told() {
    assert_eq!(said(|_| {}), "");
    let moved = "the machine has moved since the plan was saved: ";
    let old = Digest::of(b"old").short();
    let other = Digest::of(b"other").short();
    assert_eq!(
        said(|step| step.aspects[0].observed = Some(Aspect::Digest(Digest::of(b"other")))),
        format!("{moved}its content was sha256 {old}, is sha256 {other}")
    );
    assert_eq!(
        said(|step| {
            step.aspects[0].observed = None;
            step.difference.details = vec![Detail::value("mode", None, "0644")];
        }),
        format!("{moved}its content was sha256 {old}, is not there; its mode was 0600, is not there")
    );
    assert_eq!(
        said(|step| step.difference.details.clear()),
        format!("{moved}its mode was 0600, is as desired")
    );
    assert_eq!(
        said(|step| step.difference.details.push(Detail::value("owner", Some("alice"), "root"))),
        format!("{moved}its owner was as desired, is alice")
    );
    assert_eq!(
        said(|step| step.difference.action = Action::Replace),
        "it was to be updated, and would be replaced now"
    );
    assert_eq!(
        said(|step| step.class = Class::Drifted),
        "it was pending when the plan was saved, and is drifted now"
    );
    assert!(said(|step| step.difference.operations.clear()).starts_with("what would be done to it is not"));
}

#[test]
fn a_secret_that_is_another_one_is_not_shown() {
    let with = |text: &str| {
        let mut step = step("/f", &[]);
        step.aspects[0].observed = Some(Aspect::Keyed(Digest::keyed(KEY, text.as_bytes())));
        plan(vec![step])
    };
    let bound = saved(&with("hush")).bind(&with("husk"), &|_| false);
    assert_eq!(
        bound.stale[&0],
        "the machine has moved since the plan was saved: its content, which is not shown, is another one"
    );
}

#[test]
fn only_what_was_saved_is_made_and_what_needs_more_is_not() {
    let before = plan(vec![step("/gone", &[]), step("/free", &[]), step("/needs-new", &[])]);
    // Meanwhile /gone is as desired, and there is a folder to make that nobody has been shown.
    let after = plan(vec![step("/new", &[]), step("/free", &[]), step("/needs-new", &[0, 1])]);
    let bound = saved(&before).bind(&after, &|_| false);
    let targets: Vec<_> =
        bound.plan.steps.iter().map(|step| (step.id.target.as_str(), step.needs.clone())).collect();
    assert_eq!(targets, [("/free", vec![]), ("/needs-new", vec![0])]);
    assert_eq!(
        bound.stale,
        BTreeMap::from([(1, "it needs file /new, whose change is not in the plan file".to_owned())])
    );
    assert_eq!(bound.unplanned, [ResourceId::new("file", "/new")]);
    assert_eq!(bound.settled, [ResourceId::new("file", "/gone")]);
}

fn whole() -> SavedPlan {
    let mut one = step("/f", &[]);
    one.aspects[0].observed = Some(Aspect::Keyed(Digest::keyed(KEY, b"hush")));
    SavedPlan {
        version: "0.1.0".to_owned(),
        fleet: "lab".to_owned(),
        inventory: ("fleet.yaml".to_owned(), Digest::of(b"x")),
        when: "2026-11-29T01:00:00Z".to_owned(),
        who: "me@here".to_owned(),
        machines: vec![saved(&plan(vec![one, step("/g", &[])]))],
    }
}

#[test]
fn what_is_written_is_read_again() {
    let json = whole().to_json().unwrap();
    assert_eq!(SavedPlan::read(&json).unwrap(), whole());
    assert_eq!(json, whole().to_json().unwrap());
}

#[test]
fn what_is_no_plan_file_says_so_and_why() {
    let text = String::from_utf8(whole().to_json().unwrap()).unwrap();
    let read = |text: &str| SavedPlan::read(text.as_bytes()).unwrap_err();
    for foreign in ["", "fleet: lab\n", "{}", "[1]", "{\"version\":1}"] {
        assert!(matches!(read(foreign), PlanFileError::Foreign(_)), "{foreign}");
    }
    let newer = text.replace("\"fleetprov-plan\": 1", "\"fleetprov-plan\": 2, \"more\": 1");
    assert_eq!(read(&newer), PlanFileError::Newer { found: 2, known: 1 });
    let key = format!("\"key\": \"{KEY}\"");
    assert!(text.contains(&key));
    for damaged in [
        &text[..text.len() / 2],
        &text.replace("\"who\"", "\"whom\""),
        &text.replace(&key, "\"key\": \"k\\nrun 3\""),
        &text.replace(&key, "\"key\": \"\""),
        &text.replace("\"box\"", "\"../box\""),
        &text.replace("\"kind\": \"file\"", "\"kind\": \"bogus\""),
        &text.replace("\"fingerprint\": \"", "\"fingerprint\": \"x"),
    ] {
        assert!(matches!(read(damaged), PlanFileError::Damaged(_)), "{damaged}");
    }
}
