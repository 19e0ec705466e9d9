//! A controller that is killed at a change of a file of its own, however many it makes.

use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

use crate::project::Ran;

/// What became of it.
pub(crate) enum Killed {
    /// It was killed.
    Yes,
    /// It had ended before.
    Ended(Ran),
}

/// The system calls by which files are put in their place and removed. Which of them a program makes depends on
/// its libraries.
pub(crate) const CALLS: [&str; 5] = ["rename", "renameat", "renameat2", "unlink", "unlinkat"];

/// Runs a command and kills it as it is about to make a system call for the `at`-th time, counted from 1, in any
/// of its threads. By strace(1): the kernel ends it on the way into the call.
pub(crate) fn killed_at(command: &Command, call: &str, at: usize) -> Killed {
    let mut traced = Command::new("strace");
    traced
        .args(["-f", "-qq", "-o", "/dev/null", "-e"])
        .arg(format!("trace={call}"))
        .arg("-e")
        .arg(format!("inject={call}:signal=KILL:when={at}"))
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => traced.env(name, value),
            None => traced.env_remove(name),
        };
    }
    let output = traced.stdin(std::process::Stdio::null()).output().expect("strace runs");
    if output.status.signal() == Some(9) { Killed::Yes } else { Killed::Ended(Ran::of(output)) }
}
