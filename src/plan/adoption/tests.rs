use super::*;
use crate::format::block::{Comment, Position};
use crate::model::{Init, MachineFacts, MachinePath, Source, Span};
use crate::plan::{Known, Plan};
use crate::resource::block::Block;
use crate::resource::json_keys::JsonKeys;
use crate::resource::unit::Unit;
use crate::resource::{Answer, Observation, Origin, PathFacts, PathType, Resource, Surroundings, UnitFacts};

fn declared(resource: impl Resource + 'static) -> Declared {
    let source = Source::new("test.yaml", "test");
    Declared::new(resource, Origin { from: "role test".to_owned(), span: Span::new(&source, 0, 4) })
}

fn block(id: &str) -> Declared {
    declared(Block {
        path: MachinePath::new("/etc/x").unwrap(),
        id: id.to_owned(),
        content: "x\n".to_owned(),
        comment: Comment::line("#").unwrap(),
        position: Position::End,
        owner: None,
        group: None,
        mode: None,
    })
}

fn keys(id: &str, values: &[&str]) -> Declared {
    declared(JsonKeys {
        path: MachinePath::new("/etc/x").unwrap(),
        id: id.to_owned(),
        values: values.iter().map(|key| (key.parse().unwrap(), 1.into())).collect(),
        owner: None,
        group: None,
        mode: None,
    })
}

fn unit() -> Declared {
    declared(Unit {
        name: "a.service".to_owned(),
        enabled: Some(true),
        active: None,
        related: Vec::new(),
        restart: true,
    })
}

fn absent() -> Answer {
    Answer::Path(PathFacts::absent())
}

fn there(text: &str) -> Answer {
    let bytes = Some(text.as_bytes().to_vec());
    Answer::Path(PathFacts { what: PathType::File, bytes, ..PathFacts::absent() })
}

fn loaded() -> Answer {
    Answer::Unit(UnitFacts { load: "loaded".to_owned(), ..UnitFacts::default() })
}

/// The entries of these after one more apply, by what the machine says of each first.
fn entries(ledger: &Ledger, all: &[Declared], answer: &Answer) -> Vec<Entry> {
    let machine = MachineFacts {
        uid: 0,
        home: None,
        init: Init::Systemd,
        system: "Linux".to_owned(),
        sshd: Vec::new(),
    };
    let answers = all.iter().map(|_| vec![answer.clone()]).collect();
    let observation = &Observation { machine, answers };
    let surroundings = &Surroundings::default();
    let known = Known { declared: all, departures: &[], observation, surroundings, ledger, salt: "salt" };
    let plan = Plan::compute(known).unwrap();
    assert!(plan.blocked.is_empty(), "{:?}", plan.blocked);
    plan.steps.into_iter().filter_map(|step| step.entry).chain(plan.settled).collect()
}

fn ledger(entries: Vec<Entry>) -> Ledger {
    let entries = entries.into_iter().map(|entry| (entry.id.clone(), entry));
    Ledger { entries: entries.collect(), ..Ledger::default() }
}

fn adopted(entry: &Entry) -> Vec<&str> {
    entry.former.adopted.iter().map(String::as_str).collect()
}

#[test]
fn what_the_first_of_a_plan_makes_is_not_somebody_else_s_to_the_second() {
    let made = entries(&Ledger::default(), &[block("one"), block("two")], &absent());
    assert!(made.iter().all(|entry| adopted(entry).is_empty() && !entry.adopted), "{made:?}");
    let met = entries(&Ledger::default(), &[block("one"), block("two")], &there("mine\n"));
    assert!(met.iter().all(|entry| adopted(entry) == ["file /etc/x"]), "{met:?}");
}

#[test]
fn what_one_made_is_handed_on_to_those_who_come_later() {
    let made = ledger(entries(&Ledger::default(), &[keys("one", &["/a/b", "/c"])], &absent()));
    let text = there("{\"a\": {\"b\": 1, \"mine\": 1}, \"c\": 1, \"d\": 1}");
    let later = entries(&made, &[keys("two", &["/a/x", "/c", "/d"])], &text);
    // The document and the object came with fleetprov, and so did the key that moved; /d did not.
    assert_eq!(adopted(&later[0]), ["/d"]);
    let elsewhere = ledger(entries(&Ledger::default(), &[keys("one", &["/c"])], &text));
    let later = entries(&elsewhere, &[keys("two", &["/a/x", "/c"])], &text);
    assert_eq!(adopted(&later[0]), ["/c", "file /etc/x", "object /a of /etc/x"]);
}

#[test]
fn what_is_adopted_stays_adopted_and_what_is_ours_stays_ours() {
    let text = there("{\"a\": 2}");
    let first = ledger(entries(&Ledger::default(), &[keys("one", &["/a", "/b"])], &text));
    let entry = first.entries.values().next().unwrap();
    assert_eq!(adopted(entry), ["/a", "file /etc/x"]);
    let again =
        entries(&first, &[keys("one", &["/a", "/b", "/c"])], &there("{\"a\": 1, \"b\": 5, \"c\": 1}"));
    assert_eq!(adopted(&again[0]), ["/a", "/c", "file /etc/x"]);
    let fewer = entries(&first, &[keys("one", &["/b"])], &there("{\"a\": 1, \"b\": 1}"));
    assert_eq!(adopted(&fewer[0]), ["file /etc/x"], "what is not desired any more is not kept in mind");
}

#[test]
fn a_unit_that_was_there_is_adopted_unless_its_file_is_ours() {
    let met = entries(&Ledger::default(), &[unit()], &loaded());
    assert!(met[0].adopted);
    let absent = Answer::Unit(UnitFacts { load: "not-found".to_owned(), ..UnitFacts::default() });
    assert!(!entries(&Ledger::default(), &[unit()], &absent)[0].adopted);
    let file = |adopted| Entry {
        id: ResourceId::new("file", "/etc/systemd/system/a.service"),
        applied: Aspects::new(),
        former: Former::default(),
        adopted,
        after: BTreeSet::new(),
        unfinished: false,
    };
    assert!(!entries(&ledger(vec![file(false)]), &[unit()], &loaded())[0].adopted);
    assert!(entries(&ledger(vec![file(true)]), &[unit()], &loaded())[0].adopted);
}
