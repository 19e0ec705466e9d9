//! `leg`: one backup movement by rclone, as a script a person can read and run, and its schedule.

mod read;
mod script;

pub use read::read;

use super::folders;
use super::schedule::{Job, Schedule};
use crate::model::{Diagnostic, Diagnostics, MachinePath, ResourceId, Spanned};
use crate::resource::file::File;
use crate::resource::{Declared, Origin, Reading};

/// The word of a role.
pub const KIND: &str = "leg";

/// The most files a sync deletes in one run when nothing else is said: more than a working day's, fewer
/// than a lost source's.
pub const DELETES_OF_A_SYNC: u32 = 1000;
/// The same for a move, where rclone counts every file that leaves the source (measured, 1.60).
pub const DELETES_OF_A_MOVE: u32 = 100_000;

/// One backup movement.
#[derive(Clone, Debug)]
pub struct Leg {
    /// Its name: `a-z 0-9 -`.
    pub name: String,
    /// What is read.
    pub source: End,
    /// What is written.
    pub destination: End,
    /// What happens to the destination.
    pub mode: Mode,
    /// When; [`Schedule`] says what these mean.
    pub at: Spanned<String>,
    /// Time zone of `at`.
    pub zone: Option<Spanned<String>>,
    /// Seconds over which starts are spread.
    pub spread: Option<Spanned<u64>>,
    /// Whether a missed run is made up for.
    pub catch_up: Option<Spanned<bool>>,
    /// Where replaced and deleted files go, on the destination's remote; each run makes a dated folder there.
    pub backup_dir: Option<String>,
    /// rclone filter rules, in order.
    pub filters: Vec<String>,
    /// rclone's `--bwlimit`.
    pub bandwidth: Option<String>,
    /// rclone's `--max-delete`.
    pub max_delete: Option<u32>,
    /// A file or folder that has to be in the source, relative to it.
    pub sentinel: Option<String>,
    /// rclone's configuration.
    pub config: MachinePath,
}

/// One end of a leg.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// A path on the machine that runs the leg.
    Here(MachinePath),
    /// A path on a remote of rclone's configuration.
    Remote {
        /// The remote's name.
        remote: String,
        /// The path on it; may be empty.
        path: String,
    },
}

/// What a leg does with its destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Adds and replaces, never deletes.
    Copy,
    /// Makes the destination equal to the source.
    Sync,
    /// Moves: the source is emptied.
    Move,
}

impl Mode {
    /// rclone's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::Sync => "sync",
            Self::Move => "move",
        }
    }

    fn default_limit(self) -> Option<u32> {
        match self {
            Self::Copy => None,
            Self::Sync => Some(DELETES_OF_A_SYNC),
            Self::Move => Some(DELETES_OF_A_MOVE),
        }
    }
}

impl Leg {
    /// The script, its folders and its schedule. `after` comes first: the remotes it uses.
    #[must_use]
    pub fn expand(
        &self,
        after: &[ResourceId],
        origin: &Origin,
        reading: &Reading<'_>,
        problems: &mut Diagnostics,
    ) -> Vec<Declared> {
        let facts = reading.facts;
        let paths = folders::scripts(facts, "legs").and_then(|scripts| {
            let logs = folders::logs(facts, "legs")?;
            let script = scripts.join(&format!("{}.sh", self.name))?;
            let log = logs.join(&format!("{}.log", self.name))?;
            Ok((scripts, logs, script, log))
        });
        let (scripts, logs, script, log) = match paths {
            Ok(paths) => paths,
            Err(error) => {
                problems.push(
                    Diagnostic::at(&origin.span, error.to_string())
                        .expected("an absolute home of the machine"),
                );
                return Vec::new();
            }
        };
        let content =
            match reading.supply.template_with(&script::template(origin), &self.values(&log, origin)) {
                Ok(content) => content,
                Err(problem) => {
                    problems.push(problem);
                    return Vec::new();
                }
            };
        let schedule = Schedule {
            name: format!("leg-{}", self.name),
            description: format!(
                "backup leg {}: {} {} to {}",
                self.name,
                self.mode.word(),
                self.source.shown(),
                self.destination.shown()
            ),
            at: self.at.clone(),
            zone: self.zone.clone(),
            spread: self.spread.clone(),
            catch_up: self.catch_up.clone(),
            job: Job::Program(script.clone()),
            user: folders::runner(facts).to_owned(),
            after_failure: None,
            timeout: None,
            network: true,
        };
        let scheduled = schedule.expand(origin, facts, problems);
        let owner = folders::runner(facts).to_owned();
        let file =
            Declared::new(File { path: script, content, owner, group: None, mode: 0o755 }, origin.clone());
        let mut declared = vec![
            folders::declared(scripts, 0o755, facts, origin),
            folders::declared(logs, 0o750, facts, origin),
        ];
        let first: Vec<ResourceId> = declared
            .iter()
            .map(|declared| declared.resource.id())
            .chain([file.resource.id()])
            .chain(after.iter().cloned())
            .collect();
        declared.push(file.after(after.iter().cloned()));
        declared.extend(scheduled.into_iter().map(|declared| declared.after(first.iter().cloned())));
        declared
    }
}

impl End {
    /// As rclone takes it: a path, or `REMOTE:PATH`.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Here(path) => path.to_string(),
            Self::Remote { remote, path } => format!("{remote}:{path}"),
        }
    }

    /// Something below it.
    fn below(&self, relative: &str) -> String {
        let shown = self.shown();
        let divider = if shown.ends_with(['/', ':']) { "" } else { "/" };
        format!("{shown}{divider}{relative}")
    }
}
