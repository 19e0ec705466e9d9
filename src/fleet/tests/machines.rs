//! Machines that misbehave: slow ones, ones that send nonsense, ones that never end.

use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use super::*;
use crate::event::{Event, Failure, FailureKind, Happening};
use crate::fleet::Prepared;
use crate::transport::{Connector, Conversation as MemoryConversation, MemoryConnector};

pub(super) fn job(machine: &str, declared: &[Declared]) -> Job {
    let declared = declared.to_vec();
    Job {
        machine: MachineName::new(machine).unwrap(),
        target: Target {
            machine: MachineName::new(machine).unwrap(),
            method: Method::Local,
            privilege: Privilege::Login,
        },
        facts: Facts {
            platform: Platform::Debian,
            init: Init::Sysv,
            root: true,
            user: "root".to_owned(),
            home: "/root".to_owned(),
            state: None,
        },
        resolve: Arc::new(move |_| Ok(declared.clone())),
    }
}

pub(super) fn options(parallel: usize, limits: Limits) -> RunOptions {
    let counter = AtomicU64::new(0);
    RunOptions {
        parallel,
        limits,
        nonces: Arc::new(move || format!("m{}", counter.fetch_add(1, Ordering::Relaxed))),
        cancel: CancellationToken::new(),
        identity: identity(),
        lock_timeout: Duration::ZERO,
        only: None,
        farewell: false,
    }
}

pub(super) fn one_file() -> Vec<Declared> {
    vec![Declared::new(
        File {
            path: MachinePath::new("/x").unwrap(),
            content: bytes(b"x"),
            owner: "root".to_owned(),
            group: None,
            mode: 0o644,
        },
        origin(),
    )]
}

async fn plan_of(connector: &dyn Connector, machine: &str, limits: Limits) -> Result<Plan, Failure> {
    let run = Run::new(connector, options(1, limits), &|_| {});
    let prepared: Prepared = run.prepare(vec![job(machine, &one_file())]).await.remove(0);
    prepared.result.map(|ready| (*ready.plan).clone())
}

/// What marks the frames: the last word of the command.
fn nonce(conversation: &MemoryConversation) -> String {
    conversation.command().rsplit(' ').next().unwrap_or_default().to_owned()
}

/// The answers of a machine that has nothing at `/x`.
pub(super) fn answers(nonce: &str) -> String {
    format!(
        "{nonce} begin facts\nuid 0\nsystem Linux\nhome /root\ninit sysv\n{nonce} end\n\
         {nonce} begin paths\nstat: cannot statx '/x': No such file or directory\n{nonce} end\n\
         {nonce} begin mounts\n/\n{nonce} end\n{nonce} probed\n"
    )
}

#[tokio::test]
async fn a_machine_that_never_answers_holds_no_other_back() {
    let connector = ["b", "c", "d", "e", "f"].iter().fold(
        MemoryConnector::new().script("a", |conversation| async move {
            std::future::pending::<()>().await;
            drop(conversation);
        }),
        |connector, name| {
            connector.script(name, |conversation| async move {
                let nonce = nonce(&conversation);
                conversation
                    .stdout(format!("noise{}{}", format_args!("\n{nonce} ready\n"), answers(&nonce)))
                    .await;
                std::future::pending::<()>().await;
            })
        },
    );
    let options = options(2, Limits::default());
    let cancel = options.cancel.clone();
    let planned = AtomicUsize::new(0);
    let tell = |event: Event| {
        if matches!(event.what, Happening::Planned(_)) && planned.fetch_add(1, Ordering::Relaxed) == 4 {
            cancel.cancel();
        }
    };
    let run = Run::new(&connector, options, &tell);
    let jobs = ["a", "b", "c", "d", "e", "f"].iter().map(|name| job(name, &one_file())).collect();
    let prepared = tokio::time::timeout(Duration::from_secs(20), run.prepare(jobs)).await.unwrap();
    let names: Vec<&str> = prepared.iter().map(|one| one.machine.as_str()).collect();
    assert_eq!(names, ["a", "b", "c", "d", "e", "f"], "the order of the inventory is kept");
    assert!(matches!(&prepared[0].result, Err(failure) if failure.kind == FailureKind::Interrupted));
    assert!(prepared[1..].iter().all(|one| one.result.is_ok()));
}

#[tokio::test]
async fn what_a_machine_sends_is_bounded() {
    let sent = Arc::new(AtomicUsize::new(0));
    let endless = |piece: &'static [u8]| {
        let sent = Arc::clone(&sent);
        move |conversation: MemoryConversation| {
            let sent = Arc::clone(&sent);
            async move {
                let nonce = nonce(&conversation);
                conversation.stdout(format!("\n{nonce} ready\n{nonce} begin paths\n")).await;
                sent.store(0, Ordering::Relaxed);
                loop {
                    conversation.stdout(piece).await;
                    sent.fetch_add(piece.len(), Ordering::Relaxed);
                }
            }
        }
    };
    let long: &'static [u8] = [vec![b'x'; 32 * 1024 - 1], vec![b'\n']].concat().leak();
    let connector = MemoryConnector::new()
        .script("line", endless(&[b'x'; 32 * 1024]))
        .script("lines", endless(&[b'\n'; 32 * 1024]))
        .script("texts", endless(long));
    for (machine, most, said) in [
        ("line", 8 << 20, "read the machine's answer: it sent a line of more than"),
        ("lines", 2 << 20, "read the machine's answer: it sent more than 200000 lines"),
        ("texts", 34 << 20, "read the machine's answer: it sent more than 33554432 bytes"),
    ] {
        let failure = plan_of(&connector, machine, Limits::default()).await.unwrap_err();
        assert!(failure.message.starts_with(said), "{failure:?}");
        assert!(sent.load(Ordering::Relaxed) < most, "{machine}: {sent:?}");
    }
}

#[tokio::test]
async fn errors_without_end_are_bounded_in_time() {
    let connector = MemoryConnector::new().script("box", |conversation| async move {
        loop {
            conversation.stderr([b'e'; 1024]).await;
        }
    });
    let limits = Limits { probe: Duration::from_millis(200), ..Limits::default() };
    let failure = plan_of(&connector, "box", limits).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unreachable, "{failure:?}");
}

#[tokio::test]
async fn frames_that_make_no_sense_are_an_error() {
    for nonsense in ["bogus", "begin bogus", "begin ask x", "step 0 changed"] {
        let connector = MemoryConnector::new().script("box", move |conversation| async move {
            let nonce = nonce(&conversation);
            let rest = answers(&nonce);
            conversation.stdout(format!("\n{nonce} ready\n{nonce} {nonsense}\n{rest}")).await;
            std::future::pending::<()>().await;
        });
        let failure = plan_of(&connector, "box", Limits::default()).await.unwrap_err();
        assert!(failure.message.contains("understand the machine's answer"), "{nonsense}: {failure:?}");
    }
}

#[tokio::test]
async fn silence_about_a_path_is_not_absence() {
    let connector = MemoryConnector::new().script("box", |conversation| async move {
        let nonce = nonce(&conversation);
        let rest = answers(&nonce).replace("stat: cannot statx '/x': No such file or directory\n", "");
        conversation.stdout(format!("\n{nonce} ready\n{rest}")).await;
        std::future::pending::<()>().await;
    });
    let plan = plan_of(&connector, "box", Limits::default()).await.unwrap();
    assert_eq!((plan.steps.len(), plan.blocked.len()), (0, 1), "{plan:?}");
}

/// A machine that answers the probe and then, to the first order, does as `perform` does.
fn performing<F, R>(perform: F) -> MemoryConnector
where
    F: Fn(MemoryConversation, String) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    MemoryConnector::new().script("box", move |mut conversation: MemoryConversation| {
        let perform = perform.clone();
        async move {
            let nonce = nonce(&conversation);
            conversation.stdout(format!("\n{nonce} ready\n{}", answers(&nonce))).await;
            conversation.receive().await;
            perform(conversation, nonce).await;
        }
    })
}

async fn outcome_of(connector: &MemoryConnector, limits: Limits) -> (Outcome, Vec<Happening>) {
    let heard = Mutex::new(Vec::new());
    let tell = |event: Event| heard.lock().unwrap().push(event.what);
    let run = Run::new(connector, options(1, limits), &tell);
    let applying = async {
        let prepared = run.prepare(vec![job("box", &one_file())]).await;
        run.apply(prepared).await.remove(0)
    };
    let outcome = tokio::time::timeout(Duration::from_secs(20), applying).await.unwrap();
    (outcome, heard.into_inner().unwrap())
}

#[tokio::test]
async fn chatter_does_not_stretch_the_time_of_a_step() {
    let connector = performing(|conversation, nonce| async move {
        conversation.stdout(format!("{nonce} begin apply\n{nonce} step 0 started\n")).await;
        loop {
            conversation.stdout(format!("still busy\n{nonce} step 0 started\n")).await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    let limits = Limits { step: Duration::from_millis(300), ..Limits::default() };
    let (outcome, _) = outcome_of(&connector, limits).await;
    assert_eq!(outcome.steps, [StepOutcome::NotReached]);
    assert!(outcome.failure.unwrap().message.contains("wait for a step"));
}

#[tokio::test]
async fn steps_that_are_not_in_the_plan_are_not_told_of() {
    let connector = performing(|conversation, nonce| async move {
        let end = answers(&nonce);
        conversation
            .stdout(format!("{nonce} begin apply\n{nonce} step 7 started\n{nonce} step 7 changed\n{nonce} step 0 changed\n{end}"))
            .await;
        std::future::pending::<()>().await;
    });
    let (outcome, heard) = outcome_of(&connector, Limits::default()).await;
    assert!(outcome.failure.unwrap().message.contains("an unknown frame `step 7 changed`"));
    assert_eq!(outcome.steps, [StepOutcome::Changed]);
    let others = heard.iter().filter(|what| {
        matches!(what, Happening::StepStarted { index: 7 } | Happening::StepEnded { index: 7, .. })
    });
    assert_eq!(others.count(), 0, "{heard:?}");
}

#[tokio::test]
async fn a_machine_that_lies_is_found_out() {
    let connector = performing(|conversation, nonce| async move {
        let end = answers(&nonce);
        conversation.stdout(format!("{nonce} begin apply\n{nonce} step 0 changed\n{end}")).await;
        std::future::pending::<()>().await;
    });
    let (outcome, _) = outcome_of(&connector, Limits::default()).await;
    assert!(outcome.failure.is_none());
    assert_eq!(outcome.left.unwrap().steps.len(), 1, "it says that it has made the file, and it has not");
}

#[tokio::test]
async fn a_session_that_ends_in_the_middle_is_told_with_its_last_words() {
    let connector = performing(|conversation, nonce| async move {
        conversation.stdout(format!("{nonce} begin apply\n{nonce} step 0 started\n")).await;
        conversation.stderr("sh: out of memory\n").await;
        conversation.exit(2).await;
    });
    let (outcome, _) = outcome_of(&connector, Limits::default()).await;
    assert_eq!(outcome.steps, [StepOutcome::NotReached]);
    assert_eq!(
        outcome.failure.unwrap().message,
        "keep the session: it ended early with status 2: sh: out of memory"
    );
    assert!(outcome.left.is_none());
}

#[tokio::test]
async fn a_machine_that_moved_while_the_question_waited_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    std::fs::create_dir(&one).unwrap();
    std::fs::create_dir(&two).unwrap();
    let connector = MemoryConnector::new().shell("a").shell("b");
    // Only one session is held while the question waits; the other machine is asked again.
    let run = Run::new(&connector, options(1, Limits::default()), &|_| {});
    let jobs = [("a", &one), ("b", &two)].map(|(name, folder)| {
        at_home(job(name, &[file(folder, "x", bytes(b"new")), file(folder, "y", bytes(b"y"))]), folder)
    });
    let prepared = run.prepare(jobs.into()).await;
    std::fs::write(one.join("x"), "theirs").unwrap();
    std::fs::write(two.join("x"), "theirs").unwrap();
    let outcomes = run.apply(prepared).await;
    // On the held session the step is refused, on the new one the plan is.
    assert!(matches!(outcomes[0].steps[0], StepOutcome::Refused(_)), "{:?}", outcomes[0]);
    assert_eq!(outcomes[0].steps[1], StepOutcome::Changed);
    let failure = outcomes[1].failure.as_ref().unwrap();
    assert_eq!(failure.kind, FailureKind::Refused);
    assert!(failure.message.contains("the machine has moved since"), "{failure:?}");
    assert_eq!(outcomes[1].steps, [StepOutcome::NotReached, StepOutcome::NotReached]);
    assert_eq!(std::fs::read(one.join("x")).unwrap(), b"theirs");
    assert!(!two.join("y").exists());
}

#[tokio::test]
async fn a_cancelled_run_begins_nothing() {
    let connector = MemoryConnector::new().script("box", |conversation| async move {
        drop(conversation);
        panic!("nobody may come");
    });
    let options = options(1, Limits::default());
    options.cancel.cancel();
    let run = Run::new(&connector, options, &|_| {});
    let outcome = run.apply(run.prepare(vec![job("box", &one_file())]).await).await.remove(0);
    assert_eq!(outcome.failure.unwrap().kind, FailureKind::Interrupted);
    assert!(outcome.plan.is_none());
}

/// A job on this computer's own shell, as it is.
pub(super) fn at_home(mut job: Job, folder: &Path) -> Job {
    job.facts.state = Some(folder.join(".state").to_str().unwrap().to_owned());
    job.facts.root = whoami("-un") == "root";
    job.facts.user = whoami("-un");
    job.facts.init = if Path::new("/run/systemd/system").is_dir() { Init::Systemd } else { Init::Sysv };
    job.facts.home = std::env::var("HOME").unwrap();
    job
}
