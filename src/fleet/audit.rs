//! Asks machines which keys open them and which they hold.

use super::run::{Job, Run};
use crate::audit::{MachineKeys, keys_question, read_keys};
use crate::event::{Failure, FailureKind, Happening};
use crate::model::MachineName;
use crate::resource::Answer;

impl Run<'_> {
    /// The keys of each machine, in the order of the jobs: one round trip each. Nothing is changed.
    pub async fn keys(&self, jobs: Vec<Job>) -> Vec<(MachineName, Result<MachineKeys, Failure>)> {
        self.each(jobs.into_iter().enumerate(), |job| async move {
            let machine = job.machine.clone();
            self.tell(&machine, Happening::Connecting);
            let result = self.cancellable(self.keys_of(&job)).await;
            if let Err(failure) = &result {
                self.tell(&machine, Happening::Failed(failure.clone()));
            }
            (machine, result)
        })
        .await
    }

    async fn keys_of(&self, job: &Job) -> Result<MachineKeys, Failure> {
        let observation = self.ask(job, keys_question()).await?;
        let other = |reason: &str| Failure {
            kind: FailureKind::Other,
            message: format!("look at its keys: {reason}"),
        };
        match observation.answers.first().and_then(|answers| answers.first()) {
            Some(Answer::Lines(lines)) => Ok(read_keys(lines)),
            Some(Answer::Unanswered(reason)) => Err(other(reason)),
            _ => Err(other("the machine says nothing of them")),
        }
    }
}
