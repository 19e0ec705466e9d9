//! Where a link starts: the key, and the pinned host keys of what it opens.

use std::collections::BTreeMap;

use super::{Link, address, span};
use crate::desired::library::Library;
use crate::desired::references::{Pending, add};
use crate::inventory::{Fleet, Machine};
use crate::model::{Diagnostic, Diagnostics, MachinePath, ResourceId};
use crate::resource::file::File;
use crate::resource::link_key::{self, LinkKey};
use crate::resource::{Content, Declared, Origin, Whom, link_files};

/// The keys of a machine and the files of host keys, for what it opens. What uses a link comes after both.
pub(in crate::desired) fn keys(
    fleet: &Fleet,
    machine: &Machine,
    library: &Library,
    links: &[Link],
    pending: &mut Vec<Pending>,
    problems: &mut Diagnostics,
) {
    let mut keys: BTreeMap<String, &Link> = BTreeMap::new();
    for link in links {
        let name = link.opens.key();
        match keys.get(&name) {
            Some(first) if (&first.opens.user, &first.opens.home) != (&link.opens.user, &link.opens.home) => {
                let message = format!(
                    "the key for {name} would belong to {} and to {}",
                    first.opens.user, link.opens.user
                );
                problems.push(
                    Diagnostic::at(span(link), message)
                        .expected(
                            "one user of the machine for each thing that is opened, or a `key` of its own",
                        )
                        .related(span(first), format!("{} uses it here", first.origin.from)),
                );
            }
            Some(_) => {}
            None => {
                keys.insert(name, link);
            }
        }
    }
    let mut hosts: BTreeMap<String, Hosts<'_>> = BTreeMap::new();
    let mut made: Vec<Pending> = Vec::new();
    for (name, link) in &keys {
        let lines = lines(fleet, library, &link.opens.whom);
        let Some(path) = path(&link_files::key(&link.opens.home, name), link, problems) else { continue };
        let key = LinkKey {
            name: name.clone(),
            path,
            owner: link.opens.user.clone(),
            comment: comment(fleet, machine, name),
            lacks: lines.is_empty().then(|| unpinned(fleet, &link.opens.whom)),
        };
        made.push(Pending::new(Declared::new(key, link.origin.clone())));
        let file = hosts.entry(link.opens.home.clone()).or_insert(Hosts {
            link,
            lines: Vec::new(),
            after: Vec::new(),
        });
        if !lines.is_empty() {
            file.after.push(ResourceId::new(link_key::KIND, name.as_str()));
        }
        file.lines
            .extend(lines.iter().filter(|line| !file.lines.contains(line)).cloned().collect::<Vec<_>>());
    }
    for (home, Hosts { link, lines, after }) in hosts.into_iter().filter(|(_, hosts)| !hosts.lines.is_empty())
    {
        let Some(path) = path(&link_files::known_hosts(&home), link, problems) else { continue };
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let content = Content::Bytes(text.into_bytes().into());
        let file = File { path, content, owner: link.opens.user.clone(), group: None, mode: 0o600 };
        let origin = Origin { from: "links".to_owned(), span: span(link).clone() };
        made.push(Pending::new(Declared::new(file, origin).after(after)));
    }
    let is_there = |id: &ResourceId| made.iter().any(|one| one.declared.resource.id() == *id);
    for one in pending.iter_mut() {
        let needed = one.declared.opens.iter().flat_map(|opens| {
            let hosts = ResourceId::new("file", link_files::known_hosts(&opens.home));
            [ResourceId::new(link_key::KIND, opens.key()), hosts]
        });
        let needed: Vec<ResourceId> = needed.filter(is_there).collect();
        add(&mut one.declared.after, needed);
    }
    pending.extend(made);
}

/// A file of host keys that is gathered.
struct Hosts<'a> {
    link: &'a Link,
    lines: Vec<String>,
    after: Vec<ResourceId>,
}

/// What stands behind a link's key: `fleetprov:FLEET:FROM:NAME`.
pub(super) fn comment(fleet: &Fleet, machine: &Machine, name: &str) -> String {
    format!("fleetprov:{}:{}:{name}", fleet.name, machine.name)
}

/// The lines that pin what is opened.
fn lines<'a>(fleet: &Fleet, library: &'a Library, whom: &Whom) -> &'a [String] {
    let Some(address) = address(fleet, whom) else { return &[] };
    library.hosts.get(&address).map_or(&[], Vec::as_slice)
}

fn unpinned(fleet: &Fleet, whom: &Whom) -> String {
    let (host, port) = address(fleet, whom).unwrap_or_default();
    let (name, option) = match port {
        22 => (host.clone(), String::new()),
        port => (format!("[{host}]:{port}"), format!("-p {port} ")),
    };
    format!(
        "the host key of {} ({name}) is not pinned; compare what `ssh-keyscan {option}{host}` says with what is \
         known of it, and add the line to the fleet's known_hosts",
        whom.name()
    )
}

fn path(text: &str, link: &Link, problems: &mut Diagnostics) -> Option<MachinePath> {
    MachinePath::new(text).map_err(|error| problems.push(Diagnostic::at(span(link), error.to_string()))).ok()
}
