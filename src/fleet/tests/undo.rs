//! A run that is put back, on this computer's own shell and on `BusyBox`.

use std::os::unix::fs::symlink;

use super::machines::{at_home, job, options};
use super::*;
use crate::format::block::{Comment, Position};
use crate::resource::block::Block;
use crate::resource::{Action, Detail};
use crate::state::RunId;
use crate::transport::Connector;

/// Applies, or puts a run back when one is named, and gives the run's name, the plan, its notes and
/// what became of it.
async fn go(
    connector: &dyn Connector,
    folder: &Path,
    declared: Vec<Declared>,
    undoes: Option<&RunId>,
) -> (RunId, Plan, Vec<String>, Outcome) {
    let mut options = options(1, Limits::default());
    if let Some(run) = undoes {
        options.identity = options.identity.undoing(run.clone());
    }
    let name = options.identity.run.clone();
    let run = Run::new(connector, options, &|_| {});
    let mut job = at_home(job("here", &declared), folder);
    job.facts.state = Some(folder.with_extension("state").to_str().unwrap().to_owned());
    let prepared = run.prepare(vec![job]).await;
    let ready = prepared[0].result.as_ref().unwrap_or_else(|failure| panic!("{failure:?}"));
    let (plan, notes) = ((*ready.plan).clone(), ready.notes.clone());
    let outcome = run.apply(prepared).await.remove(0);
    (name, plan, notes, outcome)
}

/// A part of a file that somebody else owns.
fn block(folder: &Path, below: &str, id: &str) -> Declared {
    let block = Block {
        path: path(folder, below),
        id: id.to_owned(),
        content: format!("the part {id}\n"),
        comment: Comment::line("#").unwrap(),
        position: Position::End,
        owner: None,
        group: None,
        mode: None,
    };
    Declared::new(block, origin())
}

/// Every entry of a folder with its type, mode and content.
fn everything(folder: &Path) -> String {
    let output = std::process::Command::new("sh")
        .args(["-c", "find . -printf '%p %y %m %U %G %l\\n' | sort; find . -type f | sort | xargs sha256sum"])
        .current_dir(folder)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

struct Home {
    holder: tempfile::TempDir,
}

impl Home {
    /// Files, a link and a folder, as they were before fleetprov.
    fn new() -> Self {
        let home = Self { holder: tempfile::tempdir().unwrap() };
        std::fs::create_dir(home.folder()).unwrap();
        std::fs::write(home.at("changed"), "old\nline\n").unwrap();
        std::fs::set_permissions(home.at("changed"), std::fs::Permissions::from_mode(0o4711)).unwrap();
        symlink("before", home.at("other-link")).unwrap();
        symlink("nowhere at all", home.at("becomes-file")).unwrap();
        std::fs::create_dir(home.at("folder")).unwrap();
        std::fs::set_permissions(home.at("folder"), std::fs::Permissions::from_mode(0o2705)).unwrap();
        home
    }

    fn folder(&self) -> std::path::PathBuf {
        self.holder.path().join("home")
    }

    fn at(&self, below: &str) -> std::path::PathBuf {
        self.folder().join(below)
    }

    fn declared(&self) -> Vec<Declared> {
        let folder = &self.folder();
        let secret = Content::Secret(Secret::new(b"very secret".to_vec()));
        [
            file(folder, "changed", bytes(b"new\nline\n")),
            link(folder, "other-link", "changed"),
            file(folder, "becomes-file", bytes(b"now a file")),
            directory(folder, "folder"),
            directory(folder, "made"),
            file(folder, "made/it's new", bytes(b"x")),
            file(folder, "hidden", secret),
        ]
        .into()
    }
}

#[tokio::test]
async fn a_run_is_undone_and_so_is_its_undoing() {
    let home = Home::new();
    let folder = &home.folder();
    let connector = LocalConnector::new();
    let before = everything(folder);
    let (run, _, _, outcome) = go(&connector, folder, home.declared(), None).await;
    assert!(outcome.left.unwrap().is_empty());
    let after = everything(folder);
    assert_ne!(before, after);

    let (undo, plan, notes, outcome) = go(&connector, folder, Vec::new(), Some(&run)).await;
    assert_eq!(everything(folder), before, "{plan:?}");
    assert_eq!(plan.steps.len(), 7);
    assert!(plan.blocked.is_empty() && notes.is_empty(), "{plan:?} {notes:?}");
    assert!(outcome.left.unwrap().is_empty());
    let step = |name: &str| plan.steps.iter().find(|step| step.id.target.ends_with(name)).unwrap();
    assert_eq!(step("/changed").difference.action, Action::Update);
    assert_eq!(step("/becomes-file").difference.action, Action::Replace);
    assert_eq!(step("/made").difference.action, Action::Remove);
    assert!(
        matches!(&step("/changed").difference.details[0],
            Detail::Text { from: Some(from), to, .. } if from == b"new\nline\n" && to == b"old\nline\n"),
        "{:?}",
        step("/changed").difference
    );
    let position = |name: &str| plan.steps.iter().position(|step| step.id.target.ends_with(name)).unwrap();
    assert!(step("/made").needs.contains(&position("it's new")));

    // An undo is a run like any other.
    let (_, plan, _, outcome) = go(&connector, folder, home.declared(), Some(&undo)).await;
    assert_eq!(plan.steps.len(), 7, "{plan:?}");
    assert_eq!(everything(folder), after);
    assert!(outcome.left.unwrap().is_empty());
}

#[tokio::test]
async fn the_record_is_what_it_was() {
    let home = Home::new();
    let folder = &home.folder();
    let connector = LocalConnector::new();
    let first = || vec![file(folder, "changed", bytes(b"first"))];
    let second = || vec![file(folder, "changed", bytes(b"second"))];
    go(&connector, folder, first(), None).await;
    let (run, ..) = go(&connector, folder, second(), None).await;
    go(&connector, folder, Vec::new(), Some(&run)).await;
    // With the first one desired nothing is to do; with the second one, what moved is the inventory.
    let (_, plan, ..) = go(&connector, folder, first(), None).await;
    assert!(plan.is_empty(), "{plan:?}");
    let (_, plan, ..) = go(&connector, folder, second(), None).await;
    assert_eq!(plan.steps[0].class, crate::plan::Class::Pending);
    assert!(plan.steps[0].former.as_ref().unwrap().adopted, "it was there before");
}

#[tokio::test]
async fn the_named_run_is_all_the_consent_there_has_to_be() {
    let home = Home::new();
    let folder = &home.folder();
    let connector = LocalConnector::new();
    let of = |numbers: std::ops::Range<usize>| -> Vec<Declared> {
        numbers.map(|number| file(folder, &format!("f{number}"), bytes(b"x"))).collect()
    };
    let (run, ..) = go(&connector, folder, of(0..12), None).await;
    // Everything that is owned goes.
    let (undo, plan, notes, _) = go(&connector, folder, Vec::new(), Some(&run)).await;
    assert_eq!((plan.steps.len(), notes), (12, Vec::new()));
    assert!(!home.at("f0").exists());
    go(&connector, folder, Vec::new(), Some(&undo)).await;
    assert!(home.at("f11").exists());
}

#[tokio::test]
async fn parts_of_one_file_are_back_when_the_file_is() {
    let home = Home::new();
    let folder = &home.folder();
    std::fs::write(home.at("list"), "theirs\n").unwrap();
    let connector = LocalConnector::new();
    let declared = ["one", "two", "three"].map(|part| block(folder, "list", part));
    let before = everything(folder);
    let (run, plan, ..) = go(&connector, folder, declared.into(), None).await;
    assert_eq!(plan.steps.len(), 3);
    let after = everything(folder);
    let (undo, plan, notes, outcome) = go(&connector, folder, Vec::new(), Some(&run)).await;
    assert_eq!(everything(folder), before, "{plan:?}");
    let left = outcome.left.unwrap();
    assert!(left.is_empty() && notes.is_empty(), "{left:?} {notes:?}");
    assert_eq!(left.in_order, 3);
    // There is nothing to do a second time.
    let (_, plan, ..) = go(&connector, folder, Vec::new(), Some(&run)).await;
    assert!(plan.is_empty(), "{plan:?}");
    let (_, _, _, outcome) = go(&connector, folder, Vec::new(), Some(&undo)).await;
    assert!(outcome.left.unwrap().is_empty());
    assert_eq!(everything(folder), after);
}

#[tokio::test]
async fn what_moved_since_is_refused_and_the_rest_is_undone() {
    let home = Home::new();
    let folder = &home.folder();
    let connector = LocalConnector::new();
    let (run, ..) = go(&connector, folder, home.declared(), None).await;
    std::fs::write(home.at("changed"), "by hand").unwrap();
    std::fs::set_permissions(home.at("changed"), std::fs::Permissions::from_mode(0o604)).unwrap();
    std::fs::write(home.at("made/it's new"), "by hand, too").unwrap();
    let (_, plan, _, outcome) = go(&connector, folder, Vec::new(), Some(&run)).await;
    let reason = |name: &str| {
        let blocked = plan.blocked.iter().find(|one| one.id.target.ends_with(name));
        blocked.map_or("", |one| one.reason.as_str())
    };
    assert!(reason("/changed").ends_with("its content and its mode changed since"), "{plan:?}");
    assert!(reason("it's new").ends_with("its content changed since"), "{plan:?}");
    assert!(reason("/made").ends_with("it's new in it does"), "{plan:?}");
    assert_eq!((plan.steps.len(), plan.blocked.len()), (4, 3));
    assert!(outcome.steps.iter().all(|step| *step == StepOutcome::Changed), "{outcome:?}");
    assert_eq!(std::fs::read(home.at("changed")).unwrap(), b"by hand");
    assert_eq!(std::fs::read(home.at("made/it's new")).unwrap(), b"by hand, too");
    assert_eq!(std::fs::read_link(home.at("becomes-file")).unwrap(), Path::new("nowhere at all"));
    assert!(!home.at("hidden").exists());
}

#[tokio::test]
async fn what_moves_between_look_and_change_is_refused_on_the_machine() {
    let home = Home::new();
    let folder = &home.folder();
    let connector = LocalConnector::new();
    let declared = vec![file(folder, "changed", bytes(b"new")), directory(folder, "made")];
    let (run, ..) = go(&connector, folder, declared, None).await;
    let mut options = options(1, Limits::default());
    options.identity = options.identity.undoing(run);
    let undo = Run::new(&connector, options, &|_| {});
    let mut job = at_home(job("here", &[]), folder);
    job.facts.state = Some(folder.with_extension("state").to_str().unwrap().to_owned());
    let prepared = undo.prepare(vec![job]).await;
    std::fs::write(home.at("changed"), "by hand").unwrap();
    std::fs::write(home.at("made/foreign"), "by hand").unwrap();
    let outcome = undo.apply(prepared).await.remove(0);
    assert!(outcome.steps.iter().all(|step| matches!(step, StepOutcome::Refused(_))), "{:?}", outcome.steps);
    assert_eq!(std::fs::read(home.at("changed")).unwrap(), b"by hand");
    assert!(home.at("made/foreign").exists());
}

#[tokio::test]
async fn secrets_are_put_back_and_never_come_home() {
    let home = Home::new();
    let folder = &home.folder();
    let connector = LocalConnector::new();
    let secret = |text: &str| {
        let content = Content::Secret(Secret::new(text.as_bytes().to_vec()));
        vec![file(folder, "hidden", content)]
    };
    go(&connector, folder, secret("first-marker"), None).await;
    let (run, ..) = go(&connector, folder, secret("second-marker"), None).await;
    let (_, plan, _, outcome) = go(&connector, folder, Vec::new(), Some(&run)).await;
    assert_eq!(std::fs::read(home.at("hidden")).unwrap(), b"first-marker");
    let told = format!("{plan:?} {outcome:?}");
    assert!(!told.contains("marker"));
    for text in ["first-marker", "second-marker"] {
        assert!(!told.contains(&Digest::of(text.as_bytes()).to_string()), "its digest tells of it");
    }
    assert!(matches!(plan.steps[0].difference.details[..], [Detail::Secret { existed: true, .. }]));
    assert!(outcome.left.unwrap().is_empty());
}

#[tokio::test]
async fn runs_that_are_not_there_or_not_kept_change_nothing() {
    let home = Home::new();
    let folder = &home.folder();
    let connector = LocalConnector::new();
    let unknown = RunId::new("20260101-000000-abcdef").unwrap();
    let (run, ..) = go(&connector, folder, home.declared(), None).await;
    let after = everything(folder);
    let (_, plan, notes, _) = go(&connector, folder, Vec::new(), Some(&unknown)).await;
    assert!(plan.is_empty());
    assert_eq!(notes, [crate::history::no_such_run(&unknown)]);
    let kept = folder.with_extension("state").join("runs").join(run.as_str()).join("before");
    std::fs::rename(&kept, kept.with_extension("gone")).unwrap();
    let (_, plan, ..) = go(&connector, folder, Vec::new(), Some(&run)).await;
    assert_eq!((plan.steps.len(), plan.blocked.len()), (0, 7), "{plan:?}");
    // What is damaged is not put back either.
    std::fs::rename(kept.with_extension("gone"), &kept).unwrap();
    for image in std::fs::read_dir(&kept).unwrap() {
        let path = image.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    }
    let (_, plan, ..) = go(&connector, folder, Vec::new(), Some(&run)).await;
    assert!(plan.steps.is_empty(), "{plan:?}");
    assert_eq!(everything(folder), after);
}

#[tokio::test]
async fn a_step_that_was_cut_is_undone_only_when_it_is_known_what_it_left() {
    let home = Home::new();
    let folder = &home.folder();
    let connector = LocalConnector::new();
    let declared = vec![
        file(folder, "changed", bytes(b"new")),
        file(folder, "other", bytes(b"other")),
        directory(folder, "made"),
    ];
    let (run, ..) = go(&connector, folder, declared, None).await;
    let run_folder = folder.with_extension("state").join("runs").join(run.as_str());
    // As if the machine had gone down before it noted how the steps ended.
    std::fs::remove_file(run_folder.join("after")).unwrap();
    std::fs::write(run_folder.join("progress"), "boot another\n0 started\n1 started\n").unwrap();
    std::fs::write(home.at("other"), "half of it").unwrap();
    let (_, plan, _, outcome) = go(&connector, folder, Vec::new(), Some(&run)).await;
    assert_eq!(plan.steps.len(), 1, "{plan:?}");
    assert_eq!(std::fs::read(home.at("changed")).unwrap(), b"old\nline\n", "{outcome:?}");
    assert_eq!(std::fs::read(home.at("other")).unwrap(), b"half of it");
    assert_eq!(plan.blocked.len(), 2, "{plan:?}");
    assert!(plan.blocked.iter().all(|one| one.reason.contains("cut off in this step")), "{plan:?}");
}
