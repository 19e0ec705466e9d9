//! What the demo shows, step by step, and what has to hold at each.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::drift::Drift;
use super::error::DemoError;
use super::inventory;
use super::login::Login;
use super::machine::Apart;
use super::place::{Place, sweep};
use super::session::{Session, show_outcomes, show_plans, shown};
use super::stage::{Choice, Stage};
use crate::event::StepOutcome;
use crate::fleet::{Outcome, Prepared};
use crate::model::MachineName;
use crate::plan::Plan;
use crate::report::{Paint, Style, safe};

/// How many steps the story has.
const STEPS: usize = 7;

/// How long it takes at most until a signal is heard of.
const HEARING: Duration = Duration::from_millis(100);

/// The longest line the demo itself says, in columns.
const LINE: usize = 300;

/// The folder of the keys that open the machines, beside the inventory.
const KEYS: &str = "keys";

/// How the demo runs.
#[derive(Clone, Debug)]
pub struct DemoOptions {
    /// How texts look.
    pub style: Style,
    /// The folder in which the temporary folder is made.
    pub temporary: PathBuf,
    /// Ends the demo early; what it has made is taken down first.
    pub cancel: CancellationToken,
}

/// Shows what fleetprov does on a small fleet inside this computer, and checks all of it.
///
/// `show` gets texts for a person, whole lines. When this returns, every process, mount and file of
/// the demo is gone; dropped before that, they go away by themselves soon after.
///
/// # Errors
/// [`DemoError`]: it was interrupted, the system refused something, or something did not hold.
pub async fn run(options: &DemoOptions, show: &mut (dyn FnMut(&str) + Send)) -> Result<(), DemoError> {
    let begun = Instant::now();
    let mut story = Story { style: options.style, step: 0, show };
    let left = sweep(&options.temporary);
    if left > 0 {
        let demos = if left == 1 { "demo that was" } else { "demos that were" };
        story.say(&format!("Removed what was left of {left} {demos} killed."));
    }
    let place = Place::make(&options.temporary)?;
    let mut stage = Stage::default();
    let told = tokio::select! {
        biased;
        () = options.cancel.cancelled() => Err(DemoError::Interrupted),
        told = story.tell(&place, &mut stage) => match told {
            Ok(()) => Ok(()),
            Err(error) => {
                // A Ctrl-C may end a process that has not left our process group yet before we hear of it.
                let heard = tokio::time::timeout(HEARING, options.cancel.cancelled()).await;
                Err(heard.map_or(error, |()| DemoError::Interrupted))
            }
        },
    };
    stage.strike().await;
    let removed = place.remove();
    told?;
    removed?;
    let seconds = begun.elapsed().as_secs_f64();
    let text =
        format!("Everything held, in {seconds:.1} s. The machines are gone again, with all their files.");
    (story.show)("\n");
    story.paint(Paint::Strong, &text);
    Ok(())
}

/// The teller.
struct Story<'a> {
    style: Style,
    step: usize,
    show: &'a mut (dyn FnMut(&str) + Send),
}

impl Story<'_> {
    async fn tell(&mut self, place: &Place, stage: &mut Stage) -> Result<(), DemoError> {
        let keys = place.path().join(KEYS);
        std::fs::create_dir(&keys)
            .map_err(|error| DemoError::system(format!("make {}", keys.display()), error))?;

        let names = inventory::machines()?;
        let machines = place.path().join("machines");
        let choice = stage.choose(&machines).await;
        self.step(&format!("Start {} machines: {}.", names.len(), names.join(", ")));
        let pins = stage.raise(&names, &choice, &machines, &keys).await?;
        self.tell_apart(&choice);

        let members: Vec<_> =
            names.iter().filter_map(|name| Some((name.as_str(), stage.member(name)?))).collect();
        let login = match members.first() {
            Some((_, first)) => Login::of(&first.machine).await?,
            None => return Err(DemoError::Broken("its inventory has no machines".to_owned())),
        };
        let written = inventory::write(place.path(), &members, &login, choice.crontab, KEYS, &pins)?;
        let session = Session::open(&written)?;
        let (managed, unmanaged) = session.members();
        self.step(&format!(
            "Write their inventory, and an overlay with their addresses: {managed} managed machines, \
             {unmanaged} unmanaged."
        ));
        let files = format!("{} --overlay {}", shown(&written.inventory), shown(&written.overlay));
        self.command(&format!("validate {files}"));

        self.step("Look at all of them, and show what would change.");
        self.command(&format!("plan {files}"));
        let prepared = session.plan().await?;
        self.report(&show_plans(&prepared, self.style));
        for (machine, plan) in plans(&prepared)? {
            if plan.steps.is_empty() || !plan.blocked.is_empty() {
                return Err(broken(
                    machine,
                    "a new machine has to have changes to make, and none in the way",
                ));
            }
        }
        let drift = Drift::choose(&prepared)?;

        self.step("Make the changes.");
        self.command(&format!("apply {files} --yes"));
        let outcomes = session.apply(prepared).await;
        self.report(&show_outcomes(&outcomes, self.style));
        all_made(&outcomes)?;

        self.step("Look again: nothing is left to do.");
        self.command(&format!("plan {files}"));
        let prepared = session.plan().await?;
        self.report(&show_plans(&prepared, self.style));
        if let Some((machine, _)) = plans(&prepared)?.into_iter().find(|(_, plan)| !plan.is_empty()) {
            return Err(broken(machine, "after an apply nothing may be left to do"));
        }

        let machine = stage.member(&drift.machine).map(|member| member.machine.as_ref());
        let machine = machine.ok_or_else(|| DemoError::Broken(format!("{} is not there", drift.machine)))?;
        let before = drift.content(machine).await?;
        self.step(&format!("Change {} on {} behind its back, and look again.", drift.path, drift.machine));
        self.typed(&drift.machine, &drift.command());
        drift.cause(machine).await?;
        self.command(&format!("plan {files}"));
        let prepared = session.plan().await?;
        self.report(&show_plans(&prepared, self.style));
        drift.is_all(&plans(&prepared)?)?;

        self.step("Put it back.");
        self.command(&format!("apply {files} --yes"));
        let outcomes = session.apply(prepared).await;
        self.report(&show_outcomes(&outcomes, self.style));
        all_made(&outcomes)?;
        if drift.content(machine).await? != before {
            return Err(DemoError::Broken(format!("{} on {} is not what it was", drift.path, drift.machine)));
        }
        Ok(())
    }

    fn tell_apart(&mut self, choice: &Choice) {
        self.say(match choice.apart {
            Apart::Root => "Each has a root of its own, in namespaces of the kernel.",
            Apart::UserNamespace => "Each has a root of its own, in a user namespace of the kernel.",
            Apart::Folder => {
                "Each is a folder that stands for its root. A root of its own is not possible here:"
            }
        });
        for reason in &choice.reasons {
            self.say(&format!("- {reason}"));
        }
        self.say("Each has an SSH server on 127.0.0.1, with a host key and an access key made just now.");
        if !choice.crontab {
            self.say(if choice.apart == Apart::Folder {
                "Nothing is scheduled on them: their crontab would be this computer's own."
            } else {
                "Nothing is scheduled on them: there is no crontab program here."
            });
        }
    }

    fn step(&mut self, text: &str) {
        self.step += 1;
        let text = safe::line(text, self.style);
        (self.show)("\n");
        self.paint(Paint::Strong, &format!("{}/{STEPS} {text}", self.step));
    }

    fn say(&mut self, text: &str) {
        let text = safe::bounded(text, LINE, self.style);
        (self.show)(&format!("  {text}\n"));
    }

    /// What one would type to get the same.
    fn command(&mut self, text: &str) {
        self.typed("", &format!("fleetprov {text}"));
    }

    /// What is typed on a machine; on this computer when it has no name.
    fn typed(&mut self, machine: &str, text: &str) {
        let text = safe::line(text, self.style);
        let prompt = if machine.is_empty() { "$".to_owned() } else { format!("{machine} $") };
        self.paint(Paint::Faint, &format!("  {prompt} {text}"));
    }

    fn report(&mut self, text: &str) {
        (self.show)("\n");
        (self.show)(text);
    }

    fn paint(&mut self, paint: Paint, line: &str) {
        (self.show)(&format!("{}\n", self.style.paint(paint, line)));
    }
}

/// The plans of all machines; a machine without one is an error.
fn plans(prepared: &[Prepared]) -> Result<Vec<(&MachineName, &Plan)>, DemoError> {
    let plan_of = |one: &'_ Prepared| match &one.result {
        Ok(_) => None,
        Err(failure) => Some(broken(&one.machine, &format!("failed to {}", failure.message))),
    };
    match prepared.iter().find_map(plan_of) {
        Some(error) => Err(error),
        None => Ok(prepared
            .iter()
            .filter_map(|one| Some((&one.machine, one.result.as_ref().ok()?.plan.as_ref())))
            .collect()),
    }
}

/// Every change is made and none is left.
fn all_made(outcomes: &[Outcome]) -> Result<(), DemoError> {
    for outcome in outcomes {
        if let Some(failure) = &outcome.failure {
            return Err(broken(&outcome.machine, &format!("failed to {}", failure.message)));
        }
        let made = outcome.steps.iter().all(|step| *step == StepOutcome::Changed);
        if !made || !outcome.left.as_ref().is_some_and(|left| left.is_empty()) {
            return Err(broken(&outcome.machine, "every change has to be made, and none may be left"));
        }
    }
    Ok(())
}

fn broken(machine: &MachineName, what: &str) -> DemoError {
    DemoError::Broken(format!("{machine}: {what}"))
}
