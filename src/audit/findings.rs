//! What is wrong with the keys of a fleet.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::said::MachineKeys;
use crate::format::authorized_keys::PublicKey;
use crate::model::MachineName;

/// RSA keys below this are weak (NIST SP 800-131A: 112 bits of security).
const RSA_BITS: usize = 2048;

/// What the inventory knows of keys.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The fingerprints of the keys that are declared to open a machine.
    pub declared: BTreeMap<MachineName, BTreeSet<String>>,
    /// The access keys of seats, by fingerprint: whose, for which machine.
    pub access: BTreeMap<String, (String, String)>,
    /// The fingerprints of links' keys, with the machine that may hold each.
    pub links: BTreeMap<String, MachineName>,
}

/// Where a key is: on which machine, for or of whom, in which file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The machine.
    pub machine: MachineName,
    /// The user.
    pub user: String,
    /// The file.
    pub path: String,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({}, {})", self.machine, self.user, self.path)
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The same key opens two machines.
    OpensSeveral {
        /// Its fingerprint.
        key: String,
        /// Where it opens the door.
        places: Vec<Place>,
    },
    /// The same private key lies on two machines, or an access key of a seat lies on a machine.
    Copied {
        /// Its fingerprint.
        key: String,
        /// Where it lies.
        places: Vec<Place>,
        /// Whose it is, when that is known.
        owner: Option<String>,
    },
    /// A key that opens a machine and that the inventory does not know.
    Unknown {
        /// Its fingerprint.
        key: String,
        /// Its comment, as it stands on the machine.
        comment: String,
        /// Where.
        place: Place,
    },
    /// A key of a weak type opens a machine.
    Weak {
        /// What is weak.
        reason: String,
        /// Where.
        place: Place,
    },
    /// A line that is no key, and that nobody can log in by.
    Unreadable {
        /// The line, counted from 1.
        line: usize,
        /// Why.
        reason: String,
        /// Where.
        place: Place,
    },
}

impl Finding {
    /// A word for programs.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::OpensSeveral { .. } => "opens-several",
            Self::Copied { .. } => "copied",
            Self::Unknown { .. } => "unknown",
            Self::Weak { .. } => "weak",
            Self::Unreadable { .. } => "unreadable",
        }
    }

    /// Where it is.
    #[must_use]
    pub fn places(&self) -> &[Place] {
        match self {
            Self::OpensSeveral { places, .. } | Self::Copied { places, .. } => places,
            Self::Unknown { place, .. } | Self::Weak { place, .. } | Self::Unreadable { place, .. } => {
                std::slice::from_ref(place)
            }
        }
    }

    /// The key, when it is about a certain one.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::OpensSeveral { key, .. } | Self::Copied { key, .. } | Self::Unknown { key, .. } => {
                Some(key)
            }
            Self::Weak { .. } | Self::Unreadable { .. } => None,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::OpensSeveral { .. } => "give each machine a key of its own: keys rotate MACHINE",
            Self::Copied { .. } => {
                "take the copy away, and exchange the key where it opens something: keys rotate MACHINE"
            }
            Self::Unknown { .. } => "declare it (authorized-key), or take its line away",
            Self::Weak { .. } => "put an ed25519 key in its place",
            Self::Unreadable { .. } => "mend the line or take it away",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |places: &[Place]| places.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        match self {
            Self::OpensSeveral { key, places } => write!(formatter, "one key opens {}: {key}", list(places)),
            Self::Copied { key, places, owner: Some(owner) } => {
                write!(formatter, "the private key of {owner} lies on {}: {key}", list(places))
            }
            Self::Copied { key, places, owner: None } => {
                write!(formatter, "one private key lies on {}: {key}", list(places))
            }
            Self::Unknown { key, comment, place } => {
                let comment = if comment.is_empty() { String::new() } else { format!(" {comment}") };
                write!(formatter, "a key that the inventory does not know opens {place}: {key}{comment}")
            }
            Self::Weak { reason, place } => write!(formatter, "a weak key opens {place}: {reason}"),
            Self::Unreadable { line, reason, place } => {
                write!(formatter, "line {line} of {place} is no key: failed to {reason}")
            }
        }
    }
}

/// Everything that is wrong with the keys of the machines that answered.
#[must_use]
pub fn findings(said: &[(MachineName, MachineKeys)], known: &Known) -> Vec<Finding> {
    let mut found = Vec::new();
    found.extend(shared(said));
    found.extend(copies(said, known));
    for (machine, keys) in said {
        for one in &keys.authorized {
            let place = Place { machine: machine.clone(), user: one.user.clone(), path: one.path.clone() };
            match &one.entry.key {
                Ok(key) => found.extend(judge(key, place, known)),
                Err(error) if error.is_weak() => {
                    found.push(Finding::Weak { reason: "it is of type ssh-dss".to_owned(), place });
                }
                Err(error) => {
                    found.push(Finding::Unreadable { line: one.entry.line, reason: error.to_string(), place })
                }
            }
        }
    }
    found
}

fn judge(key: &PublicKey, place: Place, known: &Known) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(bits) = key.rsa_bits().filter(|bits| *bits < RSA_BITS) {
        let reason = format!("{} is RSA of {bits} bits", key.fingerprint());
        found.push(Finding::Weak { reason, place: place.clone() });
    }
    let declared = known.declared.get(&place.machine);
    let fingerprint = key.fingerprint();
    if !declared.is_some_and(|declared| declared.contains(&fingerprint)) {
        found.push(Finding::Unknown { key: fingerprint, comment: key.comment().to_owned(), place });
    }
    found
}

/// Keys that open more than one machine.
fn shared(said: &[(MachineName, MachineKeys)]) -> Vec<Finding> {
    let mut places: BTreeMap<String, Vec<Place>> = BTreeMap::new();
    for (machine, keys) in said {
        for one in &keys.authorized {
            let Ok(key) = &one.entry.key else { continue };
            let place = Place { machine: machine.clone(), user: one.user.clone(), path: one.path.clone() };
            places.entry(key.fingerprint()).or_default().push(place);
        }
    }
    let several = places.into_iter().filter(|(_, places)| machines(places).len() > 1);
    several.map(|(key, places)| Finding::OpensSeveral { key, places }).collect()
}

/// Private keys that lie where they should not.
fn copies(said: &[(MachineName, MachineKeys)], known: &Known) -> Vec<Finding> {
    let mut places: BTreeMap<String, Vec<Place>> = BTreeMap::new();
    for (machine, keys) in said {
        for one in &keys.held {
            let Some(key) = &one.fingerprint else { continue };
            let place = Place { machine: machine.clone(), user: one.user.clone(), path: one.path.clone() };
            places.entry(key.clone()).or_default().push(place);
        }
    }
    places
        .into_iter()
        .filter_map(|(key, mut places)| {
            if let Some((seat, machine)) = known.access.get(&key) {
                let owner = Some(format!("seat {seat} for {machine}"));
                return Some(Finding::Copied { key, places, owner });
            }
            if let Some(machine) = known.links.get(&key) {
                places.retain(|place| place.machine != *machine);
                let owner = Some(format!("a link of {machine}"));
                return (!places.is_empty()).then_some(Finding::Copied { key, places, owner });
            }
            (machines(&places).len() > 1).then_some(Finding::Copied { key, places, owner: None })
        })
        .collect()
}

fn machines(places: &[Place]) -> BTreeSet<&MachineName> {
    places.iter().map(|place| &place.machine).collect()
}
