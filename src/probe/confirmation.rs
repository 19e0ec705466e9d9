//! The other end of the lockout guard: a new session says that the machine can still be logged in to.

use super::answers::Gathered;
use super::conversation::Conversation;
use super::error::ProbeError;
use super::script::AGAIN;
use super::steps::{GuardNews, guard_news};
use crate::resource::Observation;
use crate::shell::{Call, posix, program};
use crate::state::RunId;

/// What a machine says to a confirmation.
#[derive(Debug)]
pub(crate) enum Confirmation {
    /// The guarded steps stay; what the machine looks like now.
    Confirmed(Observation),
    /// Not all of them are made yet.
    Unmade,
    /// Their revert is not armed any more: they are put back, or were confirmed before.
    Gone,
}

impl Conversation {
    /// Confirms the guarded steps of a run, and looks at the machine again.
    ///
    /// # Errors
    /// [`ProbeError`]. Whether they are confirmed is not known then.
    pub(crate) async fn confirm(&mut self, state: &str, run: &RunId) -> Result<Confirmation, ProbeError> {
        let unsent = self.unsent([posix::GUARD]);
        let call = posix::command(&Call::new("fp_guard_confirm", [state, run.as_str()]));
        let script = format!("{}{call}\n{AGAIN}", program::more_definitions(&unsent));
        self.frames.forgive();
        self.send(program::run(&script)).await?;
        let limit = self.limits.probe;
        let answered = async {
            let mut said = None;
            let mut gathered = Gathered::default();
            loop {
                let line = self.line().await?;
                if let Some(news) = guard_news(&line) {
                    said = Some(news);
                } else if gathered.take(line) {
                    break;
                }
            }
            match said {
                Some(GuardNews::Confirmed) => {
                    let observation = gathered.observation(&self.probe).map_err(ProbeError::Nonsense)?;
                    Ok(Confirmation::Confirmed(observation))
                }
                Some(GuardNews::Gone) => Ok(Confirmation::Gone),
                _ => Ok(Confirmation::Unmade),
            }
        };
        let waiting_for = "confirm the change";
        let answer = tokio::time::timeout(limit, answered).await;
        answer.unwrap_or(Err(ProbeError::TimedOut { waiting_for, limit }))
    }

    /// Asks the machine to put the guarded steps back now. Whether it does is to be looked at: the session
    /// may not survive it.
    pub(crate) async fn put_back(&mut self, state: &str) {
        let script = posix::quote(&format!("{state}/guard/revert"));
        let order = format!("sh {script} timer </dev/null >/dev/null 2>&1\n");
        // A session that is gone cannot be asked; then the machine does it by itself.
        let asking = self.send(program::run(&order));
        let _ = tokio::time::timeout(std::time::Duration::from_secs(2), asking).await;
    }
}
