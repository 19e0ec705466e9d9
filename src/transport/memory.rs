//! Machines that exist in memory only, for tests of what drives a transport.
//!
//! A test says how each machine answers; queues, counting and endings are those of the real transports.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::channel::{Channel, Connector, Output, Session, Tally};
use super::error::TransportError;
use super::local::LocalSession;
use super::platform;
use super::pump::{Channels, QUEUE, Sink, Source};
use crate::model::Target;

type Script = Arc<dyn Fn(Conversation) -> BoxFuture<'static, ()> + Send + Sync>;

/// Logs in to machines that a test has described, by name. A machine it has not is unreachable.
#[derive(Clone, Default)]
pub struct MemoryConnector {
    machines: BTreeMap<String, Behaviour>,
    limit: Option<usize>,
}

#[derive(Clone)]
enum Behaviour {
    Script(Script),
    Shell,
    Refusal(TransportError),
}

impl MemoryConnector {
    /// A connector without machines.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A machine that answers each command as `script` does. When the script returns without
    /// [`Conversation::exit`] or [`Conversation::killed`], the channel is lost.
    #[must_use]
    pub fn script<F, R>(mut self, machine: &str, script: F) -> Self
    where
        F: Fn(Conversation) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let script: Script = Arc::new(move |conversation| script(conversation).boxed());
        self.machines.insert(machine.to_owned(), Behaviour::Script(script));
        self
    }

    /// A machine that runs its commands in this computer's own shell.
    #[must_use]
    pub fn shell(mut self, machine: &str) -> Self {
        self.machines.insert(machine.to_owned(), Behaviour::Shell);
        self
    }

    /// A machine that cannot be logged in to.
    #[must_use]
    pub fn refuse(mut self, machine: &str, error: TransportError) -> Self {
        self.machines.insert(machine.to_owned(), Behaviour::Refusal(error));
        self
    }

    /// Makes every machine take commands of at most `limit` bytes, as dropbear does.
    #[must_use]
    pub fn command_limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }
}

impl Connector for MemoryConnector {
    fn connect<'a>(&'a self, target: &'a Target) -> BoxFuture<'a, Result<Box<dyn Session>, TransportError>> {
        let host = target.machine.to_string();
        let limit = self.limit.unwrap_or(platform::COMMAND_LIMIT);
        let session: Result<Box<dyn Session>, TransportError> = match self.machines.get(&host) {
            Some(Behaviour::Script(script)) => Ok(Box::new(MemorySession {
                host,
                limit,
                script: Arc::clone(script),
                channels: Channels::new(),
            })),
            Some(Behaviour::Shell) => Ok(Box::new(LocalSession::new(limit))),
            Some(Behaviour::Refusal(error)) => Err(error.clone()),
            None => Err(TransportError::Unreachable {
                host,
                reason: "the test describes no such machine".to_owned(),
            }),
        };
        futures::future::ready(session).boxed()
    }
}

/// One command, seen from the machine.
#[derive(Debug)]
pub struct Conversation {
    command: String,
    host: String,
    input: mpsc::Receiver<Vec<u8>>,
    output: mpsc::Sender<Output>,
}

impl Conversation {
    /// The command line.
    #[must_use]
    pub fn command(&self) -> &str {
        &self.command
    }

    /// The next bytes of standard input; none at its end.
    pub async fn receive(&mut self) -> Option<Vec<u8>> {
        self.input.recv().await
    }

    /// The rest of standard input.
    pub async fn receive_all(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        while let Some(bytes) = self.receive().await {
            all.extend(bytes);
        }
        all
    }

    /// Writes to standard output.
    pub async fn stdout(&self, bytes: impl Into<Vec<u8>>) {
        self.send(Output::Stdout(bytes.into())).await;
    }

    /// Writes to standard error.
    pub async fn stderr(&self, bytes: impl Into<Vec<u8>>) {
        self.send(Output::Stderr(bytes.into())).await;
    }

    /// Ends with an exit status.
    pub async fn exit(self, status: u32) {
        self.send(Output::Exit(Some(status))).await;
    }

    /// Ends as if by a signal.
    pub async fn killed(self) {
        self.send(Output::Exit(None)).await;
    }

    /// Breaks the connection.
    pub async fn lose(self, reason: &str) {
        let error = TransportError::Lost { host: self.host.clone(), reason: reason.to_owned() };
        self.send(Output::Lost(error)).await;
    }

    async fn send(&self, output: Output) {
        // Fails when the controller has let go of the command, which a real one is not told either.
        let _unheard = self.output.send(output).await;
    }
}

struct MemorySession {
    host: String,
    limit: usize,
    script: Script,
    channels: Channels,
}

impl MemorySession {
    fn lost(&self, reason: &str) -> TransportError {
        TransportError::Lost { host: self.host.clone(), reason: reason.to_owned() }
    }

    fn run(&mut self, command: &str) -> Result<Channel, TransportError> {
        if command.len() > self.limit {
            let (length, limit) = (command.len(), self.limit);
            return Err(self.lost(&format!("a command of {length} bytes is longer than its {limit}")));
        }
        let (input_sender, input) = mpsc::channel(QUEUE);
        let (output, output_receiver) = mpsc::channel(QUEUE);
        let conversation =
            Conversation { command: command.to_owned(), host: self.host.clone(), input, output };
        let script = tokio::spawn((self.script)(conversation)).abort_handle();
        let answers = Answers {
            output: output_receiver,
            script,
            ended: false,
            lost: self.lost("the channel was closed without an exit status"),
        };
        let closed = self.lost("the session was closed");
        Ok(self.channels.open(command, answers, Questions(input_sender), closed))
    }
}

impl Session for MemorySession {
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
        async move { self.channels.close().await }.boxed()
    }
}

struct Answers {
    output: mpsc::Receiver<Output>,
    script: AbortHandle,
    ended: bool,
    lost: TransportError,
}

impl Source for Answers {
    async fn receive(&mut self) -> Option<Output> {
        let message = self.output.recv().await;
        match &message {
            Some(Output::Exit(_) | Output::Lost(_)) => self.ended = true,
            Some(Output::Stdout(_) | Output::Stderr(_)) => {}
            None if !self.ended => {
                self.ended = true;
                return Some(Output::Lost(self.lost.clone()));
            }
            None => {}
        }
        message
    }

    async fn release(self) {
        self.script.abort();
    }
}

struct Questions(mpsc::Sender<Vec<u8>>);

impl Sink for Questions {
    async fn send(self, bytes: Vec<u8>) -> Option<Self> {
        self.0.send(bytes).await.ok().map(|()| self)
    }

    async fn finish(self) {
        drop(self.0);
    }
}
