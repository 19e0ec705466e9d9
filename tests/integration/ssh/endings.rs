//! How a session ends, and how it is noticed.

use std::process::Command;
use std::time::{Duration, Instant};

use fleetprov::transport::{Channel, Connector, Output, Session, SshConnector, TransportError};

use crate::ssh::server::{Server, options, run};

/// Starts a command and gives the id of the server's process that serves the session.
async fn start(session: &mut Box<dyn Session>, command: &str) -> (Channel, String) {
    let mut channel = session.start(&format!("echo $PPID; {command}")).await.expect("start");
    let Some(Output::Stdout(bytes)) = channel.output.recv().await else { panic!("no process id") };
    (channel, String::from_utf8(bytes).expect("text").trim().to_owned())
}

fn signal(signal: &str, process: &str) {
    run(Command::new("kill").args(["-s", signal, process]));
}

async fn reason(channel: &mut Channel) -> String {
    let last = async {
        let mut last = None;
        while let Some(message) = channel.output.recv().await {
            last = Some(message);
        }
        last
    };
    let last = tokio::time::timeout(Duration::from_secs(20), last).await.expect("the channel ends");
    let Some(Output::Lost(TransportError::Lost { reason, .. })) = last else { panic!("{last:?}") };
    reason
}

#[tokio::test]
async fn a_server_that_is_killed_is_lost() {
    let server = Server::start();
    let mut session = server.log_in().await;
    let (mut channel, process) = start(&mut session, "read wait").await;
    signal("KILL", &process);
    assert_eq!(reason(&mut channel).await, "the machine closed it");
    let error = session.start("true").await.expect_err("no machine");
    assert!(matches!(error, TransportError::Lost { .. }), "{error}");
    session.close().await;
}

#[tokio::test]
async fn a_server_that_hangs_is_noticed_by_its_silence() {
    let server = Server::start();
    let mut options = options(&server.pin("ed25519"));
    options.keepalive_interval = Duration::from_millis(200);
    options.keepalive_count = 2;
    let mut session = SshConnector::new(options).connect(&server.target()).await.expect("log in");
    let (mut channel, process) = start(&mut session, "read wait").await;
    // While it is well, its answers keep the session alive.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert!(channel.output.try_recv().is_err(), "the session did not last");
    signal("STOP", &process);
    let start = Instant::now();
    let reason = reason(&mut channel).await;
    signal("KILL", &process);
    assert_eq!(reason, "the machine does not answer any more");
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    session.close().await;
}

#[tokio::test]
async fn a_server_that_hangs_in_the_middle_of_an_upload_is_noticed() {
    let server = Server::start();
    let mut options = options(&server.pin("ed25519"));
    options.keepalive_interval = Duration::from_millis(500);
    options.keepalive_count = 1;
    let mut session = SshConnector::new(options).connect(&server.target()).await.expect("log in");
    let (mut channel, process) = start(&mut session, "cat >/dev/null").await;
    let input = channel.input.clone();
    let sending = tokio::spawn(async move { while input.send(vec![0; 1_000_000]).await.is_ok() {} });
    tokio::time::sleep(Duration::from_millis(200)).await;
    signal("STOP", &process);
    let start = Instant::now();
    let reason = reason(&mut channel).await;
    signal("KILL", &process);
    assert!(
        reason == "the machine took nothing for 1 s" || reason == "the machine does not answer any more",
        "{reason}"
    );
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    sending.await.expect("the sender is released");
    session.close().await;
}

#[tokio::test]
async fn closing_a_session_ends_its_channels_and_hangs_up() {
    let server = Server::start();
    let mut session = server.log_in().await;
    let (mut channel, process) = start(&mut session, "read wait").await;
    let start = Instant::now();
    session.close().await;
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!(reason(&mut channel).await, "the session was closed");
    assert_hung_up(&process).await;
}

#[tokio::test]
async fn dropping_a_session_hangs_up() {
    let server = Server::start();
    let mut session = server.log_in().await;
    let (mut channel, process) = start(&mut session, "read wait").await;
    drop(session);
    assert_hung_up(&process).await;
    // Whoever still holds the channel is told.
    let message = channel.output.recv().await;
    assert!(matches!(message, Some(Output::Lost(_))), "{message:?}");
}

#[tokio::test]
async fn a_session_with_an_unread_channel_closes_all_the_same() {
    let server = Server::start();
    let mut session = server.log_in().await;
    let (channel, process) = start(&mut session, "cat /dev/zero").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let start = Instant::now();
    session.close().await;
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert_hung_up(&process).await;
    drop(channel);
}

/// The server's process for the session ends.
async fn assert_hung_up(process: &str) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while std::path::Path::new(&format!("/proc/{process}")).exists() {
        assert!(Instant::now() < deadline, "the server still serves");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
