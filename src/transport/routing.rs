//! Sends each machine to the transport its target names.

use futures::future::BoxFuture;

use super::channel::{Connector, Session};
use super::error::TransportError;
use super::local::LocalConnector;
use super::ssh::SshConnector;
use crate::model::{Method, Target};

/// The connector of a real run: this computer itself locally, all others over SSH.
#[derive(Clone, Debug)]
pub struct RoutingConnector {
    local: LocalConnector,
    ssh: SshConnector,
}

impl RoutingConnector {
    /// Joins the two.
    #[must_use]
    pub fn new(local: LocalConnector, ssh: SshConnector) -> Self {
        Self { local, ssh }
    }
}

impl Connector for RoutingConnector {
    fn connect<'a>(&'a self, target: &'a Target) -> BoxFuture<'a, Result<Box<dyn Session>, TransportError>> {
        match target.method {
            Method::Local => self.local.connect(target),
            Method::Ssh(_) => self.ssh.connect(target),
        }
    }
}
