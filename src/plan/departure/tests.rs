use std::sync::Arc;

use super::*;
use crate::model::{Init, MachineFacts, Source, Span};
use crate::plan::{Class, Known, Plan};
use crate::resource::directory::Directory;
use crate::resource::file::File;
use crate::resource::link::Link;
use crate::resource::unit::Unit;
use crate::resource::{
    Action, Answer, Content, Former, Observation, Origin, PathFacts, PathType, Surroundings, UnitFacts,
};

fn declared(resource: impl crate::resource::Resource + 'static) -> Declared {
    let source = Source::new("test.yaml", "test");
    Declared::new(resource, Origin { from: "role test".to_owned(), span: Span::new(&source, 0, 4) })
}

fn path(text: &str) -> MachinePath {
    MachinePath::new(text).unwrap()
}

fn file(at: &str) -> Declared {
    let content = Content::Bytes(Arc::from(&b"x"[..]));
    declared(File { path: path(at), content, owner: "root".to_owned(), group: None, mode: 0o644 })
}

fn directory(at: &str) -> Declared {
    declared(Directory { path: path(at), owner: "root".to_owned(), group: None, mode: 0o755 })
}

fn unit(name: &str, related: &[&str]) -> Declared {
    let related = related.iter().map(|name| (*name).to_owned()).collect();
    let unit =
        Unit { name: name.to_owned(), enabled: Some(true), active: Some(true), related, restart: true };
    let files = unit.files();
    declared(unit).follows(files)
}

/// The record of a machine to which these were applied, and nothing was there before.
fn applied(all: &[Declared]) -> Ledger {
    let entries = all.iter().map(|one| {
        let id = one.resource.id();
        let entry = Entry {
            id: id.clone(),
            applied: one.resource.wanted(),
            former: Former { remains: one.resource.remains(), adopted: BTreeSet::new() },
            adopted: false,
            after: one.after.iter().chain(&one.follows).cloned().collect(),
            unfinished: false,
        };
        (id, entry)
    });
    Ledger { entries: entries.collect(), ..Ledger::default() }
}

/// What a machine answers that has all of it: files with a digest, folders that hold what is given.
fn answer(question: &Question, held: &[(&str, &str)]) -> Answer {
    use base64::Engine as _;
    match question {
        Question::Path { path, .. } => {
            let is_folder = !path.file_name().contains('.');
            let what = if is_folder { PathType::Directory { mounted: false } } else { PathType::File };
            let digest = (!is_folder).then(|| crate::model::Digest::of(b"x"));
            let user = "root".to_owned();
            Answer::Path(PathFacts { what, digest, user: user.clone(), group: user, ..PathFacts::absent() })
        }
        Question::Unit(_) => Answer::Unit(UnitFacts {
            load: "loaded".to_owned(),
            active: "active".to_owned(),
            file: "enabled".to_owned(),
            ..UnitFacts::default()
        }),
        Question::Ask { call, .. } if call.function == "fp_unit_links" => Answer::Lines(Vec::new()),
        Question::Ask { call, .. } => {
            let names = |folder: &str| {
                let of = held.iter().find(|(known, _)| *known == folder).map(|(_, names)| *names);
                base64::engine::general_purpose::STANDARD.encode(of.unwrap_or_default())
            };
            let mut lines = Vec::new();
            let mut at = path(&call.arguments[0]);
            while at.as_str() != "/" {
                lines.push(format!("names {} {}", lines.len(), names(at.as_str())));
                at = at.parent();
            }
            Answer::Lines(lines)
        }
        Question::Package(_) => Answer::Package(None),
    }
}

fn plan(ledger: &Ledger, declared: &[Declared], held: &[(&str, &str)]) -> Plan {
    let departures = departures(ledger, declared);
    let machine = MachineFacts {
        uid: 0,
        home: None,
        init: Init::Systemd,
        system: "Linux".to_owned(),
        sshd: Vec::new(),
    };
    let of = |questions: Vec<Question>| questions.iter().map(|one| answer(one, held)).collect();
    let answers = declared
        .iter()
        .map(|one| of(one.resource.questions()))
        .chain(departures.iter().map(|one| of(one.questions())))
        .collect();
    let paths = declared.iter().filter_map(|one| one.resource.path().cloned()).collect();
    let surroundings = &Surroundings { declared: paths, ..Surroundings::default() };
    let observation = &Observation { machine, answers };
    let departures = &departures;
    Plan::compute(Known { declared, departures, observation, surroundings, ledger, salt: "salt" }).unwrap()
}

fn steps(plan: &Plan) -> Vec<String> {
    assert!(plan.blocked.is_empty(), "{:?}", plan.blocked);
    plan.steps.iter().map(|step| format!("{} {}", step.difference.action.verb(), step.id)).collect()
}

#[test]
fn a_schedule_is_stopped_before_its_files_go_and_before_its_successor_starts() {
    let of = |name: &str| {
        let (service, timer) = (format!("{name}.service"), format!("{name}.timer"));
        let at = |unit: &str| format!("/etc/systemd/system/{unit}");
        vec![file(&at(&service)), file(&at(&timer)), unit(&timer, &[&service])]
    };
    let ledger = applied(&of("old"));
    let plan = plan(&ledger, &of("new"), &[]);
    // What it is renamed to has its files already, so that only the old one shows.
    let files: Vec<String> = steps(&plan).into_iter().filter(|step| step.contains("old")).collect();
    assert_eq!(
        files,
        [
            "remove unit old.timer",
            "remove file /etc/systemd/system/old.service",
            "remove file /etc/systemd/system/old.timer"
        ]
    );
    let place = |name: &str| plan.steps.iter().position(|step| step.id.target.contains(name)).unwrap();
    assert!(place("old.timer") < plan.steps.len());
    for step in plan.steps.iter().filter(|step| step.id.kind == "file" && step.id.target.contains("old")) {
        assert_eq!(step.needs, [place("old.timer")], "a unit that does not stop keeps its files");
        assert_eq!((step.class, step.entry.is_some()), (Class::Pending, false));
    }
}

#[test]
fn a_folder_goes_after_what_is_in_it_and_waits_for_what_lies_on_the_way_to_it() {
    let ledger = applied(&[directory("/srv/a/b"), file("/srv/a/b/x.y"), file("/srv/a/z.y")]);
    let held = [("/srv/a/b", "x.y"), ("/srv/a", "b\nz.y"), ("/srv", "a\nforeign")];
    let plan = plan(&ledger, &[], &held);
    assert_eq!(
        steps(&plan),
        ["remove file /srv/a/b/x.y", "remove file /srv/a/z.y", "remove directory /srv/a/b"]
    );
    let removed: Vec<&str> = plan.steps[2]
        .difference
        .operations
        .iter()
        .map(|operation| operation.call.arguments[0].as_str())
        .collect();
    assert_eq!(removed, ["/srv/a/b", "/srv/a"], "/srv holds something foreign");
}

#[test]
fn what_stands_in_the_way_of_something_new_goes_first() {
    let link = declared(Link { path: path("/srv/a.b"), target: "x".to_owned(), owner: "root".to_owned() });
    let ledger = applied(&[file("/srv/a.b"), file("/srv/c.d")]);
    let plan = plan(&ledger, &[link], &[]);
    assert_eq!(steps(&plan), ["remove file /srv/a.b", "create link /srv/a.b", "remove file /srv/c.d"]);
    assert_eq!(plan.steps[1].needs, [0]);
    assert!(plan.steps[1].entry.as_ref().is_some_and(|entry| !entry.adopted), "the link is ours");
}

#[test]
fn what_was_there_before_or_makes_no_sense_is_let_go_of() {
    let mut ledger = applied(&[file("/srv/a.b"), file("/srv/c.d")]);
    for (id, entry) in &mut ledger.entries {
        if id.target == "/srv/a.b" {
            entry.adopted = true;
        } else {
            entry.former.remains = serde_json::json!(["?"]);
        }
    }
    let plan = plan(&ledger, &[], &[]);
    assert_eq!(steps(&plan), ["release file /srv/a.b", "release file /srv/c.d"]);
    assert!(plan.steps.iter().all(|step| step.difference.operations.is_empty()
        && step.difference.action == Action::Release
        && step.entry.is_none()));
}
