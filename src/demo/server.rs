//! The SSH server of one machine: one key opens it, commands run on the machine.

mod command;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use russh::keys::{PrivateKey, PublicKey};
use russh::server::{self, Auth, ChannelOpenHandle, Msg, PublicKeyOffer, VerifiedPublicKey};
use russh::{Channel, Disconnect, MethodKind, MethodSet};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::error::DemoError;
use super::machine::Machine;

/// Channels that wait for somebody to serve them. More are made to wait by the protocol.
const WAITING: usize = 16;

/// How long the farewell to one client may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// A server on a free port of the loopback interface.
#[derive(Debug)]
pub(super) struct Server {
    port: u16,
    stop: CancellationToken,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Starts a server that shows `host_key` and lets in whoever has the private half of `opens`.
    ///
    /// # Errors
    /// [`DemoError::System`] when there is no free port.
    pub(super) fn start(
        machine: Arc<Machine>,
        host_key: PrivateKey,
        opens: PublicKey,
    ) -> Result<Self, DemoError> {
        let failed = |error| DemoError::system("listen on 127.0.0.1", error);
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let listener = TcpListener::from_std(listener).map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        let stop = CancellationToken::new();
        let config = Arc::new(server::Config {
            methods: MethodSet::from(&[MethodKind::PublicKey][..]),
            keys: vec![host_key],
            nodelay: true,
            ..server::Config::default()
        });
        let house = House { machine, config, opens: Arc::new(opens), stop: stop.clone() };
        let accepting = tokio::spawn(accept(listener, house));
        Ok(Self { port, stop, accepting })
    }

    /// The port it listens on.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Ends every connection, and waits until they are gone.
    pub(super) async fn stop(&mut self) {
        self.stop.cancel();
        let _ended = (&mut self.accepting).await;
    }
}

/// What every connection shares.
#[derive(Clone)]
struct House {
    machine: Arc<Machine>,
    config: Arc<server::Config>,
    opens: Arc<PublicKey>,
    stop: CancellationToken,
}

async fn accept(listener: TcpListener, house: House) {
    let mut visits = JoinSet::new();
    loop {
        tokio::select! {
            () = house.stop.cancelled() => break,
            Some(_) = visits.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    visits.spawn(visit(stream, house.clone()));
                }
                // Out of descriptors, say. The client is told by its own timeout.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
        }
    }
    while visits.join_next().await.is_some() {}
}

/// One client, from its first byte to its last.
async fn visit(stream: TcpStream, house: House) {
    let (opened, mut channels) = mpsc::channel(WAITING);
    let _without_delay = stream.set_nodelay(true);
    let door = Door { opens: Arc::clone(&house.opens), opened };
    let entering = server::run_stream(Arc::clone(&house.config), stream, door);
    let mut session = tokio::select! {
        () = house.stop.cancelled() => return,
        // Somebody who does not speak SSH.
        entered = entering => match entered { Ok(session) => session, Err(_) => return },
    };
    let handle = session.handle();
    let over = house.stop.child_token();
    let mut commands = JoinSet::new();
    loop {
        tokio::select! {
            () = over.cancelled() => {
                let leaving = handle.disconnect(Disconnect::ByApplication, String::new(), String::new());
                let _in_time = tokio::time::timeout(FAREWELL, leaving).await;
                break;
            }
            _ = &mut session => break,
            Some(_) = commands.join_next() => {}
            Some(channel) = channels.recv() => {
                commands.spawn(command::serve(channel, handle.clone(), Arc::clone(&house.machine), over.clone()));
            }
        }
    }
    // What runs for a client that is gone has nobody to report to.
    over.cancel();
    while commands.join_next().await.is_some() {}
}

/// Lets a client in and passes its channels on.
struct Door {
    opens: Arc<PublicKey>,
    opened: mpsc::Sender<Channel<Msg>>,
}

impl Door {
    fn judge(&self, shown: &PublicKey) -> Auth {
        if shown.key_data() == self.opens.key_data() { Auth::Accept } else { Auth::reject() }
    }
}

impl server::Handler for Door {
    type Error = russh::Error;

    async fn auth_publickey_offered(
        &mut self,
        _user: &str,
        offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, Self::Error> {
        Ok(self.judge(offer.public_key))
    }

    async fn auth_publickey(&mut self, _user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        Ok(self.judge(key.public_key))
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut server::Session,
    ) -> Result<(), Self::Error> {
        match self.opened.try_send(channel) {
            Ok(()) => reply.accept().await,
            // Dropped without an answer, the request is refused.
            Err(_) => drop(reply),
        }
        Ok(())
    }
}
