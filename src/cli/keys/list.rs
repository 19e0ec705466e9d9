//! `keys list`: what opens each machine.

use std::collections::BTreeMap;

use super::super::arguments::KeysList;
use super::super::exit::Exit;
use super::super::identities::Need;
use super::super::surface::{Surface, print};
use super::{Here, machines};
use crate::format::authorized_keys::PublicKey;
use crate::report::{self, KeyRow};
use crate::store::Which;

/// Lists the keys; nothing is contacted.
pub(in crate::cli) fn list(arguments: &KeysList, surface: Surface) -> Exit {
    let project =
        match super::super::load::project(&arguments.inventory, None, Need::None, arguments.json, surface) {
            Ok(project) => project,
            Err(exit) => return exit,
        };
    let (here, machines) =
        match Here::of(&project, None).and_then(|here| Ok((here, machines(&project, &[])?))) {
            Ok(found) => found,
            Err(exit) => return exit,
        };
    let mut seats: BTreeMap<&str, Vec<(&str, Vec<PublicKey>)>> = BTreeMap::new();
    for keys in &project.library.seats {
        let read = keys.source.text().lines().filter_map(|line| PublicKey::parse(line).ok()).collect();
        seats.entry(&keys.machine).or_default().push((&keys.seat, read));
    }
    let rows: Vec<KeyRow> = machines
        .iter()
        .map(|(machine, managed)| {
            let name = machine.name.as_str();
            let own = here.keys.has(&machine.name, Which::Current);
            let is_changing =
                here.keys.has(&machine.name, Which::Next) || here.keys.has(&machine.name, Which::Former);
            let from_here = match (&managed.connect.key, own) {
                (_, true) if is_changing => "a key of its own, which is being exchanged".to_owned(),
                (_, true) => "a key of its own".to_owned(),
                (Some(key), false) => format!("the file {}", key.value),
                (None, false) => "the SSH agent".to_owned(),
            };
            let listed = seats.get(name).into_iter().flatten();
            let keys = listed.flat_map(|(seat, keys)| {
                keys.iter().map(|key| (seat.to_string(), key.fingerprint(), made(key.comment())))
            });
            KeyRow { machine: name.to_owned(), from_here, keys: keys.collect() }
        })
        .collect();
    let links = super::super::links::rows(&project);
    if arguments.json {
        print(&report::keys_json(project.fleet.name.as_str(), &here.name, &rows, &links));
    } else {
        print(&report::keys(&here.name, &rows, surface.output));
        print(&report::links(&links, surface.output));
        let to_add: Vec<_> = links.iter().filter(|link| link.service.is_some()).collect();
        print(&report::deploy_keys(&to_add, surface.output));
    }
    Exit::Done
}

/// The day at the end of a comment of ours.
fn made(comment: &str) -> Option<String> {
    let day = comment.strip_prefix("fleetprov:")?.rsplit(' ').next()?;
    let is_day = day.len() == 10 && day.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    is_day.then(|| day.to_owned())
}
