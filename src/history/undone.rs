//! What a machine tells of a run that is to be put back.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::UNDO;
use super::condition::{Condition, State};
use crate::model::{Aspect, MachinePath};
use crate::resource::{Question, Touched};
use crate::shell::Call;
use crate::state::{Ledger, Progress, RunDocument, RunId, RunStep, StepState, unpacked};

/// The most bytes of a content that is shown.
const LARGEST: usize = 64 * 1024;
/// The most contents that are asked for.
const MOST: usize = 200;
/// Kinds whose own questions bring the whole text to the controller, so that an undo may show it, too.
const SHOWN: &[&str] = &["file", "block", "crontab-entry"];

/// A run that is to be put back, as the machine's journal has it.
#[derive(Clone, Debug)]
pub struct Undone {
    pub(super) document: RunDocument,
    pub(super) progress: Progress,
    /// Whether nothing can have happened that the progress does not say.
    pub(super) certain: bool,
    /// Whether what was there before is still kept.
    pub(super) kept: bool,
    /// What each step touched.
    pub(super) things: BTreeMap<usize, Vec<Thing>>,
}

/// One thing that a step touched.
#[derive(Clone, Debug)]
pub(super) struct Thing {
    /// Its number in the step, from 1.
    pub(super) number: usize,
    /// Its name as it is kept: `path:/etc/motd`.
    pub(super) name: String,
    pub(super) touched: Touched,
    pub(super) was: Condition,
    /// How the step left it; unknown when the run was cut before it said so.
    pub(super) left: Option<Condition>,
    pub(super) now: Condition,
    /// Whether a secret may be in it.
    pub(super) secret: bool,
    /// What was in it and what is in it, when both may be shown and are small.
    pub(super) was_text: Option<Vec<u8>>,
    pub(super) now_text: Option<Vec<u8>>,
}

/// Asks for everything about a run but contents.
#[must_use]
pub fn undone_question(state: &str, run: &RunId) -> Question {
    let call = Call::new("fp_past_run", [state, run.as_str()]);
    Question::Ask { library: UNDO, call, within: None }
}

/// Asks for the contents that may be shown; `None` when there are none.
#[must_use]
pub fn texts_question(state: &str, undone: &Undone) -> Option<Question> {
    let places: Vec<String> = undone
        .all()
        .filter(|(index, thing)| !thing.secret && undone.is_shown(*index))
        .filter(|(_, thing)| thing.now != thing.was && (is_text(&thing.now) || is_text(&thing.was)))
        .take(MOST)
        .map(|(index, thing)| format!("{index}.{}", thing.number))
        .collect();
    if places.is_empty() {
        return None;
    }
    let limit = (LARGEST + 200).to_string();
    let arguments = [state.to_owned(), undone.document.id.to_string(), limit];
    let call = Call::new("fp_past_texts", arguments.into_iter().chain(places));
    Some(Question::Ask { library: UNDO, call, within: None })
}

/// What is said of a machine that does not know a run.
#[must_use]
pub fn no_such_run(run: &RunId) -> String {
    format!("there is no run {run} in its journal")
}

impl Undone {
    /// Reads what a machine says of a run: the answers to [`undone_question`] and, when it was asked, to
    /// [`texts_question`]. `None` when the machine does not know the run.
    ///
    /// # Errors
    /// Why it makes no sense, a fragment that fits after "failed to".
    pub fn read(
        lines: &[String],
        texts: &[String],
        run: &RunId,
        ledger: &Ledger,
    ) -> Result<Option<Self>, String> {
        let word = |word: &str| lines.iter().find_map(|line| line.strip_prefix(word)?.strip_prefix(' '));
        let decode = |text: &str| {
            let bytes = STANDARD.decode(text).map_err(|error| format!("read run {run}: {error}"))?;
            Ok::<_, String>(unpacked(bytes))
        };
        if let Some(reason) = word("unreadable") {
            let reason = String::from_utf8_lossy(&decode(reason)?).into_owned();
            return Err(format!("read run {run}: {reason}"));
        }
        let Some(document) = word("run") else { return Ok(None) };
        let document = RunDocument::read(&decode(document)?, &format!("the document of run {run}"))
            .map_err(|error| error.to_string())?;
        if document.id != *run {
            return Err(format!("read run {run}: its document is that of run {}", document.id));
        }
        let progress = decode(word("progress").unwrap_or_default())?;
        let progress = Progress::read(&progress, document.steps.len());
        let certain = progress.is_certain(word("boot").unwrap_or_default());
        let kept = lines.iter().any(|line| line == "kept");
        let mut undone = Self { document, progress, certain, kept, things: BTreeMap::new() };
        for line in lines {
            undone.take(line);
        }
        undone.hide(ledger);
        for line in texts {
            undone.take_text(line);
        }
        Ok(Some(undone))
    }

    /// Every thing, with the index of its step.
    fn all(&self) -> impl Iterator<Item = (usize, &Thing)> {
        self.things.iter().flat_map(|(index, things)| things.iter().map(|thing| (*index, thing)))
    }

    fn is_shown(&self, index: usize) -> bool {
        self.document.steps.get(index).is_some_and(|step| SHOWN.contains(&step.id.kind))
    }

    /// How far a step came, as far as it is known.
    pub(super) fn state(&self, index: usize) -> StepState {
        match self.progress.step(index) {
            // A crash loses the last lines of progress.
            StepState::Untouched if !self.certain && self.things.contains_key(&index) => StepState::Started,
            state => state,
        }
    }

    fn thing(&mut self, index: usize, number: usize) -> Option<&mut Thing> {
        self.things.get_mut(&index)?.iter_mut().find(|thing| thing.number == number)
    }

    /// Takes one line about a thing; one that makes no sense is left out, and what it was about cannot
    /// be put back.
    fn take(&mut self, line: &str) -> Option<()> {
        let mut words = line.splitn(4, ' ');
        let word = words.next()?;
        let index: usize = words.next()?.parse().ok().filter(|index| *index < self.document.steps.len())?;
        let number = words.next()?.parse().ok()?;
        let rest = words.next()?;
        match word {
            "thing" => {
                let unknown = Condition::new("unkept the machine does not say");
                self.things.entry(index).or_default().push(Thing {
                    number,
                    name: rest.to_owned(),
                    touched: touched(rest).unwrap_or_else(|| Touched::Other(rest.to_owned())),
                    was: unknown.clone(),
                    left: None,
                    now: unknown,
                    secret: false,
                    was_text: None,
                    now_text: None,
                });
            }
            "was" => self.thing(index, number)?.was = Condition::new(rest),
            "left" => self.thing(index, number)?.left = Some(Condition::new(rest)),
            "now" => self.thing(index, number)?.now = Condition::new(rest),
            _ => {}
        }
        Some(())
    }

    /// Marks what a secret may be in: things that a resource with a secret touches, in this run or by
    /// what the record says.
    fn hide(&mut self, ledger: &Ledger) {
        let mut targets: BTreeSet<String> = BTreeSet::new();
        let mut names: BTreeSet<String> = BTreeSet::new();
        for entry in ledger.entries.values().chain(ledger.undecided.values()) {
            if entry.applied.values().any(Aspect::is_secret) {
                targets.insert(entry.id.target.clone());
            }
        }
        for (index, step) in self.document.steps.iter().enumerate() {
            if has_secret(step) {
                targets.insert(step.id.target.clone());
                names.extend(self.things.get(&index).into_iter().flatten().map(|thing| thing.name.clone()));
            }
        }
        for thing in self.things.values_mut().flatten() {
            let path = thing.name.split_once(':').map_or("", |(_, rest)| rest);
            thing.secret = names.contains(&thing.name) || targets.iter().any(|target| is_about(target, path));
        }
    }

    fn take_text(&mut self, line: &str) -> Option<()> {
        let mut words = line.splitn(3, ' ');
        let (word, place, text) = (words.next()?, words.next()?, words.next()?);
        let (index, number) = place.split_once('.')?;
        let (index, number) = (index.parse().ok()?, number.parse().ok()?);
        let text = content(&STANDARD.decode(text).ok()?)?;
        let shown = self.is_shown(index);
        let thing = self.thing(index, number).filter(|thing| shown && !thing.secret)?;
        match word {
            "was" => thing.was_text = Some(text),
            "now" => thing.now_text = Some(text),
            _ => {}
        }
        Some(())
    }
}

/// Whether a resource's target is a thing, or a part of it: `/etc/x.conf`, `/etc/x.conf#section`.
fn is_about(target: &str, path: &str) -> bool {
    target
        .strip_prefix(path)
        .is_some_and(|rest| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '/'))
}

/// Whether a secret takes part in a step, or nothing says that none does.
fn has_secret(step: &RunStep) -> bool {
    let mut entries = step.entry.iter().chain(&step.former);
    entries.any(|entry| entry.applied.is_empty() || entry.applied.values().any(Aspect::is_secret))
}

fn is_text(condition: &Condition) -> bool {
    matches!(condition.state(), State::File { .. } | State::Crontab(Some(_)))
}

/// The content of an image: a line of words of which the last is its size, and the content. `None` when
/// there is none, or not all of it.
fn content(image: &[u8]) -> Option<Vec<u8>> {
    let end = image.iter().position(|byte| *byte == b'\n')?;
    let (words, content) = (image.get(..end)?, image.get(end + 1..)?);
    let words = std::str::from_utf8(words).ok()?;
    let size: usize = match words.split(' ').collect::<Vec<_>>().as_slice() {
        ["file", _, _, _, size] | ["crontab", size] => size.parse().ok()?,
        _ => return None,
    };
    (size == content.len() && size <= LARGEST).then(|| content.to_vec())
}

/// What a name is the name of.
fn touched(name: &str) -> Option<Touched> {
    match name.split_once(':')? {
        ("path", path) => MachinePath::new(path).ok().filter(|is| is.as_str() == path).map(Touched::Path),
        ("unit", unit) if is_plain(unit) => Some(Touched::Unit(unit.to_owned())),
        ("crontab", user) if is_plain(user) => Some(Touched::Crontab(user.to_owned())),
        _ => None,
    }
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('-') && !name.chars().any(|one| one.is_control() || one == ' ')
}
