//! Machines and their servers, with the SSH transport.

use std::path::Path;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::machine::Apart;
use super::place::Place;
use super::stage::{Choice, Stage};
use super::story::{DemoOptions, run};
use crate::model::{Hop, Identity, MachineName, Method, Privilege, SshTarget, Target};
use crate::report::Style;
use crate::transport::{
    Channel, Connector as _, KnownHosts, Output, Session, SshConnector, SshOptions, TransportError,
};

/// Two machines in a folder of their own.
struct Pair {
    _parent: tempfile::TempDir,
    place: Place,
    stage: Stage,
    choice: Choice,
    pins: String,
}

impl Pair {
    /// Two machines, kept apart as well as this computer can, or at most as `worst`.
    async fn raise(folders: bool) -> Self {
        let parent = tempfile::tempdir().unwrap();
        let place = Place::make(parent.path()).unwrap();
        let mut stage = Stage::default();
        let mut choice = stage.choose(place.path()).await;
        if folders {
            choice.apart = Apart::Folder;
        }
        let names = ["left".to_owned(), "right".to_owned()];
        std::fs::create_dir(place.path().join("keys")).unwrap();
        let pins = stage
            .raise(&names, &choice, &place.path().join("machines"), &place.path().join("keys"))
            .await
            .unwrap();
        Self { _parent: parent, place, stage, choice, pins }
    }

    fn target(&self, name: &str, key: &str) -> Target {
        let port = self.stage.member(name).unwrap().port();
        let identity = Identity::File(self.place.path().join("keys").join(key));
        let hop =
            Hop { user: "root".to_owned(), host: "127.0.0.1".to_owned(), port, identities: vec![identity] };
        Target {
            machine: MachineName::new(name).unwrap(),
            method: Method::Ssh(SshTarget { hop, jumps: Vec::new(), former: None }),
            privilege: Privilege::Login,
        }
    }

    async fn try_log_in(&self, name: &str, key: &str) -> Result<Box<dyn Session>, TransportError> {
        let known = KnownHosts::parse("known_hosts", &self.pins).unwrap();
        SshConnector::new(SshOptions::new(known)).connect(&self.target(name, key)).await
    }

    /// Runs a command and gives output, errors and exit status.
    async fn run(&self, name: &str, text: &str, input: &[u8]) -> (String, String, Option<u32>) {
        let mut session = self.try_log_in(name, name).await.unwrap();
        let channel = session.start(text).await.unwrap();
        let answer = tokio::time::timeout(Duration::from_secs(20), finish(channel, input)).await.unwrap();
        session.close().await;
        answer
    }

    async fn strike(self) {
        self.stage.strike().await;
        self.place.remove().unwrap();
    }
}

async fn finish(channel: Channel, input: &[u8]) -> (String, String, Option<u32>) {
    let Channel { input: sender, mut output } = channel;
    let sending = async move {
        for chunk in input.chunks(30_000) {
            sender.send(chunk.to_vec()).await.unwrap();
        }
    };
    let (mut out, mut err, mut exit) = (Vec::new(), Vec::new(), None);
    let receiving = async {
        while let Some(message) = output.recv().await {
            match message {
                Output::Stdout(bytes) => out.extend(bytes),
                Output::Stderr(bytes) => err.extend(bytes),
                Output::Exit(status) => exit = status,
                Output::Lost(error) => panic!("{error}"),
            }
        }
    };
    tokio::join!(sending, receiving);
    (String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap(), exit)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_has_what_another_and_this_computer_do_not() {
    let pair = Pair::raise(false).await;
    assert_ne!(pair.choice.apart, Apart::Folder, "{:?}", pair.choice.reasons);
    let marker = format!("/etc/fleetprov-demo-test-{}", std::process::id());
    let (out, err, exit) =
        pair.run("left", &format!("id -u; pwd; echo \"$HOME\"; uname -n; echo x >{marker}"), b"").await;
    assert_eq!((out.as_str(), err.as_str(), exit), ("0\n/root\n/root\nleft\n", "", Some(0)));
    let (out, _, exit) = pair.run("left", &format!("cat {marker}; kill -9 $$"), b"").await;
    assert_eq!((out.as_str(), exit), ("x\n", Some(137)));
    let (_, err, exit) = pair.run("right", &format!("cat {marker}"), b"").await;
    assert!(err.contains("No such file"), "{err}");
    assert_eq!(exit, Some(1));
    assert!(!Path::new(&marker).exists());
    for path in ["/usr/fleetprov-demo-test", "/bin/fleetprov-demo-test", "/dev/null/x"] {
        let (_, _, exit) = pair.run("right", &format!("echo x >{path}"), b"").await;
        assert_ne!(exit, Some(0), "{path} can be written");
    }
    // Only what belongs to the machine is to be seen: its first process, the shells, this one.
    let (out, _, _) = pair.run("right", "echo /proc/[0-9]*", b"").await;
    assert!(out.split_whitespace().count() < 6, "{out}");
    pair.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_is_a_machine_too() {
    let pair = Pair::raise(true).await;
    let home = pair.stage.member("left").unwrap().machine.home();
    let (out, err, exit) = pair.run("left", "pwd; echo \"$HOME\"; cat; exit 7", b"typed").await;
    let home = home.display();
    assert_eq!((out, err.as_str(), exit), (format!("{home}\n{home}\ntyped"), "", Some(7)));
    pair.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn much_goes_in_and_out_at_once() {
    let pair = Pair::raise(true).await;
    let much = "0123456789abcdef".repeat(300_000);
    let (out, _, exit) = pair.run("left", "cat", much.as_bytes()).await;
    assert_eq!((out.len(), exit), (much.len(), Some(0)));
    assert!(out == much);
    pair.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_machines_own_key_opens_it() {
    let pair = Pair::raise(true).await;
    match pair.try_log_in("left", "right").await {
        Err(TransportError::LoginRefused { .. }) => {}
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("another machine's key opened it"),
    }
    pair.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_command_ends_with_the_server() {
    for folders in [false, true] {
        let pair = Pair::raise(folders).await;
        let mut session = pair.try_log_in("left", "left").await.unwrap();
        let marker = format!("{}{}", std::process::id(), u8::from(folders));
        let text = format!("sleep 1{marker} & sleep 2{marker}; echo not reached");
        let channel = session.start(&text).await.unwrap();
        let sleeping = || {
            let found = std::fs::read_dir("/proc").unwrap().flatten().filter(|entry| {
                let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
                let line = String::from_utf8_lossy(&line);
                line == format!("sleep\0{}{marker}\0", 1) || line == format!("sleep\0{}{marker}\0", 2)
            });
            found.count()
        };
        let waiting = async {
            while sleeping() < 2 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("the command runs");
        pair.strike().await;
        assert_eq!(sleeping(), 0);
        drop(channel);
        drop(session);
    }
}

fn options(parent: &Path) -> DemoOptions {
    DemoOptions { style: Style::PLAIN, temporary: parent.to_owned(), cancel: CancellationToken::new() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_story_holds_and_its_folder_is_gone() {
    let parent = tempfile::tempdir().unwrap();
    let mut told = String::new();
    let result = run(&options(parent.path()), &mut |text| told.push_str(text)).await;
    assert!(result.is_ok(), "{result:?}\n{told}");
    assert!(told.contains("Everything held"), "{told}");
    assert_eq!(std::fs::read_dir(parent.path()).unwrap().count(), 0);
}
