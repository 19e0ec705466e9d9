//! Machines that do not answer cost their own time limit and nothing more.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use fleetprov::model::{Hop, Identity};
use fleetprov::transport::{SshOptions, TransportError};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::ssh::server::{Server, free_port, options, refusal, target};

fn impatient(pins: &str) -> SshOptions {
    let mut options = options(pins);
    options.connect_timeout = Duration::from_millis(300);
    options.login_timeout = Duration::from_millis(1200);
    options
}

fn hop(port: u16) -> Hop {
    Hop { user: "nobody".to_owned(), host: "127.0.0.1".to_owned(), port, identities: vec![Identity::Agent] }
}

async fn timed_out(options: SshOptions, hop: Hop, jumps: Vec<Hop>) -> (&'static str, Duration) {
    let start = Instant::now();
    let error = refusal(options, &target(hop, jumps)).await;
    let TransportError::TimedOut { step, .. } = error else { panic!("{error}") };
    (step, start.elapsed())
}

#[tokio::test]
async fn a_machine_that_does_not_take_the_connection() {
    let socket = TcpSocket::new_v4().expect("make a socket");
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("bind");
    let listener = socket.listen(1).expect("listen");
    let address = listener.local_addr().expect("address");
    // Nobody accepts, so after these the system answers nobody any more.
    let mut waiting = Vec::new();
    while let Ok(stream) = tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(address)).await
    {
        waiting.push(stream.expect("connect"));
        assert!(waiting.len() < 50, "the queue has no end");
    }
    let (step, time) = timed_out(impatient(""), hop(address.port()), Vec::new()).await;
    assert_eq!(step, "connect");
    assert!((250..1000).contains(&time.as_millis()), "{time:?}");
}

#[tokio::test]
async fn a_machine_that_takes_the_connection_and_says_nothing() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("bind");
    let port = listener.local_addr().expect("address").port();
    let (step, time) = timed_out(impatient(""), hop(port), Vec::new()).await;
    assert_eq!(step, "exchange keys");
    assert!((1000..3000).contains(&time.as_millis()), "{time:?}");
}

#[tokio::test]
async fn a_machine_that_greets_and_then_says_nothing_is_hung_up_on() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("bind");
    let port = listener.local_addr().expect("address").port();
    let greeting = async move {
        let (mut stream, _) = listener.accept().await.expect("accept");
        stream.write_all(b"SSH-2.0-silence\r\n").await.expect("greet");
        // What the client has said, until it hangs up.
        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await.expect("read")
    };
    let ((step, _), heard) = tokio::join!(timed_out(impatient(""), hop(port), Vec::new()), greeting);
    assert_eq!(step, "exchange keys");
    assert!(heard > 0, "the client said nothing");
}

#[tokio::test]
async fn a_machine_that_ponders_the_login() {
    let server = Server::start_with("AuthorizedKeysCommand /bin/sleep 5\nAuthorizedKeysCommandUser root");
    std::fs::write(server.path("authorized_keys"), "").expect("authorize nobody");
    let (step, _) = timed_out(impatient(&server.pin("ed25519")), server.hop(), Vec::new()).await;
    assert_eq!(step, "log in");
}

#[tokio::test]
async fn a_silent_machine_behind_a_jump_host() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("bind");
    let port = listener.local_addr().expect("address").port();
    let jump = Server::start();
    let (step, time) = timed_out(impatient(&jump.pin("ed25519")), hop(port), vec![jump.hop()]).await;
    assert_eq!(step, "exchange keys");
    assert!(time < Duration::from_secs(4), "{time:?}");
}

#[tokio::test]
async fn a_closed_port_and_an_unknown_name_are_told_at_once() {
    for (host, expected) in [("127.0.0.1", "refused"), ("no-such-host.invalid", "")] {
        let mut hop = hop(free_port());
        hop.host = host.to_owned();
        let error = refusal(options(""), &target(hop, Vec::new())).await;
        let TransportError::Unreachable { reason, .. } = &error else { panic!("{error}") };
        assert!(reason.contains(expected), "{reason}");
    }
}

#[tokio::test]
async fn something_that_is_no_ssh_server_is_told_at_once() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("bind");
    let port = listener.local_addr().expect("address").port();
    let answering = async move {
        let (mut stream, _) = listener.accept().await.expect("accept");
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.expect("answer");
        stream.shutdown().await.expect("close");
    };
    let login = target(hop(port), Vec::new());
    let (error, ()) = tokio::join!(refusal(options(""), &login), answering);
    assert!(matches!(error, TransportError::Lost { .. }), "{error}");
}
