//! Machines behind other machines.

use fleetprov::model::Identity;
use fleetprov::transport::{Connector, SshConnector, TransportError};

use crate::ssh::server::{Server, finish, free_port, make_key, options, refusal, target};

#[tokio::test]
async fn each_hop_has_its_own_key_and_its_own_trust() {
    let (outer, middle, inner) = (Server::start(), Server::start(), Server::start());
    let pins = outer.pin("ed25519") + &middle.pin("ecdsa") + &inner.pin("ed25519");
    let way = target(inner.hop(), vec![outer.hop(), middle.hop()]);
    let mut session = SshConnector::new(options(&pins)).connect(&way).await.expect("log in");
    let outcome = finish(session.start("echo \"$SSH_CONNECTION\"").await.expect("start")).await;
    let connection = String::from_utf8(outcome.stdout).expect("text");
    assert!(connection.trim().ends_with(&format!("127.0.0.1 {}", inner.port())), "{connection}");
    assert_eq!(outcome.exit, Some(Some(0)));
    session.close().await;
}

#[tokio::test]
async fn a_hop_that_is_not_trusted_is_named() {
    let (outer, inner) = (Server::start(), Server::start());
    for (pins, untrusted) in [(inner.pin("ed25519"), &outer), (outer.pin("ed25519"), &inner)] {
        let error = refusal(options(&pins), &target(inner.hop(), vec![outer.hop()])).await;
        let TransportError::UnknownHostKey { host, .. } = &error else { panic!("{error}") };
        assert_eq!(*host, format!("127.0.0.1:{}", untrusted.port()));
    }
}

#[tokio::test]
async fn a_hop_that_refuses_the_login_is_named() {
    let (outer, inner) = (Server::start(), Server::start());
    let stranger = outer.path("stranger");
    make_key(&stranger, "ed25519");
    let pins = outer.pin("ed25519") + &inner.pin("ed25519");
    let way = target(inner.hop(), vec![outer.hop_with(Identity::File(stranger))]);
    let error = refusal(options(&pins), &way).await;
    let TransportError::LoginRefused { host, .. } = &error else { panic!("{error}") };
    assert_eq!(*host, format!("127.0.0.1:{}", outer.port()));
}

#[tokio::test]
async fn a_machine_that_its_jump_host_cannot_reach_is_named() {
    let outer = Server::start();
    let mut hop = outer.hop();
    hop.port = free_port();
    let expected = format!("connect to 127.0.0.1:{}: through 127.0.0.1:{}: ", hop.port, outer.port());
    let error = refusal(options(&outer.pin("ed25519")), &target(hop, vec![outer.hop()])).await;
    assert_eq!(error.to_string(), expected + "the server cannot connect");
}

#[tokio::test]
async fn a_jump_host_that_does_not_forward_is_named() {
    let (outer, inner) = (Server::start_with("AllowTcpForwarding no"), Server::start());
    let pins = outer.pin("ed25519") + &inner.pin("ed25519");
    let error = refusal(options(&pins), &target(inner.hop(), vec![outer.hop()])).await;
    assert!(error.to_string().ends_with("the server does not allow it"), "{error}");
}
