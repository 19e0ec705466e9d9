//! Windows.

use std::fs::Metadata;
use std::path::Path;

use tokio::net::windows::named_pipe::{ClientOptions, NamedPipeClient};
use tokio::process::Command;

/// The longest command for the local shell, in bytes: `cmd.exe` takes 8,191 characters, its own
/// name and options included.
pub(in crate::transport) const COMMAND_LIMIT: usize = 8_100;

/// The connection to an SSH agent.
pub(in crate::transport) type AgentStream = NamedPipeClient;

/// A process that runs a command line in `cmd.exe`, which is also what OpenSSH for Windows does.
pub(in crate::transport) fn shell(command: &str) -> Command {
    let mut shell = Command::new("cmd.exe");
    shell.arg("/d").arg("/s").arg("/c").raw_arg(format!("\"{command}\""));
    shell
}

/// Does nothing: Windows has no process groups, and the process itself is killed when it is dropped.
pub(in crate::transport) fn kill_group(_leader: u32) {}

/// Connects to the agent that listens on a named pipe.
pub(in crate::transport) async fn open_agent(pipe: &Path) -> std::io::Result<AgentStream> {
    ClientOptions::new().open(pipe)
}

/// Accepts any file: what guards a key here is its access list, which the standard library does not show.
pub(in crate::transport) fn check_private(_path: &Path, _metadata: &Metadata) -> Result<(), String> {
    Ok(())
}
