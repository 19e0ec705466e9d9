//! A link that has left the inventory.

use std::sync::Arc;

use serde_json::Value as Json;

use super::KIND;
use crate::model::{MachinePath, ResourceId};
use crate::resource::answer::{Answers, ObserveError, PathType};
use crate::resource::difference::{Action, Detail, Difference};
use crate::resource::operation::Operation;
use crate::resource::question::{Question, Want};
use crate::resource::remnant::{Remnant, Removal, Touched};
use crate::resource::{unit_files, way_in};
use crate::shell::{Call, posix};

/// What is left of a link.
#[derive(Clone, Debug)]
struct Left {
    path: MachinePath,
    target: String,
}

/// Reads what the record keeps of a link.
pub(in crate::resource) fn recall(target: &str, remains: &Json) -> Option<Arc<dyn Remnant>> {
    let path = MachinePath::new(target).ok().filter(|path| path.as_str() == target)?;
    Some(Arc::new(Left { path, target: remains.get("target")?.as_str()?.to_owned() }))
}

impl Remnant for Left {
    fn id(&self) -> ResourceId {
        ResourceId::new(KIND, self.path.as_str())
    }

    fn questions(&self) -> Vec<Question> {
        vec![Question::Path { path: self.path.clone(), want: Want::Bytes { limit: 0 } }]
    }

    fn remove(&self, answers: Answers<'_>) -> Result<Removal, ObserveError> {
        let facts = answers.path(0)?;
        let target = match &facts.what {
            PathType::Absent => return Ok(Removal::Gone),
            PathType::Link(target) => target,
            what => {
                return Ok(Removal::Release(format!("{} is {} now, which stays", self.path, what.phrase())));
            }
        };
        let note = Detail::Note(format!("it led to {} when it was applied", self.target));
        let note = (*target != self.target).then_some(note);
        let removal = Operation {
            library: posix::SESSION,
            call: Call::new("fp_remove", [self.path.as_str(), &facts.guard(), "plain"]),
            payload: None,
            within: Some(self.path.parent()),
        };
        let operations = std::iter::once(removal).chain(unit_files::forget(&self.path)).collect();
        let details = std::iter::once(Detail::value("target", Some(target), "none")).chain(note).collect();
        Ok(Removal::Remove(Difference { action: Action::Remove, details, operations }))
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
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::resource::Resource as _;
    use crate::resource::Surroundings;
    use crate::resource::link::Link;
    use crate::resource::testing::{agrees, going, left, on_every_shell, removal, seen};

    #[test]
    fn a_link_goes_wherever_it_leads_and_what_it_leads_to_stays() {
        on_every_shell(|bench| {
            let owner = std::os::unix::fs::MetadataExt::uid(&fs::metadata("/proc/self").unwrap()).to_string();
            let link = Link { path: bench.path("x"), target: "folder".to_owned(), owner };
            let path = bench.file("x");
            let answers = || bench.answer(&left(&link).questions());
            assert_eq!(going(&link, &answers(), &[]), "gone");
            fs::create_dir(bench.file("folder")).unwrap();
            symlink("folder", &path).unwrap();
            agrees(&link, &bench.answer(&link.questions()));
            assert!(
                going(&link, &answers(), &[]).starts_with("remove\n  target folder → none\n  > fp_remove ")
            );
            fs::remove_file(&path).unwrap();
            symlink("elsewhere", &path).unwrap();
            assert!(going(&link, &answers(), &[]).contains("it led to folder when it was applied"));
            let Removal::Remove(difference) =
                removal(&link, &answers(), &[], &Surroundings::default()).unwrap()
            else {
                panic!("it stays")
            };
            assert_eq!(bench.perform(&difference.operations).status, 0);
            assert!(fs::symlink_metadata(&path).is_err() && bench.file("folder").is_dir());
            fs::write(&path, "").unwrap();
            assert!(going(&link, &answers(), &[]).ends_with("x is a file now, which stays"));
            assert!(seen(&link, &bench.answer(&link.questions())).is_empty());
        });
    }
}
