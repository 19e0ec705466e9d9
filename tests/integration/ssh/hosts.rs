//! Which hosts are trusted.

use std::fs;
use std::process::Command;

use fleetprov::transport::{Connector, SshConnector, TransportError};

use crate::ssh::server::{Server, make_key, options, refusal, run};

#[tokio::test]
async fn an_unknown_host_is_refused_with_the_line_that_pins_it() {
    let server = Server::start();
    let error = refusal(options("# nothing is pinned\n"), &server.target()).await;
    let TransportError::UnknownHostKey { host, file, line, .. } = &error else { panic!("{error}") };
    assert_eq!(*host, format!("127.0.0.1:{}", server.port()));
    assert_eq!(file, "known_hosts");
    let key = server.host_key("ed25519");
    assert!(key.starts_with(line.split_once(' ').expect("a name").1), "{line} is not {key}");
    // The line works.
    let session = SshConnector::new(options(line)).connect(&server.target()).await;
    session.expect("the host is pinned now").close().await;
}

#[tokio::test]
async fn a_changed_host_key_is_refused_with_both_fingerprints() {
    let server = Server::start();
    let other = Server::start();
    let pin = format!("[127.0.0.1]:{} {}", server.port(), other.host_key("ed25519"));
    let error = refusal(options(&pin), &server.target()).await;
    let TransportError::ChangedHostKey { pinned, offered, .. } = &error else { panic!("{error}") };
    assert_eq!(*pinned, other.fingerprint("ed25519"));
    assert_eq!(*offered, server.fingerprint("ed25519"));
}

#[tokio::test]
async fn a_revoked_host_key_is_refused() {
    let server = Server::start();
    let pins = format!("{}@revoked * {}", server.pin("ed25519"), server.host_key("ed25519"));
    let error = refusal(options(&pins), &server.target()).await;
    assert!(matches!(error, TransportError::RevokedHostKey { .. }), "{error}");
}

#[tokio::test]
async fn the_pinned_one_of_several_host_keys_is_asked_for() {
    let server = Server::start();
    for kind in ["ecdsa", "ed25519"] {
        let session = SshConnector::new(options(&server.pin(kind))).connect(&server.target()).await;
        session.unwrap_or_else(|error| panic!("{kind}: {error}")).close().await;
    }
}

#[tokio::test]
async fn names_hashed_by_ssh_keygen_are_known() {
    let server = Server::start();
    let path = server.path("known_hosts");
    fs::write(&path, server.pin("ed25519")).expect("write");
    run(Command::new("ssh-keygen").args(["-q", "-H", "-f"]).arg(&path));
    let hashed = fs::read_to_string(&path).expect("read");
    assert!(hashed.starts_with("|1|"), "{hashed}");
    let session = SshConnector::new(options(&hashed)).connect(&server.target()).await;
    session.expect("the host is pinned").close().await;
}

#[tokio::test]
async fn host_certificates_hold_within_their_limits() {
    let folder = tempfile::tempdir().expect("make a folder");
    let authority = folder.path().join("authority");
    make_key(&authority, "ed25519");
    let authority_line =
        format!("@cert-authority * {}", fs::read_to_string(authority.with_extension("pub")).expect("read"));
    let certified = |file: &str, name: &str, valid: &str| {
        let key = folder.path().join(file);
        make_key(&key, "ed25519");
        run(Command::new("ssh-keygen")
            .args(["-q", "-h", "-I", "test", "-n", name, "-V", valid, "-s"])
            .args([&authority, &key.with_extension("pub")]));
        let key = key.display();
        Server::start_with(&format!("HostKey {key}\nHostCertificate {key}-cert.pub"))
    };

    let good = certified("good", "127.0.0.1", "-1h:+1h");
    let session = SshConnector::new(options(&authority_line)).connect(&good.target()).await;
    session.expect("the authority is pinned").close().await;

    // A plain pin goes on working where no authority is pinned.
    let session = SshConnector::new(options(&good.pin("ecdsa"))).connect(&good.target()).await;
    session.expect("the key is pinned").close().await;

    for (server, expected) in [
        (certified("foreign", "elsewhere", "-1h:+1h"), "it does not name the host `127.0.0.1`"),
        (certified("old", "127.0.0.1", "-2h:-1h"), "it has expired"),
    ] {
        let error = refusal(options(&authority_line), &server.target()).await;
        let TransportError::HostCertificate { reason, .. } = &error else { panic!("{error}") };
        assert_eq!(reason, expected);
    }
}
