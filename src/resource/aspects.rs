//! How the kinds spell the aspects that many of them have: owner, group, mode, short texts, places.
//!
//! A *place* is something that a resource makes besides what it is: the file around a block, the folders
//! on the way to a directory. Several resources can stand in one, so it is named the same by all of them,
//! and belongs to fleetprov when it was not there before the first of them came.

use super::answer::PathFacts;
use super::ownership;
use super::remnant::Former;
use crate::model::{Aspect, Aspects, Digest, MachinePath};

/// Texts of more characters than this are kept by their digest.
const SHORT: usize = 120;

/// A value that may be shown: itself when it is short and in one line, otherwise its digest.
pub(super) fn text(value: &[u8]) -> Aspect {
    match std::str::from_utf8(value) {
        Ok(text) if text.chars().count() <= SHORT && !text.chars().any(char::is_control) => {
            Aspect::plain(text)
        }
        _ => Aspect::Digest(Digest::of(value)),
    }
}

/// Owner, group and mode as they are desired.
pub(super) fn attributes(owner: Option<&str>, group: Option<&str>, mode: Option<u32>) -> Aspects {
    let mode = mode.map(ownership::mode_text);
    [("owner", owner.map(str::to_owned)), ("group", group.map(str::to_owned)), ("mode", mode)]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), Aspect::plain(value?))))
        .collect()
}

/// Owner, group and mode as they are, of those that are desired. An account is spelled as it is
/// desired when it is that one, by name or by number.
pub(super) fn seen_attributes(
    facts: &PathFacts,
    owner: Option<&str>,
    group: Option<&str>,
    mode: Option<u32>,
) -> Aspects {
    let account = |wanted: &str, name: &str, number: u32| {
        if wanted == number.to_string() { wanted.to_owned() } else { name.to_owned() }
    };
    attributes(
        owner.map(|owner| account(owner, &facts.user, facts.uid)).as_deref(),
        group.map(|group| account(group, &facts.group, facts.gid)).as_deref(),
        mode.map(|_| facts.mode),
    )
}

/// A flag.
pub(super) fn flag(value: bool) -> Aspect {
    Aspect::plain(if value { "yes" } else { "no" })
}

/// That a place is there.
pub(super) fn there() -> Aspect {
    Aspect::plain("there")
}

/// The name of the file around a part, spelled as the file's own resource is.
pub(super) fn file(path: &MachinePath) -> String {
    format!("file {path}")
}

/// The name of a folder, spelled as its own resource is.
pub(super) fn folder(path: &MachinePath) -> String {
    format!("directory {path}")
}

/// The name of a part of a file that holds owned parts itself: a section, an object.
pub(super) fn holder(sort: &str, name: &str, path: &MachinePath) -> String {
    format!("{sort} {name} of {path}")
}

/// Whether an aspect is a place, which more than one resource can stand in.
#[must_use]
pub fn is_place(name: &str) -> bool {
    let holds = |sort: &str| name.starts_with(sort) && name.contains(" of /");
    name.starts_with("file /") || name.starts_with("directory /") || holds("section ") || holds("object ")
}

/// Whether an aspect came with fleetprov, by what the record says of the resource.
pub(super) fn is_ours(former: Option<&Former>, name: &str) -> bool {
    former.is_some_and(|former| !former.adopted.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_texts_are_kept_and_long_ones_by_their_digest() {
        assert_eq!(text(b"a b").to_string(), "a b");
        for long in ["x".repeat(121), "a\nb".to_owned()] {
            assert!(
                matches!(text(long.as_bytes()), Aspect::Digest(digest) if digest == Digest::of(long.as_bytes()))
            );
        }
        assert!(matches!(text(b"\xff"), Aspect::Digest(_)));
    }

    #[test]
    fn an_account_that_is_the_desired_one_is_spelled_like_it() {
        let facts = PathFacts {
            user: "alice".to_owned(),
            uid: 1000,
            group: "adm".to_owned(),
            gid: 4,
            mode: 0o640,
            ..PathFacts::absent()
        };
        let seen = |owner, group| seen_attributes(&facts, owner, group, None);
        let spelled = |aspects: Aspects| {
            aspects.into_iter().map(|(name, aspect)| format!("{name} {aspect}")).collect::<Vec<_>>()
        };
        assert_eq!(spelled(seen(Some("1000"), None)), ["owner 1000"]);
        assert_eq!(spelled(seen(Some("bob"), Some("adm"))), ["group adm", "owner alice"]);
        assert_eq!(spelled(seen_attributes(&facts, None, None, Some(0))), ["mode 0640"]);
        assert_eq!(spelled(attributes(Some("a"), None, Some(0o7))), ["mode 0007", "owner a"]);
    }

    #[test]
    fn places_are_told_from_keys() {
        let path = MachinePath::new("/etc/x.ini").unwrap();
        for name in
            [file(&path), folder(&path), holder("section", "smtp", &path), holder("object", "/a", &path)]
        {
            assert!(is_place(&name), "{name}");
        }
        for name in ["owner", "/permissions/deny", "smtp.host", "content"] {
            assert!(!is_place(name), "{name}");
        }
    }
}
