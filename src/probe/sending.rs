//! Sends an order and the bytes that follow it.

use std::pin::Pin;

use tokio::io::AsyncReadExt as _;
use tokio::sync::mpsc;

use super::error::ProbeError;
use crate::resource::Payload;

/// What is sent once others are through: a line that lets the script go on, and the payloads behind it.
pub type Hold<'a> = Pin<Box<dyn Future<Output = (Vec<u8>, Vec<Payload>)> + Send + 'a>>;

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

/// Sends what is pending; false when nobody reads any more.
async fn flush(input: &mpsc::Sender<Vec<u8>>, pending: &mut Vec<u8>) -> bool {
    if pending.is_empty() {
        return true;
    }
    input.send(std::mem::take(pending)).await.is_ok()
}
