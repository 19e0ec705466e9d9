//! Records of the same machine in other places: a machine is managed under one login and privilege, and has
//! one record.

use serde::Deserialize;

use super::error::RecordError;
use super::kept::Kept;
use crate::model::{FleetName, MachineName};

/// The most that is taken of what a machine says of other records.
const MOST: usize = 200;

/// A sign of another record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Elsewhere {
    /// A folder that has one, or may have: nobody lets us look.
    Folder {
        /// Its path.
        path: String,
        /// The first lines of the record and of the document of its run, as far as they can be read.
        head: Vec<String>,
    },
    /// A notice of one: `FLEET MACHINE USER FOLDER`, and the folder is there.
    Notice(String),
}

impl Elsewhere {
    /// Takes one line of what a machine says of other records. Whether it is such a line.
    pub fn take(line: &str, all: &mut Vec<Self>) -> bool {
        match line.split_once(' ') {
            Some(("elsewhere" | "noticed" | "of", _)) if all.len() >= MOST => {}
            Some(("elsewhere", path)) => {
                all.push(Self::Folder { path: path.to_owned(), head: Vec::new() });
            }
            Some(("noticed", notice)) => all.push(Self::Notice(notice.to_owned())),
            Some(("of", line)) => {
                if let Some(Self::Folder { head, .. }) = all.last_mut().filter(|one| one.is_short()) {
                    head.push(line.to_owned());
                }
            }
            _ => return false,
        }
        true
    }

    fn is_short(&self) -> bool {
        matches!(self, Self::Folder { head, .. } if head.len() < 10)
    }

    /// What it says.
    fn found(&self) -> Found<'_> {
        match self {
            Self::Folder { path, head } => Found {
                path,
                fleet: value(head, "fleet"),
                machine: value(head, "machine"),
                user: value::<LoginHead>(head, "login").map(|login| login.user),
                run: value(head, "who").zip(value(head, "when")),
            },
            Self::Notice(notice) => {
                let mut words = notice.splitn(4, ' ');
                let mut word = || words.next();
                let (fleet, machine, user) = (word(), word(), word());
                Found {
                    path: word().unwrap_or_default(),
                    fleet: fleet.map(str::to_owned),
                    machine: machine.map(str::to_owned),
                    user: user.map(str::to_owned),
                    run: None,
                }
            }
        }
    }
}

/// As much of a record's login as is read here.
#[derive(Deserialize)]
struct LoginHead {
    user: String,
}

/// The value of a field that has a line of its own.
fn value<T: for<'de> Deserialize<'de>>(head: &[String], field: &str) -> Option<T> {
    let mark = format!("\"{field}\":");
    let line = head.iter().find_map(|line| line.strip_prefix(&mark))?;
    serde_json::from_str(line.strip_suffix(',').unwrap_or(line)).ok()
}

/// Another record, as far as it is known.
struct Found<'a> {
    path: &'a str,
    fleet: Option<String>,
    machine: Option<String>,
    /// The login user.
    user: Option<String>,
    /// Who ran the last run, and when.
    run: Option<(String, String)>,
}

/// Who manages a machine.
#[derive(Clone, Copy, Debug)]
pub struct Manager<'a> {
    /// The fleet.
    pub fleet: &'a FleetName,
    /// The machine.
    pub machine: &'a MachineName,
    /// The login user.
    pub user: &'a str,
    /// Whether operations run as root.
    pub root: bool,
}

/// Looks through what was found of other records on a machine: one of the same machine is an error. Gives what
/// a person should know of the rest, a sentence each: those of other machines of the fleet. Records of other
/// fleets are nobody's business here.
///
/// # Errors
/// [`RecordError::Elsewhere`].
pub fn other_records(kept: &Kept, manager: Manager<'_>) -> Result<Vec<String>, RecordError> {
    let all: Vec<Found<'_>> = kept.elsewhere.iter().map(Elsewhere::found).collect();
    let mut notes: Vec<String> = Vec::new();
    for found in &all {
        // Where nobody lets us look, a notice may say what is there.
        let named = all.iter().filter(|other| other.path == found.path && other.fleet.is_some());
        let mut known: Vec<&Found<'_>> = named.collect();
        if known.is_empty() {
            known.push(found);
        }
        for one in known {
            match (one.fleet.as_deref(), one.machine.as_deref()) {
                (Some(fleet), _) if fleet != manager.fleet.as_str() => {}
                (Some(_), Some(machine)) if machine != manager.machine.as_str() => {
                    let note = format!(
                        "{} has a record of machine `{machine}` of this fleet; if that is this machine, under the \
                         name it had before, what it owns is not removed from here",
                        one.path
                    );
                    if !notes.contains(&note) {
                        notes.push(note);
                    }
                }
                _ => return Err(one.refused(kept, manager)),
            }
        }
    }
    Ok(notes)
}

impl Found<'_> {
    fn refused(&self, kept: &Kept, manager: Manager<'_>) -> RecordError {
        let (path, state) = (self.path, &kept.state);
        let run = self.run.as_ref().map(|(who, when)| format!(", last applied by {who} at {when}"));
        let run = run.unwrap_or_default();
        let found = match &self.user {
            Some(user) => format!("its record as it is managed with login {user} is in {path}{run}"),
            None => format!(
                "in {path} there is what may be a record of it, and {} cannot look into it",
                if manager.root { "root" } else { manager.user }
            ),
        };
        let owner = if manager.root { "root" } else { manager.user };
        let advice = if kept.record.is_some() {
            format!(
                "there is one in {state}, too, and a machine has one; use the login and `state` of the one to keep"
            )
        } else {
            format!(
                "a machine has one record, one login and one `state`; use those, or hand it over on the machine: \
                 `mv {path} {state} && chown -R {owner}: {state}`"
            )
        };
        RecordError::Elsewhere { found, advice }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &[&str] = &[
        "of fleetprov-record 1 20261124-052301-3f9a0c",
        "of {\"format\":1,",
        "of \"fleet\":\"lab\",",
        "of \"machine\":\"box\",",
        "of \"login\":{\"user\":\"alice\",\"privilege\":\"login\"},",
        "of {\"format\":1,",
        "of \"run\":\"20261124-052301-3f9a0c\",",
        "of \"who\":\"me@seat\",",
        "of \"when\":\"2026-11-24T05:23:01Z\",",
    ];

    fn look(lines: &[&str], fleet: &str, machine: &str) -> Result<Vec<String>, String> {
        let mut elsewhere = Vec::new();
        for line in lines {
            assert!(Elsewhere::take(line, &mut elsewhere), "{line}");
        }
        let kept = Kept { elsewhere, state: "/var/lib/fleetprov".to_owned(), ..Kept::default() };
        let (fleet, machine) = (FleetName::new(fleet).unwrap(), MachineName::new(machine).unwrap());
        let manager = Manager { fleet: &fleet, machine: &machine, user: "root", root: true };
        other_records(&kept, manager).map_err(|error| error.to_string())
    }

    #[test]
    fn a_record_of_the_same_machine_is_an_error_that_says_whose_it_is_and_what_to_do() {
        let lines = [&["elsewhere /home/alice/.local/state/fleetprov"][..], HEAD].concat();
        let error = look(&lines, "lab", "box").unwrap_err();
        for part in [
            "login alice",
            "/home/alice/.local/state/fleetprov, last applied by me@seat at 2026-11-24T05:23:01Z",
            "`mv /home/alice/.local/state/fleetprov /var/lib/fleetprov && chown -R root: /var/lib/fleetprov`",
            "or move it away",
        ] {
            assert!(error.contains(part), "{part:?}: {error}");
        }
        assert_eq!(look(&lines, "other", "box"), Ok(vec![]), "another fleet's");
        assert_eq!(look(&lines, "lab", "other").unwrap().len(), 1, "another machine's is worth a word");
        assert_eq!(look(&[], "lab", "box"), Ok(vec![]));
    }

    #[test]
    fn what_nobody_lets_us_look_into_counts_unless_a_notice_says_whose_it_is() {
        let closed = "elsewhere /var/lib/other";
        assert!(look(&[closed], "lab", "box").unwrap_err().contains("cannot look into it"));
        let noticed = "noticed lab box root /var/lib/other";
        assert_eq!(look(&[closed, noticed], "third", "box"), Ok(vec![]));
        assert!(
            look(&[closed, noticed], "lab", "box").unwrap_err().contains("login root is in /var/lib/other")
        );
        // Two fleets in one place cannot be; that a notice names another one does not hide it.
        let both = [closed, "noticed third box root /var/lib/other", noticed];
        assert!(look(&both, "lab", "box").is_err());
        assert!(look(&["noticed lab box root /srv/a b"], "lab", "box").unwrap_err().contains("in /srv/a b;"));
    }

    #[test]
    fn what_a_machine_says_of_them_is_bounded_and_no_more_than_that() {
        let mut all = Vec::new();
        for other in ["seen x", "armed r", "documents AAAA", "", "elsewhere"] {
            assert!(!Elsewhere::take(other, &mut all), "{other}");
        }
        assert!(Elsewhere::take("of nothing", &mut all) && all.is_empty());
        for _ in 0..1000 {
            Elsewhere::take("elsewhere /x", &mut all);
            for _ in 0..100 {
                Elsewhere::take("of y", &mut all);
            }
        }
        assert_eq!(all.len(), 200);
        assert!(all.iter().all(|one| matches!(one, Elsewhere::Folder { head, .. } if head.len() <= 10)));
        // Nonsense is what cannot be read.
        assert!(look(&["elsewhere /x", "of \"fleet\":[]", "of \"machine\":"], "lab", "box").is_err());
    }
}
