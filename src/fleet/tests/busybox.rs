//! The same road where all there is are `BusyBox`'s shell and tools, as on a NAS.

use std::os::unix::fs::{MetadataExt as _, symlink};
use std::process::Stdio;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::machines::{at_home, job, options};
use super::*;
use crate::transport::{Conversation as MemoryConversation, MemoryConnector};

/// A folder with `BusyBox` under the names of all its tools.
fn tools() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let list = std::process::Command::new("busybox").arg("--list").output().expect("this test needs busybox");
    let program =
        ["/bin/busybox", "/usr/bin/busybox"].into_iter().find(|path| Path::new(path).exists()).unwrap();
    for name in String::from_utf8(list.stdout).unwrap().lines() {
        symlink(program, folder.path().join(name)).unwrap();
    }
    folder
}

/// Runs a machine's command with these tools only.
async fn serve(mut conversation: MemoryConversation, tools: std::path::PathBuf) {
    let mut child = tokio::process::Command::new(tools.join("ash"))
        .args(["-c", conversation.command()])
        .env_clear()
        .env("PATH", &tools)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let (mut stdin, mut stdout) = (child.stdin.take(), child.stdout.take().unwrap());
    let mut buffer = vec![0; 32 * 1024];
    loop {
        tokio::select! {
            bytes = conversation.receive(), if stdin.is_some() => match (bytes, &mut stdin) {
                // It may have ended already; its status tells.
                (Some(bytes), Some(pipe)) => drop(pipe.write_all(&bytes).await),
                _ => stdin = None,
            },
            count = stdout.read(&mut buffer) => match count.unwrap() {
                0 => break,
                count => conversation.stdout(&buffer[..count]).await,
            },
        }
    }
    let status = child.wait().await.unwrap();
    conversation.exit(status.code().unwrap().unsigned_abs()).await;
}

async fn run(connector: &MemoryConnector, folder: &Path, declared: &[Declared]) -> (Plan, Outcome) {
    let options = options(1, Limits::default());
    let run = Run::new(connector, options, &|_| {});
    let job = at_home(job("nas", declared), folder);
    let prepared = run.prepare(vec![job]).await;
    let plan = (*prepared[0].result.as_ref().unwrap().plan).clone();
    let outcome = run.apply(prepared).await.remove(0);
    (plan, outcome)
}

#[tokio::test]
async fn what_is_declared_is_made_with_busybox_alone() {
    let tools = tools();
    let path = tools.path().to_owned();
    let connector =
        MemoryConnector::new().script("nas", move |conversation| serve(conversation, path.clone()));
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::create_dir(folder.join("team")).unwrap();
    std::fs::set_permissions(folder.join("team"), std::fs::Permissions::from_mode(0o2755)).unwrap();
    let declared = vec![
        directory(folder, "team/sub"),
        file(folder, "team/sub/it's\\odd", bytes(b"\0\xff'`$x \\c\r\n")),
        file(folder, "large", bytes(&[b'x'; 300_000])),
        file(folder, "secret", Content::Secret(Secret::new(b"hush".to_vec()))),
        link(folder, "link", "team"),
        file(folder, "empty", bytes(b"")),
    ];
    let (plan, outcome) = run(&connector, folder, &declared).await;
    assert_eq!((plan.steps.len(), plan.blocked.len()), (6, 0), "{plan:?}");
    assert!(outcome.failure.is_none(), "{:?}", outcome.failure);
    assert_eq!(outcome.steps, vec![StepOutcome::Changed; 6]);
    assert!(outcome.left.as_ref().unwrap().is_empty(), "{:?}", outcome.left);
    let (plan, outcome) = run(&connector, folder, &declared).await;
    assert!(plan.is_empty(), "{plan:?}");
    assert_eq!((outcome.tally.commands, outcome.tally.round_trips), (1, 1));

    // By hand: a content, a mode, a secret, a link to another folder, a link in the place of a file.
    std::fs::write(folder.join("team/sub/it's\\odd"), "changed").unwrap();
    std::fs::set_permissions(folder.join("team/sub"), std::fs::Permissions::from_mode(0o2777)).unwrap();
    std::fs::write(folder.join("secret"), "husk").unwrap();
    std::fs::remove_file(folder.join("link")).unwrap();
    symlink("/tmp", folder.join("link")).unwrap();
    std::fs::remove_file(folder.join("empty")).unwrap();
    symlink(folder.join("team"), folder.join("empty")).unwrap();
    let (plan, outcome) = run(&connector, folder, &declared).await;
    assert_eq!(plan.steps.len(), 5, "{plan:?}");
    assert_eq!(outcome.steps, vec![StepOutcome::Changed; 5]);
    assert!(outcome.left.unwrap().is_empty());
    assert_eq!(std::fs::read_link(folder.join("link")).unwrap(), Path::new("team"));
    assert_eq!(std::fs::metadata(folder.join("team/sub")).unwrap().mode() & 0o7777, 0o750);
    assert_eq!(std::fs::read_dir(folder.join("team")).unwrap().count(), 1, "nothing was moved into it");
}

#[tokio::test]
async fn failures_with_busybox_are_said_and_cost_nothing_else() {
    let tools = tools();
    let path = tools.path().to_owned();
    let connector =
        MemoryConnector::new().script("nas", move |conversation| serve(conversation, path.clone()));
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let declared = vec![
        file(folder, "missing/file", bytes(&[1; 200_000])),
        file(folder, "file", bytes(&[2; 100_000])),
        link(folder, "missing/link", "x"),
        file(folder, "last", bytes(b"last")),
    ];
    let (_, outcome) = run(&connector, folder, &declared).await;
    for index in [0, 2] {
        assert!(matches!(&outcome.steps[index], StepOutcome::Failed(_)), "{:?}", outcome.steps);
    }
    assert_eq!(std::fs::read(folder.join("file")).unwrap(), [2; 100_000]);
    assert_eq!(std::fs::read(folder.join("last")).unwrap(), b"last");
}
