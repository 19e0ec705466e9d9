//! The whole road over this computer's own shell, in a temporary folder.
#![cfg(unix)]

mod busybox;
mod machines;
mod noted;
mod undo;
mod waiting;

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio_util::sync::CancellationToken;

use super::{Job, Outcome, Run, RunIdentity, RunOptions};
use crate::event::StepOutcome;
use crate::model::{
    Digest, Facts, FleetName, Init, MachineName, MachinePath, Method, Platform, Privilege, Secret, Source,
    Span, Target,
};
use crate::plan::Plan;
use crate::probe::Limits;
use crate::resource::directory::Directory;
use crate::resource::file::File;
use crate::resource::link::Link;
use crate::resource::{Content, Declared, Origin};
use crate::transport::LocalConnector;

fn origin() -> Origin {
    let source = Source::new("test.yaml", "x");
    Origin { from: "test".to_owned(), span: Span::new(&source, 0, 1) }
}

fn whoami(option: &str) -> String {
    let output = std::process::Command::new("id").arg(option).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn path(folder: &Path, below: &str) -> MachinePath {
    MachinePath::new(&format!("{}/{below}", folder.display())).unwrap()
}

fn file(folder: &Path, below: &str, content: Content) -> Declared {
    let file = File { path: path(folder, below), content, owner: whoami("-un"), group: None, mode: 0o640 };
    Declared::new(file, origin())
}

fn bytes(bytes: &[u8]) -> Content {
    Content::Bytes(Arc::from(bytes))
}

fn directory(folder: &Path, below: &str) -> Declared {
    let directory = Directory { path: path(folder, below), owner: whoami("-un"), group: None, mode: 0o750 };
    Declared::new(directory, origin())
}

fn link(folder: &Path, below: &str, target: &str) -> Declared {
    let link = Link { path: path(folder, below), target: target.to_owned(), owner: whoami("-un") };
    Declared::new(link, origin())
}

/// What a run of the tests is called, in a fleet `test`.
fn identity() -> RunIdentity {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let name = format!("test{}", RUNS.fetch_add(1, Ordering::Relaxed));
    let inventory = ("inventory.yaml".to_owned(), Digest::of(b""));
    let fleet = FleetName::new("test").unwrap();
    RunIdentity::new(fleet, "apply", "tester@here", inventory, std::time::SystemTime::now(), &name)
}

async fn run(folder: &Path, declared: Vec<Declared>) -> (Plan, Outcome) {
    let counter = AtomicU64::new(0);
    let options = RunOptions {
        parallel: 4,
        limits: Limits::default(),
        nonces: Arc::new(move || {
            format!("n{}x{}", std::process::id(), counter.fetch_add(1, Ordering::Relaxed))
        }),
        cancel: CancellationToken::new(),
        identity: identity(),
        lock_timeout: std::time::Duration::ZERO,
        only: None,
        farewell: false,
    };
    let user = whoami("-un");
    let home = std::env::var("HOME").unwrap();
    let job = Job {
        machine: MachineName::new("here").unwrap(),
        target: Target {
            machine: MachineName::new("here").unwrap(),
            method: Method::Local,
            privilege: Privilege::Login,
        },
        facts: Facts {
            platform: Platform::Debian,
            init: Init::Sysv,
            root: user == "root",
            user,
            home,
            state: Some(folder.join(".state").to_str().unwrap().to_owned()),
        },
        resolve: Arc::new(move |_| Ok(declared.clone())),
    };
    let connector = LocalConnector::new();
    let run = Run::new(&connector, options, &|_| {});
    let prepared = run.prepare(vec![job]).await;
    let plan = match &prepared[0].result {
        Ok(ready) => (*ready.plan).clone(),
        Err(failure) => panic!("{failure:?}"),
    };
    let outcome = run.apply(prepared).await.pop().unwrap();
    (plan, outcome)
}

#[tokio::test]
async fn what_is_declared_is_made_and_the_next_plan_is_empty() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let odd = b"\0\xff\n'`$x \\c\r\nno line end".to_vec();
    let large: Vec<u8> = (0..3_000_000_u32).map(|number| (number % 251) as u8).collect();
    std::fs::write(folder.join("local"), &large).unwrap();
    let (digest, length) = crate::model::Digest::of_reader(&mut large.as_slice()).unwrap();
    let local = Content::Local { path: folder.join("local"), length, digest };
    let declared = vec![
        file(folder, "a b/it's/odd", bytes(&odd)),
        directory(folder, "a b/it's"),
        file(folder, "a b/it's/large", local),
        file(folder, "secret", Content::Secret(Secret::new(b"hush".to_vec()))),
        link(folder, "link", "a b/it's/odd"),
        file(folder, "empty", bytes(b"")),
        directory(folder, "a b/other/deep"),
    ];
    let (plan, outcome) = run(folder, declared.clone()).await;
    assert_eq!(plan.steps.len(), 7, "{plan:?}");
    assert!(outcome.failure.is_none(), "{outcome:?}");
    assert_eq!(outcome.steps, vec![StepOutcome::Changed; 7]);
    assert!(outcome.left.unwrap().is_empty());
    assert_eq!(std::fs::read(folder.join("a b/it's/odd")).unwrap(), odd);
    assert_eq!(std::fs::read(folder.join("a b/it's/large")).unwrap(), large);
    assert_eq!(std::fs::read(folder.join("link")).unwrap(), odd);
    assert_eq!(std::fs::metadata(folder.join("secret")).unwrap().permissions().mode() & 0o7777, 0o640);
    let names: BTreeSet<String> = std::fs::read_dir(folder.join("a b/it's"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names, ["large", "odd"].map(str::to_owned).into());

    let (plan, outcome) = run(folder, declared.clone()).await;
    assert!(plan.is_empty(), "{plan:?}");
    assert_eq!(outcome.tally.commands, 1);

    std::fs::write(folder.join("empty"), "not any more").unwrap();
    std::fs::write(folder.join("secret"), "husk").unwrap();
    std::fs::set_permissions(folder.join("a b/it's"), std::fs::Permissions::from_mode(0o700)).unwrap();
    let (plan, outcome) = run(folder, declared).await;
    let changed: Vec<String> = plan.steps.iter().map(|step| step.id.to_string()).collect();
    assert_eq!(changed.len(), 3, "{changed:?}");
    assert!(outcome.left.unwrap().is_empty());
    assert_eq!(std::fs::read(folder.join("secret")).unwrap(), b"hush");
    // The probe; then the steps with their verification.
    assert_eq!((outcome.tally.commands, outcome.tally.round_trips), (1, 2));
}

#[tokio::test]
async fn a_failed_step_stops_only_what_needs_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let other = Directory {
        path: path(folder, "theirs"),
        owner: "nobody-of-that-name".to_owned(),
        group: None,
        mode: 0o755,
    };
    let declared = vec![
        Declared::new(other, origin()),
        file(folder, "theirs/file", bytes(&[7; 200_000])),
        file(folder, "mine", bytes(b"mine")),
    ];
    let (_, outcome) = run(folder, declared).await;
    assert!(
        matches!(&outcome.steps[0], StepOutcome::Failed(reason) if reason.contains("nobody-of-that-name"))
    );
    assert_eq!(outcome.steps[1..], [StepOutcome::Skipped(0), StepOutcome::Changed]);
    assert_eq!(std::fs::read(folder.join("mine")).unwrap(), b"mine");
}

#[tokio::test]
async fn what_is_in_the_way_is_blocked_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::create_dir(folder.join("x")).unwrap();
    let (plan, outcome) =
        run(folder, vec![file(folder, "x", bytes(b"1")), file(folder, "y", bytes(b"2"))]).await;
    assert_eq!(plan.blocked.len(), 1);
    assert!(plan.blocked[0].reason.ends_with("is a directory; it is not replaced by a file"), "{plan:?}");
    assert_eq!(outcome.steps, [StepOutcome::Changed]);
    assert!(folder.join("x").is_dir());
}
