//! The part of a run that puts another run back, on one machine.

use crate::event::{Failure, FailureKind};
use crate::history::{Undone, no_such_run, texts_question, undo, undone_question};
use crate::plan::Plan;
use crate::resource::{Answer, Observation, Question};
use crate::state::{Ledger, RunId};

/// What is put back, and where the machine keeps what it knows of it.
#[derive(Clone, Debug)]
pub(super) struct Undoing {
    pub(super) run: RunId,
    /// The machine's state folder.
    pub(super) state: String,
}

impl Undoing {
    /// Asks about the run.
    pub(super) fn questions(&self) -> Vec<Vec<Question>> {
        vec![vec![undone_question(&self.state, &self.run)]]
    }

    /// Asks about the run and for the contents that may be shown, when there are any.
    pub(super) fn closer(
        &self,
        observation: &Observation,
        ledger: &Ledger,
    ) -> Result<Option<Vec<Vec<Question>>>, Failure> {
        let Some(undone) = self.read(observation, ledger)? else { return Ok(None) };
        let texts = texts_question(&self.state, &undone);
        Ok(texts.map(|texts| vec![vec![undone_question(&self.state, &self.run), texts]]))
    }

    /// The plan that puts the run back, and what a person should know of it.
    pub(super) fn plan(
        &self,
        observation: &Observation,
        ledger: &Ledger,
    ) -> Result<(Plan, Vec<String>), Failure> {
        Ok(match self.read(observation, ledger)? {
            Some(undone) => undo(&undone, ledger, &self.state),
            None => (Plan::default(), vec![no_such_run(&self.run)]),
        })
    }

    fn read(&self, observation: &Observation, ledger: &Ledger) -> Result<Option<Undone>, Failure> {
        let failed = |message| Failure { kind: FailureKind::Other, message };
        let answers = observation.answers.first().map_or(&[][..], Vec::as_slice);
        let lines = match answers.first() {
            Some(Answer::Lines(lines)) => lines,
            Some(Answer::Unanswered(reason)) => {
                return Err(failed(format!("look up run {}: {reason}", self.run)));
            }
            _ => return Err(failed(format!("look up run {}: the machine does not answer", self.run))),
        };
        let texts = match answers.get(1) {
            Some(Answer::Lines(texts)) => texts.as_slice(),
            _ => &[],
        };
        Undone::read(lines, texts, &self.run, ledger).map_err(failed)
    }
}
