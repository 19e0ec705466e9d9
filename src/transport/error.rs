//! What can go wrong between the controller and a machine.

use std::time::Duration;

/// Why a machine could not be reached or was lost. Each text names the host, so that it can stand
/// alone in a report.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TransportError {
    /// No connection: refused, no route, no such name.
    #[error("connect to {host}: {reason}")]
    Unreachable {
        /// Host and port.
        host: String,
        /// The system's word.
        reason: String,
    },
    /// Nothing came within the time allowed.
    #[error("{step} at {host}: no answer within {} s", limit.as_secs())]
    TimedOut {
        /// Host and port.
        host: String,
        /// What was being waited for: "connect", "log in", "read the answer".
        step: &'static str,
        /// The time allowed.
        limit: Duration,
    },
    /// The host's key is not in the fleet's `known_hosts`.
    #[error(
        "trust {host}: its host key is not pinned ({offered}); add this line to {file} once you have compared it:\n    {line}"
    )]
    UnknownHostKey {
        /// Host and port.
        host: String,
        /// Algorithm and SHA-256 fingerprint of the key it showed.
        offered: String,
        /// The `known_hosts` file.
        file: String,
        /// The line that would pin it.
        line: String,
    },
    /// The host showed another key than the pinned one.
    #[error(
        "trust {host}: its host key has changed: pinned {pinned}, offered {offered}; if the machine was set up anew, replace its line in {file}, otherwise somebody stands in between"
    )]
    ChangedHostKey {
        /// Host and port.
        host: String,
        /// Fingerprints of the pinned keys.
        pinned: String,
        /// Algorithm and SHA-256 fingerprint of the key it showed.
        offered: String,
        /// The `known_hosts` file.
        file: String,
    },
    /// The host's key is marked `@revoked`.
    #[error("trust {host}: its host key {offered} is marked @revoked in {file}")]
    RevokedHostKey {
        /// Host and port.
        host: String,
        /// Algorithm and SHA-256 fingerprint of the key it showed.
        offered: String,
        /// The `known_hosts` file.
        file: String,
    },
    /// The host shows a certificate that a pinned authority signed, but which is not good here.
    #[error(
        "trust {host}: its host certificate ({offered}) is refused: {reason}; the authority is pinned in {file}"
    )]
    HostCertificate {
        /// Host and port.
        host: String,
        /// Algorithm and SHA-256 fingerprint of the key in the certificate.
        offered: String,
        /// Why it is refused.
        reason: String,
        /// The `known_hosts` file.
        file: String,
    },
    /// The private key cannot be used.
    #[error("read the key {identity}: {reason}")]
    Identity {
        /// The key file, or "the SSH agent".
        identity: String,
        /// Why.
        reason: String,
    },
    /// The server refuses the login.
    #[error("log in as {user} at {host}: refused ({tried})")]
    LoginRefused {
        /// Login name.
        user: String,
        /// Host and port.
        host: String,
        /// What was offered: key fingerprints.
        tried: String,
    },
    /// The connection broke, or the server refused a channel.
    #[error("keep the connection to {host}: {reason}")]
    Lost {
        /// Host and port.
        host: String,
        /// The system's word.
        reason: String,
    },
}
