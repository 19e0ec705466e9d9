//! A file that has left the inventory.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{File, KIND};
use crate::model::{Digest, MachinePath, ResourceId};
use crate::resource::answer::{Answers, ObserveError, PathType};
use crate::resource::difference::{Action, Detail, Difference};
use crate::resource::operation::Operation;
use crate::resource::question::{Question, Want};
use crate::resource::remnant::{Remnant, Removal, Touched};
use crate::resource::{unit_files, way_in};
use crate::shell::{Call, posix};

/// What is left of a file.
#[derive(Clone, Debug)]
struct Left {
    path: MachinePath,
    /// What was applied; nothing when that is secret.
    digest: Option<Digest>,
}

impl File {
    pub(super) fn left(&self) -> Json {
        match self.digest() {
            Some(digest) => json!({ "sha256": digest.to_string() }),
            None => json!({ "secret": true }),
        }
    }
}

/// Reads what the record keeps of a file.
pub(in crate::resource) fn recall(target: &str, remains: &Json) -> Option<Arc<dyn Remnant>> {
    let path = MachinePath::new(target).ok().filter(|path| path.as_str() == target)?;
    // What may be either is treated as a secret.
    let digest = if remains.get("secret").is_some() {
        None
    } else {
        Some(Digest::parse(remains.get("sha256")?.as_str()?).ok()?)
    };
    Some(Arc::new(Left { path, digest }))
}

impl Remnant for Left {
    fn id(&self) -> ResourceId {
        ResourceId::new(KIND, self.path.as_str())
    }

    fn questions(&self) -> Vec<Question> {
        let want = if self.digest.is_some() { Want::Bytes { limit: 0 } } else { Want::Keyed };
        vec![Question::Path { path: self.path.clone(), want }]
    }

    fn remove(&self, answers: Answers<'_>) -> Result<Removal, ObserveError> {
        let facts = answers.path(0)?;
        match &facts.what {
            PathType::Absent => return Ok(Removal::Gone),
            PathType::File => {}
            what => {
                return Ok(Removal::Release(format!("{} is {} now, which stays", self.path, what.phrase())));
            }
        }
        let is_changed = self.digest.is_some() && facts.digest.is_some() && self.digest != facts.digest;
        let note = is_changed.then(|| Detail::Note("it was changed since it was applied".to_owned()));
        let how = if self.digest.is_some() { "plain" } else { "keyed" };
        let removal = Operation {
            library: posix::SESSION,
            call: Call::new("fp_remove", [self.path.as_str(), &facts.guard(), how]),
            payload: None,
            within: Some(self.path.parent()),
        };
        let operations = std::iter::once(removal).chain(unit_files::forget(&self.path)).collect();
        Ok(Removal::Remove(Difference {
            action: Action::Remove,
            details: note.into_iter().collect(),
            operations,
        }))
    }

    fn clears(&self, _answers: Answers<'_>) -> Vec<MachinePath> {
        vec![self.path.clone()]
    }

    fn path(&self) -> Option<&MachinePath> {
        Some(&self.path)
    }

    fn guards(&self) -> bool {
        way_in::leads_through(&self.path)
    }

    fn touches(&self) -> Vec<Touched> {
        vec![Touched::Path(self.path.clone())]
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::model::Secret;
    use crate::resource::testing::{agrees, compared, differs, going, left, on_every_shell, removal, seen};
    use crate::resource::{Content, Resource as _, Surroundings};

    fn file(path: MachinePath, content: Content) -> File {
        let owner = std::os::unix::fs::MetadataExt::uid(&fs::metadata("/proc/self").unwrap()).to_string();
        File { path, content, owner, group: None, mode: 0o640 }
    }

    fn contents() -> [Content; 2] {
        [Content::Bytes(b"one\n".as_slice().into()), Content::Secret(Secret::new(b"one\n".to_vec()))]
    }

    #[test]
    fn a_file_goes_also_when_it_was_changed_and_nothing_else_in_its_place_does() {
        on_every_shell(|bench| {
            for content in contents() {
                let path = bench.file("x");
                let is_secret = content.is_secret();
                let file = file(bench.path("x"), content);
                let remnant = left(&file);
                let going_now = || going(&file, &bench.answer(&remnant.questions()), &[]);
                assert_eq!(going_now(), "gone");
                bench.perform(&differs(&file, &bench.answer(&file.questions())).operations);
                let answers = bench.answer(&file.questions());
                assert!(compared(&file, &answers).unwrap().is_none());
                agrees(&file, &answers);
                assert!(going_now().starts_with("remove\n  > fp_remove "), "{}", going_now());

                fs::write(&path, "two").unwrap();
                let changed = going_now();
                assert_eq!(changed.contains("it was changed since it was applied"), !is_secret, "{changed}");
                let answers = bench.answer(&remnant.questions());
                let Removal::Remove(difference) =
                    removal(&file, &answers, &[], &Surroundings::default()).unwrap()
                else {
                    panic!("it stays")
                };
                // Between the plan and the change it is changed once more.
                fs::write(&path, "three").unwrap();
                assert_eq!(bench.perform(&difference.operations).status, 3);
                assert_eq!(fs::read_to_string(&path).unwrap(), "three");
                fs::write(&path, "two").unwrap();
                assert_eq!(bench.perform(&difference.operations).status, 0);
                assert!(!path.exists());

                std::os::unix::fs::symlink("elsewhere", &path).unwrap();
                assert!(going_now().ends_with("x is a link now, which stays"), "{}", going_now());
                assert!(seen(&file, &bench.answer(&file.questions())).is_empty());
                fs::remove_file(&path).unwrap();
            }
        });
    }

    #[test]
    fn nothing_secret_is_remembered() {
        for content in contents() {
            let remains = file(MachinePath::new("/x").unwrap(), content.clone()).remains().to_string();
            assert_eq!(remains.contains("sha256"), !content.is_secret(), "{remains}");
        }
        // What may be either is never asked for in the clear.
        let both = json!({"sha256": Digest::of(b"").to_string(), "secret": true});
        let questions = recall("/x", &both).unwrap().questions();
        assert!(matches!(questions.as_slice(), [Question::Path { want: Want::Keyed, .. }]));
        for (target, remains) in
            [("x", json!({"secret": true})), ("/x/", json!({"secret": true})), ("/x", json!({"sha256": "0"}))]
        {
            assert!(recall(target, &remains).is_none(), "{target} {remains}");
        }
    }

    #[test]
    fn a_unit_s_file_is_followed_by_a_look_at_what_systemd_knows() {
        let file = file(MachinePath::new("/etc/systemd/system/a.service").unwrap(), contents()[0].clone());
        let there = crate::resource::PathFacts {
            what: PathType::File,
            digest: file.digest(),
            ..crate::resource::PathFacts::absent()
        };
        let going = going(&file, &[crate::resource::Answer::Path(there)], &[]);
        assert!(going.ends_with("\n  > fp_unit_file_gone a.service"), "{going}");
    }
}
