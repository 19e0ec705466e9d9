//! `fleetprov secret`: keeps, shows, changes and lists sealed values.

pub(super) mod arguments;
mod edit;
mod list;
mod place;
mod rekey;
mod value;

use arguments::Secret;

use super::arguments::Inventory;
use super::exit::Exit;
use super::identities::{Need, identities};
use super::load::invalid;
use super::surface::{Surface, complain};
use crate::store::{
    IDENTITY, Identities, IdentityError, LoadError, Recipient, Recipients, SecretError, SecretFolder,
    Surroundings, seat_folder, seat_recipient, secret_folder,
};

/// Runs one of its commands.
pub(super) fn secret(command: &Secret, surface: Surface) -> Exit {
    match command {
        Secret::Set(set) => value::set(set, surface),
        Secret::Show(show) => value::show(show, surface),
        Secret::Edit(edit) => edit::edit(edit, surface),
        Secret::Rekey(rekey) => rekey::rekey(rekey, surface),
        Secret::List(list) => list::list(list, surface),
        Secret::Seal(seal) => value::seal(seal, surface),
    }
}

/// Seals a value as a secret of an inventory, as `secret set` does.
pub(super) fn keep(
    inventory: &Inventory,
    name: &str,
    value: &crate::model::Secret,
    surface: Surface,
) -> Result<(), Exit> {
    let folder = folder(inventory, false, surface)?;
    let own = identities(inventory, Need::Values, surface)?;
    let recipients = recipients(&folder, Some(name), inventory, &own, surface)?;
    folder.write(name, value, &recipients).map(|_| ()).map_err(|error| failed(error, false, surface))
}

/// The sealed secrets of an inventory.
fn folder(inventory: &Inventory, json: bool, surface: Surface) -> Result<SecretFolder, Exit> {
    secret_folder(&inventory.inventory, inventory.overlay.as_deref())
        .map_err(|error| failed(SecretError::Load(error), json, surface))
}

/// Says what went wrong, and what that means for the exit code.
fn failed(error: SecretError, json: bool, surface: Surface) -> Exit {
    match error {
        SecretError::Load(LoadError::Invalid(problems)) => invalid(&problems, json, surface),
        error => {
            complain(&format!("error: failed to {error}\n"));
            match error {
                SecretError::Name { .. }
                | SecretError::Unknown { .. }
                | SecretError::Nobody(_)
                | SecretError::Load(_)
                | SecretError::Identity(IdentityError::Read { .. } | IdentityError::Locked { .. }) => {
                    Exit::BadInput
                }
                SecretError::Write { .. } | SecretError::Seal(_) | SecretError::Identity(_) => Exit::Error,
            }
        }
    }
}

/// To whom a secret is sealed. A seat that has no identity gets one here when nobody else is named.
fn recipients(
    folder: &SecretFolder,
    name: Option<&str>,
    inventory: &Inventory,
    own: &Identities,
    surface: Surface,
) -> Result<Recipients, Exit> {
    let told = |error| failed(error, false, surface);
    match (folder.recipients(name, own), seat_folder(&Surroundings::here())) {
        (Err(SecretError::Nobody(_)), Some(seat)) if inventory.identity.is_empty() => {
            if let Err(error) = seat_recipient(&seat) {
                complain(&format!("error: failed to {error}\n"));
                return Err(Exit::Error);
            }
            complain(&format!(
                "made an identity for this seat: {}; without it nobody opens what is sealed to it\n",
                seat.join(IDENTITY).display()
            ));
            let own = identities(inventory, Need::Values, surface)?;
            folder.recipients(name, &own).map_err(told)
        }
        (found, _) => found.map_err(told),
    }
}

/// The recipients that stand on the command line; `None` when there are none.
fn given(texts: &[String]) -> Result<Option<Recipients>, Exit> {
    let mut found = Recipients::default();
    for text in texts {
        match Recipient::parse(text) {
            Ok(recipient) => found.add([recipient]),
            Err(error) => {
                complain(&format!(
                    "error: --recipient: failed to {error}; expected an age recipient (age1...), or an SSH \
                     public key (ssh-ed25519 ..., ssh-rsa ...)\n"
                ));
                return Err(Exit::BadInput);
            }
        }
    }
    Ok((!found.is_empty()).then_some(found))
}
