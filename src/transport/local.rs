//! This computer itself, as if it were logged in to.

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};

use super::channel::{Channel, Connector, Output, Session, Tally};
use super::error::TransportError;
use super::platform;
use super::pump::{Channels, Sink, Source};
use crate::model::Target;

/// The host in messages.
const HOST: &str = "this computer";

/// Bytes of output in one message.
const CHUNK: usize = 32 * 1024;

/// How long to wait for the processes when a session is closed.
const FAREWELL: Duration = Duration::from_secs(2);

/// Runs commands on this computer, with the rights of whoever runs fleetprov.
///
/// A command runs in `/bin/sh -c` (on Windows in `cmd.exe /c`), as a login would run it: in the home
/// directory, in a process group of its own. The group is killed when its channel is dropped or the
/// session ends while the command still runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct LocalConnector;

impl LocalConnector {
    /// A connector for this computer.
    #[must_use]
    pub fn new() -> Self {
        Self
    }
}

impl Connector for LocalConnector {
    fn connect<'a>(&'a self, _target: &'a Target) -> BoxFuture<'a, Result<Box<dyn Session>, TransportError>> {
        futures::future::ready(Ok(Box::new(LocalSession::new(platform::COMMAND_LIMIT)) as Box<dyn Session>))
            .boxed()
    }
}

/// Commands that run on this computer.
pub(super) struct LocalSession {
    limit: usize,
    channels: Channels,
}

impl LocalSession {
    /// A session that takes commands of at most `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, channels: Channels::new() }
    }

    fn run(&mut self, command: &str) -> Result<Channel, TransportError> {
        if command.len() > self.limit {
            let (length, limit) = (command.len(), self.limit);
            return Err(lost(format!("a command of {length} bytes is longer than its {limit}")));
        }
        let mut process = platform::shell(command);
        if let Some(home) = std::env::home_dir().filter(|home| home.is_dir()) {
            process.current_dir::<PathBuf>(home);
        }
        let mut child = process
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| lost(format!("start the shell: {error}")))?;
        let input = Input(child.stdin.take());
        let running = Running {
            output: child.stdout.take(),
            errors: child.stderr.take(),
            output_buffer: vec![0; CHUNK],
            errors_buffer: vec![0; CHUNK],
            group: Group(child),
            exited: false,
        };
        Ok(self.channels.open(command, running, input, lost("the session was closed".to_owned())))
    }
}

impl Session for LocalSession {
    fn start<'a>(&'a mut self, command: &'a str) -> BoxFuture<'a, Result<Channel, TransportError>> {
        futures::future::ready(self.run(command)).boxed()
    }

    fn command_limit(&self) -> usize {
        self.limit
    }

    fn tally(&self) -> Tally {
        self.channels.tally()
    }

    fn close(mut self: Box<Self>) -> BoxFuture<'static, ()> {
        async move {
            let _in_time = tokio::time::timeout(FAREWELL, self.channels.close()).await;
        }
        .boxed()
    }
}

fn lost(reason: String) -> TransportError {
    TransportError::Lost { host: HOST.to_owned(), reason }
}

/// A shell and what it has started. Killed when dropped, unless the shell has ended by itself: what
/// it left behind then is meant to stay, as it would after a login.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        // There is an id only as long as the shell has not been waited for.
        if let Some(leader) = self.0.id() {
            platform::kill_group(leader);
        }
    }
}

/// A command as the source of its output.
struct Running {
    group: Group,
    exited: bool,
    output: Option<ChildStdout>,
    errors: Option<ChildStderr>,
    output_buffer: Vec<u8>,
    errors_buffer: Vec<u8>,
}

impl Source for Running {
    async fn receive(&mut self) -> Option<Output> {
        loop {
            if self.exited && self.output.is_none() && self.errors.is_none() {
                return None;
            }
            tokio::select! {
                bytes = read(&mut self.output, &mut self.output_buffer), if self.output.is_some() => {
                    match bytes {
                        Some(bytes) => return Some(Output::Stdout(bytes)),
                        None => self.output = None,
                    }
                }
                bytes = read(&mut self.errors, &mut self.errors_buffer), if self.errors.is_some() => {
                    match bytes {
                        Some(bytes) => return Some(Output::Stderr(bytes)),
                        None => self.errors = None,
                    }
                }
                status = self.group.0.wait(), if !self.exited => {
                    self.exited = true;
                    return Some(match status {
                        Ok(status) => Output::Exit(code(status)),
                        Err(error) => Output::Lost(lost(format!("wait for the shell: {error}"))),
                    });
                }
            }
        }
    }

    async fn release(mut self) {
        if self.exited {
            return;
        }
        if let Some(leader) = self.group.0.id() {
            platform::kill_group(leader);
        }
        // On Windows this is what kills it; elsewhere it is dead already.
        let _already_dead = self.group.0.start_kill();
        // Takes the dead process away; it cannot refuse to die.
        let _status = self.group.0.wait().await;
    }
}

/// The next bytes of a pipe; none at its end, or when it cannot be read.
async fn read<R: AsyncRead + Unpin>(pipe: &mut Option<R>, buffer: &mut [u8]) -> Option<Vec<u8>> {
    let count = pipe.as_mut()?.read(buffer).await.ok()?;
    buffer.get(..count).filter(|bytes| !bytes.is_empty()).map(<[u8]>::to_vec)
}

fn code(status: ExitStatus) -> Option<u32> {
    // Windows has codes of 32 bits, which the standard library shows as signed.
    status.code().map(i32::cast_unsigned)
}

/// A command as the sink of its input.
struct Input(Option<ChildStdin>);

impl Sink for Input {
    async fn send(mut self, bytes: Vec<u8>) -> Option<Self> {
        // Fails when the command has closed its input or ended.
        self.0.as_mut()?.write_all(&bytes).await.ok().map(|()| self)
    }

    async fn finish(self) {
        drop(self.0);
    }
}
