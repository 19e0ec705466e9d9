//! What happens to a run that is held.

use std::time::Duration;

use crate::boundary::{Held, Watch, lineage, name};
use crate::project::{Ran, Running};
use crate::rig::{Fault, RunningMachine};

/// Something that happens to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Harm {
    /// The controller is killed.
    ControllerKilled,
    /// The connection ends: the process that serves it is killed.
    ConnectionDropped,
    /// The cable is cut, and joined soon after.
    CableCut,
    /// Every sshd stands still for a while.
    SshdFrozen,
    /// The disk is full from now on, to the end of the run.
    DiskFull,
    /// The machine goes down without a warning.
    Crash,
    /// The machine restarts in order.
    Reboot,
}

impl Harm {
    pub(crate) const ALL: [Self; 7] = [
        Self::ControllerKilled,
        Self::ConnectionDropped,
        Self::CableCut,
        Self::SshdFrozen,
        Self::DiskFull,
        Self::Crash,
        Self::Reboot,
    ];

    /// Does it to the run that is held, lets the run go, waits for the end of the controller, and takes
    /// away what can be taken away.
    pub(crate) fn inflict(
        self,
        machine: &RunningMachine,
        running: Running,
        watch: Watch,
        held: &Held,
    ) -> Ran {
        let servers: Vec<u32> = lineage(held.shell)
            .into_iter()
            .skip(1)
            .take_while(|one| name(*one).is_some_and(|name| name.starts_with("sshd")))
            .collect();
        match self {
            Self::ControllerKilled => {
                running.signal("KILL");
                drop(watch);
            }
            Self::ConnectionDropped => {
                signal("KILL", &servers[..1]);
                drop(watch);
            }
            Self::CableCut => {
                machine.fault(Fault::Cut);
                drop(watch);
                std::thread::sleep(Duration::from_millis(150));
                machine.fault(Fault::Join);
            }
            Self::SshdFrozen => {
                signal("STOP", &servers);
                drop(watch);
                std::thread::sleep(Duration::from_millis(150));
                signal("CONT", &servers);
            }
            Self::DiskFull => {
                machine.fault(Fault::Fill);
                drop(watch);
                let ran = running.finish();
                machine.fault(Fault::Unfill);
                return ran;
            }
            Self::Crash => {
                machine.fault(Fault::Crash);
                drop(watch);
            }
            Self::Reboot => std::thread::scope(|scope| {
                scope.spawn(|| machine.fault(Fault::Reboot));
                // The shell hears that it is to end while it is held; held for longer, it could not.
                std::thread::sleep(Duration::from_millis(300));
                drop(watch);
            }),
        }
        running.finish()
    }
}

fn signal(name: &str, processes: &[u32]) {
    let mut kill = std::process::Command::new("kill");
    kill.arg(format!("-{name}")).args(processes.iter().map(ToString::to_string));
    assert!(kill.status().unwrap().success(), "failed to send {name} to {processes:?}");
}
