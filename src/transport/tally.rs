//! Counts what goes over a session, so that the promise of constant round trips can be tested.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;

use super::channel::{Output, Tally};

/// The running totals of one session, shared by its channels.
#[derive(Debug, Default)]
pub(super) struct Counters {
    commands: AtomicU64,
    round_trips: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
}

impl Counters {
    /// Counts a command that is about to start: one wait, and its bytes.
    pub(super) fn command(&self, command: &str) {
        self.commands.fetch_add(1, Ordering::Relaxed);
        self.round_trips.fetch_add(1, Ordering::Relaxed);
        self.sent.fetch_add(length(command.as_bytes()), Ordering::Relaxed);
    }

    /// The totals so far.
    pub(super) fn read(&self) -> Tally {
        Tally {
            commands: self.commands.load(Ordering::Relaxed),
            round_trips: self.round_trips.load(Ordering::Relaxed),
            sent: self.sent.load(Ordering::Relaxed),
            received: self.received.load(Ordering::Relaxed),
        }
    }
}

/// The turns of one channel: when the controller waited for the machine before it sent on.
///
/// Output was waited for when it came while no input was on its way, and when the controller has
/// taken it out of its queue. So the progress that a machine reports during a long sending is no
/// round trip, and neither is chatter that nobody has read.
#[derive(Debug)]
pub(super) struct Turns {
    counters: Arc<Counters>,
    /// Messages put into the controller's queue so far.
    queued: u64,
    /// The numbers of those that came while no input was on its way and are not known to be taken.
    /// Never more than the queue holds.
    awaited: VecDeque<u64>,
    /// Whether such a message has been taken since the last sending.
    answered: bool,
}

impl Turns {
    pub(super) fn new(counters: Arc<Counters>) -> Self {
        Self { counters, queued: 0, awaited: VecDeque::new(), answered: false }
    }

    /// Counts what the machine sent. An exit status or a loss has no bytes.
    pub(super) fn received(&self, output: &Output) {
        if let Output::Stdout(bytes) | Output::Stderr(bytes) = output {
            self.counters.received.fetch_add(length(bytes), Ordering::Relaxed);
        }
    }

    /// Notes that one more message went into the controller's queue, which now holds `waiting`.
    /// `idle` says that no input was on its way then.
    pub(super) fn queued(&mut self, waiting: usize, idle: bool) {
        self.queued = self.queued.saturating_add(1);
        if idle {
            self.awaited.push_back(self.queued);
        }
        self.settle(waiting);
    }

    /// Counts what the controller sends, while its queue holds `waiting` messages.
    pub(super) fn sending(&mut self, bytes: &[u8], waiting: usize) {
        self.settle(waiting);
        if std::mem::take(&mut self.answered) {
            self.counters.round_trips.fetch_add(1, Ordering::Relaxed);
        }
        self.counters.sent.fetch_add(length(bytes), Ordering::Relaxed);
    }

    fn settle(&mut self, waiting: usize) {
        let taken = self.queued.saturating_sub(waiting.try_into().unwrap_or(u64::MAX));
        while self.awaited.front().is_some_and(|number| *number <= taken) {
            self.awaited.pop_front();
            self.answered = true;
        }
    }
}

/// The number of messages a sender's queue holds, without the `reserved` ones.
pub(super) fn waiting(queue: &mpsc::Sender<Output>, reserved: usize) -> usize {
    queue.max_capacity().saturating_sub(queue.capacity()).saturating_sub(reserved)
}

fn length(bytes: &[u8]) -> u64 {
    bytes.len().try_into().unwrap_or(u64::MAX)
}
