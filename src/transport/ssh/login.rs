//! One hop: the key exchange with a server and the login there.

use std::borrow::Cow;
use std::sync::Arc;

use russh::client::{AuthResult, Config, Handle, connect_stream};
use russh::keys::{Algorithm, EcdsaCurve, HashAlg, PrivateKeyWithHashAlg};
use russh::{MethodKind, MethodSet, Preferred, cipher};
use tokio::io::{AsyncRead, AsyncWrite};

use super::guardian::{Guardian, GuardianError, Notes, explain};
use super::options::SshOptions;
use super::{agent, identity, password};
use crate::model::{Hop, Identity};
use crate::transport::error::TransportError;
use crate::transport::known_hosts::describe_key;

/// How much a server may send on a channel before it hears back, in bytes. At 200 ms the library's
/// default of 2 MiB gave 4.9 MiB/s, this gives 71. What is held here is bounded by the channel's
/// queue, not by this.
const WINDOW: u32 = 32 * 1024 * 1024;

/// Messages of at most 32 KiB that the library holds for a channel before it stops reading.
const LIBRARY_QUEUE: usize = 32;

/// The host-key algorithms that are accepted, best first. Not among them: RSA with SHA-1.
const HOST_KEYS: [Algorithm; 6] = [
    Algorithm::Ed25519,
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 },
    Algorithm::Rsa { hash: Some(HashAlg::Sha512) },
    Algorithm::Rsa { hash: Some(HashAlg::Sha256) },
];

/// The ciphers, best first. With hardware support AES-GCM is about twice as fast as ChaCha20.
const CIPHERS: [cipher::Name; 6] = [
    cipher::AES_256_GCM,
    cipher::AES_128_GCM,
    cipher::CHACHA20_POLY1305,
    cipher::AES_256_CTR,
    cipher::AES_192_CTR,
    cipher::AES_128_CTR,
];

/// A server that has let us in.
pub(super) struct Door {
    /// The connection.
    pub(super) handle: Handle<Guardian>,
    /// What is known about it.
    pub(super) notes: Arc<Notes>,
    /// Host and port, for messages.
    pub(super) host: String,
}

/// Exchanges keys over a fresh stream. The host's key is checked on the way; `former` is where the machine
/// was before.
pub(super) async fn exchange_keys<S>(
    stream: S,
    hop: &Hop,
    former: Option<&Hop>,
    options: &Arc<SshOptions>,
) -> Result<Door, TransportError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let notes = Arc::new(Notes::default());
    let guardian = Guardian::new(hop, former, Arc::clone(options), Arc::clone(&notes));
    let host = name(hop);
    match connect_stream(Arc::new(configuration(hop, former, options)), stream, guardian).await {
        Ok(handle) => Ok(Door { handle, notes, host }),
        Err(GuardianError::Refused(error)) => Err(error),
        Err(GuardianError::Protocol(error)) => Err(TransportError::Lost { host, reason: explain(&error) }),
    }
}

/// Logs in at a server whose key has been checked, with the first identity that it takes.
///
/// An identity that cannot be used, such as a file that is not there, is passed over when there are others;
/// what was wrong with it is said when none of them lets us in.
pub(super) async fn log_in(door: &mut Door, hop: &Hop, options: &SshOptions) -> Result<(), TransportError> {
    let mut attempts = Attempts {
        user: hop.user.clone(),
        host: door.host.clone(),
        notes: Arc::clone(&door.notes),
        tried: Vec::new(),
    };
    let mut unusable = None;
    let mut is_refused = false;
    for identity in &hop.identities {
        match show(door, &hop.user, identity, options, &mut attempts).await {
            Ok(()) => return Ok(()),
            Err(TransportError::LoginRefused { .. }) => {
                is_refused = true;
                if door.handle.is_closed() {
                    break;
                }
            }
            Err(TransportError::Identity { identity, reason }) => {
                attempts.offer(format!("{identity}: {reason}"));
                unusable.get_or_insert(TransportError::Identity { identity, reason });
            }
            Err(error) => return Err(error),
        }
    }
    match unusable {
        Some(error) if !is_refused => Err(error),
        _ => Err(attempts.failure()),
    }
}

/// Shows one identity to a server.
async fn show(
    door: &mut Door,
    user: &str,
    identity: &Identity,
    options: &SshOptions,
    attempts: &mut Attempts,
) -> Result<(), TransportError> {
    let (name, key) = match identity {
        Identity::Agent => return agent::log_in(&mut door.handle, user, options, attempts).await,
        Identity::Password(password) => {
            return password::log_in(&mut door.handle, user, password, attempts).await;
        }
        Identity::File(path) => (path.display().to_string(), identity::read_key(path).await?),
        Identity::Key { name, key } => (name.clone(), identity::held_key(name, key)?),
    };
    attempts.offer(format!("{} from {name}", describe_key(key.public_key())));
    let hash = match rsa_hash(&door.handle, &key.algorithm()).await {
        Ok(hash) => hash,
        Err(error) => return Err(attempts.broken(&error).await),
    };
    let key = PrivateKeyWithHashAlg::new(Arc::new(key), hash);
    match door.handle.authenticate_publickey(user, key).await {
        Ok(AuthResult::Success) => Ok(()),
        Ok(AuthResult::Failure { remaining_methods, partial_success }) => {
            attempts.refused(&remaining_methods, partial_success);
            Err(attempts.failure())
        }
        Err(error) => Err(attempts.broken(&error).await),
    }
}

/// The hash to sign with, for RSA keys. Servers that do not say what they take get SHA-256, the one
/// that is oldest and most widely known; SHA-1 is never used.
pub(super) async fn rsa_hash(
    handle: &Handle<Guardian>,
    algorithm: &Algorithm,
) -> Result<Option<HashAlg>, russh::Error> {
    if !matches!(algorithm, Algorithm::Rsa { .. }) {
        // Asking costs up to a second with a server that does not say.
        return Ok(None);
    }
    Ok(handle.best_supported_rsa_hash().await?.flatten().or(Some(HashAlg::Sha256)))
}

/// What has been offered to a server so far.
pub(super) struct Attempts {
    user: String,
    host: String,
    notes: Arc<Notes>,
    tried: Vec<String>,
}

impl Attempts {
    /// Notes a key that is offered.
    pub(super) fn offer(&mut self, what: String) {
        self.tried.push(what);
    }

    /// Notes what the server said to the last one.
    pub(super) fn refused(&mut self, remaining: &MethodSet, partial: bool) {
        let names = |set: &MethodSet| set.iter().map(<&'static str>::from).collect::<Vec<_>>().join(", ");
        if partial {
            self.tried.push(format!("accepted, but the server asks for {} as well", names(remaining)));
        } else if !remaining.is_empty() && !remaining.contains(&MethodKind::PublicKey) {
            self.tried.push(format!("the server takes no keys, only {}", names(remaining)));
        }
    }

    /// Notes why the server hung up, which it does after so many refusals.
    pub(super) async fn ended(&mut self) {
        self.tried.push(self.notes.ending("the server ended it").await);
    }

    /// The error when all have been refused.
    pub(super) fn failure(&self) -> TransportError {
        TransportError::LoginRefused {
            user: self.user.clone(),
            host: self.host.clone(),
            tried: self.tried.join("; "),
        }
    }

    /// The error when the connection ended on the way.
    pub(super) async fn broken(&self, error: &russh::Error) -> TransportError {
        TransportError::Lost { host: self.host.clone(), reason: self.notes.ending(&explain(error)).await }
    }
}

/// Host and port of a hop, for messages.
pub(super) fn name(hop: &Hop) -> String {
    format!("{}:{}", hop.host, hop.port)
}

fn configuration(hop: &Hop, former: Option<&Hop>, options: &SshOptions) -> Config {
    let known = &options.known_hosts;
    let is_known = |hop: &Hop| {
        known.has_authority(&hop.host, hop.port) || !known.algorithms(&hop.host, hop.port).is_empty()
    };
    let hop = if is_known(hop) { hop } else { former.unwrap_or(hop) };
    let pinned = known.algorithms(&hop.host, hop.port);
    let is_pinned = |algorithm: &Algorithm| {
        pinned.iter().any(|pinned| match (pinned, algorithm) {
            (Algorithm::Rsa { .. }, Algorithm::Rsa { .. }) => true,
            (pinned, algorithm) => pinned == algorithm,
        })
    };
    let (mut host_keys, others): (Vec<Algorithm>, Vec<Algorithm>) =
        HOST_KEYS.into_iter().partition(is_pinned);
    host_keys.extend(others);
    let certificates = if known.has_authority(&hop.host, hop.port) { HOST_KEYS.to_vec() } else { Vec::new() };
    Config {
        window_size: WINDOW,
        channel_buffer_size: LIBRARY_QUEUE,
        keepalive_interval: Some(options.keepalive_interval),
        keepalive_max: options.keepalive_count,
        nodelay: true,
        preferred: Preferred {
            key: Cow::Owned(host_keys),
            host_key_certificates: Cow::Owned(certificates),
            cipher: Cow::Owned(CIPHERS.to_vec()),
            ..Preferred::DEFAULT
        },
        ..Config::default()
    }
}
