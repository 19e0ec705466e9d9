//! Keeps one channel opened ahead, so that a command costs one round trip instead of two.
//!
//! A server does nothing for a channel until a command is started on it. Only a command that follows
//! the one before at once, and the first one after the login, still wait for their channel.

use std::sync::Arc;

use russh::Channel;
use russh::client::Msg;
use tokio::task::JoinHandle;

use super::login::Door;

/// The channels of one machine that no command runs on yet: at most one.
pub(super) struct Spare {
    door: Arc<Door>,
    opening: Option<JoinHandle<Result<Channel<Msg>, russh::Error>>>,
}

impl Spare {
    /// Starts to open the first one.
    pub(super) fn new(door: Arc<Door>) -> Self {
        let mut spare = Self { door, opening: None };
        spare.refill();
        spare
    }

    /// Starts to open the next one, unless there is one.
    pub(super) fn refill(&mut self) {
        if self.opening.is_none() {
            let door = Arc::clone(&self.door);
            self.opening = Some(tokio::spawn(async move { door.handle.channel_open_session().await }));
        }
    }

    /// Takes the open channel, or opens one now. When this is dropped while it waits, the channel
    /// stays for the next taker.
    pub(super) async fn take(&mut self) -> Result<Channel<Msg>, russh::Error> {
        if let Some(opening) = &mut self.opening {
            let ahead = opening.await;
            self.opening = None;
            if let Ok(Ok(channel)) = ahead {
                return Ok(channel);
            }
            // The server may have refused while other commands were running; they may have ended since.
        }
        self.door.handle.channel_open_session().await
    }

    /// Gives up what is being opened.
    pub(super) async fn close(self) {
        if let Some(opening) = self.opening {
            opening.abort();
            // Waited for, because it holds on to the connection until it has ended.
            let _aborted = opening.await;
        }
    }
}
