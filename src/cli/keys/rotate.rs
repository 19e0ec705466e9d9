//! `keys rotate`: exchanges this seat's key for a machine.
//!
//! Each step is found again from what is there, so that an exchange that was cut is finished by the same
//! command: a key that is to come is let in, proven over a connection of its own, takes the place of the current
//! one, and only then the former one goes. Whatever keys are there are shown to the machine, so one of them
//! works at any moment.

use std::sync::Arc;

use super::super::arguments::KeysRotate;
use super::super::exit::Exit;
use super::super::identities::Need;
use super::super::runs::{Wish, change};
use super::super::surface::{Surface, complain, ended, print};
use super::{Here, enrol, failed, machines};
use crate::desired::seat_key_prefix;
use crate::fleet::Chosen;
use crate::model::{MachineName, ResourceId};
use crate::resource::authorized_key;
use crate::store::{Project, Which};

/// Exchanges the key.
pub(in crate::cli) async fn rotate(arguments: &KeysRotate, surface: Surface) -> Exit {
    let exit = match exchange(arguments, surface).await {
        Ok(()) => Exit::Done,
        Err(exit) => exit,
    };
    ended(&arguments.change, &arguments.name, exit);
    exit
}

async fn exchange(arguments: &KeysRotate, surface: Surface) -> Result<(), Exit> {
    let load = || {
        let look = &arguments.change.look;
        super::super::load::project(
            &look.inventory,
            look.known_hosts.clone(),
            Need::Values,
            look.json,
            surface,
        )
    };
    let tell = if arguments.change.look.json { complain } else { print };
    let project = load()?;
    let here = Here::of(&project, None)?;
    let machine = match machines(&project, std::slice::from_ref(&arguments.name))?.first() {
        Some((machine, _)) => machine.name.clone(),
        None => return Err(Exit::BadInput),
    };
    let has = |which| here.keys.has(&machine, which);
    if here.keys.seat_name().is_none() || !(has(Which::Current) || has(Which::Former)) {
        complain(&format!(
            "error: this seat has no key of its own for {machine} yet; make one first: keys enrol\n"
        ));
        return Err(Exit::BadInput);
    }
    if !has(Which::Former) {
        let comment = enrol::comment(project.fleet.name.as_str(), &here.name, machine.as_str());
        here.keys.make(&machine, Which::Next, &comment, &here.identities).map_err(|error| failed(&error))?;
        write_public(&here, &machine, &[Which::Current, Which::Next])?;
        tell(&format!("{machine}: letting the new key in\n"));
        settle(arguments, &here, &machine, surface).await?;
        prove(&load()?, &machine).await?;
        tell(&format!("{machine}: the new key opens it\n"));
    }
    here.keys.promote(&machine).map_err(|error| failed(&error))?;
    write_public(&here, &machine, &[Which::Current])?;
    tell(&format!("{machine}: taking the former key away\n"));
    settle(arguments, &here, &machine, surface).await?;
    here.keys.forget(&machine, Which::Former).map_err(|error| failed(&error))?;
    tell(&format!("{machine}: its key is exchanged\n"));
    Ok(())
}

fn write_public(here: &Here, machine: &MachineName, which: &[Which]) -> Result<(), Exit> {
    let lines: Result<Vec<String>, _> =
        which.iter().map(|which| here.keys.public(machine, *which, &here.identities)).collect();
    let lines = lines.map_err(|error| failed(&error))?;
    here.enrolment.write_public(machine.as_str(), &lines).map_err(|error| failed(&error))?;
    Ok(())
}

/// Applies what the public halves say to the machine, and nothing else.
async fn settle(
    arguments: &KeysRotate,
    here: &Here,
    machine: &MachineName,
    surface: Surface,
) -> Result<(), Exit> {
    let name = format!("#{}", seat_key_prefix(&here.name));
    let chosen: Chosen =
        Arc::new(move |id: &ResourceId| id.kind == authorized_key::KIND && id.target.contains(&name));
    match change(
        &arguments.change,
        Wish::only(machine.clone(), chosen).aside(arguments.change.look.json),
        surface,
    )
    .await
    {
        Exit::Done => Ok(()),
        exit => Err(exit),
    }
}

/// Logs in with the new key and no other.
async fn prove(project: &Project, machine: &MachineName) -> Result<(), Exit> {
    let found = project.fleet.managed().find(|(one, _)| one.name == *machine);
    let Some((declared, managed)) = found else { return Err(Exit::BadInput) };
    let next =
        project.keys.as_ref().map(|(keys, identities)| (keys.open(machine, Which::Next, identities), keys));
    let Some((Ok(key), keys)) = next else {
        complain(&format!("error: the new key for {machine} cannot be opened\n"));
        return Err(Exit::Error);
    };
    let name = keys.path(machine, Which::Next).display().to_string();
    let identity = crate::model::Identity::Key { name, key };
    super::super::proof::prove(project, declared, managed, identity).await
}
