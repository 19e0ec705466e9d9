//! What fleetprov remembers of a machine, in the course of one run on it.

use crate::event::{Failure, FailureKind, StepOutcome};
use crate::model::{Facts, MachineName, Method, ResourceId, Target};
use crate::plan::{Departure, Known, Plan, departures};
use crate::resource::{Declared, Observation, Question, Surroundings};
use crate::state::{Kept, Ledger, Login, Manager, RecordError, RunDocument, RunStep, StepEnd, other_records};

use super::identity::RunIdentity;
use super::run::Job;
use super::undoing::Undoing;

/// What is remembered of a machine, and what has left the inventory.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    pub(super) ledger: Ledger,
    pub(super) departures: Vec<Departure>,
    /// What a person should know of other records on the machine.
    others: Vec<String>,
    /// The run that is put back, when the run does that and nothing else.
    undoing: Option<Undoing>,
}

impl Memory {
    /// Reads what a machine keeps.
    pub(super) fn read(
        kept: &Kept,
        identity: &RunIdentity,
        machine: &MachineName,
        declared: &[Declared],
    ) -> Result<Self, Failure> {
        let ledger = Ledger::read(kept, &identity.fleet, machine)
            .map_err(|error| Failure { kind: FailureKind::Refused, message: error.to_string() })?;
        let state = kept.state.clone();
        let undoing = identity.undoes.clone().map(|run| Undoing { run, state });
        let departures = if undoing.is_some() { Vec::new() } else { departures(&ledger, declared) };
        Ok(Self { ledger, departures, others: Vec::new(), undoing })
    }

    /// Whether there is no other record of the machine; keeps what a person should know of other ones.
    pub(super) fn is_alone(&mut self, kept: &Kept, identity: &RunIdentity, job: &Job) -> Result<(), Failure> {
        let Facts { user, root, .. } = &job.facts;
        let manager = Manager { fleet: &identity.fleet, machine: &job.machine, user, root: *root };
        let others = other_records(kept, manager);
        self.others =
            others.map_err(|error| Failure { kind: FailureKind::Refused, message: error.to_string() })?;
        Ok(())
    }

    /// Whether it is this login's: that of the last apply, or one that the inventory says took its place.
    pub(super) fn belongs_to(&self, user: &str, target: &Target, path: String) -> Result<(), Failure> {
        let Some(login) = self.ledger.login.as_ref().filter(|login| login.user != user) else {
            return Ok(());
        };
        let found = login.user.clone();
        if let Method::Ssh(way) = &target.method
            && way.former.as_ref().is_some_and(|former| former.user == found)
        {
            return Ok(());
        }
        let error = RecordError::OtherLogin { path, found, expected: user.to_owned() };
        Err(Failure { kind: FailureKind::Refused, message: error.to_string() })
    }

    /// What there is to write down although a plan changes nothing: what is gone, what is as wanted and was
    /// not known to be, that a run which was cut off has nothing left to do. For a person; `None` when the
    /// record says all of it.
    pub(super) fn news(&self, plan: &Plan) -> Option<String> {
        if self.undoing.is_some() || !plan.steps.is_empty() {
            return None;
        }
        let mut news = Vec::new();
        if let Some(gone) = plan.forgotten.first() {
            news.push(match plan.forgotten.len() {
                1 => format!("{} is gone", gone.id),
                count => format!("{} and {} more are gone", gone.id, count - 1),
            });
        }
        match plan.unsettled {
            0 => {}
            1 => news.push("1 resource is as wanted".to_owned()),
            count => news.push(format!("{count} resources are as wanted")),
        }
        if let Some(cut) = self.ledger.cut.as_ref().filter(|_| plan.blocked.is_empty()) {
            news.push(format!("run {} has nothing left to do", cut.id));
        }
        (!news.is_empty()).then(|| news.join("; "))
    }

    /// What a person should know of the past: a run that was cut off, a revert. `plan` is what there is to
    /// do now.
    pub(super) fn notes(&self, plan: &Plan) -> Vec<String> {
        let cut = self.ledger.cut.as_ref().map(|cut| {
            let (id, who, when) = (&cut.id, &cut.who, &cut.when);
            if cut.reverted {
                return format!(
                    "what can cut the way in was put back by the machine in run {id} by {who} at {when}: not \
                     all of it was made and confirmed"
                );
            }
            let names = |ids: &[ResourceId]| match ids {
                [] => "nothing".to_owned(),
                [one] => one.to_string(),
                [first, rest @ ..] => format!("{first} and {} more", rest.len()),
            };
            format!(
                "run {id} by {who} at {when} was cut off: {} done{}, {}",
                names(&cut.done),
                if cut.certain { "" } else { " as far as is known" },
                match plan.is_empty() && self.undoing.is_none() {
                    true => "and nothing is left to do".to_owned(),
                    false if self.undoing.is_some() || plan.steps.is_empty() => {
                        format!("{} still to do", names(&cut.open))
                    }
                    false => format!("{} still to do; this goes on from there", names(&cut.open)),
                }
            )
        });
        let armed = self.ledger.armed.as_ref().map(|run| {
            format!("the revert of run {run} is armed: the machine puts it back unless it is confirmed")
        });
        let lost = self.ledger.is_lost.then(|| {
            "the record of what fleetprov made here is gone, though there are runs beside it: all that is there \
             counts as not made by fleetprov, and is never removed; put the record back if that is wrong"
                .to_owned()
        });
        cut.into_iter().chain(armed).chain(lost).chain(self.others.iter().cloned()).collect()
    }

    /// What a person should know of the plan that is not in it.
    pub(super) fn remarks(&self, observation: &Observation) -> Vec<String> {
        let undoing = self.undoing.as_ref();
        let plan = undoing.and_then(|undoing| undoing.plan(observation, &self.ledger).ok());
        plan.map(|(_, remarks)| remarks).unwrap_or_default()
    }

    /// The questions of everything declared and of everything that has left, by who asks; none when
    /// nothing that has left wants to know more than is known already.
    pub(super) fn wider(&self, declared: &[Declared]) -> Option<Vec<Vec<Question>>> {
        if let Some(undoing) = &self.undoing {
            return Some(undoing.questions());
        }
        let left: Vec<_> = self.departures.iter().map(Departure::questions).collect();
        left.iter()
            .any(|questions| !questions.is_empty())
            .then(|| declared.iter().map(|one| one.resource.questions()).chain(left).collect())
    }

    /// What has to be asked on top of that, once it is answered; with all that was asked before.
    pub(super) fn closer(&self, observation: &Observation) -> Result<Option<Vec<Vec<Question>>>, Failure> {
        self.undoing.as_ref().map_or(Ok(None), |undoing| undoing.closer(observation, &self.ledger))
    }

    /// The plan for what was observed.
    pub(super) fn plan(
        &self,
        declared: &[Declared],
        observation: &Observation,
        surroundings: &Surroundings,
        salt: &str,
    ) -> Result<Plan, Failure> {
        let (departures, ledger) = (&self.departures, &self.ledger);
        if let Some(undoing) = &self.undoing {
            return undoing.plan(observation, ledger).map(|(plan, _)| plan);
        }
        Plan::compute(Known { declared, departures, observation, surroundings, ledger, salt })
            .map_err(|cycle| Failure { kind: FailureKind::Other, message: cycle.to_string() })
    }

    /// The run that makes the changes of a plan, as it is written down.
    pub(super) fn document(plan: &Plan, identity: &RunIdentity) -> RunDocument {
        let steps = plan.steps.iter().enumerate().map(|(index, step)| RunStep {
            id: step.id.clone(),
            action: step.difference.action.verb().to_owned(),
            entry: step.entry.clone(),
            former: step.former.clone(),
            because: step.because.clone(),
            guarded: plan.guarded_from.is_some_and(|first| index >= first),
        });
        RunDocument {
            id: identity.run.clone(),
            who: identity.who.clone(),
            when: identity.when.clone(),
            what: identity.what.clone(),
            inventory: identity.inventory.clone(),
            beside: identity.beside,
            steps: steps.collect(),
        }
    }

    /// The record before the run: what is in order as the plan found it, and nothing that is gone.
    pub(super) fn record(
        &mut self,
        plan: &Plan,
        identity: &RunIdentity,
        machine: &MachineName,
        target: &Target,
        user: &str,
    ) -> Result<Vec<u8>, Failure> {
        for gone in &plan.forgotten {
            self.ledger.entries.remove(&gone.id);
            self.ledger.undecided.remove(&gone.id);
        }
        for entry in &plan.settled {
            self.ledger.undecided.remove(&entry.id);
            self.ledger.owed.remove(&entry.id);
            self.ledger.entries.insert(entry.id.clone(), entry.clone());
        }
        let login = Login::new(user, &target.privilege);
        self.ledger
            .to_record(&identity.run, &identity.fleet, machine, &login)
            .map_err(|error| Failure { kind: FailureKind::Other, message: error.to_string() })
    }

    /// Whether the record of the next run can be written, too, once all of this run is made: one that has
    /// grown too large would be in the way of every later run.
    pub(super) fn room_after(
        &self,
        run: &RunDocument,
        identity: &RunIdentity,
        machine: &MachineName,
        target: &Target,
        user: &str,
    ) -> Result<(), Failure> {
        let all: Vec<(usize, StepEnd)> =
            (0..run.steps.len()).map(|index| (index, StepEnd::Changed)).collect();
        let login = Login::new(user, &target.privilege);
        let after = self.ledger.after(run, &all);
        let next = after.to_record(&identity.run, &identity.fleet, machine, &login);
        next.map(drop).map_err(|error| Failure { kind: FailureKind::Other, message: error.to_string() })
    }

    /// What is remembered after a run whose steps ended so; and what was observed then, for those that
    /// are still about.
    pub(super) fn after(
        &self,
        run: &RunDocument,
        outcomes: &[StepOutcome],
        mut observation: Observation,
        declared: usize,
    ) -> (Self, Observation) {
        let ended: Vec<(usize, StepEnd)> =
            outcomes.iter().enumerate().filter_map(|(index, outcome)| Some((index, end(outcome)?))).collect();
        let ledger = self.ledger.after(run, &ended);
        let mut departures = Vec::new();
        let mut place = 0;
        let mut about = |departure: &Departure| ledger.entries.contains_key(&departure.entry.id);
        let still: Vec<bool> = self.departures.iter().map(&mut about).collect();
        let undoing = self.undoing.is_some();
        observation.answers.retain(|_| {
            let keep = undoing || place < declared || still.get(place - declared).copied().unwrap_or(true);
            place += 1;
            keep
        });
        for (departure, still) in self.departures.iter().zip(still) {
            if still {
                departures.push(departure.clone());
            }
        }
        (Self { ledger, departures, ..self.clone() }, observation)
    }
}

fn end(outcome: &StepOutcome) -> Option<StepEnd> {
    match outcome {
        StepOutcome::Changed => Some(StepEnd::Changed),
        StepOutcome::Failed(_) => Some(StepEnd::Failed),
        StepOutcome::Refused(_) => Some(StepEnd::Refused),
        StepOutcome::Skipped(_) | StepOutcome::Held(_) => Some(StepEnd::Skipped),
        StepOutcome::Reverted => Some(StepEnd::Reverted),
        StepOutcome::NotReached => None,
    }
}
