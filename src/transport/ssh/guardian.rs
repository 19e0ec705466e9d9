//! Answers what the server asks of the client: trusts pinned host keys only, lets no channel be
//! opened towards the controller, and notes how the connection ended.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use russh::client::{ChannelOpenHandle, DisconnectReason, Handler, Msg, Session};
use russh::keys::PublicKeyOrCertificate;
use russh::{Channel, ChannelOpenFailure, Names};
use tokio::sync::SetOnce;

use super::options::SshOptions;
use crate::model::Hop;
use crate::transport::error::TransportError;
use crate::transport::known_hosts::{KnownHosts, Verdict, describe_key};

/// The longest text of a server that is passed on, in characters.
const REMARK: usize = 200;

/// How long to wait for the word on why a connection ended, once it has ended.
const ENDING: Duration = Duration::from_millis(500);

/// What became known about a connection.
#[derive(Debug, Default)]
pub(super) struct Notes {
    identification: OnceLock<String>,
    ending: SetOnce<String>,
}

impl Notes {
    /// What the server calls itself, such as `SSH-2.0-OpenSSH_9.2p1`; empty before the login.
    pub(super) fn identification(&self) -> &str {
        self.identification.get().map_or("", String::as_str)
    }

    /// Why the connection ended, or `otherwise` when that does not become known.
    pub(super) async fn ending(&self, otherwise: &str) -> String {
        tokio::time::timeout(ENDING, self.ending.wait())
            .await
            .map_or_else(|_| otherwise.to_owned(), String::clone)
    }
}

/// Why the handler, or the library that calls it, ends a connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum GuardianError {
    /// The host is not trusted.
    #[error(transparent)]
    Refused(TransportError),
    /// The protocol or the network failed.
    #[error(transparent)]
    Protocol(#[from] russh::Error),
}

/// Watches one connection.
pub(super) struct Guardian {
    host: String,
    port: u16,
    former: Option<(String, u16)>,
    options: Arc<SshOptions>,
    notes: Arc<Notes>,
}

impl Guardian {
    /// A guardian for the connection to a host. When nothing is pinned for it, what is pinned for its
    /// former address holds: the same key is the same machine.
    pub(super) fn new(hop: &Hop, former: Option<&Hop>, options: Arc<SshOptions>, notes: Arc<Notes>) -> Self {
        let former = former.map(|former| (former.host.clone(), former.port));
        Self { host: hop.host.clone(), port: hop.port, former, options, notes }
    }

    fn verdict(&self, offered: &PublicKeyOrCertificate) -> Verdict {
        let (known, now) = (&self.options.known_hosts, SystemTime::now());
        let verdict = known.verdict(&self.host, self.port, offered, now);
        match (&verdict, &self.former) {
            (Verdict::Unknown, Some((host, port)))
                if known.verdict(host, *port, offered, now) == Verdict::Pinned =>
            {
                Verdict::Pinned
            }
            _ => verdict,
        }
    }

    fn judge(&self, offered: &PublicKeyOrCertificate) -> Result<(), TransportError> {
        let known = &self.options.known_hosts;
        let host = format!("{}:{}", self.host, self.port);
        let file = known.file().to_owned();
        let key = offered.public_key();
        let description = describe_key(&key);
        match self.verdict(offered) {
            Verdict::Pinned => Ok(()),
            Verdict::Unknown => Err(TransportError::UnknownHostKey {
                host,
                offered: description,
                file,
                line: KnownHosts::line(&self.host, self.port, &key),
            }),
            Verdict::Changed { pinned } => Err(TransportError::ChangedHostKey {
                host,
                pinned: pinned.join(", "),
                offered: description,
                file,
            }),
            Verdict::Revoked => Err(TransportError::RevokedHostKey { host, offered: description, file }),
            Verdict::BadCertificate { reason } => {
                Err(TransportError::HostCertificate { host, offered: description, reason, file })
            }
        }
    }
}

/// Says in words why a connection failed.
pub(super) fn explain(error: &russh::Error) -> String {
    match error {
        russh::Error::IO(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            "the machine closed it".to_owned()
        }
        russh::Error::IO(error) => error.to_string(),
        russh::Error::HUP | russh::Error::Disconnect => "the machine closed it".to_owned(),
        russh::Error::KeepaliveTimeout => "the machine does not answer any more".to_owned(),
        russh::Error::ChannelOpenFailure(ChannelOpenFailure::AdministrativelyProhibited) => {
            "the server does not allow it".to_owned()
        }
        russh::Error::ChannelOpenFailure(ChannelOpenFailure::ConnectFailed) => {
            "the server cannot connect".to_owned()
        }
        other => remark(&other.to_string()),
    }
}

/// A server's own words, short and without control characters.
fn remark(text: &str) -> String {
    text.chars().take(REMARK).map(|character| if character.is_control() { '?' } else { character }).collect()
}

impl Handler for Guardian {
    type Error = GuardianError;

    async fn check_server_key(&mut self, offered: &PublicKeyOrCertificate) -> Result<bool, GuardianError> {
        self.judge(offered).map(|()| true).map_err(GuardianError::Refused)
    }

    async fn kex_done(
        &mut self,
        _shared_secret: Option<&[u8]>,
        _names: &Names,
        session: &mut Session,
    ) -> Result<(), GuardianError> {
        // Comes again with every rekeying; the identification stays the same.
        self.notes.identification.get_or_init(|| remark(&String::from_utf8_lossy(session.remote_sshid())));
        Ok(())
    }

    async fn disconnected(&mut self, reason: DisconnectReason<GuardianError>) -> Result<(), GuardianError> {
        let (words, outcome) = match reason {
            DisconnectReason::ReceivedDisconnect(info) => {
                (format!("the server ended it: {}", remark(&info.message)), Ok(()))
            }
            DisconnectReason::Error(GuardianError::Protocol(error)) => {
                (explain(&error), Err(GuardianError::Protocol(error)))
            }
            DisconnectReason::Error(error) => (error.to_string(), Err(error)),
        };
        // It ends once; a second word would have nobody to read it.
        let _first_word_stands = self.notes.ending.set(words);
        outcome
    }

    // The library accepts what a server opens unless told otherwise. Dropping the reply refuses.

    async fn server_channel_open_forwarded_tcpip(
        &mut self,
        _channel: Channel<Msg>,
        _connected_address: &str,
        _connected_port: u32,
        _originator_address: &str,
        _originator_port: u32,
        _reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), GuardianError> {
        Ok(())
    }

    async fn server_channel_open_forwarded_streamlocal(
        &mut self,
        _channel: Channel<Msg>,
        _socket_path: &str,
        _reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), GuardianError> {
        Ok(())
    }

    async fn server_channel_open_agent_forward(
        &mut self,
        _channel: Channel<Msg>,
        _reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), GuardianError> {
        Ok(())
    }

    async fn server_channel_open_session(
        &mut self,
        _channel: Channel<Msg>,
        _reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), GuardianError> {
        Ok(())
    }

    async fn server_channel_open_direct_tcpip(
        &mut self,
        _channel: Channel<Msg>,
        _host_to_connect: &str,
        _port_to_connect: u32,
        _originator_address: &str,
        _originator_port: u32,
        _reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), GuardianError> {
        Ok(())
    }

    async fn server_channel_open_direct_streamlocal(
        &mut self,
        _channel: Channel<Msg>,
        _socket_path: &str,
        _reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), GuardianError> {
        Ok(())
    }

    async fn server_channel_open_x11(
        &mut self,
        _channel: Channel<Msg>,
        _originator_address: &str,
        _originator_port: u32,
        _reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), GuardianError> {
        Ok(())
    }
}
