//! The process that holds a machine's namespaces: it builds the machine's root, says so, and stays.

use std::path::Path;
use std::process::Stdio;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::PATH;
use super::programs::Programs;
use crate::demo::error::DemoError;

/// Builds a machine's root and stays.
const SETUP: &str = include_str!("setup.sh");

/// How long a machine may take to come up; measured: 20 ms, 300 ms on a busy computer.
const RISING: Duration = Duration::from_secs(10);

/// How long a machine may take to go away by itself before it is killed; measured: 5 ms.
const FALLING: Duration = Duration::from_secs(2);

/// The most that is read of what a machine says while it comes up.
const WORDS: u64 = 4096;

/// Holds a machine's namespaces.
#[derive(Debug)]
pub(super) struct Keeper {
    user: bool,
    /// The end of its standard input is the machine's end, also when this process is killed.
    process: Mutex<Option<Child>>,
    /// The number of the machine's first process as this computer sees it.
    first: OnceLock<u32>,
}

impl Keeper {
    /// Starts one that builds a root at `folder`, in a user namespace or without one.
    ///
    /// # Errors
    /// [`DemoError::System`] when the process cannot be started.
    pub(super) fn start(
        name: &str,
        folder: &Path,
        user: bool,
        programs: &Programs,
    ) -> Result<Self, DemoError> {
        let mut command = Command::new(&programs.unshare);
        command.args(["--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child"]);
        if user {
            command.args(["--user", "--map-root-user"]);
        }
        let process = command
            .args(["sh", "-c", SETUP, "fleetprov-demo"])
            .arg(folder)
            .arg(name)
            .env_clear()
            .env("PATH", PATH)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A Ctrl-C on the terminal is for us, not for the machine.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| DemoError::system("start unshare", error))?;
        Ok(Self { user, process: Mutex::new(Some(process)), first: OnceLock::new() })
    }

    /// Waits until the machine is there. The error says why it is not, for a person.
    pub(super) async fn ready(&self) -> Result<(), String> {
        let pipes = self.process.lock().ok().and_then(|mut process| {
            let process = process.as_mut()?;
            Some((process.stdout.take()?, process.stderr.take()?))
        });
        let Some((output, errors)) = pipes else { return Err("it was looked at before".to_owned()) };
        let mut line = String::new();
        let mut output = BufReader::new(output.take(WORDS));
        match tokio::time::timeout(RISING, output.read_line(&mut line)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(error.to_string()),
            Err(_) => return Err(format!("it was not up after {} s", RISING.as_secs())),
        }
        if let Some(number) = line.strip_prefix("ready ").and_then(|number| number.trim().parse().ok()) {
            // Set once: the pipes were taken once.
            let _first_time = self.first.set(number);
            return Ok(());
        }
        let mut complaint = String::new();
        // It has ended or is about to; whatever could be read is good enough.
        let mut errors = errors.take(WORDS);
        let _in_time = tokio::time::timeout(FALLING, errors.read_to_string(&mut complaint)).await;
        let last = complaint.lines().map(str::trim).rfind(|line| !line.is_empty());
        Err(last.unwrap_or("the machine's first process ended without a word").to_owned())
    }

    /// A command that enters the machine; what is to run there comes behind it.
    pub(super) fn enter(&self, programs: &Programs) -> Command {
        let mut command = Command::new(&programs.nsenter);
        // Before the machine is ready there is no such process, and nsenter says so.
        let first = self.first.get().copied().unwrap_or(0).to_string();
        command.args(["--target", &first, "--mount", "--uts", "--ipc", "--pid"]);
        if self.user {
            command.args(["--user", "--preserve-credentials"]);
        }
        command
    }

    /// Ends the machine with all its processes, and waits until they are gone.
    pub(super) async fn stop(&self) {
        let Some(mut process) = self.process.lock().ok().and_then(|mut process| process.take()) else {
            return;
        };
        drop(process.stdin.take());
        if tokio::time::timeout(FALLING, process.wait()).await.is_err() {
            // With unshare its child is killed, and with that all the others.
            let _gone = process.kill().await;
        }
    }
}
