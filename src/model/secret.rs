//! Bytes that must never show.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

/// Secret bytes: wiped when the last owner lets go, shown as `<secret>` everywhere.
///
/// There is no `PartialEq` and no `Serialize`: comparing or storing one is a decision that its
/// user has to write down with [`Secret::expose`].
///
/// ```
/// # use fleetprov::model::Secret;
/// let secret = Secret::new(b"marker".to_vec());
/// assert_eq!(format!("{secret} {secret:?}"), "<secret> <secret>");
/// assert!(secret.expose() == secret.clone().expose());
/// ```
///
/// ```compile_fail,E0369
/// # use fleetprov::model::Secret;
/// let secret = Secret::new(b"marker".to_vec());
/// let _ = secret == secret.clone();
/// ```
///
/// ```compile_fail,E0277
/// # use fleetprov::model::Secret;
/// let secret = Secret::new(b"marker".to_vec());
/// let _ = serde_json::to_string(&secret);
/// ```
///
/// ```compile_fail,E0277
/// # use fleetprov::model::Secret;
/// let secret = Secret::new(b"marker".to_vec());
/// let _ = std::collections::HashSet::from([secret]);
/// ```
#[derive(Clone)]
pub struct Secret(Arc<Zeroizing<Vec<u8>>>);

impl Secret {
    /// Takes bytes into custody.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Zeroizing::new(bytes)))
    }

    /// The bytes themselves. Whoever calls this sees to it that they go nowhere but to their destination.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("<secret>")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("<secret>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_show() {
        let secret = Secret::new(b"marker".to_vec());
        assert_eq!(format!("{secret} {secret:?}"), "<secret> <secret>");
        assert_eq!(secret.expose(), b"marker");
    }
}
