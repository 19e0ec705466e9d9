//! Proves that one key opens a machine.

use super::exit::Exit;
use super::surface::complain;
use crate::inventory::{Machine, Managed};
use crate::model::{Identity, Method};
use crate::store::{Project, Seat, target_of};
use crate::transport::{Connector as _, KnownHosts, SshConnector, SshOptions};

/// Logs in over a connection of its own, with this identity and no other.
pub(super) async fn prove(
    project: &Project,
    machine: &Machine,
    managed: &Managed,
    identity: Identity,
) -> Result<(), Exit> {
    let (file, text) = &project.known_hosts;
    let known_hosts = KnownHosts::parse(file, text).map_err(|error| {
        complain(&format!("error: failed to read the pinned host keys: {error}\n"));
        Exit::BadInput
    })?;
    let mut target = target_of(project, &Seat::here(), machine, managed).map_err(|message| {
        complain(&format!("error: {}: failed to {message}\n", machine.name));
        Exit::Error
    })?;
    if let Method::Ssh(way) = &mut target.method {
        way.hop.identities = vec![identity];
        way.former = None;
    }
    let connector = SshConnector::new(SshOptions::new(known_hosts));
    match connector.connect(&target).await {
        Ok(session) => {
            session.close().await;
            Ok(())
        }
        Err(error) => {
            complain(&format!(
                "error: {}: the new key does not open it: failed to {error}; the old one stays\n",
                machine.name
            ));
            Err(Exit::Refused)
        }
    }
}
