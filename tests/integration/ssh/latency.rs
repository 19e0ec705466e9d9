//! How often a login and a command go back and forth, measured through a proxy that delays.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use fleetprov::transport::{Channel, Connector, KnownHosts, Output, SshConnector};
use russh::keys::PublicKey;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::ssh::server::{Server, finish, options, target};

/// There and back. Long, so that a busy machine does not blur the count.
const ROUND_TRIP: Duration = Duration::from_millis(400);

/// Carries one direction, half a round trip late.
async fn carry<R, W>(mut from: R, mut to: W)
where
    R: AsyncReadExt + Unpin,
    W: AsyncWriteExt + Unpin,
{
    let (late, mut due) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let reading = async move {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer).await {
            let bytes = buffer.get(..count).expect("within the buffer").to_vec();
            if late.send((Instant::now() + ROUND_TRIP / 2, bytes)).is_err() {
                break;
            }
        }
    };
    let writing = async move {
        while let Some((time, bytes)) = due.recv().await {
            tokio::time::sleep_until(time.into()).await;
            if to.write_all(&bytes).await.is_err() {
                break;
            }
        }
    };
    tokio::join!(reading, writing);
}

/// A port that leads to a server, for one connection.
async fn delayed(server: &Server) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("bind");
    let port = listener.local_addr().expect("address").port();
    let behind = server.port();
    tokio::spawn(async move {
        let (near, _) = listener.accept().await.expect("accept");
        let far = TcpStream::connect((Ipv4Addr::LOCALHOST, behind)).await.expect("connect");
        near.set_nodelay(true).expect("no delay");
        far.set_nodelay(true).expect("no delay");
        let (near_reader, near_writer) = near.into_split();
        let (far_reader, far_writer) = far.into_split();
        tokio::join!(carry(near_reader, far_writer), carry(far_reader, near_writer));
    });
    port
}

/// Round trips that fit into a time.
fn round_trips(time: Duration) -> f64 {
    time.as_secs_f64() / ROUND_TRIP.as_secs_f64()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_and_a_command_take_few_round_trips() {
    let server = Server::start();
    let mut hop = server.hop();
    hop.port = delayed(&server).await;
    let key = PublicKey::from_openssh(&server.host_key("ed25519")).expect("a key");
    let pin = KnownHosts::line("127.0.0.1", hop.port, &key);

    let start = Instant::now();
    let connector = SshConnector::new(options(&pin));
    let mut session = connector.connect(&target(hop, Vec::new())).await.expect("log in");
    let login = round_trips(start.elapsed());

    let start = Instant::now();
    finish(session.start("true").await.expect("start")).await;
    let first = round_trips(start.elapsed());

    let start = Instant::now();
    finish(session.start("true").await.expect("start")).await;
    let second = round_trips(start.elapsed());

    let start = Instant::now();
    let Channel { input, mut output } = session.start("read word; echo $word; cat").await.expect("start");
    input.send(b"word\n".to_vec()).await.expect("send");
    assert!(matches!(output.recv().await, Some(Output::Stdout(bytes)) if bytes == b"word\n"));
    let with_input = round_trips(start.elapsed());
    let start = Instant::now();
    input.send(b"more".to_vec()).await.expect("send");
    assert!(matches!(output.recv().await, Some(Output::Stdout(bytes)) if bytes == b"more"));
    let answer = round_trips(start.elapsed());
    drop((input, output));
    session.close().await;

    println!(
        "login {login:.2}, first {first:.2}, second {second:.2}, with input {with_input:.2}, answer {answer:.2}"
    );
    // Greetings 1, keys 1, service 1, offer 1, signature 1; the proxy spares the one of TCP.
    assert!(login < 5.9, "login: {login:.2}");
    assert!(first < 2.7, "the first command: {first:.2}");
    assert!(second < 1.7, "a command: {second:.2}");
    // OpenSSH takes input only once the command runs.
    assert!(with_input < 2.7, "a command with input: {with_input:.2}");
    assert!(answer < 1.7, "an answer: {answer:.2}");
}
