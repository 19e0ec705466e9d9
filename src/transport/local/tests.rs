use std::time::Instant;

use super::*;
use crate::model::{MachineName, Method, Privilege};

fn here() -> Target {
    Target { machine: MachineName::new("here").unwrap(), method: Method::Local, privilege: Privilege::Login }
}

async fn session() -> Box<dyn Session> {
    LocalConnector::new().connect(&here()).await.unwrap()
}

/// All output of a channel: standard output, standard error, exit status.
async fn read_all(
    mut output: tokio::sync::mpsc::Receiver<Output>,
) -> (Vec<u8>, Vec<u8>, Option<Option<u32>>) {
    let (mut out, mut errors, mut exit) = (Vec::new(), Vec::new(), None);
    while let Some(message) = output.recv().await {
        match message {
            Output::Stdout(bytes) => out.extend(bytes),
            Output::Stderr(bytes) => errors.extend(bytes),
            Output::Exit(status) => exit = Some(status),
            Output::Lost(error) => panic!("{error}"),
        }
    }
    (out, errors, exit)
}

async fn run(command: &str) -> (Vec<u8>, Vec<u8>, Option<Option<u32>>) {
    let mut session = session().await;
    let Channel { input, output } = session.start(command).await.unwrap();
    drop(input);
    let outcome = read_all(output).await;
    session.close().await;
    outcome
}

/// The process id a command printed first.
async fn first_number(output: &mut tokio::sync::mpsc::Receiver<Output>) -> u32 {
    let Some(Output::Stdout(bytes)) = output.recv().await else { panic!("no output") };
    String::from_utf8(bytes).unwrap().trim().parse().unwrap()
}

async fn assert_gone(process: u32) {
    let deadline = Instant::now() + Duration::from_secs(10);
    let path = PathBuf::from(format!("/proc/{process}/stat"));
    // A zombie whose parent is gone is as dead as can be; only its reaper has not come yet.
    let alive = || {
        std::fs::read_to_string(&path)
            .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or("").trim_start().starts_with('Z'))
    };
    while alive() {
        assert!(Instant::now() < deadline, "process {process} still runs");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn exit_statuses_come_through() {
    assert_eq!(run("exit 0").await, (vec![], vec![], Some(Some(0))));
    assert_eq!(run("exit 7").await, (vec![], vec![], Some(Some(7))));
    assert_eq!(run("kill -KILL $$").await, (vec![], vec![], Some(None)));
    let (_, errors, exit) = run("/no/such/program").await;
    assert_eq!(exit, Some(Some(127)));
    assert!(!errors.is_empty());
}

#[tokio::test]
async fn output_and_errors_stay_apart() {
    assert_eq!(
        run("printf out; printf err >&2; printf more").await,
        (b"outmore".to_vec(), b"err".to_vec(), Some(Some(0)))
    );
}

#[tokio::test]
async fn a_command_starts_in_the_home_directory() {
    let (out, _, _) = run("pwd -P").await;
    let home = std::env::home_dir().unwrap().canonicalize().unwrap();
    assert_eq!(String::from_utf8(out).unwrap().trim(), home.to_str().unwrap());
}

#[tokio::test]
async fn a_slow_reader_gets_everything() {
    let mut session = session().await;
    let Channel { input, mut output } =
        session.start("head -c 8388608 /dev/zero; echo end >&2").await.unwrap();
    drop(input);
    let mut length = 0;
    let mut ended = None;
    let mut messages = 0_u64;
    while let Some(message) = output.recv().await {
        messages += 1;
        if messages.is_multiple_of(8) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        match message {
            Output::Stdout(bytes) => length += bytes.len(),
            Output::Stderr(bytes) => assert_eq!(bytes, b"end\n"),
            Output::Exit(status) => ended = Some(status),
            Output::Lost(error) => panic!("{error}"),
        }
    }
    assert_eq!((length, ended), (8 * 1024 * 1024, Some(Some(0))));
    session.close().await;
}

#[tokio::test]
async fn an_unread_command_is_held_back() {
    let mut session = session().await;
    let channel = session.start("cat /dev/zero").await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let before = session.tally().received;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(session.tally().received, before, "it still takes output that nobody reads");
    assert!(before <= 1024 * 1024, "{before} bytes are held");
    drop(channel);
    session.close().await;
}

#[tokio::test]
async fn ten_megabytes_go_in_and_come_back() {
    let mut session = session().await;
    let Channel { input, output } = session.start("cat").await.unwrap();
    let chunk: Vec<u8> = (0..=255_u8).cycle().take(100_000).collect();
    let expected = chunk.repeat(100);
    let sending = async move {
        for _ in 0..100 {
            input.send(chunk.clone()).await.unwrap();
        }
    };
    let ((), (out, errors, exit)) = tokio::join!(sending, read_all(output));
    assert!(out == expected, "{} bytes came back", out.len());
    assert_eq!((errors, exit), (vec![], Some(Some(0))));
    let tally = session.tally();
    assert_eq!((tally.commands, tally.sent, tally.received), (1, 10_000_003, 10_000_000));
    session.close().await;
}

#[tokio::test]
async fn a_command_that_ends_early_stops_the_sender() {
    let mut session = session().await;
    let Channel { input, output } = session.start("head -c 5; exit 3").await.unwrap();
    let sending = async move {
        let mut sent = 0;
        while input.send(vec![b'x'; 100_000]).await.is_ok() {
            sent += 1;
            assert!(sent < 10_000, "nobody says that nobody reads");
        }
    };
    let ((), (out, _, exit)) = tokio::join!(sending, read_all(output));
    assert_eq!((out, exit), (b"xxxxx".to_vec(), Some(Some(3))));
    session.close().await;
}

#[tokio::test]
async fn the_whole_group_dies_with_its_channel() {
    let mut session = session().await;
    let mut channel = session.start("sleep 1000 & echo $!; wait").await.unwrap();
    let child = first_number(&mut channel.output).await;
    drop(channel);
    assert_gone(child).await;
    session.close().await;
}

#[tokio::test]
async fn the_whole_group_dies_although_a_write_is_stuck() {
    let mut session = session().await;
    let mut channel = session.start("sleep 1000 & echo $!; wait").await.unwrap();
    let child = first_number(&mut channel.output).await;
    // Fills the pipe, the write in progress and the queue.
    while channel.input.try_send(vec![0; 1_000_000]).is_ok() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    drop(channel);
    assert_gone(child).await;
    session.close().await;
}

#[tokio::test]
async fn the_whole_group_dies_with_its_session() {
    let mut session = session().await;
    let mut channel = session.start("sleep 1000 & echo $!; wait").await.unwrap();
    let child = first_number(&mut channel.output).await;
    session.close().await;
    assert_gone(child).await;
    assert!(matches!(channel.output.recv().await, Some(Output::Lost(_))));
    assert!(channel.output.recv().await.is_none());
}

#[tokio::test]
async fn the_loss_is_told_even_when_the_queue_is_full() {
    let mut session = session().await;
    let mut channel = session.start("cat /dev/zero").await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    session.close().await;
    let mut last = None;
    while let Some(message) = channel.output.recv().await {
        last = Some(message);
    }
    assert!(matches!(last, Some(Output::Lost(_))), "{last:?}");
}

#[tokio::test]
async fn an_unread_channel_still_takes_input() {
    let mut session = session().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().display();
    let Channel { input, output } = session
        .start(&format!("head -c 4000000 /dev/zero; cat > '{path}'; echo $? >> '{path}'"))
        .await
        .unwrap();
    drop(output);
    input.send(b"taken ".to_vec()).await.unwrap();
    // Only the end of the input is what ends it; the command gets there although nobody reads it.
    let deadline = Instant::now() + Duration::from_secs(10);
    while std::fs::read(file.path()).unwrap() != b"taken " {
        let found = std::fs::read(file.path()).unwrap();
        assert!(Instant::now() < deadline, "the command is stuck: {found:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    session.close().await;
}

#[tokio::test]
async fn a_round_trip_is_a_start_or_an_answer_to_output() {
    let mut session = session().await;
    let Channel { input, mut output } = session.start("cat").await.unwrap();
    assert_eq!(session.tally().round_trips, 1);
    for _ in 0..5 {
        input.send(b"12345".to_vec()).await.unwrap();
    }
    let mut back = 0;
    while back < 25 {
        let Some(Output::Stdout(bytes)) = output.recv().await else { panic!("no echo") };
        back += bytes.len();
    }
    assert_eq!(session.tally().round_trips, 1, "a sending in a row is no round trip");
    input.send(b"6".to_vec()).await.unwrap();
    assert!(matches!(output.recv().await, Some(Output::Stdout(_))));
    let tally = session.tally();
    assert_eq!(tally, Tally { commands: 1, round_trips: 2, sent: 29, received: 26 });
    drop(input);
    assert_eq!(read_all(output).await.2, Some(Some(0)));
    assert_eq!(session.tally(), tally);
    session.close().await;
}

#[tokio::test]
async fn chatter_that_nobody_has_read_is_no_round_trip() {
    let mut session = session().await;
    let Channel { input, mut output } = session.start("echo hello; echo hello; cat").await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while session.tally().received < 12 {
        assert!(Instant::now() < deadline, "no hello");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    input.send(b"first".to_vec()).await.unwrap();
    while session.tally().sent < 32 {
        assert!(Instant::now() < deadline, "the input is not taken");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut back = Vec::new();
    while !back.ends_with(b"first") {
        let Some(Output::Stdout(bytes)) = output.recv().await else { panic!("no echo") };
        back.extend(bytes);
    }
    assert_eq!(session.tally().round_trips, 1);
    drop((input, output));
    session.close().await;
}

#[tokio::test]
async fn a_command_over_the_limit_is_refused() {
    let mut session = session().await;
    let limit = session.command_limit();
    let longest = format!("exit 4{}", " ".repeat(limit - 6));
    let Channel { input, output } = session.start(&longest).await.unwrap();
    drop(input);
    assert_eq!(read_all(output).await.2, Some(Some(4)));
    let error = session.start(&format!("{longest} ")).await.unwrap_err();
    assert!(error.to_string().contains("longer than its 131071"), "{error}");
    assert_eq!(session.tally().commands, 1);
    session.close().await;
}
