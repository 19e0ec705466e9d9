//! Logs in with what the SSH agent holds.

use russh::client::{AuthResult, Handle};
use russh::keys::PublicKey;
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;

use super::guardian::Guardian;
use super::login::{Attempts, rsa_hash};
use super::options::SshOptions;
use crate::transport::error::TransportError;
use crate::transport::known_hosts::describe_key;
use crate::transport::platform::open_agent;

/// Offers one key of the agent after the other until the server takes one.
pub(super) async fn log_in(
    handle: &mut Handle<Guardian>,
    user: &str,
    options: &SshOptions,
    attempts: &mut Attempts,
) -> Result<(), TransportError> {
    let failed = |reason: String| TransportError::Identity { identity: "the SSH agent".to_owned(), reason };
    let socket = options.agent.as_deref().ok_or_else(|| {
        failed("there is none: SSH_AUTH_SOCK is not set; start one and load the key with ssh-add".to_owned())
    })?;
    let stream = open_agent(socket)
        .await
        .map_err(|error| failed(format!("no agent listens at {}: {error}", socket.display())))?;
    let mut agent = AgentClient::connect(stream);
    if let Some(binding) = handle.agent_session_binding() {
        // Only needed for keys that the agent limits to certain hosts; other agents do not know it.
        let _unsupported = agent.bind_session(binding, false).await;
    }
    let identities =
        agent.request_identities().await.map_err(|error| failed(format!("it does not answer: {error}")))?;
    if identities.is_empty() {
        return Err(failed("it holds no keys; load one with ssh-add".to_owned()));
    }
    for identity in identities {
        let (key, certificate) = match identity {
            AgentIdentity::PublicKey { key, .. } => (key, None),
            AgentIdentity::Certificate { certificate, .. } => {
                (PublicKey::new(certificate.public_key().clone(), ""), Some(certificate))
            }
        };
        attempts.offer(describe_key(&key));
        let hash = match rsa_hash(handle, &key.algorithm()).await {
            Ok(hash) => hash,
            Err(error) => return Err(attempts.broken(&error).await),
        };
        let outcome = match certificate {
            None => handle.authenticate_publickey_with(user, key, hash, &mut agent).await,
            Some(certificate) => {
                handle.authenticate_certificate_with(user, certificate, hash, &mut agent).await
            }
        };
        match outcome {
            Ok(AuthResult::Success) => return Ok(()),
            Ok(AuthResult::Failure { remaining_methods, partial_success }) => {
                attempts.refused(&remaining_methods, partial_success);
                if handle.is_closed() {
                    attempts.ended().await;
                    break;
                }
            }
            // The agent may decline to use one key, for example because its owner said no.
            Err(russh::AgentAuthError::Key(error)) => attempts.offer(format!("(the agent: {error})")),
            Err(russh::AgentAuthError::Send(_)) => {
                attempts.ended().await;
                break;
            }
        }
    }
    Err(attempts.failure())
}
