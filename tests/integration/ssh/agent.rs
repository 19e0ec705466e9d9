//! Logins with what an SSH agent holds.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fleetprov::model::{Identity, Target};
use fleetprov::transport::{Connector, SshConnector, SshOptions, TransportError};

use crate::ssh::server::{Server, finish, make_key, options, refusal, run, target};

/// A private agent. Ends with its owner.
struct Agent {
    process: Child,
    socket: PathBuf,
}

impl Agent {
    fn start(server: &Server) -> Self {
        let socket = server.path("agent");
        let process = Command::new("ssh-agent")
            .arg("-D")
            .arg("-a")
            .arg(&socket)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("start ssh-agent (openssh-client)");
        let agent = Self { process, socket };
        let deadline = Instant::now() + Duration::from_secs(10);
        while !agent.socket.exists() {
            assert!(Instant::now() < deadline, "the agent makes no socket");
            std::thread::sleep(Duration::from_millis(10));
        }
        agent
    }

    fn add(&self, arguments: &[&str]) {
        run(Command::new("ssh-add").arg("-q").args(arguments).env("SSH_AUTH_SOCK", &self.socket));
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.process.kill().expect("kill the agent");
        self.process.wait().expect("wait for the agent");
    }
}

fn with_agent(pins: &str, agent: Option<PathBuf>) -> SshOptions {
    let mut options = options(pins);
    options.agent = agent;
    options
}

fn by_agent(server: &Server) -> Target {
    target(server.hop_with(Identity::Agent), Vec::new())
}

#[tokio::test]
async fn keys_of_every_kind_log_in_and_others_are_passed_over() {
    let server = Server::start();
    for (index, kind) in ["ed25519", "ecdsa", "rsa"].into_iter().enumerate() {
        let (stranger, name) = (server.path(&format!("stranger-{kind}")), format!("mine-{kind}"));
        make_key(&stranger, "ed25519");
        make_key(&server.path(&name), kind);
        server.authorize(&name);
        let agent = Agent::start(&server);
        agent.add(&[&stranger.display().to_string()]);
        agent.add(&[&server.path(&name).display().to_string()]);
        let options = with_agent(&server.pin("ed25519"), Some(agent.socket.clone()));
        let session = SshConnector::new(options).connect(&by_agent(&server)).await;
        let mut session = session.unwrap_or_else(|error| panic!("{kind}: {error}"));
        let outcome = finish(session.start(&format!("exit {index}")).await.expect("start")).await;
        assert_eq!(outcome.exit, Some(u32::try_from(index).ok()));
        session.close().await;
        drop(agent);
        std::fs::remove_file(server.path("agent")).expect("remove the socket");
    }
}

#[tokio::test]
async fn a_key_that_is_limited_to_this_host_logs_in() {
    let server = Server::start();
    let agent = Agent::start(&server);
    std::fs::write(server.path("known_hosts"), server.pin("ed25519")).expect("write");
    let hosts = server.path("known_hosts").display().to_string();
    let here = format!("[127.0.0.1]:{}", server.port());
    agent.add(&["-H", &hosts, "-h", &here, &server.path("user").display().to_string()]);
    let options = with_agent(&server.pin("ed25519"), Some(agent.socket.clone()));
    let session = SshConnector::new(options).connect(&by_agent(&server)).await;
    session.expect("the agent knows which host asks").close().await;

    let other = Server::start();
    let mut login = by_agent(&other);
    login.machine = fleetprov::model::MachineName::new("other").expect("a name");
    let error = refusal(with_agent(&other.pin("ed25519"), Some(agent.socket.clone())), &login).await;
    assert!(matches!(error, TransportError::Identity { .. }), "{error}");
}

#[tokio::test]
async fn an_agent_whose_keys_are_all_refused_is_told_which() {
    let server = Server::start();
    let agent = Agent::start(&server);
    for name in ["one", "two"] {
        make_key(&server.path(name), "ed25519");
        agent.add(&[&server.path(name).display().to_string()]);
    }
    let options = with_agent(&server.pin("ed25519"), Some(agent.socket.clone()));
    let error = refusal(options, &by_agent(&server)).await;
    let TransportError::LoginRefused { tried, .. } = &error else { panic!("{error}") };
    assert_eq!(tried.matches("SHA256:").count(), 2, "{tried}");
}

#[tokio::test]
async fn too_many_keys_end_in_an_error_that_says_so() {
    let server = Server::start_with("MaxAuthTries 2");
    let agent = Agent::start(&server);
    for name in ["one", "two", "three", "four"] {
        make_key(&server.path(name), "ed25519");
        agent.add(&[&server.path(name).display().to_string()]);
    }
    let options = with_agent(&server.pin("ed25519"), Some(agent.socket.clone()));
    let error = refusal(options, &by_agent(&server)).await;
    let TransportError::LoginRefused { tried, .. } = &error else { panic!("{error}") };
    assert!(tried.contains("SHA256:"), "{tried}");
    assert!(tried.contains("Too many authentication failures"), "{tried}");
}

#[tokio::test]
async fn a_missing_or_empty_agent_is_named() {
    let server = Server::start();
    let agent = Agent::start(&server);
    for (socket, expected) in [
        (None, "SSH_AUTH_SOCK is not set"),
        (Some(server.path("nobody")), "no agent listens at"),
        (Some(agent.socket.clone()), "it holds no keys"),
    ] {
        let error = refusal(with_agent(&server.pin("ed25519"), socket), &by_agent(&server)).await;
        let TransportError::Identity { identity, reason } = &error else { panic!("{error}") };
        assert_eq!(identity, "the SSH agent");
        assert!(reason.contains(expected), "{reason}");
    }
}
