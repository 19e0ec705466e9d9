//! A text that grows without leaving copies of itself behind, because it may hold a secret.

use handlebars::Output;
use zeroize::Zeroizing;

/// Collects what a template writes.
#[derive(Default)]
pub(super) struct Buffer(Zeroizing<Vec<u8>>);

impl Buffer {
    pub(super) fn into_bytes(self) -> Zeroizing<Vec<u8>> {
        self.0
    }
}

impl Output for Buffer {
    fn write(&mut self, text: &str) -> std::io::Result<()> {
        let needed = self.0.len() + text.len();
        if needed > self.0.capacity() {
            // A vector that grows by itself gives its old memory back unwiped.
            let mut grown = Zeroizing::new(Vec::with_capacity(needed.saturating_mul(2).max(4096)));
            grown.extend_from_slice(&self.0);
            self.0 = grown;
        }
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}
