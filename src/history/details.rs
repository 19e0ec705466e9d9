//! What a person gets to read of a thing that goes back to what it was.

use super::condition::{Condition, Shape, State, octal};
use super::undone::Thing;
use crate::model::{Digest, ResourceId};
use crate::resource::{Action, Detail, Touched};

/// The sort of change that brings things from how they are to how they were.
pub(super) fn action<'a>(changes: impl Iterator<Item = (&'a Condition, &'a Condition)>) -> Action {
    let mut all: Option<Action> = None;
    for (now, was) in changes {
        let one = match (now.state(), was.state()) {
            _ if was.is_absent() => Action::Remove,
            _ if now.is_absent() => Action::Create,
            (State::File { .. }, State::File { .. })
            | (State::Directory(_), State::Directory(_))
            | (State::Link { .. }, State::Link { .. })
            | (State::Unit { .. } | State::Crontab(_), _) => Action::Update,
            _ => Action::Replace,
        };
        all = Some(all.map_or(one, |other| if other == one { one } else { Action::Update }));
    }
    all.unwrap_or(Action::Update)
}

/// What differs between how a thing is (`now`) and how it was. `id` is the resource whose step touched it.
pub(super) fn details(id: &ResourceId, thing: &Thing, now: &Condition) -> Vec<Detail> {
    let Name { plain, prefix } = Name::of(id, thing);
    let value = |name: &str, from: Option<&str>, to: &str| Detail::value(format!("{prefix}{name}"), from, to);
    let mut details = Vec::new();
    match (now.state(), thing.was.state()) {
        (State::File { shape, digest }, State::File { shape: was, digest: was_digest }) => {
            if digest != was_digest {
                details.push(content(plain, thing, now));
            }
            details.extend(shapes(&prefix, Some(shape), was));
        }
        (_, State::File { shape, .. }) => {
            details.push(content(plain, thing, now));
            details.extend(shapes(&prefix, None, shape));
        }
        (State::Directory(shape), State::Directory(was)) => details.extend(shapes(&prefix, Some(shape), was)),
        (_, State::Directory(was)) => details.extend(shapes(&prefix, None, was)),
        (from, State::Link { target: to, .. }) => {
            let to = decoded(to);
            match from {
                State::Link { target, .. } => details.push(value("target", Some(&decoded(target)), &to)),
                _ => details.push(value("target", None, &to)),
            }
        }
        (State::Unit { enabled, active }, State::Unit { enabled: was, active: was_active }) => {
            if enabled != was {
                details.push(value("state", Some(enabled), was));
            }
            if active != was_active {
                details.push(Detail::flag(format!("{prefix}active"), was_active));
            }
        }
        (_, State::Crontab(_)) => details.push(content(plain, thing, now)),
        (_, State::Absent) if !prefix.is_empty() => details.push(Detail::Note(format!("removes {plain}"))),
        _ => {}
    }
    details
}

/// What a thing is called below its step.
struct Name {
    plain: String,
    /// What stands before the name of a value, when the thing is not the resource itself.
    prefix: String,
}

impl Name {
    fn of(id: &ResourceId, thing: &Thing) -> Self {
        let (plain, itself) = match &thing.touched {
            Touched::Path(path) => (path.to_string(), path.as_str() == id.target),
            Touched::Unit(unit) => (unit.clone(), *unit == id.target),
            Touched::Crontab(user) => (format!("crontab of {user}"), true),
            Touched::Other(other) => (other.clone(), false),
        };
        let prefix = if itself { String::new() } else { format!("{plain} ") };
        Self { plain, prefix }
    }
}

/// Owner and group are numbers: nothing else is kept.
fn shapes(prefix: &str, now: Option<Shape<'_>>, was: Shape<'_>) -> Vec<Detail> {
    let words = |shape: Shape<'_>| [shape.user.to_owned(), shape.group.to_owned(), octal(shape.mode)];
    let (now, was) = (now.map(words), words(was));
    let mut details = Vec::new();
    for (place, (name, to)) in ["owner", "group", "mode"].into_iter().zip(was).enumerate() {
        let from = now.as_ref().and_then(|words| words.get(place));
        if from != Some(&to) {
            details.push(Detail::value(format!("{prefix}{name}"), from.map(String::as_str), to));
        }
    }
    details
}

fn content(name: String, thing: &Thing, now: &Condition) -> Detail {
    if thing.secret {
        return Detail::Secret { name, existed: !now.is_absent() };
    }
    // What came home is what is there; when another step is put back first, it is not that any more.
    let there = thing.now_text.as_ref().filter(|_| *now == thing.now);
    let texts = (there, thing.was_text.as_ref());
    match texts {
        (Some(from), Some(to)) if is_readable(from) && is_readable(to) => {
            Detail::Text { name, from: Some(from.clone()), to: to.clone() }
        }
        (None, Some(to)) if now.is_absent() && is_readable(to) => {
            Detail::Text { name, from: None, to: to.clone() }
        }
        _ => Detail::Summary { name, from: summary(now), to: summary(&thing.was).unwrap_or_default() },
    }
}

fn summary(condition: &Condition) -> Option<String> {
    if condition.is_absent() {
        return None;
    }
    let digest = condition.digest().as_ref().map(Digest::short);
    Some(digest.map_or_else(|| condition.described(), |digest| format!("sha256 {digest}")))
}

fn is_readable(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| !text.contains('\0'))
}

fn decoded(target: &str) -> String {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD.decode(target).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
