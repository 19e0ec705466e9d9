//! What a run needs before the first connection: which machines, the way to each, and which are left out.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::arguments::Look;
use super::exit::Exit;
use super::identities::Need;
use super::saved;
use super::surface::{Surface, complain};
use crate::desired::{facts_of, resolve};
use crate::event::{Failure, FailureKind};
use crate::fleet::{Job, RunIdentity, RunOptions};
use crate::inventory::{Machine, Managed};
use crate::model::{FleetName, MachineName, nearest};
use crate::plan::SavedPlan;
use crate::probe::Limits;
use crate::report::MachineReport;
use crate::state::RunId;
use crate::store::{Project, Seat, target_of};
use crate::transport::{KnownHosts, LocalConnector, RoutingConnector, SshConnector, SshOptions};

/// Everything a run needs before the first connection.
pub(super) struct Preparation {
    /// The folder of the inventory.
    pub(super) folder: PathBuf,
    pub(super) fleet: FleetName,
    pub(super) fleet_name: String,
    pub(super) order: Vec<MachineName>,
    pub(super) jobs: Vec<Job>,
    pub(super) untouched: Vec<Untouched>,
    /// Machines that were not chosen: looked at when one that was waits for them.
    pub(super) others: Vec<Job>,
    pub(super) connector: RoutingConnector,
    pub(super) identity: RunIdentity,
    pub(super) project: Project,
}

/// A machine that is not contacted, and why.
pub(super) struct Untouched {
    name: MachineName,
    why: Why,
}

enum Why {
    Unsupported(String),
    Failed(Failure),
}

impl Untouched {
    /// Whether fleetprov cannot have changed anything there yet.
    pub(super) fn is_unsupported(&self) -> bool {
        matches!(self.why, Why::Unsupported(_))
    }

    pub(super) fn report(&self) -> MachineReport<'_> {
        let empty = MachineReport::new(&self.name);
        match &self.why {
            Why::Unsupported(reason) => MachineReport { unsupported: Some(reason), ..empty },
            Why::Failed(failure) => MachineReport { failure: Some(failure), ..empty },
        }
    }
}

impl Preparation {
    /// Loads what a run works on. With a plan file, the machines are those that it has.
    pub(super) fn new(
        look: &Look,
        plan_file: Option<(&Path, &SavedPlan)>,
        surface: Surface,
    ) -> Result<Self, Exit> {
        let project = super::load::project(
            &look.inventory,
            look.known_hosts.clone(),
            Need::Values,
            look.json,
            surface,
        )?;
        let chosen = match plan_file {
            Some((path, plan)) => {
                saved::check(path, plan, &project.inventory)?;
                Some(saved::machines(plan, &look.machines)?)
            }
            None => (!look.machines.is_empty()).then(|| look.machines.clone()),
        };
        Self::of(project, chosen.as_deref())
    }

    /// What a run works on, of a project that is loaded; all machines, unless some are chosen.
    pub(super) fn of(project: Project, chosen: Option<&[String]>) -> Result<Self, Exit> {
        let (file, text) = &project.known_hosts;
        let known_hosts = KnownHosts::parse(file, text).map_err(|error| {
            complain(&format!("error: failed to read the pinned host keys: {error}\n"));
            Exit::BadInput
        })?;
        let ssh = SshConnector::new(SshOptions::new(known_hosts));
        let connector = RoutingConnector::new(LocalConnector::new(), ssh);
        let Jobs { chosen: jobs, others, untouched } = jobs(&project, chosen)?;
        let order = project.fleet.machines.iter().map(|machine| machine.name.clone()).collect();
        let identity = identity(&project, "apply");
        let fleet_name = project.fleet.name.to_string();
        let (folder, fleet) = (project.folder.clone(), project.fleet.name.clone());
        Ok(Self { folder, fleet, fleet_name, order, jobs, untouched, others, connector, identity, project })
    }

    /// Makes it the preparation of a run that puts another one back, and nothing else.
    pub(super) fn undo(&mut self, run: &RunId) {
        self.identity = self.identity.clone().undoing(run.clone());
        self.others.clear();
        for job in &mut self.jobs {
            job.resolve = Arc::new(|_| Ok(Vec::new()));
        }
    }

    pub(super) fn options(&self, look: &Look, cancel: &CancellationToken) -> RunOptions {
        RunOptions {
            parallel: usize::from(look.parallel),
            limits: Limits { probe: Duration::from_secs(look.timeout), ..Limits::default() },
            nonces: Arc::new(random_word),
            cancel: cancel.clone(),
            identity: self.identity.clone(),
            lock_timeout: Duration::ZERO,
            only: None,
            farewell: false,
        }
    }
}

/// What a run that begins now is called.
pub(super) fn identity(project: &Project, what: &str) -> RunIdentity {
    RunIdentity::new(
        project.fleet.name.clone(),
        what,
        &Seat::here().who(),
        project.inventory.clone(),
        std::time::SystemTime::now(),
        &random_word(),
    )
    .with(project.beside)
}

/// The machines that were chosen, those that were not, and those that cannot be contacted.
#[derive(Default)]
struct Jobs {
    chosen: Vec<Job>,
    others: Vec<Job>,
    untouched: Vec<Untouched>,
}

/// Sorts the managed machines; without a choice, all are chosen.
fn jobs(project: &Project, only: Option<&[String]>) -> Result<Jobs, Exit> {
    let seat = Seat::here();
    let names: Vec<&str> = project.fleet.managed().map(|(machine, _)| machine.name.as_str()).collect();
    for name in only.unwrap_or_default() {
        if !names.contains(&name.as_str()) {
            complain(&super::render::unknown_machine(name, nearest(name, names.iter().copied())));
            return Err(Exit::BadInput);
        }
    }
    let mut jobs = Jobs::default();
    for (machine, managed) in project.fleet.managed() {
        let is_chosen = only.is_none_or(|only| only.iter().any(|name| name == machine.name.as_str()));
        let name = machine.name.clone();
        if !managed.platform.is_supported() {
            let why = Why::Unsupported(format!("platform {} is not supported yet", managed.platform));
            jobs.untouched.extend(is_chosen.then_some(Untouched { name, why }));
            continue;
        }
        match job(project, &seat, machine, managed) {
            Ok(job) => if is_chosen { &mut jobs.chosen } else { &mut jobs.others }.extend(job),
            Err(message) => {
                let failure = Failure { kind: FailureKind::Other, message };
                let failed = Untouched { name, why: Why::Failed(failure) };
                jobs.untouched.extend(is_chosen.then_some(failed));
            }
        }
    }
    Ok(jobs)
}

/// A managed machine's part in a run; none for one of which no facts are declared.
fn job(project: &Project, seat: &Seat, machine: &Machine, managed: &Managed) -> Result<Option<Job>, String> {
    let Some(facts) = facts_of(machine) else { return Ok(None) };
    let target = target_of(project, seat, machine, managed)?;
    let (fleet, library, own) = (Arc::clone(&project.fleet), Arc::clone(&project.library), machine.clone());
    let resolve = move |facts: &_| {
        resolve(&fleet, &own, &library, facts).map_err(|problems| {
            let first = problems.sorted().first().map(|problem| problem.message.clone());
            format!("resolve its resources: {}", first.unwrap_or_default())
        })
    };
    Ok(Some(Job { machine: machine.name.clone(), target, facts, resolve: Arc::new(resolve) }))
}

/// The parts of these machines in a run, as the project is now.
pub(super) fn jobs_of(project: &Project, names: &BTreeSet<MachineName>) -> Vec<Job> {
    let seat = Seat::here();
    let chosen = project.fleet.managed().filter(|(machine, _)| names.contains(&machine.name));
    chosen.filter_map(|(machine, managed)| job(project, &seat, machine, managed).ok().flatten()).collect()
}

/// 128 random bits as hexadecimal digits.
pub(super) fn random_word() -> String {
    let mut bytes = [0_u8; 16];
    if let Err(error) = getrandom::fill(&mut bytes) {
        // Without randomness a frame could be guessed and a digest of a secret be looked up.
        complain(&format!("error: failed to get random numbers from the system: {error}\n"));
        std::process::exit(i32::from(Exit::Error.code()));
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
