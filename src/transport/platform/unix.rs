//! Linux, macOS and other Unix systems.

use std::fs::Metadata;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Command;

/// The longest command for the local shell, in bytes: Linux takes at most 128 KiB for one argument,
/// its closing NUL included (execve(2), `MAX_ARG_STRLEN`).
pub(in crate::transport) const COMMAND_LIMIT: usize = 131_071;

/// The connection to an SSH agent.
pub(in crate::transport) type AgentStream = tokio::net::UnixStream;

/// A process that runs a command line in the local shell, in a process group of its own.
pub(in crate::transport) fn shell(command: &str) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(command).process_group(0);
    shell
}

/// Kills a process group by the id of its leader, which must not have been waited for yet:
/// afterwards the system may give the id to somebody else.
pub(in crate::transport) fn kill_group(leader: u32) {
    let group = i32::try_from(leader).ok().and_then(Pid::from_raw);
    if let Some(group) = group {
        // The only failure left is that the group has ended already.
        let _already_gone = kill_process_group(group, Signal::KILL);
    }
}

/// Connects to the agent that listens on a socket.
pub(in crate::transport) async fn open_agent(socket: &Path) -> std::io::Result<AgentStream> {
    AgentStream::connect(socket).await
}

/// Says what is wrong when others than the owner can get at a file.
pub(in crate::transport) fn check_private(path: &Path, metadata: &Metadata) -> Result<(), String> {
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 {
        Ok(())
    } else {
        Err(format!(
            "others can get at it (its mode is {mode:04o}); run: chmod 600 '{}'",
            path.display().to_string().replace('\'', r"'\''")
        ))
    }
}
