//! `keys audit`: what the machines say of their keys.

use std::collections::{BTreeMap, BTreeSet};

use super::super::arguments::Look;
use super::super::asking::cancel_on_signal;
use super::super::exit::Exit;
use super::super::preparation::Preparation;
use super::super::progress::Progress;
use super::super::surface::{Surface, print};
use crate::audit::{Known, findings};
use crate::desired::resolve_all;
use crate::event::Event;
use crate::fleet::Run;
use crate::format::authorized_keys::PublicKey;
use crate::model::MachineName;
use crate::report;
use crate::resource::authorized_key;
use crate::store::Project;

/// Asks the machines, and names what is wrong.
pub(in crate::cli) async fn audit(look: &Look, surface: Surface) -> Exit {
    let mut session = match Preparation::new(look, None, surface) {
        Ok(session) => session,
        Err(exit) => return exit,
    };
    let known = known(&session.project);
    let progress = Progress::new(surface.progress, surface.errors, session.jobs.len());
    let tell = |event: Event| {
        super::super::log::note(&event);
        progress.hear(&event);
    };
    let cancel = cancel_on_signal();
    let jobs = std::mem::take(&mut session.jobs);
    let run = Run::new(&session.connector, session.options(look, &cancel), &tell);
    let heard = run.keys(jobs).await;
    progress.clear();
    let mut said = Vec::new();
    let mut absent = Vec::new();
    for (machine, result) in heard {
        match result {
            Ok(keys) => said.push((machine, keys)),
            Err(failure) => absent.push((machine, failure)),
        }
    }
    let found = findings(&said, &known);
    let exit = absent
        .iter()
        .map(|(_, failure)| Exit::of(failure))
        .chain(session.untouched.iter().map(|one| Exit::of_plan(&one.report())))
        .chain((!found.is_empty()).then_some(Exit::Pending))
        .fold(Exit::Done, Exit::or_worse);
    if look.json {
        print(&report::audit_json(&session.fleet_name, &said, &found, &absent, exit.code()));
    } else {
        print(&report::audit(&said, &found, &absent, surface.output));
    }
    exit
}

/// What the inventory and what lies beside it know of keys.
fn known(project: &Project) -> Known {
    let mut known = Known::default();
    for (machine, declared) in resolve_all(&project.fleet, &project.library).unwrap_or_default() {
        let keys = declared
            .iter()
            .filter(|one| one.resource.id().kind == authorized_key::KIND)
            .flat_map(|one| one.resource.wanted().into_keys())
            .filter_map(|aspect| aspect.strip_prefix("key ").map(str::to_owned));
        known.declared.insert(machine, keys.collect::<BTreeSet<String>>());
    }
    let mut access: BTreeMap<String, (String, String)> = BTreeMap::new();
    for keys in &project.library.seats {
        for key in keys.source.text().lines().filter_map(|line| PublicKey::parse(line).ok()) {
            access.insert(key.fingerprint(), (keys.seat.clone(), keys.machine.clone()));
        }
    }
    // A file that the inventory names and that was brought along opens its machine, and is known by its
    // public half beside it.
    for (machine, managed) in project.fleet.managed() {
        if let Some(key) = brought(managed) {
            known.declared.entry(machine.name.clone()).or_default().insert(key);
        }
    }
    known.access = access;
    for half in &project.library.halves {
        if let (Ok(key), Ok(machine)) =
            (PublicKey::parse(half.source.text()), MachineName::new(&half.machine))
        {
            known.links.insert(key.fingerprint(), machine);
        }
    }
    known
}

/// The fingerprint of the key that the inventory names for a machine, by its public half.
fn brought(managed: &crate::inventory::Managed) -> Option<String> {
    let key = managed.connect.key.as_ref()?;
    let written = std::path::Path::new(key.span.source().name()).parent()?.join(&key.value);
    let mut public = written.into_os_string();
    public.push(".pub");
    let text = std::fs::read_to_string(public).ok()?;
    Some(PublicKey::parse(text.lines().next()?).ok()?.fingerprint())
}
