//! What guarded steps write is brought into force before the new way in is tried: who reads it, and what the
//! plan says of that.

use std::collections::{BTreeMap, BTreeSet};

use super::compute::{Plan, Step};
use crate::model::ResourceId;
use crate::resource::force::{Force, How, Reader, force, is_wall, reader_of};
use crate::resource::{Detail, Touched};

/// Who has to read anew what guarded steps write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forced {
    /// The readers, and how.
    pub readers: BTreeMap<&'static str, Reader>,
    /// Firewalls that steps have to do with, and that may start with the machine without running now.
    pub walls: BTreeSet<&'static str>,
}

/// Who has to read anew what these steps write: all of one transaction. A reader that a step of theirs restarts
/// because of all that it reads is not among them.
#[must_use]
pub fn forced(steps: &[Step]) -> Forced {
    let mut forced = Forced::default();
    for step in steps {
        for reader in readers(step) {
            let known = forced.readers.entry(reader.name).or_insert(reader);
            known.how = known.how.max(reader.how);
        }
        if let Some(reader) = served(step).filter(|reader| is_wall(*reader)) {
            forced.walls.insert(reader.name);
        }
    }
    forced.readers.retain(|_, reader| {
        let mut reading = steps.iter().filter(|step| readers(step).any(|one| one.name == reader.name));
        !reading.all(|step| is_served(step, *reader, steps))
    });
    forced
}

/// Says in the guarded steps of a plan who reads what they write, and when.
pub(super) fn explain(plan: &mut Plan) {
    let Some(from) = plan.guarded_from else { return };
    let Some((_, steps)) = plan.steps.split_at_checked(from) else { return };
    let forced = forced(steps);
    let notes: Vec<Vec<String>> = steps.iter().map(|step| notes(step, &forced)).collect();
    for (step, notes) in plan.steps.iter_mut().skip(from).zip(notes) {
        step.difference.details.extend(notes.into_iter().map(Detail::Note));
    }
}

/// Says in the steps of these resources that nobody is known to read what they write, unless a step follows
/// them.
pub(super) fn warn(plan: &mut Plan, unread: &BTreeSet<ResourceId>) {
    let followed: BTreeSet<ResourceId> = plan.steps.iter().flat_map(|step| step.because.clone()).collect();
    for step in &mut plan.steps {
        if unread.contains(&step.id) && !followed.contains(&step.id) {
            let words =
                "it is not known what reads it, so it may not be in force when the new way in is tried";
            step.difference.details.push(Detail::Note(words.to_owned()));
        }
    }
}

fn notes(step: &Step, forced: &Forced) -> Vec<String> {
    let mut notes = Vec::new();
    for force in forces(step) {
        let words = match force {
            Force::Read(reader) => match forced.readers.get(reader.name) {
                Some(Reader { how: How::Reload, .. }) => format!(
                    "{} reads it: where that runs, it is reloaded before the new way in is tried; otherwise this \
                     is not in force until it starts",
                    reader.title()
                ),
                Some(Reader { how: How::Restart, .. }) => format!(
                    "{} reads it: where that runs, it is restarted before the new way in is tried; otherwise \
                     this is not in force until it starts",
                    reader.title()
                ),
                None => continue,
            },
            Force::Later => {
                "not in force until its service restarts or the machine does, so the new way in is \
                             not tried with it"
                    .to_owned()
            }
            Force::AtLogin | Force::Unknown => continue,
        };
        if !notes.contains(&words) {
            notes.push(words);
        }
    }
    notes
}

fn forces(step: &Step) -> impl Iterator<Item = Force> {
    // A release changes nothing there.
    let is_made = !step.difference.operations.is_empty();
    step.touches.iter().filter(move |_| is_made).filter_map(|touched| match touched {
        Touched::Path(path) => Some(force(path)),
        _ => None,
    })
}

fn readers(step: &Step) -> impl Iterator<Item = Reader> {
    forces(step).filter_map(|force| match force {
        Force::Read(reader) => Some(reader),
        _ => None,
    })
}

/// The reader that a step starts, stops or restarts.
fn served(step: &Step) -> Option<Reader> {
    match step.id.kind {
        "unit" => reader_of(step.id.target.rsplit_once('.')?.0),
        "init-script" => reader_of(&step.id.target),
        _ => None,
    }
}

/// Whether one of these steps restarts a reader because of a step.
fn is_served(step: &Step, reader: Reader, steps: &[Step]) -> bool {
    steps.iter().any(|other| {
        served(other).is_some_and(|one| one.name == reader.name) && other.because.contains(&step.id)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{MachinePath, Source, Span};
    use crate::plan::arrange;
    use crate::resource::{Action, Difference, Operation, Origin};
    use crate::shell::{Call, posix};

    fn step(kind: &'static str, target: &str, because: &[&str]) -> Step {
        let source = Source::new("test.yaml", "test");
        let origin = Origin { from: "role test".to_owned(), span: Span::new(&source, 0, 4) };
        let call = Call::new("fp_remove", [target]);
        let operation = Operation { library: posix::SESSION, call, payload: None, within: None };
        let difference =
            Difference { action: Action::Update, details: Vec::new(), operations: vec![operation] };
        let mut step = Step::new(ResourceId::new(kind, target), origin, difference, Vec::new());
        step.guarded = true;
        step.because = because.iter().map(|path| ResourceId::new("file", *path)).collect();
        step.touches = MachinePath::new(target).ok().map(Touched::Path).into_iter().collect();
        step
    }

    fn explained(steps: &[Step]) -> Vec<String> {
        let mut plan = Plan { steps: steps.to_vec(), ..Plan::default() };
        arrange(&mut plan);
        let details = plan.steps.iter().flat_map(|step| &step.difference.details);
        let notes = details.map(|detail| match detail {
            Detail::Note(words) => words.split([':', ',']).next().unwrap_or_default().to_owned(),
            _ => String::new(),
        });
        notes.collect()
    }

    #[test]
    fn who_reads_a_file_is_told_unless_a_step_restarts_them() {
        let (one, two) = ("/etc/ssh/sshd_config", "/etc/default/ssh");
        let steps = [step("file", one, &[]), step("file", two, &[]), step("unit", "ssh.service", &[one])];
        let told = forced(&steps);
        assert_eq!(
            told.readers.into_values().collect::<Vec<_>>(),
            [Reader { name: "ssh", how: How::Restart }]
        );
        let steps =
            [step("file", one, &[]), step("file", two, &[]), step("unit", "sshd.service", &[one, two])];
        assert_eq!(forced(&steps), Forced::default());
        assert_eq!(explained(&steps), Vec::<String>::new());
        assert_eq!(explained(&steps[..1]), ["sshd reads it"]);
        // What is only let go of is not written.
        let mut released = step("file", one, &[]);
        released.difference.operations.clear();
        assert_eq!(forced(&[released]), Forced::default());
    }

    #[test]
    fn what_only_a_restart_brings_into_force_is_said_and_left() {
        let steps = [step("file", "/etc/network/interfaces", &[]), step("unit", "nftables.service", &[])];
        assert_eq!(explained(&steps), ["not in force until its service restarts or the machine does"]);
        assert_eq!(forced(&steps), Forced { walls: ["nftables"].into(), ..Forced::default() });
    }

    #[test]
    fn a_file_that_nobody_is_known_to_read_is_warned_of_unless_something_follows_it() {
        let steps = [step("file", "/etc/my.nft", &[]), step("file", "/etc/other", &[])];
        let unread = [steps[0].id.clone()].into();
        let warned = |steps: &[Step]| {
            let mut plan = Plan { steps: steps.to_vec(), ..Plan::default() };
            warn(&mut plan, &unread);
            plan.steps.iter().filter(|step| !step.difference.details.is_empty()).count()
        };
        assert_eq!(warned(&steps), 1);
        let follower = step("unit", "my.service", &["/etc/my.nft"]);
        assert_eq!(warned(&[steps[0].clone(), follower]), 0);
    }
}
