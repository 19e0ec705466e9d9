//! Asks machines for their past runs.

use super::failure;
use super::run::{Job, Run, correct};
use crate::event::{Failure, FailureKind, Happening};
use crate::history::{PastRun, past_question, read_past};
use crate::model::MachineName;
use crate::probe::{Conversation, Opened};
use crate::resource::{Answer, Observation, Question};

impl Run<'_> {
    /// The past runs of each machine, the newest first, in the order of the jobs: one round trip each.
    /// Nothing is changed, and what the jobs desire is not looked at.
    pub async fn recall(&self, jobs: Vec<Job>) -> Vec<(MachineName, Result<Vec<PastRun>, Failure>)> {
        self.each(jobs.into_iter().enumerate(), |job| async move {
            let machine = job.machine.clone();
            let result = self.cancellable(self.recall_one(job)).await;
            if let Err(failure) = &result {
                self.tell(&machine, Happening::Failed(failure.clone()));
            }
            (machine, result)
        })
        .await
    }

    async fn recall_one(&self, mut job: Job) -> Result<Vec<PastRun>, Failure> {
        self.tell(&job.machine, Happening::Connecting);
        let mut observation = self.ask_for_runs(&job).await?;
        let folder = job.facts.state_folder();
        correct(&mut job.facts, &observation);
        if job.facts.state_folder() != folder {
            // It is another user than the inventory says, so its journal lies elsewhere.
            observation = self.ask_for_runs(&job).await?;
        }
        match observation.answers.first().and_then(|answers| answers.first()) {
            Some(Answer::Lines(lines)) => Ok(read_past(lines)),
            Some(Answer::Unanswered(reason)) => Err(other(reason.clone())),
            _ => Err(other("the machine says nothing of them".to_owned())),
        }
    }

    async fn ask_for_runs(&self, job: &Job) -> Result<Observation, Failure> {
        self.ask(job, past_question(&job.facts.state_folder())).await
    }

    /// Asks a machine one thing.
    pub(super) async fn ask(&self, job: &Job, question: Question) -> Result<Observation, Failure> {
        let session =
            self.connector.connect(&job.target).await.map_err(|error| failure::of_transport(&error))?;
        self.tell(&job.machine, Happening::Connected);
        let asked = vec![vec![question]];
        let nonce = (self.options.nonces)();
        let limits = self.options.limits;
        let opened =
            Conversation::open_asking(session, &job.target, &job.facts, asked, &nonce, None, limits).await;
        let Opened { conversation, observation, .. } = opened.map_err(|error| failure::of_probe(&error))?;
        conversation.close().await;
        Ok(observation)
    }
}

fn other(reason: String) -> Failure {
    Failure { kind: FailureKind::Other, message: format!("look up past runs: {reason}") }
}
