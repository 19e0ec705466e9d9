//! From the lines a machine sends to answers. Nothing here trusts a line to be well formed.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::script::Probe;
use crate::model::{Digest, Init, MachineFacts};
use crate::resource::{Acting, Answer, Observation, PathFacts, PathType, Question, UnitFacts, Want};
use crate::shell::frames::Line;
use crate::state::{Elsewhere, Kept, unpacked};

/// What stands before every line that another user's process wrote.
const THEIRS: &str = "u ";

/// Gathers the lines of one run of a probe.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    section: Option<Section>,
    facts: BTreeMap<String, String>,
    /// Lines of sshd's settings.
    sshd: Vec<String>,
    /// What `stat` said, by who asked.
    stats: BTreeMap<(Asker, String), Stat>,
    errors: Vec<(Asker, String)>,
    digests: BTreeMap<usize, Digest>,
    bytes: BTreeMap<usize, Vec<u8>>,
    links: BTreeMap<usize, String>,
    /// Paths that did not answer in time; with the user who looked for them, when it was one.
    silent: BTreeMap<usize, Option<String>>,
    mounts: BTreeSet<String>,
    units: Vec<Vec<String>>,
    packages: BTreeMap<String, String>,
    asked: BTreeMap<usize, (Vec<String>, Option<String>)>,
    /// Who asked about a path, when it was another user than the one we act as. What such a user's
    /// process says counts for these paths only.
    theirs: BTreeMap<usize, Asker>,
    askers: usize,
    /// On whose behalf a path is looked at, when that is not the user we act as.
    acting: BTreeMap<usize, Acting>,
    /// Paths in what belongs to a user that is not there any more.
    orphans: BTreeSet<usize>,
    nonsense: Option<String>,
    /// What is remembered on the machine, word by word.
    kept: BTreeMap<&'static str, Vec<u8>>,
    elsewhere: Vec<Elsewhere>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    Facts,
    Paths(Asker),
    Mounts,
    Units,
    Packages,
    Ask { number: usize, theirs: bool },
    Kept,
}

/// Whose process answered: ours, or that of one of the users whose folders were looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Asker {
    #[default]
    Us,
    Them(usize),
}

#[derive(Clone, Debug)]
struct Stat {
    mode: u32,
    uid: u32,
    gid: u32,
    user: String,
    group: String,
    size: u64,
}

impl Gathered {
    /// Takes one line. Returns whether the probe is complete.
    pub(super) fn take(&mut self, line: Line) -> bool {
        match line {
            Line::Frame(words) => {
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                match words.as_slice() {
                    ["begin", "facts"] => self.section = Some(Section::Facts),
                    ["begin", "paths"] => self.section = Some(Section::Paths(Asker::Us)),
                    ["begin", "theirs", numbers @ ..] => {
                        self.askers += 1;
                        let asker = Asker::Them(self.askers);
                        self.section = Some(Section::Paths(asker));
                        self.theirs.extend(parsed(numbers).map(|number| (number, asker)));
                    }
                    ["acting", user, groups, numbers @ ..] => {
                        let groups = groups.split(',').map(str::to_owned).collect();
                        let acting = Acting { user: (*user).to_owned(), groups };
                        self.acting.extend(parsed(numbers).map(|number| (number, acting.clone())));
                    }
                    ["silent", "orphan", numbers @ ..] => self.orphans.extend(parsed(numbers)),
                    ["silent", "hung", numbers @ ..] => {
                        self.silent.extend(parsed(numbers).map(|number| (number, None)));
                    }
                    ["silent", "late", user, numbers @ ..] => {
                        let user = Some((*user).to_owned());
                        self.silent.extend(parsed(numbers).map(|number| (number, user.clone())));
                    }
                    ["begin", "kept"] => self.section = Some(Section::Kept),
                    ["begin", "mounts"] => self.section = Some(Section::Mounts),
                    ["begin", "units"] => {
                        self.section = Some(Section::Units);
                        self.units = vec![Vec::new()];
                    }
                    ["begin", "packages"] => self.section = Some(Section::Packages),
                    ["begin", "ask", number, rest @ ..] => match number.parse() {
                        Ok(number) => {
                            self.section = Some(Section::Ask { number, theirs: *rest == ["theirs"] });
                            self.asked.insert(number, (Vec::new(), None));
                        }
                        Err(_) => self.nonsense = Some(format!("begin ask {number}")),
                    },
                    ["end", rest @ ..] => self.end(rest),
                    ["probed"] => return true,
                    other => self.nonsense = Some(other.join(" ")),
                }
            }
            Line::Text(text) => self.text(text),
        }
        false
    }

    fn end(&mut self, rest: &[&str]) {
        if let (Some(Section::Ask { number, .. }), [status]) = (self.section, rest)
            && let Some((lines, failure)) = self.asked.get_mut(&number)
        {
            // fp_ask ends the function's last line, which may have ended already.
            if lines.last().is_some_and(String::is_empty) {
                lines.pop();
            }
            if *status != "0" {
                *failure = Some((*status).to_owned());
            }
        }
        self.section = None;
    }

    fn text(&mut self, text: String) {
        match self.section {
            None => {}
            Some(Section::Facts) => {
                if let Some(line) = text.strip_prefix("sshd ") {
                    self.sshd.push(line.to_owned());
                } else if let Some((name, value)) = text.split_once(' ') {
                    self.facts.insert(name.to_owned(), value.to_owned());
                }
            }
            Some(Section::Paths(Asker::Us)) => self.path_line(Asker::Us, text),
            Some(Section::Paths(them)) => {
                if let Some(text) = text.strip_prefix(THEIRS) {
                    self.path_line(them, text.to_owned());
                }
            }
            Some(Section::Kept) => {
                let theirs = text.strip_prefix(THEIRS);
                // Of what another user's process says, nothing else is taken.
                if !Elsewhere::take(theirs.unwrap_or(&text), &mut self.elsewhere) && theirs.is_none() {
                    self.kept.extend(kept_lines(&text));
                }
            }
            Some(Section::Mounts) => {
                self.mounts.insert(text);
            }
            Some(Section::Units) => {
                if text.is_empty() {
                    self.units.push(Vec::new());
                } else if let Some(unit) = self.units.last_mut() {
                    unit.push(text);
                }
            }
            Some(Section::Packages) => {
                let words: Vec<&str> = text.split_ascii_whitespace().collect();
                if let ["p", status, name, version] = words.as_slice()
                    && status.starts_with("ii")
                {
                    self.packages.insert((*name).to_owned(), (*version).to_owned());
                }
            }
            Some(Section::Ask { number, theirs }) => {
                let text = match text.strip_prefix(THEIRS) {
                    Some(rest) if theirs => rest.to_owned(),
                    _ => text,
                };
                if let Some((lines, _)) = self.asked.get_mut(&number) {
                    lines.push(text);
                }
            }
        }
    }

    fn path_line(&mut self, asker: Asker, text: String) {
        let own = |number: &usize| asker == Asker::Us || self.theirs.get(number) == Some(&asker);
        let parsed = match text.split_at_checked(2) {
            Some(("s ", rest)) => parse_stat(rest).map(|(path, stat)| {
                self.stats.insert((asker, path), stat);
            }),
            Some(("d ", rest)) => rest.split_once(' ').and_then(|(number, digest)| {
                let number = number.parse().ok().filter(own)?;
                self.digests.insert(number, Digest::parse(digest).ok()?);
                Some(())
            }),
            Some(("b ", rest)) => {
                numbered_bytes(rest).filter(|(number, _)| own(number)).map(|(number, bytes)| {
                    self.bytes.insert(number, bytes);
                })
            }
            Some(("l ", rest)) => {
                numbered_bytes(rest).filter(|(number, _)| own(number)).and_then(|(number, bytes)| {
                    let target = String::from_utf8(bytes).ok()?;
                    self.links.insert(number, target.trim_end_matches('\n').to_owned());
                    Some(())
                })
            }
            _ => None,
        };
        if parsed.is_none() && !text.is_empty() && !["answered", "complete"].contains(&text.as_str()) {
            self.errors.push((asker, text));
        }
    }

    /// What is remembered on the machine, in state folder `state`.
    pub(super) fn kept(&mut self, state: String) -> Kept {
        let mut words = std::mem::take(&mut self.kept);
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Kept {
            state,
            record: words.remove("record"),
            run: words.remove("run"),
            progress: words.remove("progress"),
            has_runs: words.remove("orphaned").is_some(),
            unreadable: words.remove("unreadable").map(text),
            elsewhere: std::mem::take(&mut self.elsewhere),
            armed: words.remove("armed").map(text),
            boot: words.remove("boot").map(text).unwrap_or_default(),
            seen: words.remove("seen").map(text).unwrap_or_default(),
        }
    }

    /// The observation, once the probe is complete.
    ///
    /// # Errors
    /// What the machine said that makes no sense.
    pub(super) fn observation(&self, probe: &Probe) -> Result<Observation, String> {
        if let Some(nonsense) = &self.nonsense {
            return Err(format!("an unknown frame `{nonsense}`"));
        }
        let uid = self.facts.get("uid").and_then(|uid| uid.parse().ok()).ok_or("no user number")?;
        let machine = MachineFacts {
            uid,
            home: self.facts.get("home").filter(|home| home.starts_with('/')).cloned(),
            init: match self.facts.get("init").map(String::as_str) {
                Some("systemd") => Init::Systemd,
                _ => Init::Sysv,
            },
            system: self.facts.get("system").cloned().unwrap_or_default(),
            sshd: self.sshd.clone(),
        };
        let mut answers = vec![Vec::new(); probe.askers];
        let mut unit = 0;
        for (number, (resource, question)) in probe.questions.iter().enumerate() {
            let answer = match question {
                Question::Path { path, want } => self.path_answer(number, path.as_str(), want),
                Question::Unit(name) => {
                    let answer = self.unit_answer(unit, name);
                    unit += 1;
                    answer
                }
                Question::Package(name) => Answer::Package(self.packages.get(name).cloned()),
                Question::Ask { .. } => match self.asked.get(&number) {
                    Some((lines, None)) => Answer::Lines(lines.clone()),
                    Some((lines, Some(status))) => {
                        let said = lines.iter().rev().find(|line| !line.is_empty());
                        Answer::Unanswered(
                            said.cloned()
                                .unwrap_or_else(|| format!("the question ended with status {status}")),
                        )
                    }
                    None => Answer::Unanswered("the machine did not answer".to_owned()),
                },
            };
            if let Some(of_resource) = answers.get_mut(*resource) {
                of_resource.push(answer);
            }
        }
        Ok(Observation { machine, answers })
    }

    fn path_answer(&self, number: usize, path: &str, want: &Want) -> Answer {
        if self.orphans.contains(&number) {
            return Answer::Unanswered(format!(
                "{path} is in what belongs to a user that is not there any more; remove it by hand, or give it \
                 to somebody (chown)"
            ));
        }
        match self.silent.get(&number) {
            Some(None) => {
                let reason = format!("{path} does not answer: the file system it is on hangs");
                return Answer::Unanswered(reason);
            }
            Some(Some(user)) => {
                return Answer::Unanswered(format!("{path} could not be looked at in time as {user}"));
            }
            None => {}
        }
        let asker = self.theirs.get(&number).copied().unwrap_or_default();
        let Some(stat) = self.stats.get(&(asker, path.to_owned())) else {
            return match self.absence(asker, path) {
                None => {
                    let acting = self.acting.get(&number).cloned();
                    Answer::Path(PathFacts { acting, ..PathFacts::absent() })
                }
                Some(error) => Answer::Unanswered(error),
            };
        };
        let what = match stat.mode & 0o170_000 {
            0o100_000 => PathType::File,
            0o040_000 => PathType::Directory { mounted: self.mounts.contains(path) },
            0o120_000 => match self.links.get(&number) {
                Some(target) => PathType::Link(target.clone()),
                None => return Answer::Unanswered(format!("{path} is a link whose target cannot be read")),
            },
            _ => PathType::Other,
        };
        let digest = self.digests.get(&number).copied();
        if what == PathType::File && *want != Want::Facts && digest.is_none() {
            return Answer::Unanswered(format!("{path} cannot be read"));
        }
        Answer::Path(PathFacts {
            what,
            mode: stat.mode & 0o7777,
            uid: stat.uid,
            gid: stat.gid,
            user: known_name(&stat.user, stat.uid),
            group: known_name(&stat.group, stat.gid),
            size: stat.size,
            digest,
            bytes: self.bytes.get(&number).cloned(),
            acting: self.acting.get(&number).cloned(),
        })
    }

    /// `None` when the machine said that nothing is at a path it gave no facts of, otherwise what
    /// it said instead. A failed `stat` is never taken for absence unless it says so.
    fn absence(&self, asker: Asker, path: &str) -> Option<String> {
        let gone =
            |error: &str| error.ends_with("No such file or directory") || error.ends_with("Not a directory");
        let quoted = format!("'{path}'");
        let errors = || self.errors.iter().filter(|(by, _)| *by == asker).map(|(_, error)| error.as_str());
        match errors().find(|error| error.contains(&quoted)) {
            Some(error) if gone(error) => None,
            Some(error) => Some(error.to_owned()),
            None => errors().find(|error| !gone(error)).map(str::to_owned).or_else(|| {
                errors().next().is_none().then(|| format!("the machine says nothing about {path}"))
            }),
        }
    }

    fn unit_answer(&self, index: usize, name: &str) -> Answer {
        let Some(lines) = self.units.get(index).filter(|lines| !lines.is_empty()) else {
            return Answer::Unanswered(format!("systemctl says nothing about {name}"));
        };
        let value = |key: &str| lines.iter().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        match value("LoadState") {
            Some(load) => Answer::Unit(UnitFacts {
                load: load.to_owned(),
                active: value("ActiveState").unwrap_or_default().to_owned(),
                file: value("UnitFileState").unwrap_or_default().to_owned(),
                needs_reload: value("NeedDaemonReload") == Some("yes"),
                drop_ins: value("DropInPaths")
                    .unwrap_or_default()
                    .split_ascii_whitespace()
                    .map(str::to_owned)
                    .collect(),
            }),
            None => Answer::Unanswered(lines.join("; ")),
        }
    }
}

/// What a line says of what is remembered: a word, and a text that is in base64 unless it is a plain word
/// itself; or `documents BASE64 NAME SIZE...`, the bytes of all of them one behind the other. The last one
/// may have grown since its size was looked at.
fn kept_lines(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let Some((word, rest)) = text.split_once(' ') else { return Vec::new() };
    let known = |names: &[&'static str], word: &str| names.iter().find(|name| **name == word).copied();
    if let Some(word) = known(&["armed", "boot", "orphaned", "seen"], word) {
        return vec![(word, rest.as_bytes().to_vec())];
    }
    if let Some(word) = known(&["unreadable"], word) {
        return STANDARD.decode(rest).map(|bytes| (word, bytes)).into_iter().collect();
    }
    let words: Vec<&str> = rest.split(' ').collect();
    let ("documents", [packed, sizes @ ..]) = (word, words.as_slice()) else { return Vec::new() };
    let mut bytes = STANDARD.decode(packed).map(unpacked).unwrap_or_default();
    let mut documents = Vec::new();
    for (place, pair) in sizes.chunks(2).enumerate() {
        let [name, size] = pair else { break };
        let is_last = 2 * (place + 1) == sizes.len();
        let size = size.parse().unwrap_or(usize::MAX).min(bytes.len());
        let rest = bytes.split_off(if is_last { bytes.len() } else { size });
        let document = std::mem::replace(&mut bytes, rest);
        documents.extend(known(&["record", "run", "progress"], name).map(|name| (name, document)));
    }
    documents
}

/// The numbers among words.
fn parsed(words: &[&str]) -> impl Iterator<Item = usize> {
    words.iter().filter_map(|word| word.parse().ok())
}

fn known_name(name: &str, number: u32) -> String {
    if name == "UNKNOWN" || name == "?" { number.to_string() } else { name.to_owned() }
}

/// `MODE-IN-HEX UID GID USER GROUP SIZE PATH`, the path being all the rest.
fn parse_stat(text: &str) -> Option<(String, Stat)> {
    let mut words = text.splitn(7, ' ');
    let stat = Stat {
        mode: u32::from_str_radix(words.next()?, 16).ok()?,
        uid: words.next()?.parse().ok()?,
        gid: words.next()?.parse().ok()?,
        user: words.next()?.to_owned(),
        group: words.next()?.to_owned(),
        size: words.next()?.parse().ok()?,
    };
    Some((words.next()?.to_owned(), stat))
}

fn numbered_bytes(text: &str) -> Option<(usize, Vec<u8>)> {
    let (number, encoded) = text.split_once(' ')?;
    Some((number.parse().ok()?, STANDARD.decode(encoded).ok()?))
}

#[cfg(test)]
mod tests;
