//! Real machines for tests: a handle on `tests/rig/rig`.
//!
//! A [`Rig`] is a fleet that lives as long as the value does, and never longer
//! than the test's process: the rig watches its owner and takes the machines
//! down when it is gone, however it went.

use std::fmt;
use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A machine to start: its name, what runs on it, how large its disk is.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    name: String,
    kind: &'static str,
    size: Option<String>,
}

impl Machine {
    /// A machine with a booted systemd: units, timers, journal, logind, sshd, cron.
    pub(crate) fn systemd(name: &str) -> Self {
        Self { name: name.to_owned(), kind: "systemd", size: None }
    }

    /// A machine with sshd as its first process, and cron; `service` works, systemd does not.
    pub(crate) fn plain(name: &str) -> Self {
        Self { name: name.to_owned(), kind: "plain", size: None }
    }

    /// Sets the size of the disk, as tmpfs(5) takes it (`64m`); 512m if not set.
    pub(crate) fn size(mut self, size: &str) -> Self {
        self.size = Some(size.to_owned());
        self
    }

    fn argument(&self) -> String {
        match &self.size {
            Some(size) => format!("{}:{}:{size}", self.name, self.kind),
            None => format!("{}:{}", self.name, self.kind),
        }
    }
}

/// A running fleet. Dropping it takes it down.
pub(crate) struct Rig {
    directory: TempDir,
    machines: Vec<RunningMachine>,
}

impl Rig {
    /// Starts machines and waits until every sshd answers and every boot is over.
    ///
    /// All of them accept [`Rig::client_key`] for `root`, `alice` (no privileges), `sudoer`
    /// (sudo with [`Rig::password`]), `operator` (sudo without) and `doer` (doas without). They
    /// reach each other by address and by name.
    pub(crate) fn start(machines: &[Machine]) -> Self {
        let directory =
            tempfile::Builder::new().prefix("fleetprov-rig-").tempdir().expect("a temporary folder");
        let output = Command::new(script())
            .args(["up", "--owner", &std::process::id().to_string()])
            .arg(directory.path())
            .args(machines.iter().map(Machine::argument))
            .stdin(Stdio::null())
            .output()
            .expect("tests/rig/rig runs");
        assert!(
            output.status.success(),
            "the rig did not start: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let table = std::fs::read_to_string(directory.path().join("machines.tsv"))
            .expect("the rig's table of machines");
        let machines = table.lines().map(|line| RunningMachine::parse(line, directory.path())).collect();
        Self { directory, machines }
    }

    /// The folder with everything a client needs: `client_key`, `known_hosts`, `ssh_config`,
    /// `password`, `machines.tsv`. Tests may put files of their own beside them.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The private key that opens every machine, in OpenSSH's format, mode 0600. Its public half
    /// is beside it, with `.pub` added.
    pub(crate) fn client_key(&self) -> PathBuf {
        self.directory().join("client_key")
    }

    /// The host keys of all machines, by address.
    pub(crate) fn known_hosts(&self) -> PathBuf {
        self.directory().join("known_hosts")
    }

    /// A configuration for OpenSSH's client that knows the machines by name.
    pub(crate) fn ssh_config(&self) -> PathBuf {
        self.directory().join("ssh_config")
    }

    /// The password of the user `sudoer`.
    pub(crate) fn password(&self) -> String {
        std::fs::read_to_string(self.directory().join("password"))
            .expect("the rig's password")
            .trim_end()
            .to_owned()
    }

    /// All machines, in the order in which they were asked for.
    pub(crate) fn machines(&self) -> &[RunningMachine] {
        &self.machines
    }

    /// The machine of that name. Panics if there is none.
    pub(crate) fn machine(&self, name: &str) -> &RunningMachine {
        self.machines
            .iter()
            .find(|machine| machine.name == name)
            .unwrap_or_else(|| panic!("no machine named {name} in this rig"))
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        let output =
            Command::new(script()).arg("down").arg(self.directory.path()).stdin(Stdio::null()).output();
        // A second panic would hide why the test failed.
        if !std::thread::panicking() {
            let output = output.expect("tests/rig/rig runs");
            assert!(
                output.status.success(),
                "the rig was not taken down: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
    }
}

/// Something that happens to a machine.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault<'a> {
    /// The cable is cut: packets vanish without an answer.
    Cut,
    /// The cable is joined again.
    Join,
    /// Every process of the machine stops where it is.
    Freeze,
    /// They go on.
    Thaw,
    /// The listening sshd stops: connections are accepted, and nothing is said.
    FreezeSshd,
    /// It goes on.
    ThawSshd,
    /// Everything dies without a warning, and starts again on the same disk.
    Crash,
    /// A clean restart.
    Reboot,
    /// Switched off, as by pulling the plug: connections are refused.
    Stop,
    /// Switched on again.
    Start,
    /// The disk has no byte left.
    Fill,
    /// What filled it is gone.
    Unfill,
    /// The disk takes no more files.
    FillInodes,
    /// It does again.
    UnfillInodes,
    /// A file or folder (absolute) becomes read-only, for root too.
    ReadOnly(&'a str),
    /// It can be written again.
    Writable(&'a str),
}

impl<'a> Fault<'a> {
    fn arguments(self) -> (&'static str, Option<&'a str>) {
        match self {
            Self::Cut => ("cut", None),
            Self::Join => ("join", None),
            Self::Freeze => ("freeze", None),
            Self::Thaw => ("thaw", None),
            Self::FreezeSshd => ("freeze-sshd", None),
            Self::ThawSshd => ("thaw-sshd", None),
            Self::Crash => ("crash", None),
            Self::Reboot => ("reboot", None),
            Self::Stop => ("stop", None),
            Self::Start => ("start", None),
            Self::Fill => ("fill", None),
            Self::Unfill => ("unfill", None),
            Self::FillInodes => ("fill-inodes", None),
            Self::UnfillInodes => ("unfill-inodes", None),
            Self::ReadOnly(path) => ("readonly", Some(path)),
            Self::Writable(path) => ("writable", Some(path)),
        }
    }
}

/// One machine of a running fleet. What is done through it goes past the
/// machine's sshd, so it is no part of what a test observes.
#[derive(Debug)]
pub(crate) struct RunningMachine {
    name: String,
    address: IpAddr,
    directory: PathBuf,
}

impl RunningMachine {
    fn parse(line: &str, directory: &Path) -> Self {
        let mut fields = line.split('\t');
        let name = fields.next().expect("a name").to_owned();
        let address = fields.nth(1).expect("an address").parse().expect("an IP address");
        Self { name, address, directory: directory.to_owned() }
    }

    /// The machine's name; it is also its host name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Where this computer and the other machines reach it.
    pub(crate) fn address(&self) -> IpAddr {
        self.address
    }

    /// The id of the machine's first process, as this computer sees it. Another one after a restart.
    pub(crate) fn init(&self) -> u32 {
        self.fact(3).parse().expect("a process id")
    }

    /// The machine's root folder, as this computer sees it; the same after a restart.
    pub(crate) fn root(&self) -> PathBuf {
        PathBuf::from(self.fact(4))
    }

    /// A column of the machine's line in the rig's table.
    fn fact(&self, column: usize) -> String {
        let table = std::fs::read_to_string(self.directory.join("machines.tsv")).expect("the rig's table");
        let mut lines = table.lines().map(|line| line.split('\t').collect::<Vec<_>>());
        let line = lines.find(|line| line[0] == self.name).expect("the machine is in the rig's table");
        line[column].to_owned()
    }

    /// Runs a program as root inside the machine.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.run_with_input(arguments, b"")
    }

    /// Runs a program as root inside the machine and gives it standard input.
    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut child = Command::new(script())
            .arg("exec")
            .arg(&self.directory)
            .arg(&self.name)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("tests/rig/rig runs");
        let mut stdin = child.stdin.take().expect("standard input is piped");
        // Written beside the reading: a program that answers while it reads would else wait for
        // us while we wait for it. One that ends early breaks the pipe, which is its business.
        let output = std::thread::scope(|scope| {
            scope.spawn(move || {
                let _ = stdin.write_all(input);
            });
            child.wait_with_output().expect("the output of tests/rig/rig")
        });
        Output { code: output.status.code(), stdout: output.stdout, stderr: output.stderr }
    }

    /// Runs a POSIX shell script as root inside the machine.
    pub(crate) fn sh(&self, script: &str) -> Output {
        self.run(&["sh", "-c", script])
    }

    /// Runs a POSIX shell script that must succeed, and gives what it printed, without the
    /// newlines at its end.
    pub(crate) fn check(&self, script: &str) -> String {
        let output = self.sh(script);
        assert!(output.success(), "on {}: {script}\n{output:?}", self.name);
        output.text()
    }

    /// The contents of a file. Panics if it cannot be read.
    pub(crate) fn read(&self, path: &str) -> Vec<u8> {
        let output = self.run(&["cat", "--", path]);
        assert!(output.success(), "failed to read {path} on {}\n{output:?}", self.name);
        output.stdout
    }

    /// Writes a file in place, keeping mode and owner if it is there. Panics if it cannot.
    pub(crate) fn write(&self, path: &str, contents: &[u8]) {
        let output = self.run_with_input(&["sh", "-c", r#"cat >"$1""#, "sh", path], contents);
        assert!(output.success(), "failed to write {path} on {}\n{output:?}", self.name);
    }

    /// Whether there is anything at a path, a dangling link included.
    pub(crate) fn exists(&self, path: &str) -> bool {
        let output = self.run(&["sh", "-c", r#"[ -e "$1" ] || [ -L "$1" ]"#, "sh", path]);
        match output.code {
            Some(0) => true,
            Some(1) if output.stderr.is_empty() => false,
            _ => panic!("failed to look at {path} on {}\n{output:?}", self.name),
        }
    }

    /// Does something to the machine. Comes back when it has happened; after a restart, when the
    /// machine answers again.
    pub(crate) fn fault(&self, fault: Fault<'_>) {
        let (name, path) = fault.arguments();
        let output = Command::new(script())
            .arg("fault")
            .arg(&self.directory)
            .arg(&self.name)
            .arg(name)
            .args(path)
            .stdin(Stdio::null())
            .output()
            .expect("tests/rig/rig runs");
        assert!(
            output.status.success(),
            "failed to {fault:?} {}: {}",
            self.name,
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// What a program inside a machine did.
pub(crate) struct Output {
    /// Its exit code.
    pub(crate) code: Option<i32>,
    /// What it printed.
    pub(crate) stdout: Vec<u8>,
    /// What it complained about.
    pub(crate) stderr: Vec<u8>,
}

impl Output {
    /// Whether the exit code is 0.
    pub(crate) fn success(&self) -> bool {
        self.code == Some(0)
    }

    /// Standard output as text, without the newlines at its end.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim_end_matches('\n').to_owned()
    }

    /// Standard error as text, without the newlines at its end.
    pub(crate) fn error_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).trim_end_matches('\n').to_owned()
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "exit code: {:?}", self.code)?;
        writeln!(formatter, "stdout: {}", self.text())?;
        write!(formatter, "stderr: {}", self.error_text())
    }
}

/// The rig's command.
fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rig/rig")
}
