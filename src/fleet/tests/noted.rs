//! What an apply writes down when there is nothing to change, and what goes from one kind into another.

use std::path::PathBuf;

use super::machines::{at_home, job, options};
use super::*;
use crate::format::block::{Comment, Position};
use crate::plan::Class;
use crate::resource::Action;
use crate::resource::block::Block;

/// A machine in a folder of its own.
struct Place {
    holder: tempfile::TempDir,
}

/// What a run came to.
struct Ran {
    plan: Plan,
    notes: Vec<String>,
    outcome: Outcome,
}

impl Ran {
    /// Verb and resource of each step.
    fn steps(&self) -> Vec<String> {
        let steps = self.plan.steps.iter();
        steps.map(|step| format!("{} {}", step.difference.action.verb(), step.id.kind)).collect()
    }

    fn is_well(&self) -> bool {
        self.outcome.failure.is_none()
            && self.outcome.steps.iter().all(|step| *step == StepOutcome::Changed)
            && self.outcome.left.as_ref().is_some_and(|left| left.is_empty())
    }
}

impl Place {
    fn new() -> Self {
        let place = Self { holder: tempfile::tempdir().unwrap() };
        std::fs::create_dir(place.folder()).unwrap();
        place
    }

    fn folder(&self) -> PathBuf {
        self.holder.path().join("home")
    }

    fn at(&self, below: &str) -> PathBuf {
        self.folder().join(below)
    }

    fn state(&self) -> PathBuf {
        self.holder.path().join("home.state")
    }

    fn record(&self) -> Vec<u8> {
        std::fs::read(self.state().join("record")).unwrap_or_default()
    }

    /// The run that the record names.
    fn last(&self) -> PathBuf {
        let record = String::from_utf8(self.record()).unwrap();
        let name = record.lines().next().unwrap().split(' ').nth(2).unwrap().to_owned();
        self.state().join("runs").join(name)
    }

    async fn prepare(&self, declared: &[Declared]) -> Ran {
        self.go(declared, false).await
    }

    async fn apply(&self, declared: &[Declared]) -> Ran {
        self.go(declared, true).await
    }

    async fn go(&self, declared: &[Declared], applies: bool) -> Ran {
        let connector = LocalConnector::new();
        let run = Run::new(&connector, options(1, Limits::default()), &|_| {});
        let mut job = at_home(job("here", declared), &self.folder());
        job.facts.state = Some(self.state().to_str().unwrap().to_owned());
        let prepared = run.prepare(vec![job]).await;
        let ready = prepared[0].result.as_ref().unwrap_or_else(|failure| panic!("{failure:?}"));
        let (plan, notes) = ((*ready.plan).clone(), ready.notes.clone());
        let outcome = if applies {
            run.apply(prepared).await.remove(0)
        } else {
            run.apply(Vec::new()).await;
            Outcome {
                machine: MachineName::new("here").unwrap(),
                plan: None,
                steps: Vec::new(),
                unplanned: Vec::new(),
                exports: Vec::new(),
                learned: Vec::new(),
                left: None,
                notes: Vec::new(),
                failure: None,
                tally: crate::transport::Tally::default(),
            }
        };
        Ran { plan, notes, outcome }
    }
}

fn block(folder: &Path, below: &str) -> Declared {
    let block = Block {
        path: path(folder, below),
        id: "part".to_owned(),
        content: "a part".to_owned(),
        comment: Comment::line("#").unwrap(),
        position: Position::End,
        owner: None,
        group: None,
        mode: None,
    };
    Declared::new(block, origin())
}

#[tokio::test]
async fn what_is_gone_by_hand_is_forgotten_and_what_others_put_there_later_stays() {
    let place = Place::new();
    let mine = file(&place.folder(), "mine", bytes(b"mine"));
    let foo = file(&place.folder(), "foo", bytes(b"ours"));
    assert!(place.apply(&[mine.clone(), foo]).await.is_well());
    std::fs::remove_file(place.at("foo")).unwrap();
    let before = place.record();
    // A plan says what is to be written down, and does not.
    let looked = place.prepare(std::slice::from_ref(&mine)).await;
    assert!(looked.notes[0].starts_with("to be written down in its record: file "), "{:?}", looked.notes);
    assert!(looked.notes[0].ends_with("foo is gone"), "{:?}", looked.notes);
    assert_eq!(place.record(), before);
    let ran = place.apply(std::slice::from_ref(&mine)).await;
    assert!(ran.plan.is_empty() && ran.is_well(), "{:?}", ran.outcome);
    // One to look, one to look at what has left, one to write.
    assert_eq!((ran.outcome.tally.commands, ran.outcome.tally.round_trips), (1, 3));
    assert!(ran.outcome.notes[0].starts_with("written down in its record: file "), "{:?}", ran.outcome);
    std::fs::write(place.at("foo"), "theirs").unwrap();
    // Once it is written down, a run has nothing to write and costs no more than a plan.
    let before = place.record();
    let ran = place.apply(&[mine]).await;
    assert!(ran.plan.is_empty() && ran.notes.is_empty(), "{:?} {:?}", ran.plan, ran.notes);
    assert_eq!((ran.outcome.tally.commands, ran.outcome.tally.round_trips), (1, 1));
    assert_eq!(place.record(), before);
    assert_eq!(std::fs::read(place.at("foo")).unwrap(), b"theirs");
}

#[tokio::test]
async fn what_is_found_as_wanted_is_known_to_be_so() {
    let place = Place::new();
    let secret =
        |text: &str| file(&place.folder(), "s", Content::Secret(Secret::new(text.as_bytes().to_vec())));
    std::fs::write(place.at("f"), "one").unwrap();
    std::fs::set_permissions(place.at("f"), std::fs::Permissions::from_mode(0o640)).unwrap();
    // The first apply finds it in order: what somebody does to it afterwards is drift.
    let one = file(&place.folder(), "f", bytes(b"one"));
    let ran = place.apply(std::slice::from_ref(&one)).await;
    assert!(ran.plan.is_empty() && ran.is_well(), "{:?}", ran.outcome);
    assert_eq!(ran.outcome.notes, ["written down in its record: 1 resource is as wanted"]);
    std::fs::write(place.at("f"), "by hand").unwrap();
    let looked = place.prepare(std::slice::from_ref(&one)).await;
    assert_eq!(looked.plan.steps[0].class, Class::Drifted);
    // The inventory follows what somebody did by hand; so it is with secrets.
    std::fs::write(place.at("f"), "two").unwrap();
    assert!(place.apply(&[one, secret("one")]).await.is_well());
    std::fs::write(place.at("f"), "two").unwrap();
    std::fs::write(place.at("s"), "two").unwrap();
    let both = [file(&place.folder(), "f", bytes(b"two")), secret("two")];
    let ran = place.apply(&both).await;
    assert!(ran.plan.is_empty() && ran.is_well(), "{:?}", ran.outcome);
    assert_eq!(ran.outcome.notes, ["written down in its record: 2 resources are as wanted"]);
    for name in ["f", "s"] {
        std::fs::write(place.at(name), "by hand").unwrap();
    }
    let looked = place.prepare(&both).await;
    assert!(looked.plan.steps.iter().all(|step| step.class == Class::Drifted), "{:?}", looked.plan);
    // What was there before fleetprov stays.
    assert!(place.apply(&both).await.is_well());
    assert!(place.apply(&both[1..]).await.is_well());
    assert!(place.at("f").exists());
}

#[tokio::test]
async fn a_run_that_was_cut_off_and_left_nothing_to_do_is_spoken_of_once() {
    let place = Place::new();
    let mine = [file(&place.folder(), "mine", bytes(b"mine"))];
    assert!(place.apply(&mine).await.is_well());
    let progress = place.last().join("progress");
    let text = std::fs::read_to_string(&progress).unwrap();
    std::fs::write(&progress, text.replace("end\n", "")).unwrap();
    let ran = place.apply(&mine).await;
    assert!(ran.notes[0].ends_with("mine done, and nothing is left to do"), "{:?}", ran.notes);
    assert!(ran.is_well() && ran.outcome.notes[1].ends_with("has nothing left to do"), "{:?}", ran.outcome);
    let ran = place.apply(&mine).await;
    assert!(ran.notes.is_empty() && ran.outcome.tally.round_trips == 1, "{:?}", ran.notes);
}

#[tokio::test]
async fn a_run_that_only_wrote_the_record_gives_way_to_the_next() {
    let place = Place::new();
    let one = file(&place.folder(), "one", bytes(b"one"));
    for number in 0..3 {
        assert!(place.apply(&[one.clone(), file(&place.folder(), "two", bytes(b"two"))]).await.is_well());
        std::fs::remove_file(place.at("two")).unwrap();
        let ran = place.apply(std::slice::from_ref(&one)).await;
        assert!(ran.plan.is_empty() && ran.is_well());
        let runs = std::fs::read_dir(place.state().join("runs")).unwrap().count();
        assert_eq!(runs, number + 2, "those with steps, and the last one");
    }
}

#[tokio::test]
async fn without_its_progress_nothing_a_run_may_have_made_is_taken_for_ours_or_lost() {
    let place = Place::new();
    let mine = [file(&place.folder(), "mine", bytes(b"mine"))];
    assert!(place.apply(&mine).await.is_well());
    std::fs::remove_file(place.last().join("progress")).unwrap();
    let looked = place.prepare(&mine).await;
    assert!(looked.notes[0].contains("nothing done as far as is known"), "{:?}", looked.notes);
    // It has left the inventory: nobody knows whose it is.
    let ran = place.apply(&[]).await;
    assert_eq!(ran.steps(), ["release file"]);
    assert!(ran.is_well() && place.at("mine").exists(), "{:?}", ran.outcome);
    let ran = place.apply(&[]).await;
    assert!(ran.plan.is_empty() && ran.notes.is_empty(), "{:?}", ran.notes);
}

#[tokio::test]
async fn a_record_that_is_gone_is_spoken_of() {
    let place = Place::new();
    let mine = [file(&place.folder(), "mine", bytes(b"mine"))];
    assert!(place.apply(&mine).await.is_well());
    std::fs::remove_file(place.state().join("record")).unwrap();
    let looked = place.prepare(&[]).await;
    assert!(looked.notes[0].contains("the record of what fleetprov made here is gone"), "{:?}", looked.notes);
}

#[tokio::test]
async fn a_part_of_a_file_goes_over_into_the_whole_and_back() {
    let place = Place::new();
    let part = [block(&place.folder(), "f")];
    let whole = [file(&place.folder(), "f", bytes(b"whole\n"))];
    assert!(place.apply(&part).await.is_well());
    let ran = place.apply(&whole).await;
    assert_eq!(ran.steps(), ["update file", "release block"]);
    assert!(ran.is_well(), "{:?}", ran.outcome);
    assert_eq!(std::fs::read(place.at("f")).unwrap(), b"whole\n");
    let ran = place.apply(&part).await;
    assert!(ran.is_well(), "{:?}", ran.outcome);
    assert!(!std::fs::read_to_string(place.at("f")).unwrap().contains("whole"));
    // The whole is the very text that is there: nothing is to be done, and it is ours all the same.
    let text = std::fs::read(place.at("f")).unwrap();
    let same = File {
        mode: 0o644,
        path: path(&place.folder(), "f"),
        content: bytes(&text),
        owner: whoami("-un"),
        group: None,
    };
    let same = [Declared::new(same, origin())];
    let ran = place.apply(&same).await;
    assert!(ran.plan.is_empty() && ran.is_well(), "{:?}", ran.plan);
    let ran = place.apply(&[]).await;
    assert_eq!(ran.steps(), ["remove file"]);
    assert!(ran.is_well() && !place.at("f").exists());
    // In a file of somebody else's only the part is ours.
    std::fs::write(place.at("f"), "theirs\n").unwrap();
    assert!(place.apply(&part).await.is_well());
    assert!(place.apply(&whole).await.is_well());
    let ran = place.apply(&[]).await;
    assert_eq!(ran.steps(), ["release file"]);
    assert!(place.at("f").exists());
}

#[tokio::test]
async fn a_file_made_for_a_part_makes_room_for_a_link_or_a_folder() {
    let place = Place::new();
    for other in [link(&place.folder(), "f", "elsewhere"), directory(&place.folder(), "f")] {
        assert!(place.apply(&[block(&place.folder(), "f")]).await.is_well());
        let ran = place.apply(&[other]).await;
        assert!(ran.is_well(), "{:?} {:?}", ran.plan, ran.outcome);
        assert_eq!(ran.plan.steps[0].difference.action, Action::Remove);
        assert!(place.apply(&[]).await.is_well());
        assert!(std::fs::symlink_metadata(place.at("f")).is_err());
    }
}
