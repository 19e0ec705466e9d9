//! One session with one machine: it answers the probe, takes a script, answers the probe again.

use std::time::Duration;

use tokio::time::Instant;

use super::answers::Gathered;
use super::error::{ProbeError, explained};
use super::opening::{Opening, prompt};
use super::script::{AGAIN, Probe};
use super::sending::{GO, Hold, keep_awake, send_all};
use super::steps::{
    GuardNews, StepReport, StepResult, guard_news, is_apply_frame, is_held, is_ready, step_report, unbegun,
};
use crate::model::{Facts, Privilege, Target};
use crate::resource::{Declared, Observation, Payload, Question};
use crate::shell::frames::{Frames, Line};
use crate::shell::{Library, program};
use crate::state::Kept;
use crate::transport::{Channel, Output, Session, Tally};

/// The longest line a machine may send, in bytes: a file of 4 MiB in base64, and room.
const LONGEST_LINE: usize = 6 * 1024 * 1024;
/// The most a machine may send in one exchange, in bytes.
const MOST: usize = 32 * 1024 * 1024;
/// How much of standard error is kept for a message, in bytes.
const KEPT_ERROR: usize = 4096;

/// How long to wait for a machine.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For the answers to a probe.
    pub probe: Duration,
    /// For one step of a plan.
    pub step: Duration,
    /// For the confirmation that the machine can still be logged in to, after which it puts back by itself
    /// what can cut the way in. At least a few seconds.
    pub guard: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            probe: Duration::from_secs(60),
            step: Duration::from_secs(1800),
            guard: Duration::from_secs(60),
        }
    }
}

/// What a machine is being waited for when it is asked.
const PROBED: &str = "read the probe's answer";

/// A session that has begun.
#[derive(Debug)]
pub struct Opened {
    /// The session.
    pub conversation: Conversation,
    /// What the machine answered.
    pub observation: Observation,
    /// What fleetprov remembers there.
    pub kept: Kept,
}

/// How a script that walks a plan came to its end.
#[derive(Debug)]
pub(crate) enum Performed {
    /// What the machine looks like afterwards.
    Observed(Observation),
    /// The guarded steps are made, or nobody can say: they have to be confirmed over a new connection, or
    /// the machine puts them back.
    Held {
        /// When their revert was armed.
        since: std::time::Instant,
        /// Services that do not run, so that what they read is not in force, as far as it was heard.
        idle: Vec<String>,
    },
}

/// A session whose shell has answered the probe and waits for orders.
pub struct Conversation {
    session: Box<dyn Session>,
    channel: Channel,
    pub(super) frames: Frames,
    pub(super) probe: Probe,
    sent: Vec<Library>,
    lines: std::collections::VecDeque<Line>,
    errors: Vec<u8>,
    /// The last line that came before the session was ready: what a login shell said.
    greeting: String,
    pub(super) limits: Limits,
}

impl std::fmt::Debug for Conversation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Conversation").field("tally", &self.tally()).finish_non_exhaustive()
    }
}

impl Conversation {
    /// Starts the shell, with root's rights where the target says so, and asks everything the
    /// resources want to know.
    ///
    /// `nonce` marks the frames and must be letters and digits; `key` keys the digests of secrets
    /// and travels on the stream only.
    ///
    /// # Errors
    /// [`ProbeError`].
    pub async fn open(
        session: Box<dyn Session>,
        target: &Target,
        facts: &Facts,
        declared: &[Declared],
        nonce: &str,
        key: &str,
        limits: Limits,
    ) -> Result<Opened, ProbeError> {
        let asked = declared.iter().map(|one| one.resource.questions()).collect();
        let secret = declared.iter().any(|declared| declared.resource.is_secret());
        Self::open_asking(session, target, facts, asked, nonce, secret.then_some(key), limits).await
    }

    /// The same for any questions, by who asks them. `key` is sent when there is one.
    ///
    /// # Errors
    /// [`ProbeError`].
    pub async fn open_asking(
        session: Box<dyn Session>,
        target: &Target,
        facts: &Facts,
        asked: Vec<Vec<Question>>,
        nonce: &str,
        key: Option<&str>,
        limits: Limits,
    ) -> Result<Opened, ProbeError> {
        let probe = Probe::new(facts, asked);
        let first = probe.first(facts);
        let (secret, key) = (key.is_some(), key.unwrap_or_default());
        let opening = Opening::new(target, &first, session.command_limit(), nonce, key, secret);
        let mut session = session;
        let channel = session.start(&opening.command).await?;
        let mut conversation = Self {
            session,
            channel,
            frames: Frames::new(nonce, LONGEST_LINE, MOST),
            sent: probe.libraries.clone(),
            probe,
            lines: std::collections::VecDeque::new(),
            errors: Vec::new(),
            greeting: String::new(),
            limits,
        };
        let limit = limits.probe;
        let asked = tokio::time::timeout(limit, async {
            conversation.begin(target, &opening, nonce).await?;
            conversation.observe().await
        });
        let (observation, kept) = asked
            .await
            .unwrap_or(Err(ProbeError::TimedOut { waiting_for: PROBED, limit }))
            .map_err(|error| explained(target, error))?;
        Ok(Opened { conversation, observation, kept })
    }

    /// Asks everything again, and more: what those who were not known of before want to know. From
    /// now on they are asked whenever the machine is looked at.
    ///
    /// # Errors
    /// [`ProbeError`].
    pub async fn widen(
        &mut self,
        facts: &Facts,
        asked: Vec<Vec<Question>>,
    ) -> Result<Observation, ProbeError> {
        let probe = Probe::new(facts, asked);
        let unsent = self.unsent(probe.libraries.iter().copied());
        let script = program::more_definitions(&unsent) + &probe.script;
        self.probe = probe;
        self.frames.forgive();
        self.send(program::run(&script)).await?;
        let limit = self.limits.probe;
        let observed = tokio::time::timeout(limit, self.observe());
        let (observation, _) =
            observed.await.unwrap_or(Err(ProbeError::TimedOut { waiting_for: PROBED, limit }))?;
        Ok(observation)
    }

    /// What has gone over the session.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.session.tally()
    }

    /// Which of the libraries given are not yet defined on the machine. They count as sent from now on.
    pub(crate) fn unsent(&mut self, libraries: impl IntoIterator<Item = Library>) -> Vec<Library> {
        let mut unsent = Vec::new();
        for library in program::with_needs(libraries) {
            if !self.sent.contains(&library) {
                self.sent.push(library);
                unsent.push(library);
            }
        }
        unsent
    }

    /// Sends a script that walks so many steps, and the bytes that follow it; tells of each step as
    /// it is reported; then asks the probe again and gives what it observes now. Once the machine has
    /// armed its revert, nothing is an error any more: whether the way in still works decides.
    ///
    /// Where the script waits to be told to go on, `hold` is waited for, and what it gives is sent. Until
    /// then the machine may be silent for as long as it takes.
    ///
    /// # Errors
    /// [`ProbeError`]. The steps told of until then have happened.
    pub(crate) async fn perform(
        &mut self,
        script: &str,
        payloads: &[Payload],
        hold: Option<Hold<'_>>,
        steps: usize,
        tell: &mut (dyn FnMut(StepReport) + Send),
    ) -> Result<Performed, ProbeError> {
        self.frames.forgive();
        let script = format!("{script}if [ -z \"$fp_held\" ]; then\nfp_done\n{AGAIN}fp_unlock\nfi\n");
        let input = self.channel.input.clone();
        let (released, mut release) = tokio::sync::watch::channel(hold.is_none());
        let sending = async {
            send_all(input.clone(), program::run(&script), payloads).await?;
            let Some(hold) = hold else { return Ok(()) };
            let (line, payloads) = keep_awake(&input, hold).await;
            // Whoever receives may have ended.
            let _ = released.send(true);
            send_all(input, [GO, line.as_slice()].concat(), &payloads).await
        };
        let (limit, guard) = (self.limits.step, self.limits.guard);
        let (mut armed, mut idle) = (None, Vec::new());
        let receiving = async {
            let mut gathered = Gathered::default();
            // Only news of a step buys more time; a machine that goes on talking does not get it.
            let mut news = 0;
            let mut deadline = Instant::now() + limit;
            let mut is_waiting = false;
            loop {
                let line = if is_waiting {
                    tokio::select! {
                        line = self.line() => line,
                        _ = release.wait_for(|released| *released) => {
                            is_waiting = false;
                            deadline = Instant::now() + limit;
                            continue;
                        }
                    }
                } else {
                    tokio::time::timeout_at(deadline, self.line())
                        .await
                        .unwrap_or(Err(ProbeError::TimedOut { waiting_for: "wait for a step", limit }))
                }?;
                if let Some(unbegun) = unbegun(&line) {
                    return Err(unbegun);
                }
                match guard_news(&line) {
                    Some(GuardNews::Armed) if armed.is_none() => {
                        // This connection may be cut by what comes now, and the new one may be better.
                        let now = Instant::now();
                        armed = Some(now);
                        deadline = now + guard / 2;
                        continue;
                    }
                    Some(GuardNews::Made) if armed.is_some() => return Ok(None),
                    Some(GuardNews::Idle(name)) if idle.len() < 16 => {
                        idle.push(name);
                        continue;
                    }
                    Some(_) => continue,
                    None => {}
                }
                match step_report(&line).filter(|report| report.index < steps) {
                    Some(report) if report.news(steps) >= news => {
                        news = report.news(steps) + 1;
                        if report.result == StepResult::Reverted {
                            armed = None;
                        }
                        if armed.is_none() {
                            deadline = Instant::now() + limit;
                        }
                        tell(report);
                    }
                    Some(_) => {}
                    None if is_apply_frame(&line) => {}
                    None if is_held(&line) => is_waiting = !*release.borrow(),
                    None => {
                        if gathered.take(line) {
                            let observed = gathered.observation(&self.probe).map_err(ProbeError::Nonsense);
                            armed = None;
                            return observed.map(Some);
                        }
                    }
                }
            }
        };
        // The machine may end early; then what is still being sent has nobody to read it.
        let ended = {
            tokio::pin!(sending, receiving);
            tokio::select! {
                observed = &mut receiving => observed,
                sent = &mut sending => match sent {
                    Ok(()) => receiving.await,
                    Err(error) => Err(error),
                }
            }
        };
        match (ended, armed) {
            (Ok(Some(observation)), _) => Ok(Performed::Observed(observation)),
            (Ok(None) | Err(_), Some(since)) => Ok(Performed::Held { since: since.into_std(), idle }),
            (Err(error), None) => Err(error),
            (Ok(None), None) => Err(ProbeError::Nonsense("guarded steps without a guard".to_owned())),
        }
    }

    /// Ends the session.
    pub async fn close(self) {
        // Without waiting: a machine that takes nothing more need not hear it.
        let _ = self.channel.input.try_send(b"quit\n".to_vec());
        drop(self.channel);
        self.session.close().await;
    }

    async fn begin(&mut self, target: &Target, opening: &Opening, nonce: &str) -> Result<(), ProbeError> {
        if let Privilege::Sudo { password: Some(password) } = &target.privilege {
            // The prompt comes without a line break, on standard error; no prompt comes when sudo
            // needs no password, and then it must not be sent: it would be taken for an order.
            let prompt = prompt(nonce);
            loop {
                if self.lines.iter().any(is_ready) {
                    break;
                }
                if self.errors.windows(prompt.len()).any(|window| window == prompt.as_bytes()) {
                    self.errors.clear();
                    let mut line = zeroize::Zeroizing::new(password.expose().to_vec());
                    line.push(b'\n');
                    self.send(line.to_vec()).await?;
                    self.wait_ready(&prompt).await?;
                    break;
                }
                self.more().await?;
            }
        }
        if !opening.orders.is_empty() {
            self.send(opening.orders.clone()).await?;
        }
        Ok(())
    }

    /// Waits until the program runs; a second prompt means that the password was wrong, and what
    /// would follow must not be tried as one.
    async fn wait_ready(&mut self, prompt: &str) -> Result<(), ProbeError> {
        while !self.lines.iter().any(is_ready) {
            if self.errors.windows(prompt.len()).any(|window| window == prompt.as_bytes()) {
                return Err(ProbeError::Privilege {
                    by: "sudo",
                    reason: "the password was refused".to_owned(),
                });
            }
            self.more().await?;
        }
        Ok(())
    }

    pub(super) async fn observe(&mut self) -> Result<(Observation, Kept), ProbeError> {
        let mut gathered = Gathered::default();
        let mut ready = false;
        loop {
            let line = self.line().await?;
            if is_ready(&line) {
                ready = true;
                self.greeting.clear();
                continue;
            }
            if let Line::Text(text) = &line
                && !ready
                && !text.trim().is_empty()
            {
                self.greeting.clone_from(text);
            }
            if gathered.take(line) {
                let kept = gathered.kept(self.probe.state.clone());
                let observation = gathered.observation(&self.probe).map_err(ProbeError::Nonsense)?;
                return Ok((observation, kept));
            }
        }
    }

    pub(super) async fn send(&self, bytes: Vec<u8>) -> Result<(), ProbeError> {
        // A closed queue means that the session has ended; reading on tells why.
        let _ = self.channel.input.send(bytes).await;
        Ok(())
    }

    pub(super) async fn line(&mut self) -> Result<Line, ProbeError> {
        loop {
            if let Some(line) = self.lines.pop_front() {
                return Ok(line);
            }
            self.more().await?;
        }
    }

    /// Receives once.
    async fn more(&mut self) -> Result<(), ProbeError> {
        match self.channel.output.recv().await {
            Some(Output::Stdout(bytes)) => self.lines.extend(self.frames.push(&bytes)?),
            Some(Output::Stderr(bytes)) => {
                self.errors.extend_from_slice(&bytes);
                let excess = self.errors.len().saturating_sub(KEPT_ERROR);
                self.errors.drain(..excess);
            }
            Some(Output::Exit(status)) => {
                // Output may still follow the status.
                while let Some(rest) = self.channel.output.recv().await {
                    match rest {
                        Output::Stderr(bytes) if self.errors.len() < KEPT_ERROR => self.errors.extend(bytes),
                        Output::Lost(_) => break,
                        _ => {}
                    }
                }
                return Err(ProbeError::Ended { status, said_last: self.last_words() });
            }
            Some(Output::Lost(error)) => return Err(error.into()),
            None => return Err(ProbeError::Ended { status: None, said_last: self.last_words() }),
        }
        Ok(())
    }

    fn last_words(&self) -> String {
        let text = String::from_utf8_lossy(&self.errors);
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        if lines.is_empty() {
            return self.greeting.chars().take(KEPT_ERROR).collect();
        }
        lines.iter().rev().take(3).rev().copied().collect::<Vec<_>>().join("; ")
    }
}
