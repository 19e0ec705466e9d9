//! What an error of one machine means for the run.

use crate::event::{Failure, FailureKind};
use crate::probe::ProbeError;
use crate::transport::TransportError;

/// A failed login or connection.
pub(super) fn of_transport(error: &TransportError) -> Failure {
    let kind = match error {
        TransportError::Unreachable { .. }
        | TransportError::TimedOut { .. }
        | TransportError::Lost { .. } => FailureKind::Unreachable,
        TransportError::UnknownHostKey { .. }
        | TransportError::ChangedHostKey { .. }
        | TransportError::RevokedHostKey { .. }
        | TransportError::HostCertificate { .. }
        | TransportError::LoginRefused { .. } => FailureKind::Refused,
        TransportError::Identity { .. } => FailureKind::Other,
    };
    Failure { kind, message: error.to_string() }
}

/// A failed session.
pub(super) fn of_probe(error: &ProbeError) -> Failure {
    match error {
        ProbeError::Transport(error) => of_transport(error),
        ProbeError::TimedOut { .. } => Failure { kind: FailureKind::Unreachable, message: error.to_string() },
        ProbeError::Privilege { .. } | ProbeError::Busy { .. } => {
            Failure { kind: FailureKind::Refused, message: error.to_string() }
        }
        ProbeError::Frame(_)
        | ProbeError::Ended { .. }
        | ProbeError::Nonsense(_)
        | ProbeError::NotBegun { .. }
        | ProbeError::Local { .. } => Failure { kind: FailureKind::Other, message: error.to_string() },
    }
}
