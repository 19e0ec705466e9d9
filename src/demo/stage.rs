//! Everything the demo starts, in one hand, so that it can all be taken down again.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use futures::future::join_all;

use super::error::DemoError;
use super::key;
use super::machine::{Apart, Machine, Programs};
use super::server::Server;

/// The machine that is tried first, to see how machines can be kept apart.
const TRIAL: &str = "trial";

/// The machines of the demo and the ways to them.
#[derive(Debug, Default)]
pub(super) struct Stage {
    /// All machines that were begun, so that none is forgotten when something fails.
    machines: Vec<Arc<Machine>>,
    members: BTreeMap<String, Member>,
}

/// A machine with its server.
#[derive(Debug)]
pub(super) struct Member {
    /// The machine itself.
    pub(super) machine: Arc<Machine>,
    server: Server,
}

/// How the machines are kept apart, and why not better.
#[derive(Debug)]
pub(super) struct Choice {
    /// The best that works.
    pub(super) apart: Apart,
    /// What does not work and why, a sentence each.
    pub(super) reasons: Vec<String>,
    /// Whether each machine has crontabs of its own. One that is a folder has this computer's, which
    /// is not to be touched.
    pub(super) crontab: bool,
    programs: Programs,
}

impl Stage {
    /// Finds out how machines can be kept apart here, by trying.
    pub(super) async fn choose(&mut self, folder: &Path) -> Choice {
        let (programs, missing) = Programs::along(&Programs::usual_path());
        let mut reasons = Vec::new();
        if !missing.is_empty() {
            reasons.push(format!("{} of util-linux is not installed", missing.join(" and ")));
        }
        let ways: &[Apart] = match (missing.is_empty(), rustix::process::geteuid().is_root()) {
            (false, _) => &[],
            (true, true) => &[Apart::Root, Apart::UserNamespace],
            (true, false) => &[Apart::UserNamespace],
        };
        for apart in ways {
            let reason = match Machine::begin(TRIAL, folder.join(TRIAL), *apart, &programs) {
                Ok(machine) => {
                    let machine = Arc::new(machine);
                    self.machines.push(Arc::clone(&machine));
                    let tried = tried(&machine).await;
                    machine.stop().await;
                    match tried {
                        Ok(crontab) => return Choice { apart: *apart, reasons, crontab, programs },
                        Err(reason) => reason,
                    }
                }
                Err(error) => format!("failed to {error}"),
            };
            reasons.push(match apart {
                Apart::UserNamespace => format!("a user namespace: {}", explained(&reason)),
                Apart::Root | Apart::Folder => format!("namespaces: {reason}"),
            });
        }
        Choice { apart: Apart::Folder, reasons, crontab: false, programs }
    }

    /// Starts the machines and their servers. Writes each one's key into `keys` and gives the lines
    /// that pin their host keys.
    ///
    /// # Errors
    /// [`DemoError::System`] when something cannot be started.
    pub(super) async fn raise(
        &mut self,
        names: &[String],
        choice: &Choice,
        machines: &Path,
        keys: &Path,
    ) -> Result<String, DemoError> {
        let mut rising = Vec::with_capacity(names.len());
        for name in names {
            // All of them come up at the same time.
            let machine = Machine::begin(name, machines.join(name), choice.apart, &choice.programs)?;
            let machine = Arc::new(machine);
            self.machines.push(Arc::clone(&machine));
            rising.push((name, machine));
        }
        let mut pins = String::new();
        for (name, machine) in rising {
            machine.ready().await.map_err(|reason| DemoError::system(format!("start {name}"), reason))?;
            let (host_key, access_key) = (key::fresh()?, key::fresh()?);
            key::write(&access_key, &keys.join(name))?;
            let opens = access_key.public_key().clone();
            let server = Server::start(Arc::clone(&machine), host_key.clone(), opens)?;
            let port = server.port();
            self.members.insert(name.clone(), Member { machine, server });
            pins.push_str(&key::pin(port, &host_key)?);
        }
        Ok(pins)
    }

    /// A machine by name.
    pub(super) fn member(&self, name: &str) -> Option<&Member> {
        self.members.get(name)
    }

    /// Takes everything down and waits until it is gone.
    pub(super) async fn strike(mut self) {
        // Machines first: what runs on them ends with them, and with that what serves it.
        join_all(self.machines.iter().map(|machine| machine.stop())).await;
        join_all(self.members.values_mut().map(|member| member.server.stop())).await;
    }
}

impl Member {
    /// The port of its SSH server on the loopback interface.
    pub(super) fn port(&self) -> u16 {
        self.server.port()
    }
}

/// Whether a machine that is coming up can be used, also by a program that enters it; and whether it
/// has crontabs of its own then.
async fn tried(machine: &Machine) -> Result<bool, String> {
    machine.ready().await?;
    let run = async |text: &str| machine.output(text).await.map_err(|error| error.to_string());
    let output = run("echo >/etc/tried && id -u").await?;
    if output.stdout != b"0\n" {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    let crontab = run("echo '# tried' | crontab - && [ \"$(crontab -l)\" = '# tried' ]").await?;
    Ok(crontab.status.success())
}

/// What a kernel setting has to do with a refusal, where one is known to cause it.
fn explained(reason: &str) -> String {
    const SETTINGS: [(&str, &str); 3] = [
        ("/proc/sys/kernel/unprivileged_userns_clone", "0"),
        ("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"),
        ("/proc/sys/user/max_user_namespaces", "0"),
    ];
    let is_set =
        |(file, value): &&(&str, &str)| std::fs::read_to_string(file).is_ok_and(|text| text.trim() == *value);
    match SETTINGS.iter().find(is_set) {
        Some((file, value)) => format!("{reason} ({file} is {value})"),
        None => reason.to_owned(),
    }
}
