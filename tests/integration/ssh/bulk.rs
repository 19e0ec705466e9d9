//! Many machines, and many bytes. The limits are wide: they find what is broken, not what is slow.
//! `--no-capture` shows the figures.

use std::time::{Duration, Instant};

use fleetprov::transport::{Channel, Connector, Output};
use futures::StreamExt;

use crate::ssh::server::{Server, finish};

const BULK: usize = 64 * 1024 * 1024;

/// Sessions at once. 200 were tried by hand; a build machine gets fewer.
fn sessions() -> usize {
    std::env::var("FLEETPROV_TEST_SESSIONS").ok().and_then(|count| count.parse().ok()).unwrap_or(50)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_sessions_at_once() {
    let server = Server::start();
    let connector = server.connector();
    let target = server.target();
    let start = Instant::now();
    let logins = futures::future::join_all((0..sessions()).map(|_| connector.connect(&target))).await;
    let logged_in = start.elapsed();
    let sessions: Vec<_> = logins.into_iter().map(|login| login.expect("log in")).collect();
    let count = sessions.len();
    let outcomes = futures::stream::iter(sessions.into_iter().enumerate())
        .map(|(number, mut session)| async move {
            let outcome = finish(session.start(&format!("echo {number}")).await.expect("start")).await;
            session.close().await;
            (number, outcome)
        })
        .buffer_unordered(count)
        .collect::<Vec<_>>()
        .await;
    let all = start.elapsed();
    println!("{count} sessions: logged in after {logged_in:?}, all done after {all:?}");
    assert_eq!(outcomes.len(), count);
    for (number, outcome) in outcomes {
        assert_eq!(outcome.stdout, format!("{number}\n").into_bytes());
    }
    assert!(all < Duration::from_secs(60), "{all:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bulk_goes_down_and_up() {
    let server = Server::start();
    let start = Instant::now();
    let mut session = server.log_in().await;
    println!("login: {:?}", start.elapsed());

    let start = Instant::now();
    let Channel { input, mut output } =
        session.start(&format!("head -c {BULK} /dev/zero")).await.expect("start");
    drop(input);
    let mut length = 0;
    while let Some(message) = output.recv().await {
        if let Output::Stdout(bytes) = message {
            length += bytes.len();
        }
    }
    let down = start.elapsed();
    assert_eq!(length, BULK);

    let start = Instant::now();
    let Channel { input, mut output } = session.start("wc -c").await.expect("start");
    let chunk = vec![0; 64 * 1024];
    for _ in 0..BULK / chunk.len() {
        input.send(chunk.clone()).await.expect("send");
    }
    drop(input);
    let mut answer = Vec::new();
    while let Some(message) = output.recv().await {
        if let Output::Stdout(bytes) = message {
            answer.extend(bytes);
        }
    }
    let up = start.elapsed();
    assert_eq!(answer, format!("{BULK}\n").into_bytes());
    session.close().await;

    println!("64 MiB down: {down:?}, up: {up:?}");
    assert!(down < Duration::from_secs(60) && up < Duration::from_secs(60), "down {down:?}, up {up:?}");
}
