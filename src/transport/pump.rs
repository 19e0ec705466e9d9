//! Carries bytes between a channel's two queues and whatever runs the command. All transports
//! share it, so that they end, hold back and count in the same way.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::channel::{Channel, Output, Tally};
use super::error::TransportError;
use super::tally::{Counters, Turns, waiting};

/// Messages a queue holds. With messages of at most 32 KiB this bounds a channel to half a
/// mebibyte in each direction.
pub(super) const QUEUE: usize = 16;

/// How often an unread channel looks whether its other end is gone too. The queue of inputs has no
/// event for that while a write is stuck.
const ABANDONED_CHECK: Duration = Duration::from_millis(50);

/// Where a command's output comes from.
pub(super) trait Source: Send {
    /// The next message; none once everything has come. May be dropped while waiting, without loss.
    fn receive(&mut self) -> impl Future<Output = Option<Output>> + Send;

    /// Lets go of the command, whether it has ended or not.
    fn release(self) -> impl Future<Output = ()> + Send;
}

/// Where a command's input goes.
pub(super) trait Sink: Sized + Send + 'static {
    /// Sends bytes and gives the sink back, or none when nobody reads them any more.
    fn send(self, bytes: Vec<u8>) -> impl Future<Output = Option<Self>> + Send;

    /// Ends the input.
    fn finish(self) -> impl Future<Output = ()> + Send;
}

/// The channels of one session.
pub(super) struct Channels {
    counters: Arc<Counters>,
    running: JoinSet<()>,
    stop: CancellationToken,
}

impl Channels {
    /// None yet.
    pub(super) fn new() -> Self {
        Self {
            counters: Arc::new(Counters::default()),
            running: JoinSet::new(),
            stop: CancellationToken::new(),
        }
    }

    /// Opens a channel for a command that has been started. `stopped` is what its reader is told
    /// when the session ends first.
    pub(super) fn open<S, K>(&mut self, command: &str, source: S, sink: K, stopped: TransportError) -> Channel
    where
        S: Source + 'static,
        K: Sink,
    {
        // Forget the channels that have ended.
        while self.running.try_join_next().is_some() {}
        self.counters.command(command);
        let (input, input_receiver) = mpsc::channel(QUEUE);
        // One place more, kept free for the message that says why the channel broke.
        let (output_sender, output) = mpsc::channel(QUEUE + 1);
        let ends = Ends {
            input: input_receiver,
            output: output_sender,
            turns: Turns::new(Arc::clone(&self.counters)),
        };
        self.running.spawn(pump(source, sink, ends, self.stop.clone(), stopped));
        Channel { input, output }
    }

    /// What has gone over them all.
    pub(super) fn tally(&self) -> Tally {
        self.counters.read()
    }

    /// Ends them all and waits until their commands are let go of.
    pub(super) async fn close(&mut self) {
        self.stop.cancel();
        while self.running.join_next().await.is_some() {}
    }
}

impl Drop for Channels {
    fn drop(&mut self) {
        // They end by themselves and tell their readers, instead of being cut off.
        self.stop.cancel();
        self.running.detach_all();
    }
}

/// The inner ends of a [`Channel`].
struct Ends {
    input: mpsc::Receiver<Vec<u8>>,
    output: mpsc::Sender<Output>,
    turns: Turns,
}

/// Runs a channel to its end: until the source is exhausted, until the controller has dropped both
/// ends, or until `stop`, which the controller then sees as `stopped`.
async fn pump<S: Source, K: Sink>(
    mut source: S,
    sink: K,
    ends: Ends,
    stop: CancellationToken,
    stopped: TransportError,
) {
    let Ends { mut input, output, mut turns } = ends;
    // There is none when the controller has already stopped reading.
    let mut last_word = output.clone().reserve_owned().await.ok();
    let mut writing: Writing<K> = Writing::Idle(sink);
    let mut held: Option<Output> = None;
    let mut unread = false;

    loop {
        tokio::select! {
            () = stop.cancelled() => {
                if let Some(place) = last_word.take() {
                    place.send(Output::Lost(stopped));
                }
                break;
            }
            received = source.receive(), if held.is_none() => match received {
                Some(Output::Lost(error)) => {
                    if let Some(place) = last_word.take() {
                        place.send(Output::Lost(error));
                    }
                    break;
                }
                Some(message) => {
                    turns.received(&message);
                    // An unread machine must still be drained: what is not read is dropped.
                    held = (!unread).then_some(message);
                }
                None => break,
            },
            place = output.reserve(), if held.is_some() => {
                // No place means that the controller has stopped reading: the message is dropped.
                if let (Ok(place), Some(message)) = (place, held.take()) {
                    place.send(message);
                    let idle = input.is_empty() && !matches!(writing, Writing::Busy(_));
                    turns.queued(waiting(&output, 1), idle);
                }
            }
            chunk = input.recv(), if matches!(writing, Writing::Idle(_)) => {
                writing = match (writing, chunk) {
                    (Writing::Idle(sink), Some(bytes)) => {
                        turns.sending(&bytes, waiting(&output, 1));
                        Writing::Busy(Box::pin(sink.send(bytes)))
                    }
                    (Writing::Idle(sink), None) => Writing::Busy(Box::pin(async move {
                        sink.finish().await;
                        None
                    })),
                    (other, _) => other,
                };
            }
            sink = writing.done(), if matches!(writing, Writing::Busy(_)) => {
                writing = match sink {
                    Some(sink) => Writing::Idle(sink),
                    None => {
                        // From here on the controller's sends fail, which tells it that nobody reads.
                        input.close();
                        Writing::Over
                    }
                };
            }
            () = output.closed(), if !unread => unread = true,
            () = tokio::time::sleep(ABANDONED_CHECK), if unread => {}
        }
        if unread && input.is_closed() {
            break;
        }
    }
    drop(writing);
    source.release().await;
}

/// What the input side is doing.
enum Writing<K> {
    Idle(K),
    Busy(BoxFuture<'static, Option<K>>),
    Over,
}

impl<K> Writing<K> {
    /// Waits for the write in progress; may be dropped while waiting, without loss.
    async fn done(&mut self) -> Option<K> {
        match self {
            Self::Busy(write) => write.await,
            Self::Idle(_) | Self::Over => std::future::pending().await,
        }
    }
}
