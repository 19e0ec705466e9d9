//! The way in to a machine that is not managed yet: its host key, a login, and what it says it is.

use std::io::Read as _;
use std::path::Path;

use super::super::asking::ask_yes;
use super::super::exit::Exit;
use super::super::hidden::{Typed, ask};
use super::super::keys::Here;
use super::super::preparation::random_word;
use super::super::surface::{Surface, complain, print};
use super::arguments::Onboard;
use crate::flow::{About, about_question, read_about};
use crate::inventory::login;
use crate::model::{
    Facts, Hop, Identity, Init, MachineName, Method, Platform, Privilege, Secret, SshTarget, Target,
};
use crate::probe::{Conversation, Limits, Opened};
use crate::report::safe;
use crate::resource::Answer;
use crate::store::{Project, Which, read_text, replace_text};
use crate::transport::{Connector as _, KnownHosts, Pinned, SshConnector, SshOptions, TransportError};

/// The longest password that is read from a file, in bytes.
const LONGEST_PASSWORD: u64 = 4096;

/// A machine that let us in.
pub(super) struct Door {
    /// What it says it is.
    pub(super) about: About,
    /// What let us in, and what else was tried.
    pub(super) identities: Vec<Identity>,
    /// Whether it was the seat's own key.
    pub(super) by_own_key: bool,
    /// The login user's password, when it was needed or given.
    pub(super) password: Option<Secret>,
    /// The way in with these identities.
    pub(super) target: Target,
    /// The pinned host keys, this machine's among them.
    pub(super) known_hosts: (String, String),
}

impl Door {
    /// Pins the machine's host key when it is not pinned yet and somebody says that it is right, logs in with
    /// whatever fits, and asks what the machine is. With a dry run nothing is pinned for good.
    pub(super) async fn open(
        arguments: &Onboard,
        project: &Project,
        here: &Here,
        name: &MachineName,
        surface: Surface,
    ) -> Result<Self, Exit> {
        let (user, host, port) = login(&arguments.login).map_err(|reason| {
            complain(&format!(
                "error: `{}` is not an SSH address: {reason}; expected USER@HOST or USER@HOST:PORT\n",
                arguments.login
            ));
            Exit::BadInput
        })?;
        let mut entrance = Entrance {
            arguments,
            surface,
            name,
            known_hosts: project.known_hosts.clone(),
            user: user.to_owned(),
            host: host.to_owned(),
            port,
        };
        let own = match project.access.get(name) {
            Some(Ok(own)) if here.keys.has(name, Which::Current) => own.clone(),
            _ => Vec::new(),
        };
        if !own.is_empty()
            && let Some(session) = entrance.try_with(own.clone()).await?
        {
            return entrance.ask_about(session, own, true, None).await;
        }
        let mut password = entrance.given_password()?;
        let keys = entrance.keys();
        let opened = entrance.try_with(keys.clone()).await?.map(|session| (session, keys));
        let (session, identities) = match opened {
            Some(opened) => opened,
            None => {
                if password.is_none() {
                    password = Some(entrance.ask_password("no key opens it. Password")?);
                }
                let by_password: Vec<Identity> =
                    password.clone().map(Identity::Password).into_iter().collect();
                match entrance.try_with(by_password.clone()).await? {
                    Some(session) => (session, by_password),
                    None => {
                        complain(&format!(
                            "error: {name}: failed to log in as {user}: neither a key nor the password opens it\n"
                        ));
                        return Err(Exit::Refused);
                    }
                }
            }
        };
        entrance.ask_about(session, identities, false, password).await
    }
}

/// What is needed to knock.
struct Entrance<'a> {
    arguments: &'a Onboard,
    surface: Surface,
    name: &'a MachineName,
    known_hosts: (String, String),
    user: String,
    host: String,
    port: u16,
}

impl Entrance<'_> {
    fn target(&self, identities: Vec<Identity>) -> Target {
        let hop = Hop { user: self.user.clone(), host: self.host.clone(), port: self.port, identities };
        Target {
            machine: self.name.clone(),
            method: Method::Ssh(SshTarget { hop, jumps: Vec::new(), former: None }),
            privilege: Privilege::Login,
        }
    }

    /// Knocks with these. Nothing when the login is refused.
    async fn try_with(
        &mut self,
        identities: Vec<Identity>,
    ) -> Result<Option<Box<dyn crate::transport::Session>>, Exit> {
        if identities.is_empty() {
            return Ok(None);
        }
        let target = self.target(identities);
        loop {
            let (file, text) = &self.known_hosts;
            let known_hosts = KnownHosts::parse(file, text).map_err(|error| {
                complain(&format!("error: failed to read the pinned host keys: {error}\n"));
                Exit::BadInput
            })?;
            match SshConnector::new(SshOptions::new(known_hosts)).connect(&target).await {
                Ok(session) => return Ok(Some(session)),
                Err(TransportError::UnknownHostKey { offered, line, .. }) => {
                    self.pin(&offered, &line).await?
                }
                Err(TransportError::LoginRefused { .. } | TransportError::Identity { .. }) => {
                    return Ok(None);
                }
                Err(error) => {
                    complain(&format!("error: {}: failed to {error}\n", self.name));
                    return Err(match error {
                        TransportError::Unreachable { .. }
                        | TransportError::TimedOut { .. }
                        | TransportError::Lost { .. } => Exit::Unreachable,
                        _ => Exit::Refused,
                    });
                }
            }
        }
    }

    /// Pins the host key that was shown, once somebody says that it is the machine's.
    async fn pin(&mut self, offered: &str, line: &str) -> Result<(), Exit> {
        let name = self.name;
        match &self.arguments.host_key_fingerprint {
            Some(expected) if offered.split(' ').any(|word| word == expected) => {}
            Some(expected) => {
                complain(&format!(
                    "error: {name}: the host key is {offered}, not {expected}; either something stands between, \
                     or the fingerprint is of another of its keys: nothing was pinned\n"
                ));
                return Err(Exit::Refused);
            }
            None if !self.surface.can_ask => {
                complain(&format!(
                    "error: {name}: its host key is not pinned: {offered}; compare it with what the machine itself \
                     says (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub) and say --host-key-fingerprint\n"
                ));
                return Err(Exit::Refused);
            }
            None => {
                complain(&format!(
                    "The host key of {}:{} is\n  {offered}\nThe machine itself says which it has: ssh-keygen -lf \
                     /etc/ssh/ssh_host_ed25519_key.pub\n",
                    self.host, self.port
                ));
                if !ask_yes("Is that the machine?").await? {
                    complain("nothing was changed\n");
                    return Err(Exit::Refused);
                }
            }
        }
        let (file, text) = &mut self.known_hosts;
        let key = line.split_once(' ').map_or(line, |(_, key)| key);
        let key = crate::transport::host_key(key).map_err(|reason| {
            complain(&format!("error: {name}: failed to read its host key: {reason}\n"));
            Exit::Error
        })?;
        match KnownHosts::pin(file, text, &self.host, self.port, &key) {
            Ok(Pinned::Added(new)) => *text = new,
            Ok(Pinned::Already) => {}
            Ok(Pinned::Revoked(line)) => {
                complain(&format!("error: {name}: its host key is marked @revoked in {file}, line {line}\n"));
                return Err(Exit::Refused);
            }
            Err(error) => {
                complain(&format!("error: failed to {error}\n"));
                return Err(Exit::BadInput);
            }
        }
        if self.arguments.dry_run {
            return Ok(());
        }
        let path = Path::new(file.as_str());
        let was = read_text(path).map_err(super::failed)?.map(|(_, digest)| digest);
        replace_text(path, text, was.as_ref()).map_err(super::failed)?;
        let said = format!("{name}: its host key is pinned in {file}\n");
        if self.arguments.change.look.json {
            complain(&said)
        } else {
            print(&said)
        }
        Ok(())
    }

    /// The keys that may open it: those that are named, the agent's, and the usual ones.
    fn keys(&self) -> Vec<Identity> {
        let mut keys: Vec<Identity> = self.arguments.key.iter().cloned().map(Identity::File).collect();
        if keys.is_empty() {
            keys.push(Identity::Agent);
            let home = std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE"));
            let folder = home.map(|home| Path::new(&home).join(".ssh"));
            for name in ["id_ed25519", "id_ecdsa", "id_rsa"] {
                keys.extend(
                    folder
                        .iter()
                        .map(|folder| folder.join(name))
                        .filter(|path| path.is_file())
                        .map(Identity::File),
                );
            }
        }
        keys
    }

    fn given_password(&self) -> Result<Option<Secret>, Exit> {
        let Some(path) = &self.arguments.password_file else { return Ok(None) };
        let failed = |error: std::io::Error| {
            complain(&format!("error: failed to read the password from {}: {error}\n", path.display()));
            Exit::BadInput
        };
        let mut bytes = Vec::with_capacity(4096);
        if path.as_os_str() == "-" {
            std::io::stdin().take(LONGEST_PASSWORD).read_to_end(&mut bytes).map_err(failed)?;
        } else {
            let file = std::fs::File::open(path).map_err(failed)?;
            file.take(LONGEST_PASSWORD).read_to_end(&mut bytes).map_err(failed)?;
        }
        while bytes.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
            bytes.pop();
        }
        Ok(Some(Secret::new(bytes)))
    }

    fn ask_password(&self, why: &str) -> Result<Secret, Exit> {
        if !self.surface.can_ask {
            complain(&format!(
                "error: {}: {why} is needed, and there is no terminal to ask on; say --key or --password-file\n",
                self.name
            ));
            return Err(Exit::Refused);
        }
        match ask(&format!("{}: {why} for {}@{}: ", self.name, self.user, self.host)) {
            Typed::Line(password) => Ok(password),
            Typed::Nothing | Typed::Interrupted => {
                complain("nothing was changed\n");
                Err(Exit::Interrupted)
            }
        }
    }

    /// Asks the machine what it is.
    async fn ask_about(
        &self,
        session: Box<dyn crate::transport::Session>,
        identities: Vec<Identity>,
        by_own_key: bool,
        password: Option<Secret>,
    ) -> Result<Door, Exit> {
        let target = self.target(identities.clone());
        let platform = Platform::Debian;
        let facts = Facts {
            platform,
            init: Init::Systemd,
            home: platform.default_home(&self.user),
            user: self.user.clone(),
            root: self.user == "root",
            state: None,
        };
        let limits = Limits {
            probe: std::time::Duration::from_secs(self.arguments.change.look.timeout),
            ..Limits::default()
        };
        let asked = vec![vec![about_question()]];
        let nonce = random_word();
        let opened = Conversation::open_asking(session, &target, &facts, asked, &nonce, None, limits).await;
        let Opened { conversation, observation, .. } = opened.map_err(|error| {
            complain(&format!("error: {}: failed to {error}\n", self.name));
            Exit::Error
        })?;
        conversation.close().await;
        let lines = match observation.answers.first().and_then(|answers| answers.first()) {
            Some(Answer::Lines(lines)) => lines.clone(),
            _ => Vec::new(),
        };
        let mut about = read_about(&lines, observation.machine);
        for text in [&mut about.named, &mut about.arch, &mut about.zone, &mut about.host] {
            *text = safe::line(text, self.surface.output);
        }
        let password = match (about.rights, password) {
            (crate::flow::Rights::Password, None) if !by_own_key => {
                Some(self.ask_password("sudo asks for a password. Password")?)
            }
            (_, password) => password,
        };
        Ok(Door { about, identities, by_own_key, password, target, known_hosts: self.known_hosts.clone() })
    }
}
