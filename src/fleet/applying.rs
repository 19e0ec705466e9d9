//! One machine's part in an apply: the session, the walk, the way back when it can cut the way in, the look
//! afterwards.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::binding::{self, Binding};
use super::course::Course;
use super::failure;
use super::identity::RunIdentity;
use super::memory::Memory;
use super::rounds::exports;
use super::run::{Looked, Outcome, Ready, Run, RunOptions, other};
use crate::apply::{Intent, Restraint, StepNews, apply};
use crate::event::{Failure, FailureKind, Happening, StepOutcome};
use crate::model::MachineName;
use crate::probe::{Conversation, Performed};
use crate::state::RunDocument;

/// What stands before the news that an apply without changes writes down, before and after that.
pub(super) const TO_BE_WRITTEN: &str = "to be written down in its record: ";
const WRITTEN: &str = "written down in its record: ";

/// How long a session is held while a question waits for its answer (contract C13).
const HELD: Duration = Duration::from_secs(300);

impl Run<'_> {
    /// Makes the changes of a plan on its machine, and looks at what is left.
    pub(super) async fn apply_one(&self, machine: MachineName, mut ready: Ready, course: &Course) -> Outcome {
        let plan = Arc::clone(&ready.plan);
        let mut outcome = Outcome {
            machine,
            plan: Some(Arc::clone(&plan)),
            steps: vec![StepOutcome::NotReached; plan.steps.len()],
            unplanned: std::mem::take(&mut ready.unplanned),
            left: None,
            exports: Vec::new(),
            notes: std::mem::take(&mut ready.notes),
            learned: Vec::new(),
            failure: None,
            tally: ready.tally,
        };
        let opened = self.cancellable(self.reopen(&mut ready)).await;
        let mut conversation = match opened {
            Ok(conversation) => conversation,
            Err(failure) => {
                self.tell(&outcome.machine, Happening::Failed(failure.clone()));
                outcome.failure = Some(failure);
                return outcome;
            }
        };
        let name = outcome.machine.clone();
        let steps = Arc::new(Mutex::new(outcome.steps.clone()));
        let seen = Arc::clone(&steps);
        let mut note = |news: StepNews| match news {
            StepNews::Started(index) => self.tell(&name, Happening::StepStarted { index }),
            StepNews::Ended(index, ended) => {
                if let Ok(mut steps) = seen.lock()
                    && let Some(place) = steps.get_mut(index)
                {
                    *place = ended.clone();
                }
                self.tell(&name, Happening::StepEnded { index, outcome: ended });
            }
        };
        let identity = &self.options.identity;
        let document = Memory::document(&plan, identity);
        let intent = ready.intent(&document, identity, &self.options);
        let applied = match intent {
            Ok(intent) => {
                let barred = binding::barred(&ready.stale);
                let restraint = Restraint { barred, waiting: course.waiting(&plan) };
                let applying =
                    async { Ok(apply(&mut conversation, &plan, &intent, restraint, &mut note).await) };
                self.cancellable(applying).await
            }
            Err(failure) => Err(failure),
        };
        if let Ok(steps) = steps.lock() {
            outcome.steps.clone_from(&steps);
        }
        let performed =
            applied.and_then(|applied| applied.performed.map_err(|error| failure::of_probe(&error)));
        let observed = match performed {
            Ok(Performed::Observed(observation)) => Ok(observation),
            Ok(Performed::Held { since, idle }) => {
                outcome.learned.extend(idle.iter().map(|name| {
                    let name = if name == "ssh" { "sshd" } else { name };
                    format!(
                        "{name} does not run: what it reads is not in force until it starts, and the new way in \
                         was not tried with it"
                    )
                }));
                let settled = self.settle(&ready, &document, &mut conversation, since, &mut outcome);
                self.cancellable(settled).await
            }
            Err(failure) => Err(failure),
        };
        outcome.tally = conversation.tally();
        let left = observed.and_then(|observation| {
            let (memory, observation) =
                ready.memory.after(&document, &outcome.steps, observation, ready.declared.len());
            let exports = exports(&ready.declared, &observation, &ready.surroundings);
            let left = memory.plan(&ready.declared, &observation, &ready.surroundings, &ready.salt)?;
            Ok((self.chosen(left), exports))
        });
        match left {
            Ok((left, exports)) => {
                outcome.exports = exports;
                conversation.close().await;
                outcome.written_down();
                let left = Arc::new(left);
                self.tell(&outcome.machine, Happening::Verified(Arc::clone(&left)));
                outcome.left = Some(left);
            }
            Err(failure) => {
                self.tell(&outcome.machine, Happening::Failed(failure.clone()));
                outcome.failure = Some(failure);
            }
        }
        outcome
    }

    /// The session that was held, or a new one that finds the machine as it was when the plan was shown.
    async fn reopen(&self, ready: &mut Ready) -> Result<Conversation, Failure> {
        if let Some(conversation) = ready.conversation.take()
            && ready.since.elapsed() < HELD
        {
            return Ok(conversation);
        }
        let (opened, way) = self.reach(&ready.job, &ready.declared, &ready.surroundings).await?;
        ready.way = way;
        let Looked { conversation, observation, memory } =
            self.remember(&ready.job, &ready.declared, opened).await?;
        let again =
            self.chosen(memory.plan(&ready.declared, &observation, &ready.surroundings, &ready.salt)?);
        let again = Binding::new(again, self.saved(&ready.job.machine), self.announced.as_ref());
        ready.memory = memory;
        let key = &ready.surroundings.key;
        if again.plan.fingerprint(key) == ready.plan.fingerprint(key) && again.stale == ready.stale {
            return Ok(conversation);
        }
        conversation.close().await;
        Err(Failure {
            kind: FailureKind::Refused,
            message: "apply the plan that was shown: the machine has moved since; plan again".to_owned(),
        })
    }
}

impl Outcome {
    /// Says of what was to be written down that it is.
    fn written_down(&mut self) {
        for note in &mut self.notes {
            if let Some(news) = note.strip_prefix(TO_BE_WRITTEN) {
                *note = format!("{WRITTEN}{news}");
            }
        }
    }
}

impl Ready {
    /// What the run writes down on the machine before it changes anything.
    fn intent(
        &mut self,
        document: &RunDocument,
        identity: &RunIdentity,
        options: &RunOptions,
    ) -> Result<Intent, Failure> {
        let seen = self.memory.ledger.seen.clone();
        let (machine, target) = (&self.job.machine, &self.job.target);
        let record = self.memory.record(&self.plan, identity, machine, target, &self.job.facts.user)?;
        self.memory.room_after(document, identity, machine, target, &self.job.facts.user)?;
        Ok(Intent {
            run: identity.run.clone(),
            notice: self.notice(identity),
            folder: self.job.facts.state_folder(),
            lock_timeout: options.lock_timeout,
            guard_timeout: options.limits.guard,
            seen,
            holder: identity.holder(),
            document: document.to_json().map_err(|error| other(error.to_string()))?,
            record,
        })
    }

    /// Where the record is, for other logins and later inventories to find.
    fn notice(&self, identity: &RunIdentity) -> Option<(String, String)> {
        let facts = &self.job.facts;
        let (fleet, machine, user) = (&identity.fleet, &self.job.machine, &facts.user);
        let line = format!("{fleet} {machine} {user} {}", facts.state_folder());
        facts.state_notice().map(|file| (file, line))
    }
}
