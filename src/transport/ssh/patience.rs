//! A stream that gives up on a machine which takes nothing, and that can be cut from outside.
//!
//! The SSH library sends and receives in one loop. While a write is stuck it neither reads nor counts
//! keepalives, so a machine that loses its power in the middle of an upload would hold the connection
//! until TCP gives up, which takes a quarter of an hour on Linux. The cut ends the loop when it waits
//! for something that will not come.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// A stream under a limit.
pub(super) struct Patient<S> {
    stream: S,
    limit: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
    cut: CancellationToken,
    cutting: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl<S> Patient<S> {
    /// Lets a write stand still for at most `limit`, and everything end with `cut`.
    pub(super) fn new(stream: S, limit: Duration, cut: &CancellationToken) -> Self {
        Self {
            stream,
            limit,
            stalled: None,
            cut: cut.clone(),
            cutting: Box::pin(cut.clone().cancelled_owned()),
        }
    }

    /// Fails once the stream is cut; otherwise sees to it that the cut wakes the task.
    fn check_cut(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if self.cut.is_cancelled() || self.cutting.as_mut().poll(context).is_ready() {
            Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the connection was given up"))
        } else {
            Ok(())
        }
    }

    /// Passes on the outcome of a write, unless it has stood still for too long.
    fn limited<T>(&mut self, context: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.stalled = None;
            return outcome;
        }
        let limit = self.limit;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(limit)));
        if stalled.as_mut().poll(context).is_ready() {
            let reason = format!("the machine took nothing for {} s", limit.as_secs());
            Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, reason)))
        } else {
            Poll::Pending
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check_cut(context)?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check_cut(context)?;
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.limited(context, outcome)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check_cut(context)?;
        let outcome = Pin::new(&mut self.stream).poll_flush(context);
        self.limited(context, outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check_cut(context)?;
        let outcome = Pin::new(&mut self.stream).poll_shutdown(context);
        self.limited(context, outcome)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn a_write_that_stands_still_fails() {
        let (near, _far) = duplex(16);
        let mut patient = Patient::new(near, Duration::from_millis(100), &CancellationToken::new());
        let start = Instant::now();
        let error = patient.write_all(&[0; 17]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(start.elapsed() >= Duration::from_millis(100));
    }

    #[tokio::test]
    async fn a_slow_write_does_not_fail() {
        let (near, mut far) = duplex(1);
        let mut patient = Patient::new(near, Duration::from_millis(200), &CancellationToken::new());
        let reading = async {
            for _ in 0..10 {
                tokio::time::sleep(Duration::from_millis(40)).await;
                far.read_u8().await.unwrap();
            }
        };
        let (written, ()) = tokio::join!(patient.write_all(&[0; 10]), reading);
        written.unwrap();
    }

    #[tokio::test]
    async fn the_cut_ends_what_waits_and_what_comes() {
        let (near, _far) = duplex(16);
        let cut = CancellationToken::new();
        let mut patient = Patient::new(near, Duration::from_secs(60), &cut);
        let cutting = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            cut.cancel();
        };
        let (read, ()) = tokio::join!(patient.read_u8(), cutting);
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
        assert_eq!(patient.write_u8(0).await.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
    }
}
