//! Machines over SSH: one login per session, one channel per command.

mod agent;
mod dial;
mod exchange;
mod guardian;
mod identity;
mod login;
mod options;
mod password;
mod patience;
mod session;
mod spare;

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::channel::{Connector, Session};
use super::error::TransportError;
use crate::model::{Method, Target};

pub use options::SshOptions;

/// Logs in to machines over SSH, through their jump hosts.
///
/// Strict: a host whose key is not pinned is refused. Nothing is asked of anybody.
#[derive(Clone, Debug)]
pub struct SshConnector {
    options: Arc<SshOptions>,
}

impl SshConnector {
    /// A connector that trusts the hosts its options pin.
    #[must_use]
    pub fn new(options: SshOptions) -> Self {
        Self { options: Arc::new(options) }
    }
}

impl Connector for SshConnector {
    fn connect<'a>(&'a self, target: &'a Target) -> BoxFuture<'a, Result<Box<dyn Session>, TransportError>> {
        async move {
            match &target.method {
                Method::Ssh(way) => {
                    let session = session::SshSession::open(Arc::clone(&self.options), way).await?;
                    Ok(Box::new(session) as Box<dyn Session>)
                }
                Method::Local => Err(TransportError::Unreachable {
                    host: target.machine.to_string(),
                    reason: "it is this computer, which is not reached over SSH".to_owned(),
                }),
            }
        }
        .boxed()
    }
}
