//! Where a link ends: lines that let its keys in, for what they are used for and nothing else.

use std::collections::BTreeMap;

use super::keys::comment;
use super::{Link, LinkHalf, managed, options, span};
use crate::desired::library::Library;
use crate::desired::references::Pending;
use crate::desired::scope::entry;
use crate::inventory::{Fleet, Machine, Membership};
use crate::model::{Diagnostics, Entry, MachineName, Node, Span, Value};
use crate::resource::{Origin, Reading, Whom, authorized_key};

/// What the names of links' keys begin with, among those of a login.
pub const LINK_DOOR: &str = "link/";

/// The uses of one key at one login.
type Uses<'a> = BTreeMap<(&'a MachineName, String, &'a str), Vec<&'a Link>>;

fn uses<'a>(machine: &Machine, links: &'a [Link]) -> Uses<'a> {
    let mut uses: Uses<'a> = BTreeMap::new();
    let is_here = |link: &&Link| matches!(&link.opens.whom, Whom::Machine(name) if *name == machine.name);
    for link in links.iter().filter(is_here) {
        uses.entry((&link.from, link.opens.key(), &link.opens.login)).or_default().push(link);
    }
    uses
}

/// The lines for the keys of other machines whose public halves are known.
pub(in crate::desired) fn doors(
    fleet: &Fleet,
    machine: &Machine,
    library: &Library,
    reading: &Reading<'_>,
    problems: &mut Diagnostics,
) -> Vec<Pending> {
    let Membership::Managed(here) = &machine.membership else { return Vec::new() };
    let mut pending = Vec::new();
    for ((from, key, login), uses) in uses(machine, &library.links) {
        let (Some(first), Some(there)) = (uses.first(), fleet.machine(from.as_str())) else { continue };
        let Some(options) = options::options(&uses, managed(fleet, from), here, problems) else { continue };
        let Some(half) = half(library, from, &key) else { continue };
        let text = half.source.text();
        let line = text.lines().next().unwrap_or_default();
        // The key alone: what stands behind it is ours to say.
        let words: Vec<&str> = line.split_ascii_whitespace().take(2).collect();
        let span = Span::new(&half.source, 0, line.len());
        // One machine has several keys for another, one for each program.
        let program = key.strip_prefix(machine.name.as_str()).unwrap_or_default();
        let field = |name: &str, value: &str| entry(name, Node::text(value, span.clone()));
        let fields: Vec<Entry> = vec![
            field("key", &words.join(" ")),
            field("user", login),
            field("id", &format!("{LINK_DOOR}{from}{program}")),
            field("options", &options),
            field("comment", &comment(fleet, there, &key)),
        ];
        let node = Node { value: Value::Map(fields), span: span.clone() };
        let origin = Origin { from: format!("link from {from}"), span: self::span(first).clone() };
        let read = authorized_key::read(&node, &origin, reading, problems);
        pending.extend(read.into_iter().map(Pending::new));
    }
    pending
}

fn half<'a>(library: &'a Library, from: &MachineName, key: &str) -> Option<&'a LinkHalf> {
    library.halves.iter().find(|half| half.machine == from.as_str() && half.key == key)
}

/// The machines with links to this one whose public halves are not known, and that fleetprov changes; each
/// with the name of the key.
#[must_use]
pub fn missing_halves(fleet: &Fleet, machine: &Machine, library: &Library) -> Vec<(MachineName, String)> {
    let uses = uses(machine, &library.links);
    let is_changed = |from: &MachineName| managed(fleet, from).is_some_and(|one| one.platform.is_supported());
    let missing = uses.keys().filter(|(from, key, _)| is_changed(from) && half(library, from, key).is_none());
    let mut missing: Vec<_> = missing.map(|(from, key, _)| ((*from).clone(), key.clone())).collect();
    missing.dedup();
    missing
}
