//! One command on an SSH channel, as the pump sees it.

use std::sync::Arc;
use std::time::Duration;

use russh::client::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf};

use super::guardian::Notes;
use crate::transport::channel::Output;
use crate::transport::error::TransportError;
use crate::transport::pump::{Sink, Source};

/// The extended data type of standard error (RFC 4254, section 5.2).
const STANDARD_ERROR: u32 = 1;

/// How long to wait until the library has taken the order to close a channel.
const CLOSING: Duration = Duration::from_secs(1);

/// Splits a channel on which a command has been started.
pub(super) fn split(channel: Channel<Msg>, host: &str, notes: &Arc<Notes>) -> (Incoming, Outgoing) {
    let (reader, writer) = channel.split();
    let writer = Arc::new(writer);
    let incoming = Incoming {
        reader,
        writer: Arc::clone(&writer),
        host: host.to_owned(),
        notes: Arc::clone(notes),
        exited: false,
        closed: false,
        over: false,
    };
    (incoming, Outgoing(writer))
}

/// What the command sends.
pub(super) struct Incoming {
    reader: ChannelReadHalf,
    writer: Arc<ChannelWriteHalf<Msg>>,
    host: String,
    notes: Arc<Notes>,
    exited: bool,
    closed: bool,
    over: bool,
}

impl Incoming {
    fn lost(&mut self, reason: String) -> Option<Output> {
        self.over = true;
        Some(Output::Lost(TransportError::Lost { host: self.host.clone(), reason }))
    }
}

impl Source for Incoming {
    async fn receive(&mut self) -> Option<Output> {
        while !self.over {
            match self.reader.wait().await {
                Some(ChannelMsg::Data { data }) if !data.is_empty() => {
                    return Some(Output::Stdout(data.into()));
                }
                Some(ChannelMsg::ExtendedData { data, ext: STANDARD_ERROR }) if !data.is_empty() => {
                    return Some(Output::Stderr(data.into()));
                }
                Some(ChannelMsg::ExitStatus { exit_status }) => {
                    self.exited = true;
                    return Some(Output::Exit(Some(exit_status)));
                }
                Some(ChannelMsg::ExitSignal { .. }) => {
                    self.exited = true;
                    return Some(Output::Exit(None));
                }
                Some(ChannelMsg::Failure) => {
                    return self.lost("the server refused to run the command".to_owned());
                }
                // The end of output may come before the exit status; only the close comes last.
                Some(ChannelMsg::Close) => {
                    self.closed = true;
                    self.over = true;
                    if !self.exited {
                        return self.lost("the server closed the channel without an exit status".to_owned());
                    }
                }
                Some(_) => {}
                // No close came, so the connection is gone and the output may be cut short.
                None => {
                    self.closed = true;
                    let reason = self.notes.ending("the connection ended").await;
                    return self.lost(reason);
                }
            }
        }
        None
    }

    async fn release(self) {
        let Self { reader, writer, closed, .. } = self;
        // First, so that the library does not wait for somebody to read.
        drop(reader);
        if !closed {
            // An unclosed channel would count towards the server's limit for as long as the session lasts.
            let _gone = tokio::time::timeout(CLOSING, writer.close()).await;
        }
    }
}

/// What goes to the command.
pub(super) struct Outgoing(Arc<ChannelWriteHalf<Msg>>);

impl Sink for Outgoing {
    async fn send(self, bytes: Vec<u8>) -> Option<Self> {
        // Does not return when the command has ended without reading; the pump drops it then.
        self.0.data_bytes(bytes).await.ok().map(|()| self)
    }

    async fn finish(self) {
        // Fails only when the connection is gone, which the reading side reports.
        let _gone = self.0.eof().await;
    }
}
