//! Counts what goes over a session, so that the promise of constant round trips can be tested.

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

/// The turns of one channel: who spoke last, as the controller sees it.
///
/// Only output that the controller has taken out of its queue counts as received. What still waits
/// there cannot be what the controller answers, so chatter that arrives during a long sending is no
/// round trip.
#[derive(Debug)]
pub(super) struct Turns {
    counters: Arc<Counters>,
    queued: u64,
    answered: u64,
}

impl Turns {
    pub(super) fn new(counters: Arc<Counters>) -> Self {
        Self { counters, queued: 0, answered: 0 }
    }

    /// Counts what the machine sent. An exit status or a loss has no bytes.
    pub(super) fn received(&self, output: &Output) {
        if let Output::Stdout(bytes) | Output::Stderr(bytes) = output {
            self.counters.received.fetch_add(length(bytes), Ordering::Relaxed);
        }
    }

    /// Notes that one more message went into the controller's queue.
    pub(super) fn queued(&mut self) {
        self.queued = self.queued.saturating_add(1);
    }

    /// Counts what the controller sends. `waiting` is the number of messages in its queue.
    pub(super) fn sending(&mut self, bytes: &[u8], waiting: usize) {
        let taken = self.queued.saturating_sub(waiting.try_into().unwrap_or(u64::MAX));
        if taken > self.answered {
            self.answered = taken;
            self.counters.round_trips.fetch_add(1, Ordering::Relaxed);
        }
        self.counters.sent.fetch_add(length(bytes), Ordering::Relaxed);
    }
}

/// The number of messages a sender's queue holds, without the `reserved` ones.
pub(super) fn waiting(queue: &mpsc::Sender<Output>, reserved: usize) -> usize {
    queue.max_capacity().saturating_sub(queue.capacity()).saturating_sub(reserved)
}

fn length(bytes: &[u8]) -> u64 {
    bytes.len().try_into().unwrap_or(u64::MAX)
}
