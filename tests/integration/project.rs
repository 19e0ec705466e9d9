//! A project for the machines of a rig: an inventory with a role for each machine, their login
//! keys, the pinned host keys, secrets. Runs the built `fleetprov` on it, or drives the library.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use age::secrecy::ExposeSecret as _;
use fleetprov::desired::{facts_of, resolve};
use fleetprov::event::Event;
use fleetprov::fleet::{Job, Outcome, Prepared, Run, RunIdentity, RunOptions};
use fleetprov::probe::Limits;
use fleetprov::store::{Identities, ProjectOptions, Seat, load, target_of};
use fleetprov::transport::{KnownHosts, SshConnector, SshOptions};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::rig::{Rig, RunningMachine};

/// A folder with everything a run needs. Gone with the value.
pub(crate) struct Project {
    folder: TempDir,
    machines: BTreeMap<String, String>,
    rest: String,
    identity: age::x25519::Identity,
}

impl Project {
    /// A project that trusts the machines of a rig and manages none of them yet.
    pub(crate) fn new(rig: &Rig) -> Self {
        let folder = tempfile::Builder::new().prefix("fleetprov-project-").tempdir().unwrap();
        for below in ["keys", "roles", "secrets", "files", "templates"] {
            std::fs::create_dir(folder.path().join(below)).unwrap();
        }
        std::fs::copy(rig.known_hosts(), folder.path().join("known_hosts")).unwrap();
        let identity = age::x25519::Identity::generate();
        std::fs::write(folder.path().join("identity"), identity.to_string().expose_secret()).unwrap();
        Self { folder, machines: BTreeMap::new(), rest: String::new(), identity }
    }

    /// Manages a machine under a login, with a key of its own. `more` is YAML for the machine's
    /// map, such as `privilege: sudo`; `resources` is the list of its role.
    pub(crate) fn machine(
        mut self,
        machine: &RunningMachine,
        user: &str,
        more: &str,
        resources: &str,
    ) -> Self {
        let name = machine.name();
        let public = make_key(&self.path("keys").join(name));
        let script = format!(
            "home=$(getent passwd {user} | cut -d : -f 6) && cat >>\"$home/.ssh/authorized_keys\" && \
             if [ -d /run/systemd/system ]; then echo systemd; else echo sysv; fi"
        );
        let output = machine.run_with_input(&["sh", "-c", &script], public.as_bytes());
        assert!(output.success(), "{output:?}");
        let entry = format!(
            "{{tier: all, platform: debian, init: {}, connect: {{ssh: \"{user}@{}\", key: keys/{name}}}, \
             roles: [{name}]{}{more}}}",
            output.text(),
            machine.address(),
            if more.is_empty() { "" } else { ", " },
        );
        self.machines.insert(name.to_owned(), entry);
        self.declare(name, resources);
        self.write_inventory();
        self
    }

    /// Replaces a text in what the inventory says of a machine.
    pub(crate) fn alter(&mut self, machine: &str, from: &str, to: &str) {
        let entry = self.machines.get_mut(machine).expect("a machine of the project");
        assert!(entry.contains(from), "{entry}");
        *entry = entry.replace(from, to);
        self.write_inventory();
    }

    /// Sets what stands in the inventory besides the machines: its backups, links, services.
    pub(crate) fn rest(&mut self, text: &str) {
        self.rest = text.to_owned();
        self.write_inventory();
    }

    /// Replaces what a machine is to be.
    pub(crate) fn declare(&self, machine: &str, resources: &str) {
        self.file(&format!("roles/{machine}.yaml"), format!("role: {machine}\nresources:\n{resources}\n"));
    }

    /// Writes a file of the project.
    pub(crate) fn file(&self, path: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(path), bytes).unwrap();
    }

    /// Writes a secret, encrypted.
    pub(crate) fn secret(&self, name: &str, bytes: &[u8]) {
        let sealed = age::encrypt(&self.identity.to_public(), bytes).unwrap();
        self.file(&format!("secrets/{name}.age"), sealed);
    }

    /// A value sealed in place, in one line.
    pub(crate) fn sealed(&self, bytes: &[u8]) -> String {
        age::encrypt_and_armor(&self.identity.to_public(), bytes).unwrap().replace('\n', " ")
    }

    /// A path inside the project's folder.
    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// `fleetprov plan`, with more arguments.
    pub(crate) fn plan(&self, more: &[&str]) -> Ran {
        self.run("plan", more)
    }

    /// `fleetprov drift`, with more arguments.
    pub(crate) fn drift(&self, more: &[&str]) -> Ran {
        self.run("drift", more)
    }

    /// `fleetprov apply --yes`, with more arguments. What was declared before may be declared again.
    pub(crate) fn apply(&self, more: &[&str]) -> Ran {
        self.run("apply", &[&["--yes", "--allow-older"], more].concat())
    }

    /// Applies, however much that removes, which must succeed; and plans, which must find nothing.
    pub(crate) fn converge(&self) {
        self.apply(&["--allow-prune"]).expect(0);
        self.plan(&[]).expect(0);
    }

    /// `fleetprov COMMAND`, with more arguments.
    pub(crate) fn run(&self, command: &str, more: &[&str]) -> Ran {
        let output = self.command(command, more).output().expect("fleetprov runs");
        Ran::of(output)
    }

    /// Starts `fleetprov` and lets it run.
    pub(crate) fn start(&self, command: &str, more: &[&str]) -> Running {
        let create = |name| std::fs::File::create(self.path(name)).unwrap();
        let child = self
            .command(command, more)
            .stdout(create("stdout"))
            .stderr(create("stderr"))
            .spawn()
            .expect("fleetprov runs");
        Running { child, folder: self.folder.path().to_owned() }
    }

    /// `fleetprov COMMAND`, with more arguments, not started yet.
    pub(crate) fn command(&self, name: &str, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fleetprov"));
        command
            .arg(name)
            .arg(self.path("inventory.yaml"))
            .args([OsStr::new("--identity"), self.path("identity").as_os_str()])
            .args(more)
            .env_remove("SSH_AUTH_SOCK")
            // The seat's own folder.
            .env("XDG_CONFIG_HOME", self.path("config"))
            .stdin(Stdio::null());
        command
    }

    /// `fleetprov keys WHAT`, with more arguments, not started yet.
    pub(crate) fn keys(&self, what: &str, more: &[&str]) -> Command {
        let command = self.command(what, more);
        let mut keys = Command::new(command.get_program());
        keys.arg("keys").args(command.get_args()).stdin(Stdio::null());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => keys.env(name, value),
                None => keys.env_remove(name),
            };
        }
        keys
    }

    /// Leaves a machine's key, which was brought along, out of the inventory, and the key itself.
    pub(crate) fn forget_key(&mut self, machine: &str) {
        let entry = self.machines.get_mut(machine).expect("a machine of the project");
        *entry = entry.replace(&format!(", key: keys/{machine}"), "");
        std::fs::remove_file(self.path("keys").join(machine)).unwrap();
        self.write_inventory();
    }

    fn write_inventory(&self) {
        let mut text = "fleet: lab\ntiers:\n  all: {pattern: mesh}\nmachines:\n".to_owned();
        for (name, entry) in &self.machines {
            text.push_str(&format!("  {name}: {entry}\n"));
        }
        text.push_str(&self.rest);
        self.file("inventory.yaml", text);
    }

    /// Drives the library as the command line does, so that a test sees what went over the wire.
    pub(crate) fn library(&self) -> Library {
        let mut identities = Identities::default();
        identities.add_file(&self.path("identity")).unwrap();
        let options = ProjectOptions {
            inventory: self.path("inventory.yaml"),
            identities: Arc::new(identities),
            ..ProjectOptions::default()
        };
        let project = load(&options).unwrap();
        let (file, text) = &project.known_hosts;
        Library {
            connector: SshConnector::new(SshOptions::new(KnownHosts::parse(file, text).unwrap())),
            project,
            counter: Arc::new(AtomicU64::new(0)),
        }
    }
}

/// The library on a loaded project.
pub(crate) struct Library {
    project: fleetprov::store::Project,
    pub(crate) connector: SshConnector,
    counter: Arc<AtomicU64>,
}

impl Library {
    /// One part in a run for each machine.
    pub(crate) fn jobs(&self) -> Vec<Job> {
        let seat = Seat::here();
        let managed = self.project.fleet.managed();
        managed
            .map(|(machine, managed)| {
                let (fleet, library) = (Arc::clone(&self.project.fleet), Arc::clone(&self.project.library));
                let own = machine.clone();
                Job {
                    machine: machine.name.clone(),
                    target: target_of(&self.project, &seat, machine, managed).unwrap(),
                    facts: facts_of(machine).unwrap(),
                    resolve: Arc::new(move |facts| {
                        resolve(&fleet, &own, &library, facts).map_err(|problems| format!("{problems:?}"))
                    }),
                }
            })
            .collect()
    }

    /// Options with as many machines at once as there are by default.
    pub(crate) fn options(&self) -> RunOptions {
        let counter = Arc::clone(&self.counter);
        RunOptions {
            parallel: 50,
            limits: Limits::default(),
            nonces: Arc::new(move || {
                format!("n{}x{}", std::process::id(), counter.fetch_add(1, Ordering::Relaxed))
            }),
            cancel: CancellationToken::new(),
            identity: RunIdentity::new(
                self.project.fleet.name.clone(),
                "apply",
                "tester@rig",
                self.project.inventory.clone(),
                std::time::SystemTime::now(),
                &format!("test{}", self.counter.fetch_add(1, Ordering::Relaxed)),
            ),
            lock_timeout: std::time::Duration::ZERO,
            only: None,
            farewell: false,
        }
    }

    /// Plans.
    pub(crate) fn plan(&self) -> Vec<Prepared> {
        let tell = |_: Event| {};
        let run = Run::new(&self.connector, self.options(), &tell);
        runtime().block_on(run.prepare(self.jobs()))
    }

    /// Plans and applies.
    pub(crate) fn apply(&self) -> Vec<Outcome> {
        let tell = |_: Event| {};
        let run = Run::new(&self.connector, self.options(), &tell);
        runtime().block_on(async {
            let prepared = run.prepare(self.jobs()).await;
            run.apply(prepared).await
        })
    }
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Makes an ed25519 key pair without a passphrase and gives the public line.
pub(crate) fn make_key(path: &Path) -> String {
    let status = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"])
        .arg(path)
        .stdin(Stdio::null())
        .status()
        .expect("ssh-keygen runs");
    assert!(status.success());
    std::fs::read_to_string(path.with_extension("pub")).unwrap()
}

/// A run of `fleetprov` that has not ended yet. What it prints goes to files.
pub(crate) struct Running {
    child: Child,
    folder: PathBuf,
}

impl Running {
    /// The process's number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Sends it a signal, named without `SIG`.
    pub(crate) fn signal(&self, name: &str) {
        let status =
            Command::new("kill").arg(format!("-{name}")).arg(self.id().to_string()).status().unwrap();
        assert!(status.success());
    }

    /// Waits for its end.
    pub(crate) fn finish(mut self) -> Ran {
        let status = self.child.wait().unwrap();
        let read = |name| std::fs::read(self.folder.join(name)).unwrap();
        Ran::of(std::process::Output { status, stdout: read("stdout"), stderr: read("stderr") })
    }
}

/// What a run of `fleetprov` did.
pub(crate) struct Ran {
    /// The exit code; none when a signal ended it.
    pub(crate) code: Option<i32>,
    /// What it printed.
    pub(crate) stdout: String,
    /// What it complained about.
    pub(crate) stderr: String,
}

impl Ran {
    /// Reads what a finished process left.
    pub(crate) fn of(output: std::process::Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Asserts the exit code.
    #[track_caller]
    pub(crate) fn expect(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Asserts that a text was printed, wherever.
    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> &Self {
        assert!(self.words().contains(text), "{text:?} is not said\n{self}");
        self
    }

    /// Asserts that a text was printed nowhere.
    #[track_caller]
    pub(crate) fn hides(&self, text: &str) -> &Self {
        assert!(!self.words().contains(text), "{text:?} is said\n{self}");
        self
    }

    /// All that was printed, with every run of white space as one space: reports wrap their lines.
    pub(crate) fn words(&self) -> String {
        let all = format!("{} {}", self.stdout, self.stderr);
        all.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "exit code {:?}\n{}\n{}", self.code, self.stdout, self.stderr)
    }
}
