//! Opens the TCP connection to the first hop.

use std::io;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::net::{TcpStream, lookup_host};

/// The head start each address has over the next one (RFC 8305, "Connection Attempt Delay").
const HEAD_START: Duration = Duration::from_millis(250);

/// A name with more addresses than this is tried at the first ones only.
const ADDRESSES: usize = 8;

/// Connects to the first of a host's addresses that answers; a dead one costs the others nothing
/// but the head start.
pub(super) async fn dial(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut attempts: FuturesUnordered<_> = lookup_host((host, port))
        .await?
        .take(ADDRESSES)
        .zip(0_u32..)
        .map(|(address, rank)| async move {
            tokio::time::sleep(HEAD_START.saturating_mul(rank)).await;
            TcpStream::connect(address).await
        })
        .collect();
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    while let Some(attempt) = attempts.next().await {
        match attempt {
            Ok(stream) => {
                // A script and its answer are small messages, which must not wait for one another.
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => failure = error,
        }
    }
    Err(failure)
}
