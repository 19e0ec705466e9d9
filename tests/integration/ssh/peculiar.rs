//! Servers that are not OpenSSH: with another name, with another order of messages, or hostile.
//! They speak the real protocol, through the library's server half.

use std::borrow::Cow;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use fleetprov::model::{Hop, Identity, Target};
use fleetprov::transport::{Connector, KnownHosts, Session, SshConnector, TransportError};
use russh::keys::key::safe_rng;
use russh::keys::{Algorithm, PrivateKey};
use russh::server::{Auth, ChannelOpenHandle, Config, Handler, Msg, Session as Serving, VerifiedPublicKey};
use russh::{Channel, ChannelId, SshId};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::ssh::server::{finish, make_key, options, target};

/// Does what the command says.
struct Peculiar;

impl Handler for Peculiar {
    type Error = russh::Error;

    async fn auth_publickey(
        &mut self,
        _user: &str,
        _key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, russh::Error> {
        Ok(Auth::Accept)
    }

    async fn channel_open_session(
        &mut self,
        _channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Serving,
    ) -> Result<(), russh::Error> {
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        command: &[u8],
        session: &mut Serving,
    ) -> Result<(), russh::Error> {
        match command {
            b"refuse" => return session.channel_failure(channel),
            b"status first" => {
                session.channel_success(channel)?;
                session.exit_status_request(channel, 5)?;
                session.data(channel, "late")?;
                session.eof(channel)?;
            }
            b"status last" => {
                session.channel_success(channel)?;
                session.data(channel, "early")?;
                session.eof(channel)?;
                session.exit_status_request(channel, 6)?;
            }
            b"no status" => {
                session.channel_success(channel)?;
                session.data(channel, "half")?;
                session.eof(channel)?;
            }
            b"intrude" => {
                session.channel_success(channel)?;
                let handle = session.handle();
                // In a task of its own: the answer comes through the loop that calls this.
                tokio::spawn(async move {
                    let doors = [
                        handle.channel_open_session().await.is_ok(),
                        handle.channel_open_forwarded_tcpip("127.0.0.1", 22, "127.0.0.1", 1).await.is_ok(),
                        handle.channel_open_forwarded_streamlocal("/run/door").await.is_ok(),
                        handle.channel_open_agent().await.is_ok(),
                        handle.channel_open_x11("127.0.0.1", 1).await.is_ok(),
                    ];
                    let opened = doors.iter().filter(|open| **open).count();
                    handle.data(channel, format!("{opened} of {}", doors.len())).await.expect("send");
                    handle.exit_status_request(channel, 0).await.expect("send");
                    handle.close(channel).await.expect("close");
                });
                return Ok(());
            }
            other => panic!("unexpected command {other:?}"),
        }
        session.close(channel)
    }
}

/// A server of its own name, and a login there.
struct Booth {
    serving: JoinHandle<()>,
    known_hosts: String,
    target: Target,
    _keys: TempDir,
}

impl Booth {
    async fn open(name: &'static str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("bind");
        let port = listener.local_addr().expect("address").port();
        let key = PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).expect("make a key");
        let known_hosts = KnownHosts::line("127.0.0.1", port, key.public_key());
        let config = Arc::new(Config {
            server_id: SshId::Standard(Cow::Borrowed(name)),
            keys: vec![key],
            ..Config::default()
        });
        let serving = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.expect("accept");
            let running = russh::server::run_stream(config, stream, Peculiar).await.expect("serve");
            // Ends with an error when the client hangs up.
            let _hung_up = running.await;
        });
        let keys = tempfile::tempdir().expect("make a folder");
        make_key(&keys.path().join("user"), "ed25519");
        let hop = Hop {
            user: "user".to_owned(),
            host: "127.0.0.1".to_owned(),
            port,
            identities: vec![Identity::File(keys.path().join("user"))],
        };
        Self { serving, known_hosts, target: target(hop, Vec::new()), _keys: keys }
    }

    async fn log_in(&self) -> Box<dyn Session> {
        SshConnector::new(options(&self.known_hosts)).connect(&self.target).await.expect("log in")
    }

    async fn close(self, session: Box<dyn Session>) {
        session.close().await;
        tokio::time::timeout(Duration::from_secs(5), self.serving)
            .await
            .expect("the client hangs up")
            .expect("the server does not panic");
    }
}

#[tokio::test]
async fn dropbear_takes_shorter_commands() {
    let booth = Booth::open("SSH-2.0-dropbear_2022.83").await;
    let mut session = booth.log_in().await;
    let limit = session.command_limit();
    assert!((8_000..9_000).contains(&limit), "{limit}");
    let error = session.start(&"x".repeat(limit + 1)).await.expect_err("too long");
    assert!(matches!(error, TransportError::Lost { .. }), "{error}");
    booth.close(session).await;

    let booth = Booth::open("SSH-2.0-unheard_of").await;
    let session = booth.log_in().await;
    assert_eq!(session.command_limit(), 131_071);
    booth.close(session).await;
}

#[tokio::test]
async fn the_exit_status_may_come_before_or_after_the_end_of_output() {
    let booth = Booth::open("SSH-2.0-peculiar").await;
    let mut session = booth.log_in().await;
    for (command, output, status) in [("status first", "late", 5), ("status last", "early", 6)] {
        let outcome = finish(session.start(command).await.expect("start")).await;
        assert_eq!(outcome.stdout, output.as_bytes(), "{command}");
        assert_eq!(outcome.exit, Some(Some(status)), "{command}");
        assert!(outcome.lost.is_none(), "{command}: {:?}", outcome.lost);
    }
    booth.close(session).await;
}

#[tokio::test]
async fn a_missing_exit_status_is_a_loss() {
    let booth = Booth::open("SSH-2.0-peculiar").await;
    let mut session = booth.log_in().await;
    let outcome = finish(session.start("no status").await.expect("start")).await;
    assert_eq!((outcome.stdout.as_slice(), outcome.exit), (b"half".as_slice(), None));
    let error = outcome.lost.expect("a loss");
    assert!(error.to_string().ends_with("closed the channel without an exit status"), "{error}");
    booth.close(session).await;
}

#[tokio::test]
async fn a_refused_command_is_a_loss() {
    let booth = Booth::open("SSH-2.0-peculiar").await;
    let mut session = booth.log_in().await;
    let outcome = finish(session.start("refuse").await.expect("start")).await;
    let error = outcome.lost.expect("a loss");
    assert!(error.to_string().ends_with("refused to run the command"), "{error}");
    // The session goes on.
    let outcome = finish(session.start("status last").await.expect("start")).await;
    assert_eq!(outcome.exit, Some(Some(6)));
    booth.close(session).await;
}

#[tokio::test]
async fn no_channel_is_opened_towards_the_controller() {
    let booth = Booth::open("SSH-2.0-peculiar").await;
    let mut session = booth.log_in().await;
    let outcome = finish(session.start("intrude").await.expect("start")).await;
    assert_eq!(String::from_utf8_lossy(&outcome.stdout), "0 of 5");
    booth.close(session).await;
}
