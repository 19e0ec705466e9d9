//! What every transport gives: a session on a machine, and channels in it.

use futures::future::BoxFuture;
use tokio::sync::mpsc;

use super::error::TransportError;
use crate::model::Target;

/// Opens sessions. One connector serves a whole run.
pub trait Connector: Send + Sync {
    /// Logs in to a machine.
    ///
    /// # Errors
    /// [`TransportError`] that says which step failed: address, host key, login.
    fn connect<'a>(&'a self, target: &'a Target) -> BoxFuture<'a, Result<Box<dyn Session>, TransportError>>;
}

/// A login on one machine.
pub trait Session: Send {
    /// Starts one command through the login shell, on a channel of its own.
    ///
    /// # Errors
    /// [`TransportError`] when the channel is refused or the connection is gone. A command that the
    /// server refuses is told by [`Output::Lost`]: waiting for its answer could cost a round trip.
    fn start<'a>(&'a mut self, command: &'a str) -> BoxFuture<'a, Result<Channel, TransportError>>;

    /// The longest command [`Session::start`] can carry, in bytes (OpenSSH on Linux 131,071 for one
    /// argument; dropbear 9,000; measured).
    fn command_limit(&self) -> usize;

    /// What has gone over this session since the login.
    fn tally(&self) -> Tally;

    /// Ends the session.
    fn close(self: Box<Self>) -> BoxFuture<'static, ()>;
}

/// One running command. Dropping `input` ends its standard input; dropping the channel lets go of
/// the command, which the machine then has to end by itself.
///
/// Whoever sends much reads at the same time: a command whose output nobody takes stops reading.
/// Sending fails once the command does not read any more; the output then says how it ended.
#[derive(Debug)]
pub struct Channel {
    /// Standard input. The queue is short, so that a slow machine holds the sender back.
    pub input: mpsc::Sender<Vec<u8>>,
    /// What comes back. The queue is short, so that an unread machine holds only itself back.
    pub output: mpsc::Receiver<Output>,
}

/// What a command sends back.
#[derive(Debug)]
pub enum Output {
    /// Bytes of standard output.
    Stdout(Vec<u8>),
    /// Bytes of standard error.
    Stderr(Vec<u8>),
    /// The command ended; its exit status, or none when a signal ended it. Output may still follow.
    Exit(Option<u32>),
    /// The connection failed, the session was closed, or the command ended without saying how.
    /// Nothing follows, and what came before may be cut short, even after an exit status.
    Lost(TransportError),
}

/// What has gone over a session since its login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Commands started.
    pub commands: u64,
    /// Times the controller had to wait for the machine before it could send on: one for each
    /// command started, plus one for each sending that follows a receiving on the same channel.
    /// What was received while input was still on its way was not waited for and does not count.
    pub round_trips: u64,
    /// Bytes sent: commands and standard input, before encryption.
    pub sent: u64,
    /// Bytes received: standard output and error, before encryption.
    pub received: u64,
}
