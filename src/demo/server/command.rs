//! One command on one channel: started, fed, listened to, ended.

use std::os::unix::process::ExitStatusExt as _;
use std::sync::Arc;

use russh::server::{Handle, Msg};
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::ChildStdin;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::demo::machine::{Machine, Process};

/// The extended data type of standard error (RFC 4254, section 5.2).
const STANDARD_ERROR: u32 = 1;

/// Bytes of output in one message.
const CHUNK: usize = 32 * 1024;

/// The exit status of a command that cannot be started, as shells have it.
const CANNOT_START: u32 = 126;

/// Serves one channel until its command has ended, the client is gone or the server stops.
pub(super) async fn serve(
    channel: Channel<Msg>,
    handle: Handle,
    machine: Arc<Machine>,
    over: CancellationToken,
) {
    let id = channel.id();
    let (mut reader, writer) = channel.split();
    let Some(text) = over.run_until_cancelled(asked(&mut reader)).await.flatten() else { return };
    if handle.channel_success(id).await.is_err() {
        return;
    }
    let status = match machine.start(&text) {
        Ok(process) => over.run_until_cancelled(converse(process, reader, &writer)).await.flatten(),
        Err(error) => {
            let message = format!("cannot start the shell: {error}\n");
            let _told = writer.extended_data_bytes(STANDARD_ERROR, message.into_bytes()).await;
            Some(CANNOT_START)
        }
    };
    if let Some(status) = status {
        // Fails only when the client is gone.
        let _told = handle.exit_status_request(id, status).await;
    }
    let _told = writer.eof().await;
    let _told = writer.close().await;
}

/// The command the client asks for; none when it asks for something else or is gone.
async fn asked(reader: &mut ChannelReadHalf) -> Option<String> {
    loop {
        match reader.wait().await? {
            ChannelMsg::Exec { command, .. } => return String::from_utf8(command).ok(),
            ChannelMsg::Eof | ChannelMsg::Close => return None,
            // Terminals, shells and subsystems are not answered, which is a refusal.
            _ => {}
        }
    }
}

/// Carries bytes both ways. Gives the exit status, or nothing when the client is gone.
async fn converse(
    mut process: Process,
    reader: ChannelReadHalf,
    writer: &ChannelWriteHalf<Msg>,
) -> Option<u32> {
    let (send, received) = mpsc::unbounded_channel();
    let (input, output, errors) = (process.input.take(), process.output.take(), process.errors.take());
    let feeding = async {
        feed(input, received).await;
        // Whether it took all of its input decides nothing.
        std::future::pending().await
    };
    let telling = async {
        tokio::join!(tell(output, writer, None), tell(errors, writer, Some(STANDARD_ERROR)));
        Some(process.end().await)
    };
    let gone = async {
        listen(reader, send).await;
        None
    };
    let ended = tokio::select! {
        ended = telling => ended,
        ended = gone => ended,
        ended = feeding => ended,
    };
    match ended? {
        // A signal ended it: said as shells say it.
        Ok(status) => status.code().or_else(|| Some(128 + status.signal()?)).map(i32::cast_unsigned),
        Err(_) => Some(CANNOT_START),
    }
}

/// Takes what the client sends, at once, so that the connection never waits for the command. What
/// is held is bounded by what this process itself sends: a demo's worth of small files.
async fn listen(mut reader: ChannelReadHalf, send: mpsc::UnboundedSender<Vec<u8>>) {
    let mut send = Some(send);
    while let Some(message) = reader.wait().await {
        match message {
            ChannelMsg::Data { data } => {
                // Fails when the command has closed its input.
                let _taken = send.as_ref().map(|send| send.send(data.to_vec()));
            }
            ChannelMsg::Eof => send = None,
            ChannelMsg::Close => return,
            _ => {}
        }
    }
}

async fn feed(input: Option<ChildStdin>, mut received: mpsc::UnboundedReceiver<Vec<u8>>) {
    let Some(mut input) = input else { return };
    while let Some(bytes) = received.recv().await {
        if input.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

async fn tell(output: Option<impl AsyncRead + Unpin>, writer: &ChannelWriteHalf<Msg>, extended: Option<u32>) {
    let Some(mut output) = output else { return };
    let mut buffer = vec![0; CHUNK];
    while let Ok(count) = output.read(&mut buffer).await {
        let bytes = buffer.get(..count).unwrap_or_default().to_vec();
        if bytes.is_empty() {
            return;
        }
        let sent = match extended {
            None => writer.data_bytes(bytes).await,
            Some(sort) => writer.extended_data_bytes(sort, bytes).await,
        };
        if sent.is_err() {
            return;
        }
    }
}
