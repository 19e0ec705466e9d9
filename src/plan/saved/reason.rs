//! Why a saved step is not made any more, in words.

use std::collections::{BTreeMap, BTreeSet};

use super::{SavedStep, Seen};
use crate::plan::Step;

/// So many things that have changed are told.
const TOLD: usize = 4;

/// What of a step is not as it was when it was saved; `now` is what is there.
pub(super) fn changed(saved: &SavedStep, step: &Step, now: &BTreeMap<String, Option<Seen>>) -> String {
    let names: BTreeSet<&String> = saved.seen.keys().chain(now.keys()).collect();
    let differences: Vec<String> =
        names.into_iter().filter_map(|name| difference(name, saved.seen.get(name), now.get(name))).collect();
    let verb = step.difference.action.verb();
    if let Some(rest) = differences.get(TOLD..).filter(|rest| !rest.is_empty()) {
        let told = differences.get(..TOLD).unwrap_or_default().join("; ");
        return format!("the machine has moved since the plan was saved: {told}; and {} more", rest.len());
    }
    if !differences.is_empty() {
        return format!("the machine has moved since the plan was saved: {}", differences.join("; "));
    }
    if saved.action != verb {
        return format!("it was to be {}, and would be {} now", past(&saved.action), past(verb));
    }
    if saved.class != step.class.word() {
        return format!("it was {} when the plan was saved, and is {} now", saved.class, step.class.word());
    }
    "what would be done to it is not what was saved: what it is made from has changed, or what it builds on"
        .to_owned()
}

fn past(verb: &str) -> String {
    if verb.ends_with('e') { format!("{verb}d") } else { format!("{verb}ed") }
}

/// How one thing differs; each is `None` when it was, or is, as desired.
fn difference(name: &str, was: Option<&Option<Seen>>, is: Option<&Option<Seen>>) -> Option<String> {
    match (was, is) {
        (Some(was), Some(is)) if was == is => None,
        (Some(Some(Seen::Keyed(_))), Some(Some(Seen::Keyed(_)))) => {
            Some(format!("its {name}, which is not shown, is another one"))
        }
        (Some(was), Some(is)) => Some(format!("its {name} was {}, is {}", words(was), words(is))),
        (Some(was), None) => Some(format!("its {name} was {}, is as desired", words(was))),
        (None, Some(is)) => Some(format!("its {name} was as desired, is {}", words(is))),
        (None, None) => None,
    }
}

fn words(seen: &Option<Seen>) -> String {
    match seen {
        None => "not there".to_owned(),
        Some(Seen::Text(text)) if text.is_empty() => "empty".to_owned(),
        Some(Seen::Text(text)) => text.clone(),
        Some(Seen::Digest(digest)) => format!("sha256 {}", digest.short()),
        Some(Seen::Keyed(_)) => "<secret>".to_owned(),
    }
}
