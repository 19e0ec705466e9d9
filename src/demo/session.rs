//! Runs over the demo's fleet, on the same road as every other run.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::error::DemoError;
use super::inventory::Written;
use crate::desired::{facts_of, resolve, resolve_all};
use crate::event::{Event, Happening};
use crate::fleet::{Job, Outcome, Prepared, Run, RunIdentity, RunOptions};
use crate::model::{Diagnostics, Digest};
use crate::probe::Limits;
use crate::report::{self, MachineReport, Style};
use crate::store::{LoadError, Project, ProjectOptions, Seat, load, target_of};
use crate::transport::{KnownHosts, SshConnector, SshOptions};

/// How many machines at once: all of them.
const PARALLEL: usize = 50;

/// The demo's fleet, ready to be run over.
pub(super) struct Session {
    project: Project,
    connector: SshConnector,
    options: RunOptions,
    /// What machines said of themselves that the inventory does not.
    surprises: Mutex<Vec<String>>,
}

impl Session {
    /// Loads what was written and checks all of it. Nothing is contacted.
    ///
    /// # Errors
    /// [`DemoError::Broken`] with what is wrong.
    pub(super) fn open(written: &Written) -> Result<Self, DemoError> {
        let options = ProjectOptions {
            inventory: written.inventory.clone(),
            overlay: Some(written.overlay.clone()),
            ..ProjectOptions::default()
        };
        let project = load(&options).map_err(|error| match error {
            LoadError::Invalid(problems) => invalid(&problems),
            LoadError::Read { .. } | LoadError::Identity(_) => DemoError::Broken(error.to_string()),
        })?;
        resolve_all(&project.fleet, &project.library).map_err(|problems| invalid(&problems))?;
        let (file, text) = &project.known_hosts;
        let known_hosts =
            KnownHosts::parse(file, text).map_err(|error| DemoError::Broken(error.to_string()))?;
        let mut seed = [0_u8; 32];
        getrandom::fill(&mut seed)
            .map_err(|error| DemoError::system("get random numbers from the system", error))?;
        let counter = AtomicU64::new(0);
        let options = RunOptions {
            parallel: PARALLEL,
            limits: Limits::default(),
            nonces: Arc::new(move || {
                let number = counter.fetch_add(1, Ordering::Relaxed).to_string();
                Digest::of(&[&seed, number.as_bytes()].concat()).to_string()
            }),
            // Whoever tells the story stops listening to all of it.
            cancel: CancellationToken::new(),
            identity: RunIdentity::new(
                project.fleet.name.clone(),
                "apply",
                &Seat::here().who(),
                project.inventory.clone(),
                std::time::SystemTime::now(),
                &Digest::of(&seed).to_string(),
            ),
            lock_timeout: Duration::ZERO,
            only: None,
            farewell: false,
        };
        let connector = SshConnector::new(SshOptions::new(known_hosts));
        Ok(Self { project, connector, options, surprises: Mutex::default() })
    }

    /// How the next run behaves; each has a name of its own.
    fn options(&self) -> RunOptions {
        let identity = RunIdentity::new(
            self.project.fleet.name.clone(),
            "apply",
            &Seat::here().who(),
            self.project.inventory.clone(),
            std::time::SystemTime::now(),
            &(self.options.nonces)(),
        );
        RunOptions { identity, ..self.options.clone() }
    }

    /// How many machines there are to log in to, and how many members there are besides.
    pub(super) fn members(&self) -> (usize, usize) {
        let managed = self.project.fleet.managed().count();
        (managed, self.project.fleet.machines.len() - managed)
    }

    /// Looks at every machine and computes what would change.
    ///
    /// # Errors
    /// [`DemoError::Broken`] when a machine has no address or no key.
    pub(super) async fn plan(&self) -> Result<Vec<Prepared>, DemoError> {
        let jobs = self.jobs()?;
        let tell = |event| self.hear(event);
        let prepared = Run::new(&self.connector, self.options(), &tell).prepare(jobs).await;
        match self.surprises.lock().ok().and_then(|mut surprises| surprises.pop()) {
            Some(surprise) => Err(DemoError::Broken(surprise)),
            None => Ok(prepared),
        }
    }

    /// Makes the changes.
    pub(super) async fn apply(&self, prepared: Vec<Prepared>) -> Vec<Outcome> {
        let tell = |event| self.hear(event);
        Run::new(&self.connector, self.options(), &tell).apply(prepared).await
    }

    fn hear(&self, event: Event) {
        if let Happening::FactsDiffer { differences } = event.what
            && let Ok(mut surprises) = self.surprises.lock()
        {
            surprises.push(format!("{}: {}", event.machine, differences.join(", ")));
        }
    }

    fn jobs(&self) -> Result<Vec<Job>, DemoError> {
        let seat = Seat::here();
        let mut jobs = Vec::new();
        for (machine, managed) in self.project.fleet.managed() {
            let Some(facts) = facts_of(machine) else { continue };
            let target = target_of(&self.project, &seat, machine, managed).map_err(DemoError::Broken)?;
            let (fleet, library) = (Arc::clone(&self.project.fleet), Arc::clone(&self.project.library));
            let own = machine.clone();
            jobs.push(Job {
                machine: machine.name.clone(),
                target,
                facts,
                resolve: Arc::new(move |facts| {
                    resolve(&fleet, &own, &library, facts).map_err(|problems| invalid(&problems).to_string())
                }),
            });
        }
        Ok(jobs)
    }
}

/// The plans as `fleetprov plan` shows them, with the closing table.
pub(super) fn show_plans(prepared: &[Prepared], style: Style) -> String {
    let machines: Vec<MachineReport<'_>> = prepared
        .iter()
        .map(|one| MachineReport {
            plan: one.result.as_ref().ok().map(|ready| ready.plan.as_ref()),
            failure: one.result.as_ref().err(),
            ..MachineReport::new(&one.machine)
        })
        .collect();
    format!("{}\n{}", report::plans(&machines, style), report::summary(&machines, style))
}

/// What was done as `fleetprov apply` shows it, with the closing table.
pub(super) fn show_outcomes(outcomes: &[Outcome], style: Style) -> String {
    let machines: Vec<MachineReport<'_>> = outcomes
        .iter()
        .map(|one| MachineReport {
            plan: one.plan.as_deref(),
            steps: &one.steps,
            left: one.left.as_deref(),
            failure: one.failure.as_ref(),
            ..MachineReport::new(&one.machine)
        })
        .collect();
    let outcomes = report::outcomes(&machines, style);
    let space = if outcomes.is_empty() { "" } else { "\n" };
    format!("{outcomes}{space}{}", report::summary(&machines, style))
}

/// A path as the commands shown to the reader have it.
pub(super) fn shown(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn invalid(problems: &Diagnostics) -> DemoError {
    let text = report::diagnostics(problems, Style::PLAIN);
    DemoError::Broken(format!("its inventory is not valid:\n{text}"))
}
