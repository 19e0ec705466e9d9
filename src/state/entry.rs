//! One resource in the record.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::model::{Aspect, Aspects, ResourceId};
use crate::resource::Former;

/// What the record says of one resource that fleetprov has applied.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Kind and target.
    pub id: ResourceId,
    /// What it was made to be. Secrets have to be sealed ([`Entry::sealed`]): one that is not is left out
    /// wherever an entry is written down.
    pub applied: Aspects,
    /// What is needed to remove it, and which aspects of it were adopted.
    pub former: Former,
    /// Whether all of it was there before fleetprov was: it is released when it leaves the inventory,
    /// never removed.
    pub adopted: bool,
    /// What came before it, so that it goes before them.
    pub after: BTreeSet<ResourceId>,
    /// Whether the step that was to make it so failed or was cut off: then what is there may still be
    /// the old, and `former` covers both.
    pub unfinished: bool,
}

impl Entry {
    /// The same entry as it may be written down: secrets become digests made with `salt`, a random word
    /// that the caller makes for each run.
    #[must_use]
    pub fn sealed(mut self, salt: &str) -> Self {
        self.applied =
            self.applied.iter().map(|(name, aspect)| (name.clone(), aspect.sealed(salt))).collect();
        self
    }

    /// Whether what was observed is, aspect by aspect, certainly what was applied. The digest of a secret
    /// that was observed and the one that was applied are made with different keys; they are known to be
    /// the same only when both are those of the secret in `wanted`. `key` is the run's.
    #[must_use]
    pub fn is_as_applied(&self, observed: &Aspects, wanted: &Aspects, key: &str) -> bool {
        !self.applied.is_empty()
            && self.applied.iter().all(|(name, applied)| {
                let Some(there) = observed.get(name) else { return false };
                applied.is(there, key).unwrap_or_else(|| {
                    wanted.get(name).is_some_and(|wanted| {
                        wanted.is(applied, key) == Some(true) && wanted.is(there, key) == Some(true)
                    })
                })
            })
    }

    /// Whether another entry of the same resource, made of what is `wanted`, says the same: then there is
    /// nothing to write down. Digests of a secret made with different salts do. `key` is the run's.
    #[must_use]
    pub fn says_as_much_as(&self, other: &Self, wanted: &Aspects, key: &str) -> bool {
        let is_applied = |(name, wanted): (&String, &Aspect)| {
            self.applied.get(name).is_some_and(|applied| wanted.is(applied, key) == Some(true))
        };
        self.applied.len() == wanted.len()
            && wanted.iter().all(is_applied)
            && (self.adopted, self.unfinished) == (other.adopted, other.unfinished)
            && self.after == other.after
            && self.former.remains == other.former.remains
            && self.former.adopted == other.former.adopted
    }

    /// Marks it as one that may or may not have come about; `other` is what it would be otherwise.
    pub(super) fn in_doubt(mut self, other: Option<&Self>) -> Self {
        if let Some(other) = other {
            self.former.remains = united(&self.former.remains, &other.former.remains);
            self.former.adopted.extend(other.former.adopted.iter().cloned());
        }
        self.unfinished = true;
        self
    }
}

/// What covers both of two remains: objects key by key, lists as sets of their elements; of anything
/// else the first.
fn united(one: &Json, other: &Json) -> Json {
    match (one, other) {
        (Json::Object(one), Json::Object(other)) => {
            let mut all = one.clone();
            for (key, value) in other {
                let value = one.get(key).map_or_else(|| value.clone(), |first| united(first, value));
                all.insert(key.clone(), value);
            }
            Json::Object(all)
        }
        (Json::Array(one), Json::Array(other)) => {
            let mut seen = BTreeSet::new();
            Json::Array(
                one.iter().chain(other).filter(|element| seen.insert(element.to_string())).cloned().collect(),
            )
        }
        (Json::Null, other) => other.clone(),
        (one, _) => one.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::{Digest, Secret};

    fn entry(applied: &[(&str, Aspect)]) -> Entry {
        Entry {
            id: ResourceId::new("file", "/f"),
            applied: applied.iter().map(|(name, aspect)| ((*name).to_owned(), aspect.clone())).collect(),
            former: Former::default(),
            adopted: false,
            after: BTreeSet::new(),
            unfinished: false,
        }
    }

    #[test]
    fn what_may_be_either_covers_both() {
        let old = json!({"path": "/f", "keys": ["a", "b"], "deep": {"x": [["s", "k"]]}});
        let new = json!({"path": "/f", "keys": ["c", "a"], "deep": {"x": [["s", "l"]], "y": 1}});
        assert_eq!(
            united(&new, &old),
            json!({"path": "/f", "keys": ["c", "a", "b"], "deep": {"x": [["s", "l"], ["s", "k"]], "y": 1}})
        );
        assert_eq!(united(&Json::Null, &old), old);
        assert_eq!(united(&old, &Json::Null), old);
        assert_eq!(united(&json!("one"), &json!("two")), json!("one"));
    }

    #[test]
    fn only_what_is_known_to_be_the_same_is_as_applied() {
        let secret = |text: &str| Aspect::Secret(Secret::new(text.as_bytes().to_vec()));
        let there = |text: &str| Aspect::Keyed(Digest::keyed("run", text.as_bytes()));
        let made = entry(&[("mode", Aspect::plain("0600")), ("content", secret("one"))]).sealed("salt");
        let observed = |mode: &str, content: &str| {
            entry(&[("mode", Aspect::plain(mode)), ("content", there(content)), ("more", Aspect::plain("x"))])
                .applied
        };
        let wanted = |content: &str| entry(&[("content", secret(content))]).applied;
        assert!(made.is_as_applied(&observed("0600", "one"), &wanted("one"), "run"));
        assert!(!made.is_as_applied(&observed("0644", "one"), &wanted("one"), "run"));
        assert!(!made.is_as_applied(&observed("0600", "two"), &wanted("one"), "run"));
        // The same content, but nothing that proves it.
        assert!(!made.is_as_applied(&observed("0600", "one"), &wanted("two"), "run"));
        assert!(!made.is_as_applied(&observed("0600", "one"), &Aspects::new(), "run"));
        assert!(!made.is_as_applied(
            &entry(&[("mode", Aspect::plain("0600"))]).applied,
            &wanted("one"),
            "run"
        ));
        assert!(!entry(&[]).is_as_applied(&observed("0600", "one"), &wanted("one"), "run"));
    }
}
