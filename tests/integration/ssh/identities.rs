//! Which keys open a login, and what is said about those that do not.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use fleetprov::model::{Identity, Secret};
use fleetprov::transport::{Connector, TransportError};

use crate::ssh::server::{Server, finish, make_key, options, refusal, run, target};

#[tokio::test]
async fn a_key_file_opens_the_door() {
    let server = Server::start();
    let mut session = server.log_in().await;
    let channel = session.start("echo out; echo err >&2; exit 7").await.expect("start");
    let outcome = finish(channel).await;
    assert_eq!(outcome.stdout, b"out\n");
    assert_eq!(outcome.stderr, b"err\n");
    assert_eq!(outcome.exit, Some(Some(7)));
    assert!(outcome.lost.is_none(), "{:?}", outcome.lost);
    session.close().await;
}

#[tokio::test]
async fn keys_of_every_kind_and_form_are_read() {
    let server = Server::start();
    for (kind, form) in [
        ("ecdsa", "RFC4716"),
        ("ecdsa", "PEM"),
        ("ecdsa", "PKCS8"),
        ("rsa", "RFC4716"),
        ("rsa", "PEM"),
        ("rsa", "PKCS8"),
    ] {
        let name = format!("{kind}-{form}");
        let path = server.path(&name);
        run(Command::new("ssh-keygen")
            .args(["-q", "-N", "", "-C", "test", "-t", kind, "-m", form, "-f"])
            .arg(&path));
        server.authorize(&name);
        let login = target(server.hop_with(Identity::File(path)), Vec::new());
        let session = server.connector().connect(&login).await;
        session.unwrap_or_else(|error| panic!("{name}: {error}")).close().await;
    }
}

#[tokio::test]
async fn a_wrong_key_is_refused_by_its_fingerprint() {
    let server = Server::start();
    let path = server.path("stranger");
    make_key(&path, "ed25519");
    let login = target(server.hop_with(Identity::File(path.clone())), Vec::new());
    let error = refusal(options(&server.pin("ed25519")), &login).await;
    let TransportError::LoginRefused { user, tried, .. } = &error else { panic!("{error}") };
    assert_eq!(*user, crate::ssh::server::user());
    let shown = run(Command::new("ssh-keygen").arg("-l").arg("-f").arg(&path));
    let fingerprint = shown.split(' ').nth(1).expect("a fingerprint");
    assert!(tried.contains(fingerprint), "{tried} does not name {fingerprint}");
}

#[tokio::test]
async fn a_server_that_wants_more_than_a_key_is_named() {
    let server = Server::start_with(
        "AuthenticationMethods publickey,keyboard-interactive\nKbdInteractiveAuthentication yes",
    );
    let error = refusal(options(&server.pin("ed25519")), &server.target()).await;
    assert!(error.to_string().contains("asks for keyboard-interactive as well"), "{error}");
}

#[tokio::test]
async fn a_server_that_takes_no_keys_is_named() {
    let server = Server::start_with("PubkeyAuthentication no\nKbdInteractiveAuthentication yes");
    let error = refusal(options(&server.pin("ed25519")), &server.target()).await;
    assert!(error.to_string().contains("takes no keys, only keyboard-interactive"), "{error}");
}

async fn refused_identity(server: &Server, path: &Path) -> String {
    let login = target(server.hop_with(Identity::File(path.to_owned())), Vec::new());
    let error = refusal(options(&server.pin("ed25519")), &login).await;
    let TransportError::Identity { identity, reason } = error else { panic!("{error}") };
    assert_eq!(identity, path.display().to_string());
    reason
}

#[tokio::test]
async fn a_key_that_others_can_read_is_refused_with_the_remedy() {
    let server = Server::start();
    let path = server.path("user");
    for mode in [0o640, 0o604, 0o620] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("open the key to others");
        let reason = refused_identity(&server, &path).await;
        assert!(reason.contains(&format!("{mode:04o}")), "{reason}");
        assert!(reason.ends_with(&format!("chmod 600 '{}'", path.display())), "{reason}");
    }
    // The remedy works.
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("close the key");
    server.log_in().await.close().await;
}

#[tokio::test]
async fn a_key_with_a_passphrase_points_to_the_agent() {
    let server = Server::start();
    for (kind, form) in [("ed25519", "RFC4716"), ("rsa", "PEM"), ("rsa", "PKCS8")] {
        let path = server.path(&format!("locked-{kind}-{form}"));
        run(Command::new("ssh-keygen")
            .args(["-q", "-N", "a passphrase", "-t", kind, "-m", form, "-f"])
            .arg(&path));
        let reason = refused_identity(&server, &path).await;
        assert!(reason.starts_with("it is protected by a passphrase"), "{kind} {form}: {reason}");
        assert!(reason.contains(&format!("ssh-add '{}'", path.display())), "{reason}");
    }
}

#[tokio::test]
async fn what_is_no_key_is_said_to_be_none() {
    let server = Server::start();
    let text = |name: &str, text: &str| {
        let path = server.path(name);
        fs::write(&path, text).expect("write");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("close");
        path
    };
    let key = fs::read_to_string(server.path("user")).expect("read the key");
    let pipe = server.path("pipe");
    run(Command::new("mkfifo").args(["-m", "600"]).arg(&pipe));
    let public = fs::read_to_string(server.path("user.pub")).expect("read the key");
    let cases = [
        (server.path("missing"), "No such file"),
        (server.path(""), "it is not a file"),
        (pipe, "it is not a file"),
        (text("garbage", "garbage"), "it is no private key"),
        (text("empty", ""), "it is no private key"),
        (text("public", &public), "it is a public key"),
        (text("large", &"x".repeat(70_000)), "it is too large"),
        (text("cut", key.get(..200).expect("long enough")), "it is damaged"),
    ];
    for (path, expected) in cases {
        let reason = refused_identity(&server, &path).await;
        assert!(reason.starts_with(expected), "{}: {reason}", path.display());
    }
}

#[tokio::test]
async fn the_first_identity_that_fits_opens_the_door() {
    let server = Server::start();
    let stranger = server.path("stranger");
    make_key(&stranger, "ed25519");
    let key = Secret::new(fs::read(server.path("user")).expect("read the key"));
    let held = Identity::Key { name: "the sealed key".to_owned(), key };
    let mut hop = server.hop_with(Identity::File(server.path("none")));
    hop.identities.push(Identity::File(stranger));
    let closed = target(hop.clone(), Vec::new());
    let error = refusal(options(&server.pin("ed25519")), &closed).await;
    let TransportError::LoginRefused { tried, .. } = &error else { panic!("{error}") };
    assert!(tried.contains("/none: ") && tried.contains("/stranger"), "{tried}");
    hop.identities.push(held);
    let session = server.connector().connect(&target(hop, Vec::new())).await;
    session.unwrap_or_else(|error| panic!("{error}")).close().await;
}

#[tokio::test]
async fn a_key_in_memory_does_not_show() {
    let server = Server::start();
    let text = fs::read_to_string(server.path("user")).expect("read the key");
    let line = text.lines().nth(1).expect("a line of the key").to_owned();
    let key = Secret::new(text.into_bytes());
    let login = target(server.hop_with(Identity::Key { name: "held".to_owned(), key }), Vec::new());
    assert!(!format!("{login:?}").contains(&line));
    let damaged = Identity::Key { name: "held".to_owned(), key: Secret::new(line.clone().into_bytes()) };
    let error = refusal(options(&server.pin("ed25519")), &target(server.hop_with(damaged), Vec::new())).await;
    assert!(error.to_string().starts_with("read the key held: "), "{error}");
    assert!(!error.to_string().contains(&line), "{error}");
}
