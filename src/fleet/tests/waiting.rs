//! Steps that wait for other machines.

use std::sync::Mutex;
use std::time::Duration;

use super::machines::{at_home, job, options};
use super::*;
use crate::event::{Event, FailureKind, Happening};
use crate::fleet::Prepared;
use crate::transport::{Conversation as MemoryConversation, MemoryConnector};

fn awaits(declared: Declared, machine: &str) -> Declared {
    Declared { awaits: vec![MachineName::new(machine).unwrap()], ..declared }
}

/// Two machines that are shells of this computer, each with a folder of its own.
struct Two {
    folder: tempfile::TempDir,
}

impl Two {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["hub", "spoke"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        Self { folder }
    }

    fn of(&self, machine: &str) -> std::path::PathBuf {
        self.folder.path().join(machine)
    }

    fn job(&self, machine: &str, declared: &[Declared]) -> Job {
        at_home(job(machine, declared), &self.of(machine))
    }

    /// What the machine has noted of its run.
    fn progress(&self, machine: &str) -> String {
        let runs = std::fs::read_dir(self.of(machine).join(".state/runs")).unwrap();
        let texts = runs.map(|run| std::fs::read_to_string(run.unwrap().path().join("progress")).unwrap());
        let text: String = texts.collect();
        text.lines().skip(1).map(|line| format!("{line}; ")).collect()
    }
}

fn connector() -> MemoryConnector {
    MemoryConnector::new().shell("hub").shell("spoke")
}

async fn applied(
    connector: &MemoryConnector,
    options: RunOptions,
    jobs: Vec<Job>,
) -> (Vec<Outcome>, Vec<String>) {
    let heard = Mutex::new(Vec::new());
    let tell = |event: Event| {
        let what = match event.what {
            Happening::StepStarted { index } => format!("begins {index}"),
            Happening::Verified(_) => "verified".to_owned(),
            _ => return,
        };
        heard.lock().unwrap().push(format!("{} {what}", event.machine));
    };
    let run = Run::new(connector, options, &tell);
    let applying = async {
        let prepared = run.prepare(jobs).await;
        run.apply(prepared).await
    };
    let outcomes = tokio::time::timeout(Duration::from_secs(20), applying).await.unwrap();
    (outcomes, heard.into_inner().unwrap())
}

/// The spoke's resources: one that waits for the hub, one that needs that, one by itself.
fn of_spoke(two: &Two) -> Vec<Declared> {
    let spoke = two.of("spoke");
    let mount = awaits(file(&spoke, "mount", bytes(b"m")), "hub");
    let job = file(&spoke, "job", bytes(b"j")).after([mount.resource.id()]);
    vec![mount, job, file(&spoke, "own", bytes(b"o"))]
}

#[tokio::test]
async fn a_step_waits_for_another_machine_however_few_are_worked_on_at_once() {
    for parallel in [1, 2] {
        let two = Two::new();
        let jobs = vec![
            two.job("spoke", &of_spoke(&two)),
            two.job("hub", &[file(&two.of("hub"), "export", bytes(&[b'x'; 200_000]))]),
        ];
        let (outcomes, heard) = applied(&connector(), options(parallel, Limits::default()), jobs).await;
        let names: Vec<&str> = outcomes.iter().map(|outcome| outcome.machine.as_str()).collect();
        assert_eq!(names, ["spoke", "hub"]);
        for outcome in &outcomes {
            assert!(outcome.failure.is_none(), "{outcome:?}");
            assert!(outcome.left.as_ref().unwrap().is_empty(), "{outcome:?}");
        }
        let targets: Vec<&str> =
            outcomes[0].plan.as_ref().unwrap().steps.iter().map(|step| step.id.target.as_str()).collect();
        assert!(targets[0].ends_with("/own") && targets[1].ends_with("/mount"), "{targets:?}");
        let place = |what: &str| heard.iter().position(|one| one == what).unwrap();
        assert!(place("hub verified") < place("spoke begins 1"), "{heard:?}");
        assert_eq!(
            two.progress("spoke"),
            "0 started; 0 changed; 1 started; 1 changed; 2 started; 2 changed; end; "
        );
    }
}

#[tokio::test]
async fn what_waits_for_a_machine_that_failed_is_not_made_and_all_else_is() {
    let two = Two::new();
    let hub = Directory {
        path: path(&two.of("hub"), "export"),
        owner: "nobody-of-that-name".to_owned(),
        group: None,
        mode: 0o755,
    };
    let jobs =
        || vec![two.job("hub", &[Declared::new(hub.clone(), origin())]), two.job("spoke", &of_spoke(&two))];
    let (outcomes, _) = applied(&connector(), options(2, Limits::default()), jobs()).await;
    assert!(matches!(outcomes[0].steps[0], StepOutcome::Failed(_)), "{outcomes:?}");
    let reason = "it waits for hub, whose change failed".to_owned();
    assert_eq!(outcomes[1].steps, [StepOutcome::Changed, StepOutcome::Held(reason), StepOutcome::Skipped(1)]);
    assert!(outcomes[1].failure.is_none(), "{outcomes:?}");
    assert_eq!(outcomes[1].left.as_ref().unwrap().steps.len(), 2);
    assert_eq!(two.progress("spoke"), "0 started; 0 changed; 1 skipped; 2 skipped; end; ");
    assert!(!two.of("spoke").join("mount").exists() && two.of("spoke").join("own").exists());
}

#[tokio::test]
async fn while_a_machine_waits_for_another_its_silence_is_no_trouble() {
    let two = Two::new();
    let slow = |mut conversation: MemoryConversation| async move {
        let nonce = conversation.command().rsplit(' ').next().unwrap_or_default().to_owned();
        let begun = format!("{nonce} begin apply\n{nonce} step 0 started\n");
        conversation.stdout(format!("\n{nonce} ready\n{}", super::machines::answers(&nonce))).await;
        conversation.receive().await;
        conversation.stdout(begun).await;
        tokio::time::sleep(Duration::from_millis(1500)).await;
        conversation.exit(1).await;
    };
    let connector = MemoryConnector::new().script("hub", slow).shell("spoke");
    let limits = Limits { step: Duration::from_secs(1), ..Limits::default() };
    let jobs = vec![job("hub", &super::machines::one_file()), two.job("spoke", &of_spoke(&two))];
    let (outcomes, _) = applied(&connector, options(2, limits), jobs).await;
    assert!(outcomes[0].failure.is_some());
    assert!(outcomes[1].failure.is_none(), "{:?}", outcomes[1]);
    assert!(matches!(outcomes[1].steps[1], StepOutcome::Held(_)), "{:?}", outcomes[1]);
}

#[tokio::test]
async fn a_machine_that_says_it_waits_and_does_not_is_not_waited_for() {
    let lying = |mut conversation: MemoryConversation| async move {
        let nonce = conversation.command().rsplit(' ').next().unwrap_or_default().to_owned();
        conversation.stdout(format!("\n{nonce} ready\n{}", super::machines::answers(&nonce))).await;
        conversation.receive().await;
        conversation.stdout(format!("{nonce} begin apply\n{nonce} hold\n")).await;
        std::future::pending::<()>().await;
    };
    let connector = MemoryConnector::new().script("hub", lying);
    let limits = Limits { step: Duration::from_millis(300), ..Limits::default() };
    let jobs = vec![job("hub", &super::machines::one_file())];
    let (outcomes, _) = applied(&connector, options(1, limits), jobs).await;
    assert!(outcomes[0].failure.as_ref().unwrap().message.contains("wait for a step"), "{outcomes:?}");
}

#[tokio::test]
async fn machines_that_wait_for_each_other_are_refused_before_anything_is_changed() {
    let two = Two::new();
    let (hub, spoke) = (two.of("hub"), two.of("spoke"));
    let of_hub = [file(&hub, "own", bytes(b"o")), awaits(file(&hub, "key", bytes(b"k")), "spoke")];
    let jobs = || vec![two.job("hub", &of_hub), two.job("spoke", &of_spoke(&two))];
    let (outcomes, heard) = applied(&connector(), options(2, Limits::default()), jobs()).await;
    assert!(heard.is_empty(), "{heard:?}");
    for outcome in &outcomes {
        let failure = outcome.failure.as_ref().unwrap();
        assert_eq!(failure.kind, FailureKind::Refused);
        assert_eq!(
            failure.message,
            format!(
                "order the machines, which wait for each other: hub's file {key} waits for spoke, spoke's file \
                 {mount} waits for hub",
                key = hub.join("key").display(),
                mount = spoke.join("mount").display()
            )
        );
    }
    assert!(!hub.join("own").exists() && !spoke.join("own").exists());
    // What is in order waits for nobody.
    std::fs::write(hub.join("key"), "k").unwrap();
    std::fs::set_permissions(hub.join("key"), std::fs::Permissions::from_mode(0o640)).unwrap();
    let (outcomes, _) = applied(&connector(), options(2, Limits::default()), jobs()).await;
    assert!(outcomes.iter().all(|outcome| outcome.failure.is_none()), "{outcomes:?}");
    assert!(spoke.join("job").exists());
}

#[tokio::test]
async fn a_machine_beside_the_run_has_to_be_in_order() {
    let two = Two::new();
    let of_hub = [file(&two.of("hub"), "export", bytes(b"x"))];
    let connector = connector();
    let apply = |beside: bool| {
        let (two, of_hub, connector) = (&two, &of_hub, &connector);
        async move {
            let run = Run::new(connector, options(1, Limits::default()), &|_| {});
            let prepared: Vec<Prepared> = run.prepare(vec![two.job("spoke", &of_spoke(two))]).await;
            let looked = if beside { run.prepare(vec![two.job("hub", of_hub)]).await } else { Vec::new() };
            run.apply_beside(prepared, &looked).await.remove(0)
        }
    };
    let held = |outcome: &Outcome| match &outcome.steps[..] {
        [.., StepOutcome::Held(reason), StepOutcome::Skipped(_)] => reason.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(held(&apply(false).await), "it waits for hub, which is not part of this run");
    assert_eq!(
        held(&apply(true).await),
        "it waits for hub, which has changes to make and is not part of this run"
    );
    std::fs::write(two.of("hub").join("export"), "x").unwrap();
    std::fs::set_permissions(two.of("hub").join("export"), std::fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(apply(true).await.steps, [StepOutcome::Changed, StepOutcome::Changed]);
}
