//! One machine of the demo: a root of its own in kernel namespaces, or a folder where the kernel
//! does not allow that.

mod keeper;
mod process;
mod programs;

use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Mutex;

use tokio::process::Command;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::error::DemoError;
use keeper::Keeper;
pub(super) use process::Process;
pub(super) use programs::Programs;

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
    /// Waits for every process that was started on it.
    waiting: Mutex<JoinSet<()>>,
    stop: CancellationToken,
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
        let inside = if apart == Apart::Folder { folder.join("home") } else { folder.clone() };
        std::fs::create_dir_all(&inside)
            .map_err(|error| DemoError::system(format!("make {}", inside.display()), error))?;
        let keeper = match apart {
            Apart::Folder => None,
            Apart::Root => Some(Keeper::start(name, &folder, false, programs)?),
            Apart::UserNamespace => Some(Keeper::start(name, &folder, true, programs)?),
        };
        let (waiting, stop) = (Mutex::default(), CancellationToken::new());
        Ok(Self { apart, folder, programs: programs.clone(), keeper, waiting, stop })
    }

    /// Waits until the machine can be used. The error says why it cannot, for a person.
    pub(super) async fn ready(&self) -> Result<(), String> {
        match &self.keeper {
            Some(keeper) => keeper.ready().await,
            None => Ok(()),
        }
    }

    /// Starts a command as a login would: the text goes to the shell, in the home folder, with a
    /// small environment.
    pub(super) fn start(&self, text: &str) -> std::io::Result<Process> {
        let home = self.home();
        let mut command = match &self.keeper {
            Some(keeper) => {
                let mut command = keeper.enter(&self.programs);
                // nsenter starts in the root; the folder outside has no name inside.
                command.args(["sh", "-c", "cd && exec sh -c \"$1\"", "sh", text]).current_dir("/");
                command.env_clear().env("PATH", PATH).env("USER", "root").env("LOGNAME", "root");
                command
            }
            None => {
                let mut command = Command::new("sh");
                command.args(["-c", text]).current_dir(&home);
                command.env_clear().env("PATH", &self.programs.path);
                command
            }
        };
        command.env("HOME", home).env("SHELL", "/bin/sh");
        let dies_with_machine = self.keeper.is_some();
        // Held until it is among those that are waited for: whoever stops the machine finds it there.
        let mut all = self.waiting.lock().map_err(|_| std::io::Error::other("the machine is broken"))?;
        if self.stop.is_cancelled() {
            return Err(std::io::Error::other("the machine is being stopped"));
        }
        while all.try_join_next().is_some() {}
        let (process, waiting) = process::start(command, dies_with_machine, &self.stop)?;
        all.spawn(waiting);
        Ok(process)
    }

    /// Runs a command to its end.
    pub(super) async fn output(&self, text: &str) -> std::io::Result<Output> {
        self.start(text)?.output().await
    }

    /// The home of the login user, as the machine names it.
    pub(super) fn home(&self) -> PathBuf {
        match self.apart {
            Apart::Root | Apart::UserNamespace => PathBuf::from("/root"),
            Apart::Folder => self.folder.join("home"),
        }
    }

    /// Whether it is a part of this computer rather than one of its own.
    pub(super) fn is_this_computer(&self) -> bool {
        self.apart == Apart::Folder
    }

    /// What stands before every path of the machine: nothing, or the folder that stands for its root.
    pub(super) fn prefix(&self) -> &Path {
        match self.apart {
            Apart::Root | Apart::UserNamespace => Path::new(""),
            Apart::Folder => &self.folder,
        }
    }

    /// Ends the machine and every process on it, and waits until they are gone.
    pub(super) async fn stop(&self) {
        self.stop.cancel();
        if let Some(keeper) = &self.keeper {
            keeper.stop().await;
        }
        let mut waiting = self.waiting.lock().map(|mut all| std::mem::take(&mut *all)).unwrap_or_default();
        while waiting.join_next().await.is_some() {}
    }
}
