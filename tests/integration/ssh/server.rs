//! A private `sshd` with keys made at run time, and what a test needs to talk to it.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fleetprov::model::{Hop, Identity, MachineName, Method, Privilege, SshTarget, Target};
use fleetprov::transport::{
    Channel, Connector, KnownHosts, Output, Session, SshConnector, SshOptions, TransportError,
};
use tempfile::TempDir;

/// Where Debian and its kin keep the server.
const SSHD: &str = "/usr/sbin/sshd";

/// A running server. Ends with its last owner.
pub(crate) struct Server {
    folder: TempDir,
    process: Child,
    port: u16,
}

impl Server {
    /// Starts a server with an ed25519 and an ecdsa host key.
    pub(crate) fn start() -> Self {
        Self::start_with("")
    }

    /// Starts a server with more lines in its configuration.
    pub(crate) fn start_with(more: &str) -> Self {
        assert!(
            Path::new(SSHD).exists(),
            "{SSHD} is missing: install openssh-server, which these tests start for themselves"
        );
        // The server insists on its empty folder, which a package's service makes at boot.
        fs::create_dir_all("/run/sshd").expect("make /run/sshd (these tests need root)");
        let folder = tempfile::tempdir().expect("make a folder");
        let path = folder.path();
        for kind in ["ed25519", "ecdsa"] {
            make_key(&path.join(format!("host_{kind}")), kind);
        }
        make_key(&path.join("user"), "ed25519");
        fs::copy(path.join("user.pub"), path.join("authorized_keys")).expect("authorize the user's key");
        let port = free_port();
        // The home is the server's folder, so that nobody's own `.bashrc` takes part.
        let config = format!(
            "Port {port}\n\
             ListenAddress 127.0.0.1\n\
             HostKey {folder}/host_ed25519\n\
             HostKey {folder}/host_ecdsa\n\
             AuthorizedKeysFile {folder}/authorized_keys\n\
             PidFile none\n\
             UsePAM no\n\
             StrictModes no\n\
             PasswordAuthentication no\n\
             PermitRootLogin prohibit-password\n\
             MaxStartups 1000\n\
             SetEnv HOME={folder}\n\
             {more}\n",
            folder = path.display(),
        );
        fs::write(path.join("sshd_config"), config).expect("write the configuration");
        let log = fs::File::create(path.join("log")).expect("make the log");
        let process = Command::new(SSHD)
            .args(["-D", "-e", "-f"])
            .arg(path.join("sshd_config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("start sshd");
        let server = Self { folder, process, port };
        server.wait_until_it_listens();
        server
    }

    fn wait_until_it_listens(&self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            let log = fs::read_to_string(self.path("log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "sshd does not listen; its log:\n{log}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// A file in the server's folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The port it listens on.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The public key of a kind (`ed25519`, `ecdsa`), as in a `.pub` file.
    pub(crate) fn host_key(&self, kind: &str) -> String {
        fs::read_to_string(self.path(&format!("host_{kind}.pub"))).expect("read the host key")
    }

    /// The line that pins the host key of a kind.
    pub(crate) fn pin(&self, kind: &str) -> String {
        format!("[127.0.0.1]:{} {}", self.port, self.host_key(kind))
    }

    /// A host key's type and fingerprint, as `ssh-keygen` sees it.
    pub(crate) fn fingerprint(&self, kind: &str) -> String {
        let shown =
            run(Command::new("ssh-keygen").arg("-l").arg("-f").arg(self.path(&format!("host_{kind}"))));
        let algorithm = self.host_key(kind).split(' ').next().expect("a key type").to_owned();
        format!("{algorithm} {}", shown.split(' ').nth(1).expect("a fingerprint"))
    }

    /// Lets the key pair of a name in.
    pub(crate) fn authorize(&self, name: &str) {
        let mut keys = fs::read_to_string(self.path("authorized_keys")).expect("read the keys");
        keys.push_str(&fs::read_to_string(self.path(&format!("{name}.pub"))).expect("read the key"));
        fs::write(self.path("authorized_keys"), keys).expect("write the keys");
    }

    /// A login with the user's key.
    pub(crate) fn hop(&self) -> Hop {
        self.hop_with(Identity::File(self.path("user")))
    }

    /// A login with another identity.
    pub(crate) fn hop_with(&self, identity: Identity) -> Hop {
        Hop { user: user(), host: "127.0.0.1".to_owned(), port: self.port, identities: vec![identity] }
    }

    /// The way straight to it.
    pub(crate) fn target(&self) -> Target {
        target(self.hop(), Vec::new())
    }

    /// A connector that has its ed25519 key pinned.
    pub(crate) fn connector(&self) -> SshConnector {
        SshConnector::new(options(&self.pin("ed25519")))
    }

    /// Logs in with the user's key.
    pub(crate) async fn log_in(&self) -> Box<dyn Session> {
        self.connector().connect(&self.target()).await.expect("log in")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its own process only; the sessions it has forked end with their clients.
        self.process.kill().expect("kill sshd");
        self.process.wait().expect("wait for sshd");
    }
}

/// Options with these pins.
pub(crate) fn options(known_hosts: &str) -> SshOptions {
    SshOptions::new(KnownHosts::parse("known_hosts", known_hosts).expect("parse the pins"))
}

/// A target over SSH.
pub(crate) fn target(hop: Hop, jumps: Vec<Hop>) -> Target {
    Target {
        machine: MachineName::new("machine").expect("a name"),
        method: Method::Ssh(SshTarget { hop, jumps, former: None }),
        privilege: Privilege::Login,
    }
}

/// Logs in and gives the error.
pub(crate) async fn refusal(options: SshOptions, target: &Target) -> TransportError {
    match SshConnector::new(options).connect(target).await {
        Ok(_) => panic!("the login was let through"),
        Err(error) => error,
    }
}

/// Makes a key pair without a passphrase.
pub(crate) fn make_key(path: &Path, kind: &str) {
    run(Command::new("ssh-keygen").args(["-q", "-N", "", "-C", "test", "-t", kind, "-f"]).arg(path));
}

/// Runs a helper and gives its output.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// A port on which nothing listens.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
    listener.local_addr().expect("address").port()
}

/// Who runs the tests.
pub(crate) fn user() -> String {
    run(Command::new("id").arg("-un")).trim().to_owned()
}

/// All that came out of a channel.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) exit: Option<Option<u32>>,
    pub(crate) lost: Option<TransportError>,
}

impl Outcome {
    /// Takes one message in.
    pub(crate) fn take(&mut self, message: Output) {
        match message {
            Output::Stdout(bytes) => self.stdout.extend(bytes),
            Output::Stderr(bytes) => self.stderr.extend(bytes),
            Output::Exit(status) => self.exit = Some(status),
            Output::Lost(error) => self.lost = Some(error),
        }
    }
}

/// Ends the input and reads everything, within half a minute.
pub(crate) async fn finish(channel: Channel) -> Outcome {
    let Channel { input, mut output } = channel;
    drop(input);
    let mut outcome = Outcome::default();
    let reading = async {
        while let Some(message) = output.recv().await {
            outcome.take(message);
        }
    };
    tokio::time::timeout(Duration::from_secs(30), reading).await.expect("the channel ends");
    outcome
}
