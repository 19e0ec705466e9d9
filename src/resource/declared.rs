//! A resource as the inventory wants it, with its origin and its place in the order.

use std::fmt::Debug;
use std::sync::Arc;

use serde_json::Value as Json;

use super::answer::{Answer, Answers, ObserveError};
use super::content::Rendered;
use super::difference::{Comparison, Difference};
use super::opens::Opens;
use super::question::Question;
use super::remnant::Touched;
use crate::model::{Aspects, MachineName, MachinePath, ResourceId, Span};

/// One thing on one machine that fleetprov owns. Everything here is pure.
pub trait Resource: Debug + Send + Sync {
    /// Kind and target, unique on its machine.
    fn id(&self) -> ResourceId;

    /// What it wants to know of the machine.
    fn questions(&self) -> Vec<Question>;

    /// Compares what the machine said with what is desired.
    ///
    /// # Errors
    /// [`ObserveError`] when the state cannot be told, or cannot be changed without losing something.
    fn compare(&self, answers: Answers<'_>) -> Result<Comparison, ObserveError>;

    /// What to do when nothing of it differs, but something that it was declared to follow changes
    /// in this plan (a unit's file, a service's configuration). `because` names what changes.
    fn follow(&self, answers: Answers<'_>, because: &[ResourceId]) -> Option<Difference> {
        let _ = (answers, because);
        None
    }

    /// What the machine will answer once what differs has been mended, to those of its questions that
    /// other resources ask, too: several own a part of one file or crontab each, and the next one has
    /// to build on what this one leaves.
    fn foreseen(&self, answers: Answers<'_>) -> Vec<(Question, Answer)> {
        let _ = answers;
        Vec::new()
    }

    /// The path it occupies, when it is one: what lies below a declared directory comes after it.
    fn path(&self) -> Option<&MachinePath> {
        None
    }

    /// The files it would write, for `render`.
    fn rendered(&self) -> Vec<Rendered> {
        Vec::new()
    }

    /// Whether a secret takes part, so that the run's key has to travel before the probe.
    fn is_secret(&self) -> bool {
        false
    }

    /// What it is to be, aspect by aspect; only what it desires.
    fn wanted(&self) -> Aspects {
        Aspects::new()
    }

    /// What is there of the aspects that [`Resource::wanted`] names, spelled as it spells them; empty
    /// when nothing of it is there.
    ///
    /// # Errors
    /// As [`Resource::compare`].
    fn observed(&self, answers: Answers<'_>) -> Result<Aspects, ObserveError> {
        let _ = answers;
        Ok(Aspects::new())
    }

    /// What has to be remembered to remove it once it has left the inventory; nothing secret. The
    /// kind's [`super::Recall`] reads it.
    fn remains(&self) -> Json {
        Json::Null
    }

    /// Resources that make it what it is, such as the file that defines a unit: where one of them is
    /// fleetprov's already, so is what it made.
    fn rests_on(&self) -> Vec<ResourceId> {
        Vec::new()
    }

    /// Whether a change of it can cut the way in to the machine (contract C6), by the table of
    /// [`super::way_in`].
    fn guards(&self) -> bool {
        false
    }

    /// A value that is born on the machine and that other machines need: a public key. It is said anew at each
    /// look, by a machine that may say what it likes.
    fn export(&self, answers: Answers<'_>) -> Option<String> {
        let _ = answers;
        None
    }

    /// What its operations may change on the machine.
    fn touches(&self) -> Vec<Touched> {
        self.path().cloned().map(Touched::Path).into_iter().collect()
    }
}

/// A resource with its origin and order.
#[derive(Clone, Debug)]
pub struct Declared {
    /// The resource.
    pub resource: Arc<dyn Resource>,
    /// Where it was declared.
    pub origin: Origin,
    /// Resources that come first, when they are part of the same machine's desired state.
    pub after: Vec<ResourceId>,
    /// Resources whose change it follows ([`Resource::follow`]). They come first, too.
    pub follows: Vec<ResourceId>,
    /// Whether a change of it can cut the way in, because the inventory says so (`guard: true`).
    pub guard: bool,
    /// Machines whose own changes have to be made first.
    pub awaits: Vec<MachineName>,
    /// What it opens over SSH elsewhere.
    pub opens: Vec<Opens>,
}

/// Where a resource was declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The role, surface or leg, as it reads in a report: "role web-host", "leg sites-cc-nas".
    pub from: String,
    /// The place in its file.
    pub span: Span,
}

impl Declared {
    /// A resource that stands by itself.
    #[must_use]
    pub fn new(resource: impl Resource + 'static, origin: Origin) -> Self {
        Self {
            resource: Arc::new(resource),
            origin,
            after: Vec::new(),
            follows: Vec::new(),
            guard: false,
            awaits: Vec::new(),
            opens: Vec::new(),
        }
    }

    /// Adds resources that come first.
    #[must_use]
    pub fn after(mut self, ids: impl IntoIterator<Item = ResourceId>) -> Self {
        self.after.extend(ids);
        self
    }

    /// Adds machines whose own changes have to be made first.
    #[must_use]
    pub fn awaits(mut self, machines: impl IntoIterator<Item = MachineName>) -> Self {
        for machine in machines {
            if !self.awaits.contains(&machine) {
                self.awaits.push(machine);
            }
        }
        self
    }

    /// Adds what it opens over SSH elsewhere.
    #[must_use]
    pub fn opens(mut self, opens: impl IntoIterator<Item = Opens>) -> Self {
        self.opens.extend(opens);
        self
    }

    /// Adds resources whose change it follows.
    #[must_use]
    pub fn follows(mut self, ids: impl IntoIterator<Item = ResourceId>) -> Self {
        self.follows.extend(ids);
        self
    }
}
