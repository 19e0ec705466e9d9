//! A run: probe and plan many machines, then apply to those that were agreed to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use futures::stream;
use tokio_util::sync::CancellationToken;

use super::applying::TO_BE_WRITTEN;
use super::binding::{self, Binding};
use super::consent::{self, Consent};
use super::course::{self, Course};
use super::failure;
use super::identity::RunIdentity;
use super::memory::Memory;
use super::rounds::exports;
use crate::event::{Event, Failure, FailureKind, Happening, StepOutcome};
use crate::model::{Facts, MachineName, ResourceId, Target};
use crate::plan::{Plan, SavedMachine, SavedPlan};
use crate::probe::{Conversation, Limits, Opened};
use crate::resource::{Declared, Observation, Surroundings};
use crate::transport::{Connector, Tally};

/// One machine's part in a run.
pub struct Job {
    /// The machine.
    pub machine: MachineName,
    /// The way there.
    pub target: Target,
    /// What the inventory says it is.
    pub facts: Facts,
    /// What it is to be, by what it is. Called again when the machine's own facts differ.
    pub resolve: Resolve,
}

/// Gives the resources of a machine that is what the facts say; the error is for a person.
pub type Resolve = Arc<dyn Fn(&Facts) -> Result<Vec<Declared>, String> + Send + Sync>;

/// Gives fresh random words: a frame's nonce, a digest's key. Letters and digits only.
pub type Nonces = Arc<dyn Fn() -> String + Send + Sync>;

/// How a run behaves.
#[derive(Clone)]
pub struct RunOptions {
    /// How many machines at once, and how many sessions are held while a question waits.
    pub parallel: usize,
    /// How long to wait for a machine.
    pub limits: Limits,
    /// Randomness.
    pub nonces: Nonces,
    /// Ends the run early: no machine is begun any more, those under way are let go of.
    pub cancel: CancellationToken,
    /// What the run is called on the machines.
    pub identity: RunIdentity,
    /// How long to wait for a machine that another run is at work on.
    pub lock_timeout: Duration,
    /// The resources that are changed; all, unless given.
    pub only: Option<Chosen>,
    /// Whether the machines are left for good: nothing is guarded, since nobody is to get in afterwards.
    pub farewell: bool,
}

/// Says which resources a run is about.
pub type Chosen = Arc<dyn Fn(&ResourceId) -> bool + Send + Sync>;

/// A run over many machines.
pub struct Run<'a> {
    pub(super) connector: &'a dyn Connector,
    pub(super) options: RunOptions,
    tell: &'a (dyn Fn(Event) + Send + Sync),
    saved: Option<Arc<SavedPlan>>,
    /// The resources that may change though the saved plan does not have them so.
    pub(super) announced: Option<Chosen>,
}

/// A machine whose plan is known, or that cannot be worked on.
pub struct Prepared {
    /// The machine.
    pub machine: MachineName,
    /// Its plan, or why there is none.
    pub result: Result<Ready, Failure>,
}

/// A machine whose plan is known.
pub struct Ready {
    /// What would change.
    pub plan: Arc<Plan>,
    /// What it says of itself that the inventory does not, one sentence each.
    pub notes: Vec<String>,
    /// Steps that are not made, by their indices, and why: a saved plan has them otherwise.
    pub stale: BTreeMap<usize, String>,
    /// Changes that are not made and not part of the plan, because the saved plan does not have them.
    pub unplanned: Vec<ResourceId>,
    /// What a person has to agree to in so many words.
    pub consents: Vec<Consent>,
    /// Values born on the machine that others need ([`crate::resource::Resource::export`]), by the resource they are of.
    pub exports: Vec<(ResourceId, String)>,
    /// What went over the connection.
    pub tally: Tally,
    /// What an apply writes down although it changes nothing.
    pub(super) news: Option<String>,
    pub(super) job: Job,
    pub(super) declared: Vec<Declared>,
    pub(super) surroundings: Surroundings,
    pub(super) memory: Memory,
    pub(super) salt: String,
    pub(super) conversation: Option<Conversation>,
    pub(super) since: Instant,
    /// The way by which it was reached: the declared one, or the former one.
    pub(super) way: Target,
}

/// What became of one machine.
#[derive(Debug)]
pub struct Outcome {
    /// The machine.
    pub machine: MachineName,
    /// The plan that was applied; none when there never was one.
    pub plan: Option<Arc<Plan>>,
    /// For each step of the plan, how it ended.
    pub steps: Vec<StepOutcome>,
    /// Changes that were not to be made, because the saved plan does not have them.
    pub unplanned: Vec<ResourceId>,
    /// What is still left to do, when it could be looked at again.
    pub left: Option<Arc<Plan>>,
    /// As [`Ready::exports`], when it could be looked at again.
    pub exports: Vec<(ResourceId, String)>,
    /// What it says of itself that the inventory does not, one sentence each.
    pub notes: Vec<String>,
    /// What has come out of the apply that a person should know, one sentence each.
    pub learned: Vec<String>,
    /// What stopped the work on it.
    pub failure: Option<Failure>,
    /// What went over the connection.
    pub tally: Tally,
}

impl<'a> Run<'a> {
    /// A run over a connector. `tell` hears what happens, as it happens.
    #[must_use]
    pub fn new(
        connector: &'a dyn Connector,
        options: RunOptions,
        tell: &'a (dyn Fn(Event) + Send + Sync),
    ) -> Self {
        Self { connector, options, tell, saved: None, announced: None }
    }

    /// The same run, but on the machines of a saved plan it makes only what that holds, as it was shown.
    #[must_use]
    pub fn bound_to(self, saved: Arc<SavedPlan>) -> Self {
        Self { saved: Some(saved), ..self }
    }

    /// The same run, with resources that may change though the saved plan does not have them, or has them
    /// otherwise: whoever agreed to it was told so.
    #[must_use]
    pub fn announcing(self, announced: Chosen) -> Self {
        Self { announced: Some(announced), ..self }
    }

    /// Asks all machines and computes their plans, in the order of the jobs. Sessions of machines
    /// that have something to do stay open, as many as run at once. Machines that wait for each other are
    /// refused.
    pub async fn prepare(&self, jobs: Vec<Job>) -> Vec<Prepared> {
        let mut prepared = self.look_at(jobs).await;
        for (machine, failure) in course::circles(&prepared) {
            let Some(one) = prepared.iter_mut().find(|one| one.machine == machine) else { continue };
            self.tell(&machine, Happening::Failed(failure.clone()));
            if let Ok(ready) = std::mem::replace(&mut one.result, Err(failure)) {
                ready.let_go().await;
            }
        }
        prepared
    }

    /// Looks at those of `others` that a prepared machine waits for and that are not prepared. They hold
    /// no session, and nothing is changed on them.
    pub async fn look_at_awaited(&self, prepared: &[Prepared], others: Vec<Job>) -> Vec<Prepared> {
        let ready = prepared.iter().filter_map(|one| one.result.as_ref().ok());
        let awaited: BTreeSet<&MachineName> = ready.flat_map(|ready| ready.plan.awaited()).collect();
        let is_new = |job: &Job| !prepared.iter().any(|one| one.machine == job.machine);
        let jobs = others.into_iter().filter(|job| awaited.contains(&job.machine) && is_new(job)).collect();
        let mut looked = self.look_at(jobs).await;
        for one in &mut looked {
            if let Ok(ready) = &mut one.result
                && let Some(conversation) = ready.conversation.take()
            {
                conversation.close().await;
            }
        }
        looked
    }

    /// Asks all machines and computes their plans, in the order of the jobs.
    async fn look_at(&self, jobs: Vec<Job>) -> Vec<Prepared> {
        let held = Arc::new(tokio::sync::Semaphore::new(self.options.parallel));
        self.each(jobs.into_iter().enumerate(), |job| {
            let held = Arc::clone(&held);
            async move {
                let machine = job.machine.clone();
                let result = self.cancellable(self.prepare_one(job)).await;
                let result = match result {
                    Ok(mut ready) => {
                        // A session is worth holding only for a plan that may be applied.
                        let keep = (!ready.plan.steps.is_empty() || ready.has_news())
                            && held.try_acquire().map(tokio::sync::SemaphorePermit::forget).is_ok();
                        if !keep && let Some(conversation) = ready.conversation.take() {
                            conversation.close().await;
                        }
                        self.tell(&machine, Happening::Planned(Arc::clone(&ready.plan)));
                        Ok(ready)
                    }
                    Err(failure) => {
                        self.tell(&machine, Happening::Failed(failure.clone()));
                        Err(failure)
                    }
                };
                Prepared { machine, result }
            }
        })
        .await
    }

    /// Applies the plans that were prepared, verifies each over its own session, and gives what
    /// became of every machine in the order of `prepared`.
    pub async fn apply(&self, prepared: Vec<Prepared>) -> Vec<Outcome> {
        self.apply_beside(prepared, &[]).await
    }

    /// As [`Run::apply`], with machines that were looked at and are not changed: steps may wait for them.
    pub async fn apply_beside(&self, prepared: Vec<Prepared>, beside: &[Prepared]) -> Vec<Outcome> {
        let course = &Course::new(&prepared, beside);
        let order = course::order(&prepared);
        let mut waiting: Vec<Option<Prepared>> = prepared.into_iter().map(Some).collect();
        let queue: Vec<(usize, Prepared)> = order
            .into_iter()
            .filter_map(|index| Some((index, waiting.get_mut(index).and_then(Option::take)?)))
            .collect();
        self.each(queue, |prepared| async move {
            let outcome = self.apply_prepared(prepared, course).await;
            course.tell(&outcome);
            outcome
        })
        .await
    }

    async fn apply_prepared(&self, prepared: Prepared, course: &Course) -> Outcome {
        let machine = prepared.machine;
        match prepared.result {
            Ok(ready) if ready.plan.steps.is_empty() && !ready.has_news() => Outcome {
                machine,
                left: Some(Arc::clone(&ready.plan)),
                plan: Some(ready.plan),
                steps: Vec::new(),
                unplanned: ready.unplanned,
                exports: ready.exports,
                notes: ready.notes,
                learned: Vec::new(),
                failure: None,
                tally: ready.tally,
            },
            // A saved plan of which nothing holds any more: there is nothing to begin.
            Ok(mut ready) if !ready.has_changes() && !ready.has_news() => Outcome {
                machine,
                left: Some(Arc::clone(&ready.plan)),
                plan: Some(Arc::clone(&ready.plan)),
                steps: binding::barred(&ready.stale).into_values().collect(),
                unplanned: std::mem::take(&mut ready.unplanned),
                exports: std::mem::take(&mut ready.exports),
                notes: std::mem::take(&mut ready.notes),
                learned: Vec::new(),
                failure: None,
                tally: ready.let_go().await,
            },
            Ok(ready) => self.apply_one(machine, ready, course).await,
            Err(failure) => Outcome {
                machine,
                plan: None,
                steps: Vec::new(),
                unplanned: Vec::new(),
                left: None,
                exports: Vec::new(),
                notes: Vec::new(),
                learned: Vec::new(),
                failure: Some(failure),
                tally: Tally::default(),
            },
        }
    }

    /// Works on many at once, begins them in the order given and gives the results in the order of their
    /// numbers. One that takes long takes one place of those that run at once, and no other waits for it.
    pub(super) async fn each<I, T, F>(
        &self,
        items: impl IntoIterator<Item = (usize, I)>,
        work: impl Fn(I) -> F,
    ) -> Vec<T>
    where
        F: Future<Output = T>,
    {
        let numbered = stream::iter(items).map(|(number, item)| {
            let working = work(item);
            async move { (number, working.await) }
        });
        let mut done: Vec<(usize, T)> =
            numbered.buffer_unordered(self.options.parallel.max(1)).collect().await;
        done.sort_unstable_by_key(|(number, _)| *number);
        done.into_iter().map(|(_, result)| result).collect()
    }

    pub(super) fn tell(&self, machine: &MachineName, what: Happening) {
        (self.tell)(Event { machine: machine.clone(), what });
    }

    pub(super) async fn cancellable<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            biased;
            () = self.options.cancel.cancelled() => Err(interrupted()),
            result = work => result,
        }
    }

    async fn prepare_one(&self, mut job: Job) -> Result<Ready, Failure> {
        self.tell(&job.machine, Happening::Connecting);
        let mut declared = (job.resolve)(&job.facts).map_err(other)?;
        let mut surroundings = self.surroundings(&job.machine, &declared);
        let (mut opened, mut way) = self.reach(&job, &declared, &surroundings).await?;
        let differences = correct(&mut job.facts, &opened.observation);
        if !differences.is_empty() {
            // Once: what the machine says now is what counts.
            self.tell(&job.machine, Happening::FactsDiffer { differences: differences.clone() });
            opened.conversation.close().await;
            declared = (job.resolve)(&job.facts).map_err(other)?;
            surroundings = self.surroundings(&job.machine, &declared);
            (opened, way) = self.reach(&job, &declared, &surroundings).await?;
        }
        let salt = (self.options.nonces)();
        let Looked { conversation, observation, memory } = self.remember(&job, &declared, opened).await?;
        let plan = self.chosen(memory.plan(&declared, &observation, &surroundings, &salt)?);
        let remarks = memory.remarks(&observation);
        let past = memory.notes(&plan);
        let bound = Binding::new(plan, self.saved(&job.machine), self.announced.as_ref());
        let bound_notes = bound.notes();
        let Binding { plan, stale, unplanned, .. } = bound;
        // Who names a run to be put back has said what is meant.
        let consents = match self.options.identity.undoes {
            Some(_) => Vec::new(),
            None => {
                let identity = &self.options.identity;
                consent::needed(&plan, &memory.ledger, &identity.inventory.1, identity.beside.as_ref())
            }
        };
        // A run about a part of the machine has not seen that all is as wanted.
        let news =
            if self.options.only.is_some() || !unplanned.is_empty() { None } else { memory.news(&plan) };
        let notes = past.into_iter().chain(remarks).chain(differences);
        let notes = notes.chain(news.as_ref().map(|news| format!("{TO_BE_WRITTEN}{news}")));
        let notes = notes.chain(bound_notes).chain(consents.iter().map(|consent| consent.note())).collect();
        Ok(Ready {
            plan: Arc::new(plan),
            exports: exports(&declared, &observation, &surroundings),
            notes,
            stale,
            unplanned,
            consents,
            tally: conversation.tally(),
            news,
            job,
            declared,
            surroundings,
            memory,
            salt,
            conversation: Some(conversation),
            since: Instant::now(),
            way,
        })
    }

    /// Understands what fleetprov remembers on a machine, and asks about what has left the inventory.
    pub(super) async fn remember(
        &self,
        job: &Job,
        declared: &[Declared],
        opened: Opened,
    ) -> Result<Looked, Failure> {
        let Opened { mut conversation, mut observation, kept } = opened;
        let mut memory = Memory::read(&kept, &self.options.identity, &job.machine, declared)?;
        memory.is_alone(&kept, &self.options.identity, job)?;
        let record = format!("{}/record", job.facts.state_folder());
        memory.belongs_to(&job.facts.user, &job.target, record)?;
        if let Some(asked) = memory.wider(declared) {
            observation =
                conversation.widen(&job.facts, asked).await.map_err(|error| failure::of_probe(&error))?;
        }
        if let Some(asked) = memory.closer(&observation)? {
            observation =
                conversation.widen(&job.facts, asked).await.map_err(|error| failure::of_probe(&error))?;
        }
        Ok(Looked { conversation, observation, memory })
    }

    /// The part of a plan that the run is about.
    pub(super) fn chosen(&self, mut plan: Plan) -> Plan {
        if self.options.farewell {
            plan.guarded_from = None;
            plan.steps.iter_mut().for_each(|step| step.guarded = false);
        }
        match &self.options.only {
            Some(only) => Plan {
                blocked: plan.blocked.iter().filter(|one| only(&one.id)).cloned().collect(),
                ..plan.only(|_, step| only(&step.id))
            },
            None => plan,
        }
    }

    pub(super) fn saved(&self, machine: &MachineName) -> Option<&SavedMachine> {
        binding::saved_machine(self.saved.as_deref(), machine)
    }

    fn surroundings(&self, machine: &MachineName, declared: &[Declared]) -> Surroundings {
        let paths: BTreeSet<_> = declared.iter().filter_map(|one| one.resource.path().cloned()).collect();
        // What a saved plan says of secrets can be compared only under the same key.
        let key = self.saved(machine).map_or_else(|| (self.options.nonces)(), |saved| saved.key.clone());
        Surroundings { key, declared: paths, ..Surroundings::default() }
    }
}

/// What a look at a machine gave.
pub(super) struct Looked {
    pub(super) conversation: Conversation,
    pub(super) observation: Observation,
    pub(super) memory: Memory,
}

impl Prepared {
    /// Leaves the machine as it is, for want of consent.
    pub async fn refuse(&mut self, lacking: &[Consent]) {
        let why: Vec<String> =
            lacking.iter().map(|one| format!("it {} ({})", one.words(), one.option())).collect();
        let message = format!("go on without consent: {}", why.join(", and "));
        let failure = Failure { kind: FailureKind::Refused, message };
        if let Ok(ready) = std::mem::replace(&mut self.result, Err(failure)) {
            ready.let_go().await;
        }
    }
}

impl Ready {
    /// The plan as it may be kept for a later run.
    #[must_use]
    pub fn saved(&self) -> SavedMachine {
        SavedMachine::of(self.job.machine.clone(), &self.plan, &self.surroundings.key)
    }

    /// Whether there is a step that may be made.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        self.plan.steps.len() > self.stale.len()
    }

    /// Whether there is something to write down on the machine, and nothing to change.
    #[must_use]
    pub fn has_news(&self) -> bool {
        self.news.is_some()
    }

    /// Ends the session that was held; gives what went over it.
    pub(super) async fn let_go(mut self) -> Tally {
        if let Some(conversation) = self.conversation.take() {
            conversation.close().await;
        }
        self.tally
    }
}

fn interrupted() -> Failure {
    Failure { kind: FailureKind::Interrupted, message: "finish: the run was interrupted".to_owned() }
}

pub(super) fn other(message: String) -> Failure {
    Failure { kind: FailureKind::Other, message }
}

/// Takes over what the machine says of itself, and says what was different.
pub(super) fn correct(facts: &mut Facts, observation: &Observation) -> Vec<String> {
    let mut differences = Vec::new();
    let machine = &observation.machine;
    if machine.init != facts.init {
        differences.push(format!("its services are run by {}, not {}", machine.init, facts.init));
        facts.init = machine.init;
    }
    if let Some(home) = &machine.home
        && *home != facts.home
    {
        differences.push(format!("{}'s home is {home}, not {}", facts.user, facts.home));
        facts.home.clone_from(home);
    }
    let root = machine.uid == 0;
    if root != facts.root {
        let (is, said) = if root { ("root", "not root") } else { ("not root", "root") };
        differences.push(format!("operations run as {is}, the inventory says {said}"));
        facts.root = root;
    }
    differences
}
