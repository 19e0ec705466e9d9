//! What is on a machine's disk, to compare one moment with another.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::rig::RunningMachine;

/// Where people and programs keep what matters; what a running system writes by itself lies elsewhere.
const TOPS: &[&str] = &["etc", "home", "opt", "root", "srv", "usr/local", "var/spool/cron"];

/// One entry of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Whose it is, and its type and permissions as stat(2) has them.
    pub(crate) owner: (u32, u32),
    pub(crate) mode: u32,
    /// A file's bytes, a link's target; nothing for what is neither.
    pub(crate) content: Vec<u8>,
}

/// All files, folders and links of a machine below the places that matter, by their path there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listing(pub(crate) BTreeMap<String, Entry>);

impl Listing {
    /// Lists a machine, from outside of it.
    pub(crate) fn of(machine: &RunningMachine) -> Self {
        let mut listing = Self::default();
        let root = machine.root();
        for top in TOPS {
            listing.add(&root, &root.join(top));
        }
        listing
    }

    fn add(&mut self, root: &Path, path: &Path) {
        // What is removed meanwhile is not there.
        let Ok(facts) = path.symlink_metadata() else { return };
        let content = if facts.is_file() {
            std::fs::read(path).unwrap_or_default()
        } else if facts.is_symlink() {
            let target = std::fs::read_link(path).unwrap_or_default();
            target.to_string_lossy().into_owned().into_bytes()
        } else {
            Vec::new()
        };
        let below = path.strip_prefix(root).unwrap();
        let entry = Entry { owner: (facts.uid(), facts.gid()), mode: facts.mode(), content };
        self.0.insert(format!("/{}", below.display()), entry);
        // How git keeps what it keeps differs from clone to clone.
        if facts.is_dir() && path.file_name().is_none_or(|name| name != ".git") {
            for inside in std::fs::read_dir(path).into_iter().flatten().flatten() {
                self.add(root, &inside.path());
            }
        }
    }

    /// What differs from another listing, one line each.
    pub(crate) fn differences(&self, now: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        for (path, entry) in &self.0 {
            match now.0.get(path) {
                None => lines.push(format!("gone: {path}")),
                Some(other) if other != entry => {
                    lines.push(format!("changed: {path}: {} -> {}", shown(entry), shown(other)));
                }
                Some(_) => {}
            }
        }
        let new = now.0.iter().filter(|(path, _)| !self.0.contains_key(*path));
        lines.extend(new.map(|(path, entry)| format!("new: {path}: {}", shown(entry))));
        lines
    }
}

fn shown(entry: &Entry) -> String {
    let text = String::from_utf8_lossy(&entry.content);
    let short: String = text.chars().take(400).collect();
    format!("{:o} {}:{} {} bytes {short:?}", entry.mode, entry.owner.0, entry.owner.1, entry.content.len())
}
