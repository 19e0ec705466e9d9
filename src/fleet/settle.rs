//! What becomes of guarded steps: confirmed over a new connection, or put back by the machine.

use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

use super::reach::{Unreached, of_probe};
use super::run::{Outcome, Ready, Run};
use crate::event::{Failure, FailureKind, Happening, StepOutcome};
use crate::model::{Hop, Method, Target};
use crate::probe::{Confirmation, Conversation, Opened};
use crate::resource::Observation;
use crate::state::{Kept, Progress, RunDocument, StepEnd, StepState};

/// Nothing is confirmed any more when so little of the guard's time is left: the machine began to count
/// before we heard of it.
const MARGIN: Duration = Duration::from_secs(1);

/// How long the machine may take to put everything back, after its time is over: where cron has to do it,
/// it looks once a minute.
const PUTTING_BACK: Duration = Duration::from_secs(90);

/// How long the first look may take; each one after it may take twice as long.
const LOOKING: Duration = Duration::from_secs(10);

/// How often a login may be refused. More would get us locked out for good where somebody counts.
const REFUSALS: usize = 3;

/// Why the new way in is not proven.
struct Unproven {
    failure: Failure,
    /// Whether the machine may have heard the confirmation all the same.
    perhaps: bool,
    /// Whether there is no hope, while the machine still waits.
    hopeless: bool,
}

/// What a machine says of guarded steps later.
enum Standing {
    Waiting,
    Confirmed(Observation),
    PutBack(Progress, Observation),
}

impl Run<'_> {
    /// Confirms the guarded steps of a run over a new connection by the declared way, or waits until the
    /// machine has put them back. `old` is the session that made them, `since` when their revert was armed.
    /// Gives what the machine looks like then; a revert is the outcome's failure.
    pub(super) async fn settle(
        &self,
        ready: &Ready,
        document: &RunDocument,
        old: &mut Conversation,
        since: std::time::Instant,
        outcome: &mut Outcome,
    ) -> Result<Observation, Failure> {
        let since = Instant::from_std(since);
        let guard = self.options.limits.guard;
        let unproven = match self.confirm(ready, document, since + guard.saturating_sub(MARGIN)).await {
            Ok(observation) => {
                self.made(document, outcome);
                return Ok(observation);
            }
            Err(unproven) => unproven,
        };
        if unproven.hopeless {
            old.put_back(&ready.job.facts.state_folder()).await;
        }
        let why = &unproven.failure.message;
        let refused = |message: String| Failure { kind: FailureKind::Refused, message };
        match self.look_again(ready, document, unproven.perhaps, since + guard + PUTTING_BACK).await {
            Ok(Standing::Confirmed(observation)) => {
                self.made(document, outcome);
                Ok(observation)
            }
            Ok(Standing::PutBack(progress, observation)) => {
                for (index, step) in outcome.steps.iter_mut().enumerate() {
                    let reverted = progress.step(index) == StepState::Ended(StepEnd::Reverted);
                    if reverted && matches!(step, StepOutcome::Changed | StepOutcome::NotReached) {
                        *step = StepOutcome::Reverted;
                        let outcome_of_step = StepOutcome::Reverted;
                        let what = Happening::StepEnded { index, outcome: outcome_of_step };
                        self.tell(&outcome.machine, what);
                    }
                }
                let failure = refused(format!(
                    "prove the new way in: failed to {why}; the machine has put back what could cut it off"
                ));
                self.tell(&outcome.machine, Happening::Failed(failure.clone()));
                outcome.failure = Some(failure);
                Ok(observation)
            }
            Ok(Standing::Waiting) => Err(refused(format!(
                "prove the new way in: failed to {why}; the machine was to put back what could cut it off, and \
                 has not done so"
            ))),
            Err(unreached) => Err(refused(format!(
                "prove the new way in: failed to {why}; the machine was to put back what could cut it off, but \
                 to look failed, too: failed to {}",
                unreached.message
            ))),
        }
    }

    /// Every guarded step was made, also one of which the old session could not tell any more.
    fn made(&self, document: &RunDocument, outcome: &mut Outcome) {
        for (index, (step, of_run)) in outcome.steps.iter_mut().zip(&document.steps).enumerate() {
            if of_run.guarded && *step == StepOutcome::NotReached {
                *step = StepOutcome::Changed;
                let what = Happening::StepEnded { index, outcome: StepOutcome::Changed };
                self.tell(&outcome.machine, what);
            }
        }
    }

    /// Tries until the deadline: a server that was restarted may need a moment.
    async fn confirm(
        &self,
        ready: &Ready,
        document: &RunDocument,
        deadline: Instant,
    ) -> Result<Observation, Unproven> {
        let unmade = "confirm the change: it was not made in time".to_owned();
        let failure = Failure { kind: FailureKind::Other, message: unmade.clone() };
        let mut unproven = Unproven { failure, perhaps: false, hopeless: false };
        let mut refusals = 0;
        loop {
            let attempt = timeout_at(deadline, self.confirm_once(ready, document, &mut unproven.perhaps));
            match attempt.await {
                Ok(Ok(Confirmation::Confirmed(observation))) => return Ok(observation),
                Ok(Ok(Confirmation::Gone)) => {
                    unproven.perhaps = true;
                    return Err(unproven);
                }
                Ok(Ok(Confirmation::Unmade)) => unproven.failure.message.clone_from(&unmade),
                Ok(Err(unreached)) => {
                    unproven.failure = unreached.failure;
                    refusals += usize::from(unreached.refused);
                    if refusals >= REFUSALS {
                        unproven.hopeless = true;
                        return Err(unproven);
                    }
                }
                Err(_) if refusals == 0 && unproven.failure.message == unmade => {
                    unproven.failure.message = "log in anew: no answer in time".to_owned();
                    return Err(unproven);
                }
                Err(_) => return Err(unproven),
            }
            let next = Instant::now() + Duration::from_secs(1);
            if next >= deadline {
                return Err(unproven);
            }
            sleep_until(next).await;
        }
    }

    /// Logs in by the declared way, with the rights operations run with, and confirms.
    async fn confirm_once(
        &self,
        ready: &Ready,
        document: &RunDocument,
        perhaps: &mut bool,
    ) -> Result<Confirmation, Unreached> {
        let job = &ready.job;
        let opened = self.converse(&job.target, job, &ready.declared, &ready.surroundings).await?;
        let mut conversation = opened.conversation;
        if let Some(asked) = ready.memory.wider(&ready.declared) {
            conversation.widen(&job.facts, asked).await.map_err(|error| of_probe(&error))?;
        }
        *perhaps = true;
        let state = job.facts.state_folder();
        let confirmation = conversation.confirm(&state, &document.id).await;
        let confirmation = confirmation.map_err(|error| of_probe(&error))?;
        conversation.close().await;
        *perhaps = false;
        Ok(confirmation)
    }

    /// Looks at the machine by the way it was reached before, and by the new one when it may have been
    /// confirmed, until it has settled or time is over.
    async fn look_again(
        &self,
        ready: &Ready,
        document: &RunDocument,
        perhaps: bool,
        deadline: Instant,
    ) -> Result<Standing, Failure> {
        let declared = (perhaps && hop(&ready.way) != hop(&ready.job.target)).then_some(&ready.job.target);
        let mut last = Ok(Standing::Waiting);
        let (mut pause, mut patience) = (Duration::from_secs(1), LOOKING);
        loop {
            for way in std::iter::once(&ready.way).chain(declared) {
                // A login that began before everything was put back may hang, and the next one does not.
                let enough = deadline.min(Instant::now() + patience);
                match timeout_at(enough, self.look(ready, document, way)).await {
                    Ok(Ok(Standing::Waiting)) => last = Ok(Standing::Waiting),
                    Ok(Ok(standing)) => return Ok(standing),
                    Ok(Err(unreached)) => last = Err(unreached.failure),
                    Err(_) if enough == deadline => return last,
                    Err(_) => {}
                }
            }
            patience *= 2;
            let next = Instant::now() + pause;
            if next >= deadline {
                return last;
            }
            sleep_until(next).await;
            pause = (pause * 2).min(Duration::from_secs(8));
        }
    }

    async fn look(&self, ready: &Ready, document: &RunDocument, way: &Target) -> Result<Standing, Unreached> {
        let job = &ready.job;
        let opened = self.converse(way, job, &ready.declared, &ready.surroundings).await?;
        let Opened { mut conversation, mut observation, kept } = opened;
        let Some(progress) = settled(&kept, document) else {
            conversation.close().await;
            return Ok(Standing::Waiting);
        };
        if let Some(asked) = ready.memory.wider(&ready.declared) {
            observation = conversation.widen(&job.facts, asked).await.map_err(|error| of_probe(&error))?;
        }
        conversation.close().await;
        if progress.is_reverted() {
            Ok(Standing::PutBack(progress, observation))
        } else {
            Ok(Standing::Confirmed(observation))
        }
    }
}

fn hop(way: &Target) -> Option<&Hop> {
    match &way.method {
        Method::Ssh(way) => Some(&way.hop),
        Method::Local => None,
    }
}

/// How far a run came, when nothing of it waits to be confirmed or put back any more.
fn settled(kept: &Kept, document: &RunDocument) -> Option<Progress> {
    if kept.armed.is_some() {
        return None;
    }
    let run = RunDocument::read(kept.run.as_ref()?, "run").ok()?;
    let progress = Progress::read(kept.progress.as_ref()?, run.steps.len());
    (run.id == document.id && (progress.is_reverted() || progress.is_ended())).then_some(progress)
}
