//! What a walk leaves out, and what it waits for on its way.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt as _;

use crate::event::StepOutcome;
use crate::plan::Plan;
use crate::probe::Hold;
use crate::resource::Payload;

/// Steps that are not made, by their indices, and how each of them counts.
pub type Barred = BTreeMap<usize, StepOutcome>;

/// Tells which of the steps that wait for other machines are not made, once that is known.
pub type Waiting<'a> = Pin<Box<dyn Future<Output = Barred> + Send + 'a>>;

/// What a walk leaves out, and what it waits for. By default nothing.
#[derive(Default)]
pub struct Restraint<'a> {
    /// What is known beforehand not to be made.
    pub barred: Barred,
    /// What the first step that waits for another machine, and all behind it, wait for.
    pub waiting: Option<Waiting<'a>>,
}

/// Those that are known not to be made by now; the machine's reports are read while the list grows.
#[derive(Clone, Default)]
pub(super) struct Known(Arc<Mutex<Barred>>);

impl Known {
    pub(super) fn new(barred: Barred) -> Self {
        Self(Arc::new(Mutex::new(barred)))
    }

    fn add(&self, more: Barred) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(more);
    }

    /// How a step counts that the machine says it has left out.
    pub(super) fn outcome(&self, index: usize) -> StepOutcome {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&index).cloned().unwrap_or_else(|| {
            StepOutcome::Failed("the machine left it out, and nobody had told it to".to_owned())
        })
    }
}

/// The operations' payloads of some steps, but for those that are not made: nobody reads them.
pub(super) fn payloads(plan: &Plan, steps: std::ops::Range<usize>, barred: &Barred) -> Vec<Payload> {
    let steps = plan.steps.iter().enumerate().take(steps.end).skip(steps.start);
    steps
        .filter(|(index, _)| !barred.contains_key(index))
        .flat_map(|(_, step)| &step.difference.operations)
        .filter_map(|operation| operation.payload.clone())
        .collect()
}

/// The line that names what is left out when a walk goes on, and the payloads behind it, once the others are through.
pub(super) fn hold<'a>(
    plan: &'a Plan,
    from: usize,
    before: Barred,
    known: Known,
    waiting: Waiting<'a>,
) -> Hold<'a> {
    async move {
        let mut more = waiting.await;
        more.retain(|index, _| !before.contains_key(index));
        let words: String = more.keys().map(|index| format!(" {index}")).collect();
        let mut barred = before;
        barred.extend(more.clone());
        known.add(more);
        (format!("{words}\n").into_bytes(), payloads(plan, from..plan.steps.len(), &barred))
    }
    .boxed()
}
