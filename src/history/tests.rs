//! What machines say of past runs, sense and nonsense.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::*;
use crate::model::{Aspect, Digest, ResourceId};
use crate::plan::Plan;
use crate::resource::{Action, Former, Touched};
use crate::state::{Entry, Ledger, RunDocument, RunId, RunStep};

fn run_id() -> RunId {
    RunId::new("20261124-052301-3f9a0c").unwrap()
}

fn entry(id: &ResourceId, content: Aspect) -> Entry {
    Entry {
        id: id.clone(),
        applied: [("content".to_owned(), content)].into(),
        former: Former { remains: json!({"path": id.target}), ..Former::default() },
        adopted: false,
        after: [].into(),
        unfinished: false,
    }
}

fn step(kind: &'static str, target: &str, action: &str) -> RunStep {
    let id = ResourceId::new(kind, target);
    RunStep {
        entry: Some(entry(&id, Aspect::Digest(Digest::of(b"new")))),
        former: None,
        id,
        action: action.to_owned(),
        because: Vec::new(),
        guarded: false,
    }
}

fn document(steps: Vec<RunStep>) -> RunDocument {
    RunDocument {
        id: run_id(),
        who: "root@cc-pc".to_owned(),
        when: "2026-11-24T05:23:01Z".to_owned(),
        what: "apply".to_owned(),
        inventory: ("lab.yaml".to_owned(), Digest::of(b"")),
        beside: None,
        steps,
    }
}

/// A machine's answer: the document, progress that says that every step was made, and lines.
fn said(document: &RunDocument, lines: &[String]) -> Vec<String> {
    let mut progress = "boot b\n".to_owned();
    for index in 0..document.steps.len() {
        progress.push_str(&format!("{index} started\n{index} changed\n"));
    }
    progress.push_str("end\n");
    let head = [
        "boot b".to_owned(),
        format!("run {}", STANDARD.encode(document.to_json().unwrap())),
        format!("progress {}", STANDARD.encode(progress)),
        "kept".to_owned(),
    ];
    head.into_iter().chain(lines.iter().cloned()).collect()
}

fn thing(index: usize, number: usize, name: &str, was: &str, left: &str, now: &str) -> [String; 4] {
    [
        format!("thing {index} {number} {name}"),
        format!("was {index} {number} {was}"),
        format!("left {index} {number} {left}"),
        format!("now {index} {number} {now}"),
    ]
}

fn plan_of(document: &RunDocument, things: &[[String; 4]]) -> (Plan, Vec<String>) {
    let lines = said(document, &things.concat());
    let undone = Undone::read(&lines, &[], &run_id(), &Ledger::default()).unwrap().unwrap();
    undo(&undone, &Ledger::default(), "/var/lib/fleetprov")
}

fn file_words(content: &str) -> String {
    format!("file 644 0 0 {}", Digest::of(content.as_bytes()))
}

#[test]
fn two_steps_on_one_file_go_back_one_after_the_other() {
    let document =
        document(vec![step("block", "/etc/list#one", "create"), step("block", "/etc/list#two", "update")]);
    let (none, one, two) = ("absent".to_owned(), file_words("one"), file_words("two"));
    let things =
        [thing(0, 1, "path:/etc/list", &none, &one, &two), thing(1, 1, "path:/etc/list", &one, &two, &two)];
    let (plan, _) = plan_of(&document, &things);
    let order: Vec<_> =
        plan.steps.iter().map(|step| (step.id.target.as_str(), step.difference.action)).collect();
    assert_eq!(order, [("/etc/list#two", Action::Update), ("/etc/list#one", Action::Remove)]);
    assert_eq!(plan.steps[1].needs, [0]);
    // Somebody has edited it since: neither goes.
    let things = things.map(|mut lines| {
        let number = lines[3].split_once("now ").unwrap().1.split(' ').next().unwrap().to_owned();
        lines[3] = format!("now {number} 1 {}", file_words("three"));
        lines
    });
    let (plan, _) = plan_of(&document, &things);
    assert_eq!((plan.steps.len(), plan.blocked.len()), (0, 2));
}

#[test]
fn a_thing_that_is_as_it_was_before_several_steps_is_back_whatever_was_between() {
    let steps = ["one", "two", "three"].map(|part| step("block", &format!("/etc/list#{part}"), "create"));
    let document = document(steps.into());
    let words = ["absent".to_owned(), file_words("one"), file_words("two"), file_words("three")];
    let things = |now: &str| {
        let place = |index: usize| thing(index, 1, "path:/etc/list", &words[index], &words[index + 1], now);
        [place(0), place(1), place(2)]
    };
    // How many steps are still to be put back from each place on the way there.
    for (left, now) in words.iter().enumerate() {
        let (plan, _) = plan_of(&document, &things(now));
        assert_eq!((plan.steps.len(), plan.blocked.len(), plan.in_order), (left, 0, 3 - left), "{now}");
    }
    let (plan, _) = plan_of(&document, &things(&file_words("by hand")));
    assert_eq!((plan.steps.len(), plan.blocked.len()), (0, 3));
}

#[test]
fn of_a_step_only_what_is_not_back_yet_is_put_back() {
    let document =
        document(vec![step("block", "/etc/list#one", "create"), step("file", "/etc/list", "update")]);
    let (none, one, two) = ("absent".to_owned(), file_words("one"), file_words("two"));
    let things = [
        thing(0, 1, "path:/etc/list", &none, &one, &none),
        thing(1, 1, "path:/etc/list", &one, &two, &none),
        thing(1, 2, "path:/etc/other", &one, &two, &two),
    ];
    let (plan, _) = plan_of(&document, &things);
    assert_eq!((plan.steps.len(), plan.blocked.len(), plan.in_order), (1, 0, 1), "{plan:?}");
    let words = &plan.steps[0].difference.operations[0].call.arguments;
    assert_eq!(words[2..], ["1", "1-"], "the first thing of step 1 stays as it is");
}

#[test]
fn what_is_restarted_for_a_file_is_restarted_when_it_is_back() {
    let mut restart = step("unit", "app.service", "restart");
    restart.because = vec![ResourceId::new("file", "/etc/app.conf")];
    let document = document(vec![step("file", "/etc/app.conf", "update"), restart]);
    let running = "unit enabled active";
    let things = [
        thing(0, 1, "path:/etc/app.conf", &file_words("old"), &file_words("new"), &file_words("new")),
        thing(1, 1, "unit:app.service", running, running, running),
    ];
    let (plan, _) = plan_of(&document, &things);
    let order: Vec<_> =
        plan.steps.iter().map(|step| (step.id.kind, step.difference.action, step.because.len())).collect();
    assert_eq!(order, [("file", Action::Update, 0), ("unit", Action::Restart, 1)]);
    assert_eq!(plan.steps[1].touches, [Touched::Unit("app.service".to_owned())]);
    // With the file back already nothing is restarted.
    let back = thing(0, 1, "path:/etc/app.conf", &file_words("old"), &file_words("new"), &file_words("old"));
    let (plan, _) = plan_of(&document, &[back, things[1].clone()]);
    assert!(plan.is_empty(), "{:?}", plan.steps.len());
    assert_eq!(plan.in_order, 2);
}

#[test]
fn what_can_cut_the_way_in_comes_last_with_what_needs_it() {
    let mut key = step("file", "/root/.ssh/authorized_keys", "create");
    key.guarded = true;
    let document =
        document(vec![step("directory", "/root/.ssh", "create"), key, step("file", "/etc/x", "create")]);
    let new = file_words("new");
    let things = [
        thing(0, 1, "path:/root/.ssh", "absent", "directory 700 0 0", "directory 700 0 0"),
        thing(1, 1, "path:/root/.ssh/authorized_keys", "absent", &new, &new),
        thing(2, 1, "path:/etc/x", "absent", &new, &new),
    ];
    let (plan, _) = plan_of(&document, &things);
    let order: Vec<_> = plan.steps.iter().map(|step| step.id.target.as_str()).collect();
    assert_eq!(order, ["/etc/x", "/root/.ssh/authorized_keys", "/root/.ssh"]);
    assert_eq!((plan.guarded_from, plan.steps[2].needs.as_slice()), (Some(1), &[1][..]));
}

#[test]
fn packages_are_named_and_left() {
    let (plan, notes) = plan_of(&document(vec![step("package", "nginx", "create")]), &[]);
    assert!(plan.is_empty());
    assert_eq!(notes, ["package nginx is not undone: what such a step changes is not kept"]);
}

#[test]
fn what_a_machine_says_is_never_more_than_data() {
    let document = document(vec![step("file", "/etc/x", "create")]);
    let new = file_words("new");
    let words = |name: &str, was: &str| {
        let (plan, _) = plan_of(&document, &[thing(0, 1, name, was, &new, &new)]);
        (plan.steps.len(), plan.blocked.len())
    };
    assert_eq!(words("path:/etc/x", "absent"), (1, 0));
    for name in ["path:etc/x", "path:/etc/../x", "path:/etc/x\u{7}", "unit:-x", "unit:a b", "x:y", ""] {
        assert_eq!(words(name, "absent"), (0, 1), "{name:?}");
    }
    // Words that make no sense are still compared, and the machine itself puts back what it has kept.
    assert_eq!(words("path:/etc/x", "unkept nothing is kept of it"), (0, 1));
    let lines = |more: &[&str]| {
        let more: Vec<String> = more.iter().map(|line| (*line).to_owned()).collect();
        Undone::read(&said(&document, &more), &more, &run_id(), &Ledger::default()).unwrap().unwrap()
    };
    for nonsense in ["thing 7 1 path:/x", "thing x 1 path:/x", "was 0 1 absent", "thing", "now 0"] {
        assert!(lines(&[nonsense]).things.is_empty(), "{nonsense}");
    }
    assert!(Undone::read(&["boot b".to_owned()], &[], &run_id(), &Ledger::default()).unwrap().is_none());
    let other = RunId::new("other").unwrap();
    assert!(Undone::read(&said(&document, &[]), &[], &other, &Ledger::default()).is_err());
    assert!(Undone::read(&["run @@".to_owned()], &[], &run_id(), &Ledger::default()).is_err());
}

#[test]
fn the_contents_of_what_a_secret_may_be_in_are_not_asked_for() {
    let secret = Aspect::Sealed { salt: "s".to_owned(), digest: Digest::of(b"x") };
    let things = |name: &str| thing(0, 1, name, &file_words("old"), &file_words("new"), &file_words("new"));
    let question = |steps: Vec<RunStep>, ledger: &Ledger| {
        let lines = said(&document(steps), &things("path:/etc/x"));
        let undone = Undone::read(&lines, &[], &run_id(), ledger).unwrap().unwrap();
        texts_question("/var/lib/fleetprov", &undone).is_some()
    };
    let nothing = Ledger::default();
    assert!(question(vec![step("file", "/etc/x", "update")], &nothing));
    let mut hidden = step("file", "/etc/x", "update");
    hidden.former = Some(entry(&hidden.id, secret.clone()));
    assert!(!question(vec![hidden], &nothing), "it was secret before");
    let mut unknown = step("file", "/etc/x", "update");
    unknown.entry.as_mut().unwrap().applied.clear();
    assert!(!question(vec![unknown], &nothing), "nothing says what it is");
    assert!(!question(vec![step("ini-keys", "/etc/x", "update")], &nothing), "others have keys in it");
    let owner = ResourceId::new("ini-keys", "/etc/x#keys");
    let ledger = Ledger { entries: [(owner.clone(), entry(&owner, secret))].into(), ..Ledger::default() };
    assert!(!question(vec![step("block", "/etc/x#lab", "update")], &ledger), "others keep a secret in it");
    // Nor taken when they come unasked.
    let mut hidden = step("file", "/etc/x", "update");
    hidden.entry.as_mut().unwrap().applied.clear();
    let lines = said(&document(vec![hidden]), &things("path:/etc/x"));
    let texts = [format!("now 0.1 {}", STANDARD.encode("file 644 0 0 6\nmarker"))];
    let undone = Undone::read(&lines, &texts, &run_id(), &nothing).unwrap().unwrap();
    assert!(undone.things[&0][0].now_text.is_none());
}

#[test]
fn the_list_of_runs_takes_what_makes_sense() {
    let document = document(vec![step("file", "/a", "create"), step("file", "/b", "create")]);
    let json = String::from_utf8(document.to_json().unwrap()).unwrap();
    let head =
        json.lines().take_while(|line| !line.starts_with("\"steps\"")).map(|line| format!("head {line}"));
    let name = document.id.as_str();
    let run = |name: &str, progress: &str| {
        let mut lines = vec![format!("run {name}")];
        lines.extend(head.clone());
        lines.extend(["steps 2".to_owned(), format!("progress {progress}"), "kept".to_owned()]);
        lines
    };
    let read = |lines: &[String]| read_past(lines);
    let ended = read(&run(name, "boot b,0 started,0 changed,1 started,1 failed,end,"));
    assert_eq!((ended[0].steps, ended[0].changed, ended[0].failed), (2, 1, 1));
    assert_eq!((ended[0].fate, ended[0].can_be_undone), (RunFate::Ended, true));
    assert_eq!(ended[0].who, "root@cc-pc");
    assert_eq!(read(&run(name, "boot b,0 started,"))[0].fate, RunFate::Cut);
    assert_eq!(read(&run(name, "boot b,0 changed,0 reverted,end,"))[0].fate, RunFate::Reverted);
    // Nor a run whose folder is another's, nor half of a document.
    assert!(read(&run("other", "boot b,")).is_empty());
    assert!(read(&run(name, "boot b,")[..4]).is_empty());
    assert!(read(&["head {}".to_owned(), "steps 9".to_owned()]).is_empty());
    let many: Vec<String> = (0..1000).flat_map(|_| run(name, "boot b,")).collect();
    assert_eq!(read(&many).len(), 200);
}
