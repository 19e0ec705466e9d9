//! What a channel carries, and what is counted.

use std::time::Duration;

use fleetprov::transport::{Channel, Output, Tally, TransportError};

use crate::ssh::server::{Outcome, Server, finish};

#[tokio::test]
async fn a_round_trip_is_a_start_or_an_answer_to_output() {
    let server = Server::start();
    let mut session = server.log_in().await;
    assert_eq!(session.tally(), Tally::default(), "the login is not counted");
    let mut channel = session.start("cat").await.expect("start");
    assert_eq!(session.tally(), Tally { commands: 1, round_trips: 1, sent: 3, received: 0 });
    channel.input.send(b"one".to_vec()).await.expect("send");
    channel.input.send(b"two".to_vec()).await.expect("send");
    let mut back = Vec::new();
    while back != b"onetwo" {
        let Some(Output::Stdout(bytes)) = channel.output.recv().await else { panic!("no echo") };
        back.extend(bytes);
    }
    assert_eq!(session.tally(), Tally { commands: 1, round_trips: 1, sent: 9, received: 6 });
    channel.input.send(b"three".to_vec()).await.expect("send");
    let outcome = finish(channel).await;
    assert_eq!(outcome.stdout, b"three");
    assert_eq!(session.tally(), Tally { commands: 1, round_trips: 2, sent: 14, received: 11 });
    finish(session.start("true").await.expect("start")).await;
    assert_eq!(session.tally(), Tally { commands: 2, round_trips: 3, sent: 18, received: 11 });
    session.close().await;
}

#[tokio::test]
async fn progress_during_a_long_sending_is_no_round_trip() {
    let server = Server::start();
    let mut session = server.log_in().await;
    let command = "while head -c 1000000 | wc -c | grep -v '^0$'; do :; done";
    let Channel { input, mut output } = session.start(command).await.expect("start");
    let sending = async move {
        for _ in 0..200 {
            input.send(vec![b'x'; 100_000]).await.expect("send");
        }
    };
    let mut reports = 0;
    let reading = async {
        while let Some(message) = output.recv().await {
            reports += usize::from(matches!(message, Output::Stdout(_)));
        }
    };
    tokio::join!(sending, reading);
    assert!(reports > 5, "only {reports} reports");
    let tally = session.tally();
    assert_eq!(tally.sent, 20_000_000 + u64::try_from(command.len()).expect("short"));
    assert!(tally.round_trips <= 3, "{tally:?} with {reports} reports");
    session.close().await;
}

#[tokio::test]
async fn a_signal_leaves_no_exit_status() {
    let server = Server::start();
    let mut session = server.log_in().await;
    let outcome = finish(session.start("kill -KILL $$").await.expect("start")).await;
    assert_eq!(outcome.exit, Some(None));
    assert!(outcome.lost.is_none(), "{:?}", outcome.lost);
    session.close().await;
}

#[tokio::test]
async fn ten_megabytes_go_in_and_come_back() {
    let server = Server::start();
    let mut session = server.log_in().await;
    let Channel { input, mut output } = session.start("cat").await.expect("start");
    let chunk: Vec<u8> = (0..=255_u8).cycle().take(100_000).collect();
    let expected = chunk.repeat(100);
    let sending = async move {
        for _ in 0..100 {
            input.send(chunk.clone()).await.expect("send");
        }
    };
    let mut outcome = Outcome::default();
    let reading = async {
        while let Some(message) = output.recv().await {
            outcome.take(message);
        }
    };
    tokio::join!(sending, reading);
    assert!(outcome.stdout == expected, "{} bytes came back", outcome.stdout.len());
    assert_eq!(outcome.exit, Some(Some(0)));
    session.close().await;
}

#[tokio::test]
async fn a_command_that_ends_early_stops_the_sender() {
    let server = Server::start();
    let mut session = server.log_in().await;
    let Channel { input, mut output } = session.start("head -c 5; exit 3").await.expect("start");
    let sending = async move {
        let mut sent = 0;
        while input.send(vec![b'x'; 100_000]).await.is_ok() {
            sent += 1;
            assert!(sent < 10_000, "nobody says that nobody reads");
        }
    };
    let mut outcome = Outcome::default();
    let reading = async {
        while let Some(message) = output.recv().await {
            outcome.take(message);
        }
    };
    tokio::time::timeout(Duration::from_secs(30), async { tokio::join!(sending, reading) })
        .await
        .expect("the sender is released");
    assert_eq!((outcome.stdout.as_slice(), outcome.exit), (b"xxxxx".as_slice(), Some(Some(3))));
    session.close().await;
}

#[tokio::test]
async fn an_unread_channel_holds_its_machine_back() {
    let server = Server::start();
    let mut session = server.log_in().await;
    let channel = session.start("cat /dev/zero").await.expect("start");
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = session.tally().received;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(session.tally().received, before, "it still takes output that nobody reads");
    assert!(before <= 1024 * 1024, "{before} bytes are held");
    drop(channel);
    // The connection is free again.
    let outcome = finish(session.start("echo free").await.expect("start")).await;
    assert_eq!(outcome.stdout, b"free\n");
    session.close().await;
}

#[tokio::test]
async fn channels_that_are_dropped_do_not_use_up_the_session() {
    let server = Server::start();
    let mut session = server.log_in().await;
    for round in 0..30 {
        let mut channel = session.start("echo $$; exec sleep 1000").await.expect("start");
        let Some(Output::Stdout(bytes)) = channel.output.recv().await else { panic!("round {round}") };
        let process = String::from_utf8(bytes).expect("text").trim().to_owned();
        drop(channel);
        // What is let go of goes on; here it must not outlive the test.
        finish(session.start(&format!("kill {process}")).await.expect("start")).await;
    }
    session.close().await;
}

#[tokio::test]
async fn a_server_that_allows_no_more_channels_is_named() {
    let server = Server::start_with("MaxSessions 2");
    let mut session = server.log_in().await;
    let first = session.start("cat").await.expect("start");
    let second = session.start("cat").await.expect("start");
    let error = session.start("cat").await.expect_err("a third channel");
    let TransportError::Lost { reason, .. } = &error else { panic!("{error}") };
    assert!(reason.starts_with("open another channel: "), "{reason}");
    assert_eq!(finish(first).await.exit, Some(Some(0)));
    assert_eq!(finish(second).await.exit, Some(Some(0)));
    let third = session.start("cat").await.expect("room again");
    assert_eq!(finish(third).await.exit, Some(Some(0)));
    session.close().await;
}

#[tokio::test]
async fn the_longest_command_fits_and_a_longer_one_is_refused() {
    let server = Server::start();
    let mut session = server.log_in().await;
    let limit = session.command_limit();
    assert_eq!(limit, 131_071);
    let longest = format!("exit 4{}", " ".repeat(limit - 6));
    assert_eq!(finish(session.start(&longest).await.expect("start")).await.exit, Some(Some(4)));
    let error = session.start(&format!("{longest} ")).await.expect_err("too long");
    assert!(error.to_string().contains("longer than its 131071"), "{error}");
    assert_eq!(session.tally().commands, 1);
    session.close().await;
}
