//! Sends an order and the bytes that follow it.

use std::pin::Pin;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::sync::mpsc;

use super::error::ProbeError;
use crate::resource::Payload;

/// What is sent once others are through: a line that names what is left out then, and the payloads behind it.
pub type Hold<'a> = Pin<Box<dyn Future<Output = (Vec<u8>, Vec<Payload>)> + Send + 'a>>;

/// What lets a script that waits go on, in the sixteen bytes it reads at a time.
pub(super) const GO: &[u8] = b"go             \n";
/// What it hears until then, so that it knows that somebody is there; and how often. A machine gives a
/// silent stream half a minute.
const WAIT: &[u8] = b"wait           \n";
const PULSE: Duration = Duration::from_secs(8);

/// How much is gathered before it is sent, in bytes.
const CHUNK: usize = 64 * 1024;

/// Sends an order and the payloads behind it. Small ones travel together.
pub(super) async fn send_all(
    input: mpsc::Sender<Vec<u8>>,
    order: Vec<u8>,
    payloads: &[Payload],
) -> Result<(), ProbeError> {
    let mut pending = order;
    for payload in payloads {
        match payload {
            Payload::Bytes(bytes) => pending.extend_from_slice(bytes),
            Payload::Secret(secret) => pending.extend_from_slice(secret.expose()),
            Payload::Local { path, length } => {
                let failed = |error: std::io::Error| ProbeError::Local {
                    path: path.display().to_string(),
                    reason: error.to_string(),
                };
                let mut file = tokio::fs::File::open(path).await.map_err(failed)?;
                let mut left = *length;
                while left > 0 {
                    let mut chunk = vec![0_u8; CHUNK.min(usize::try_from(left).unwrap_or(CHUNK))];
                    let count = file.read(&mut chunk).await.map_err(failed)?;
                    if count == 0 {
                        return Err(failed(std::io::Error::other("it has become shorter meanwhile")));
                    }
                    chunk.truncate(count);
                    left -= count as u64;
                    if pending.is_empty() {
                        pending = chunk;
                    } else {
                        pending.extend_from_slice(&chunk);
                    }
                    if !flush(&input, &mut pending).await {
                        return Ok(());
                    }
                }
            }
        }
        if pending.len() >= CHUNK && !flush(&input, &mut pending).await {
            return Ok(());
        }
    }
    flush(&input, &mut pending).await;
    Ok(())
}

/// Waits for what is to be sent once others are through, and lets the machine hear meanwhile that it is
/// waited for.
pub(super) async fn keep_awake(input: &mpsc::Sender<Vec<u8>>, mut hold: Hold<'_>) -> (Vec<u8>, Vec<Payload>) {
    loop {
        match tokio::time::timeout(PULSE, &mut hold).await {
            Ok(released) => return released,
            // When the session has ended nobody reads it, which whoever receives finds out.
            Err(_) => {
                let _ = input.send(WAIT.to_vec()).await;
            }
        }
    }
}

/// Sends what is pending; false when nobody reads any more.
async fn flush(input: &mpsc::Sender<Vec<u8>>, pending: &mut Vec<u8>) -> bool {
    if pending.is_empty() {
        return true;
    }
    input.send(std::mem::take(pending)).await.is_ok()
}
