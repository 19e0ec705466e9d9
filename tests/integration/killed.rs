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

/// Runs a command and kills it as it is about to put a file in its place or to remove one for the `at`-th
/// time, counted from 1, in any of its threads. By strace(1): the kernel ends it before the call is made.
pub(crate) fn killed_at(command: &mut Command, at: usize) -> Killed {
    let calls = "rename,renameat,renameat2,unlink,unlinkat";
    let mut traced = Command::new("strace");
    traced
        .args(["-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e"])
        .arg(format!("trace={calls}"))
        .arg("-e")
        .arg(format!("inject={calls}:signal=KILL:when={at}"))
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
