//! A session: the way through the jump hosts, and the commands on the machine at its end.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use russh::Disconnect;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::dial::dial;
use super::exchange::split;
use super::guardian::explain;
use super::login::{Door, exchange_keys, log_in, name};
use super::options::SshOptions;
use super::patience::Patient;
use super::spare::Spare;
use crate::model::{Hop, SshTarget};
use crate::transport::channel::{Channel, Session, Tally};
use crate::transport::error::TransportError;
use crate::transport::pump::Channels;

/// The longest command for OpenSSH, in bytes: it becomes one argument of the login shell, and Linux
/// takes at most 128 KiB for one, its closing NUL included. Measured with OpenSSH 9.2.
const COMMAND_LIMIT: usize = 131_071;

/// The longest command for dropbear, in bytes: more than 9,000 ends the connection (measured with
/// 2022.83). A little less, for versions that count differently.
const DROPBEAR_COMMAND_LIMIT: usize = 8_900;

/// How long the farewell may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// A login on a machine, with the logins on the way there.
pub(super) struct SshSession {
    /// The jump hosts, which carry the connections to what comes after them.
    jumps: Vec<Door>,
    machine: Arc<Door>,
    spare: Spare,
    options: Arc<SshOptions>,
    channels: Channels,
    /// Cuts all connections when the session is dropped.
    _cut: DropGuard,
}

impl SshSession {
    /// Goes through the jump hosts and logs in to the machine.
    pub(super) async fn open(options: Arc<SshOptions>, way: &SshTarget) -> Result<Self, TransportError> {
        let cut = CancellationToken::new();
        // From here on every return closes what has been opened.
        let guard = cut.clone().drop_guard();
        let deadline = Instant::now() + options.login_timeout;
        let mut jumps: Vec<Door> = Vec::new();
        for hop in &way.jumps {
            let door = pass(jumps.last(), hop, None, &options, deadline, &cut).await?;
            jumps.push(door);
        }
        let machine =
            Arc::new(pass(jumps.last(), &way.hop, way.former.as_ref(), &options, deadline, &cut).await?);
        let spare = Spare::new(Arc::clone(&machine));
        Ok(Self { jumps, machine, spare, options, channels: Channels::new(), _cut: guard })
    }

    fn lost(&self, reason: String) -> TransportError {
        TransportError::Lost { host: self.machine.host.clone(), reason }
    }

    async fn run(&mut self, command: &str) -> Result<Channel, TransportError> {
        let limit = self.command_limit();
        if command.len() > limit {
            let length = command.len();
            return Err(self.lost(format!("a command of {length} bytes is longer than its {limit}")));
        }
        let starting = async {
            let opened = self.spare.take().await?;
            // The answer is not waited for: where the server takes input at once, as dropbear does, the
            // input would lose a round trip. A refusal comes out of the channel.
            opened.exec(true, command).await?;
            Ok(opened)
        };
        let limit = self.options.channel_timeout;
        let opened = match timeout(limit, starting).await {
            Ok(Ok(opened)) => opened,
            Ok(Err(error @ russh::Error::ChannelOpenFailure(_))) => {
                return Err(self.lost(format!("open another channel: {}", explain(&error))));
            }
            Ok(Err(error)) => {
                let reason = self.machine.notes.ending(&explain(&error)).await;
                return Err(self.lost(reason));
            }
            Err(_) => {
                let host = self.machine.host.clone();
                return Err(TransportError::TimedOut { host, step: "open a channel", limit });
            }
        };
        self.spare.refill();
        let (incoming, outgoing) = split(opened, &self.machine.host, &self.machine.notes);
        let closed = self.lost("the session was closed".to_owned());
        Ok(self.channels.open(command, incoming, outgoing, closed))
    }

    async fn farewell(mut self) {
        let leaving = async {
            self.channels.close().await;
            self.spare.close().await;
            for door in Arc::into_inner(self.machine).into_iter().chain(self.jumps.into_iter().rev()) {
                if door.handle.disconnect(Disconnect::ByApplication, "", "").await.is_ok() {
                    // What it ended with no longer matters to anybody.
                    let _ending = door.handle.await;
                }
            }
        };
        let _in_time = timeout(FAREWELL, leaving).await;
    }
}

impl Session for SshSession {
    fn start<'a>(&'a mut self, command: &'a str) -> BoxFuture<'a, Result<Channel, TransportError>> {
        self.run(command).boxed()
    }

    fn command_limit(&self) -> usize {
        let is_dropbear = self.machine.notes.identification().to_ascii_lowercase().contains("dropbear");
        if is_dropbear { DROPBEAR_COMMAND_LIMIT } else { COMMAND_LIMIT }
    }

    fn tally(&self) -> Tally {
        self.channels.tally()
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        self.farewell().boxed()
    }
}

/// Passes one hop: a stream to it, directly or through the hop before, then keys and login.
async fn pass(
    before: Option<&Door>,
    hop: &Hop,
    former: Option<&Hop>,
    options: &Arc<SshOptions>,
    deadline: Instant,
    cut: &CancellationToken,
) -> Result<Door, TransportError> {
    let host = name(hop);
    let timed_out = |step: &'static str, limit: Duration| {
        let host = host.clone();
        move |_| TransportError::TimedOut { host, step, limit }
    };
    let whole = options.login_timeout;
    let connecting = deadline.min(Instant::now() + options.connect_timeout);
    let mut door = match before {
        None => {
            let stream = timeout_at(connecting, dial(&hop.host, hop.port))
                .await
                .map_err(timed_out("connect", options.connect_timeout))?
                .map_err(|error| TransportError::Unreachable {
                    host: host.clone(),
                    reason: error.to_string(),
                })?;
            let stream = Patient::new(stream, options.stall_limit(), cut);
            timeout_at(deadline, exchange_keys(stream, hop, former, options)).await
        }
        Some(before) => {
            let opening =
                before.handle.channel_open_direct_tcpip(hop.host.as_str(), hop.port.into(), "127.0.0.1", 0);
            let stream = timeout_at(connecting, opening)
                .await
                .map_err(timed_out("connect", options.connect_timeout))?
                .map_err(|error| TransportError::Unreachable {
                    host: host.clone(),
                    reason: format!("through {}: {}", before.host, explain(&error)),
                })?
                .into_stream();
            let stream = Patient::new(stream, options.stall_limit(), cut);
            timeout_at(deadline, exchange_keys(stream, hop, former, options)).await
        }
    }
    .map_err(timed_out("exchange keys", whole))??;
    timeout_at(deadline, log_in(&mut door, hop, options)).await.map_err(timed_out("log in", whole))??;
    Ok(door)
}
