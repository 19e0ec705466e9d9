//! One machine of the demo: a root of its own in kernel namespaces, or a folder where the kernel
//! does not allow that.

mod programs;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::error::DemoError;
pub(super) use programs::Programs;

/// Builds a machine's root and keeps it.
const SETUP: &str = include_str!("machine/setup.sh");

/// How long a machine may take to come up; measured: 20 ms.
const RISING: Duration = Duration::from_secs(10);

/// How long a machine may take to go away by itself before it is killed; measured: 10 ms.
const FALLING: Duration = Duration::from_secs(2);

/// The most that is read of what a machine says when it cannot come up.
const COMPLAINT: u64 = 4096;

/// Where programs are looked for inside a machine.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How a machine is kept apart from this computer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Apart {
    /// A root of its own, in namespaces that root may make.
    Root,
    /// A root of its own, in a user namespace, which needs no rights where the kernel allows it.
    UserNamespace,
    /// A folder that stands for its root.
    Folder,
}

/// A machine that is there, or coming up.
#[derive(Debug)]
pub(super) struct Machine {
    apart: Apart,
    folder: PathBuf,
    programs: Programs,
    keeper: Option<Keeper>,
}

/// The process that holds a machine's namespaces.
#[derive(Debug)]
struct Keeper {
    process: Child,
    /// Its end is the machine's end, also when this process is killed.
    lifeline: Option<ChildStdin>,
    output: Option<ChildStdout>,
    /// The number of the machine's first process; nothing before it is ready.
    first: Option<u32>,
}

impl Machine {
    /// Begins a machine in an empty folder of its own. It can be used once it is [ready](Self::ready).
    ///
    /// # Errors
    /// [`DemoError::System`] when the folder or the process cannot be made.
    pub(super) fn begin(
        name: &str,
        folder: PathBuf,
        apart: Apart,
        programs: &Programs,
    ) -> Result<Self, DemoError> {
        std::fs::create_dir_all(&folder)
            .map_err(|error| DemoError::system(format!("make {}", folder.display()), error))?;
        let mut machine = Self { apart, folder, programs: programs.clone(), keeper: None };
        match apart {
            Apart::Folder => {
                let home = machine.home();
                std::fs::create_dir(&home)
                    .map_err(|error| DemoError::system(format!("make {}", home.display()), error))?;
            }
            Apart::Root | Apart::UserNamespace => machine.keeper = Some(machine.keep(name)?),
        }
        Ok(machine)
    }

    fn keep(&self, name: &str) -> Result<Keeper, DemoError> {
        let mut command = Command::new(&self.programs.unshare);
        command.args(["--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child"]);
        if self.apart == Apart::UserNamespace {
            command.args(["--user", "--map-root-user"]);
        }
        let mut process = command
            .args(["sh", "-c", SETUP, "fleetprov-demo"])
            .arg(&self.folder)
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
        let (lifeline, output) = (process.stdin.take(), process.stdout.take());
        Ok(Keeper { process, lifeline, output, first: None })
    }

    /// Waits until the machine can be used. The error says why it cannot, for a person.
    pub(super) async fn ready(&mut self) -> Result<(), String> {
        let Some(keeper) = &mut self.keeper else { return Ok(()) };
        let Some(output) = keeper.output.take() else { return Ok(()) };
        let mut line = String::new();
        let mut output = BufReader::new(output.take(COMPLAINT));
        match tokio::time::timeout(RISING, output.read_line(&mut line)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(error.to_string()),
            Err(_) => return Err(format!("it was not up after {} s", RISING.as_secs())),
        }
        keeper.first = line.strip_prefix("ready ").and_then(|number| number.trim().parse().ok());
        if keeper.first.is_some() {
            return Ok(());
        }
        let mut complaint = String::new();
        if let Some(errors) = keeper.process.stderr.take() {
            // It has ended or is about to; whatever could be read of it is good enough.
            let reading = errors.take(COMPLAINT);
            tokio::pin!(reading);
            let _in_time = tokio::time::timeout(FALLING, reading.read_to_string(&mut complaint)).await;
        }
        let last = complaint.lines().map(str::trim).rfind(|line| !line.is_empty());
        Err(last.unwrap_or("the first process of the machine ended without a word").to_owned())
    }

    /// A command on the machine as a login would run it: the text goes to the shell, in the home
    /// folder, with a small environment, in a process group of its own.
    pub(super) fn command(&self, text: &str) -> Command {
        let home = self.home();
        let mut command = match (&self.keeper, self.apart) {
            (Some(keeper), _) => {
                let mut command = Command::new(&self.programs.nsenter);
                // Before it is ready there is no such process, and nsenter says so.
                let first = keeper.first.unwrap_or(0).to_string();
                command.args(["--target", &first, "--mount", "--uts", "--ipc", "--pid"]);
                if self.apart == Apart::UserNamespace {
                    command.args(["--user", "--preserve-credentials"]);
                }
                // nsenter starts in the root; the folder outside has no name inside.
                command.args(["sh", "-c", "cd && exec sh -c \"$1\"", "sh", text]);
                command.env_clear().env("PATH", PATH).env("USER", "root").env("LOGNAME", "root");
                command.current_dir("/");
                command
            }
            (None, _) => {
                let mut command = Command::new("sh");
                command.args(["-c", text]).env_clear().env("PATH", &self.programs.path);
                command.current_dir(&home);
                command
            }
        };
        command.env("HOME", home).env("SHELL", "/bin/sh").process_group(0).kill_on_drop(true);
        command
    }

    /// The home of the login user, as the machine names it.
    pub(super) fn home(&self) -> PathBuf {
        match self.apart {
            Apart::Root | Apart::UserNamespace => PathBuf::from("/root"),
            Apart::Folder => self.folder.join("home"),
        }
    }

    /// What stands before every path of the machine: nothing, or the folder that stands for its root.
    pub(super) fn prefix(&self) -> &Path {
        match self.apart {
            Apart::Root | Apart::UserNamespace => Path::new(""),
            Apart::Folder => &self.folder,
        }
    }

    /// Ends the machine and every process in it, and waits until they are gone.
    pub(super) async fn stop(&mut self) {
        let Some(mut keeper) = self.keeper.take() else { return };
        drop(keeper.lifeline.take());
        if tokio::time::timeout(FALLING, keeper.process.wait()).await.is_err() {
            // With unshare its child is killed, and with that all the others.
            let _gone = keeper.process.kill().await;
        }
    }
}
