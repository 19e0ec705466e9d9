//! The way to a machine: the declared one, or the one it had before.

use super::failure;
use super::run::{Job, Run};
use crate::event::{Failure, Happening};
use crate::model::Target;
use crate::probe::{Conversation, Opened, ProbeError};
use crate::resource::{Declared, Surroundings};
use crate::transport::TransportError;

/// Why a machine could not be talked to by one way.
pub(super) struct Unreached {
    pub(super) failure: Failure,
    /// Whether it may be had by another way: nobody answers, or not to this login.
    pub(super) elsewhere: bool,
    /// Whether trying again would only be refused again, and perhaps get us locked out.
    pub(super) refused: bool,
}

impl Run<'_> {
    /// Logs in and asks everything, by the declared way or else by the former one; and says by which.
    pub(super) async fn reach(
        &self,
        job: &Job,
        declared: &[Declared],
        surroundings: &Surroundings,
    ) -> Result<(Opened, Target), Failure> {
        let unreached = match self.converse(&job.target, job, declared, surroundings).await {
            Ok(opened) => return Ok((opened, job.target.clone())),
            Err(unreached) => unreached,
        };
        let Some(former) = job.target.former().filter(|_| unreached.elsewhere) else {
            return Err(unreached.failure);
        };
        match self.converse(&former, job, declared, surroundings).await {
            Ok(opened) => Ok((opened, former)),
            Err(again) => {
                let Failure { kind, message } = unreached.failure;
                let message = format!("{message}; and at its former address to {}", again.failure.message);
                Err(Failure { kind, message })
            }
        }
    }

    /// Logs in by one way and asks everything.
    pub(super) async fn converse(
        &self,
        way: &Target,
        job: &Job,
        declared: &[Declared],
        surroundings: &Surroundings,
    ) -> Result<Opened, Unreached> {
        let session = self.connector.connect(way).await.map_err(|error| of_transport(&error))?;
        self.tell(&job.machine, Happening::Connected);
        let nonce = (self.options.nonces)();
        Conversation::open(session, way, &job.facts, declared, &nonce, &surroundings.key, self.options.limits)
            .await
            .map_err(|error| of_probe(&error))
    }
}

pub(super) fn of_probe(error: &ProbeError) -> Unreached {
    if let ProbeError::Transport(error) = error {
        return of_transport(error);
    }
    let refused = matches!(error, ProbeError::Privilege { .. });
    Unreached { failure: failure::of_probe(error), elsewhere: refused, refused }
}

fn of_transport(error: &TransportError) -> Unreached {
    let (elsewhere, refused) = match error {
        TransportError::Unreachable { .. }
        | TransportError::TimedOut { .. }
        | TransportError::Lost { .. } => (true, false),
        TransportError::LoginRefused { .. } => (true, true),
        // Whoever shows another key than the pinned one is another machine, or stands in between.
        TransportError::UnknownHostKey { .. }
        | TransportError::ChangedHostKey { .. }
        | TransportError::RevokedHostKey { .. }
        | TransportError::HostCertificate { .. }
        | TransportError::Identity { .. } => (false, true),
    };
    Unreached { failure: failure::of_transport(error), elsewhere, refused }
}
