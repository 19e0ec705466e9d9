//! What opens secrets on this seat: what the command line names, or the seat's own identity.

use super::arguments::Inventory;
use super::exit::Exit;
use super::hidden::{Typed, ask};
use super::surface::{Surface, complain};
use crate::report::safe;
use crate::store::{Identities, Passphrases, Surroundings, seat_folder, seat_identity};

/// Whether a command has to see the secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// It works with them: passphrases are asked for.
    Values,
    /// It is as good without: nobody is asked for a passphrase.
    None,
}

/// The identities of `--identity`, or the one in the seat's folder when there is one.
pub(super) fn identities(inventory: &Inventory, need: Need, surface: Surface) -> Result<Identities, Exit> {
    let passphrases = match need {
        Need::None => Passphrases::LeftAlone,
        Need::Values if surface.can_ask => {
            Passphrases::Asked(Box::new(move |what| passphrase(what, surface)))
        }
        Need::Values => Passphrases::Unavailable,
    };
    let mut paths = inventory.identity.clone();
    if paths.is_empty() {
        paths.extend(seat_folder(&Surroundings::here()).and_then(|folder| seat_identity(&folder)));
    }
    let mut identities = Identities::new(passphrases);
    for path in &paths {
        if let Err(error) = identities.add_file(path) {
            complain(&format!("error: failed to {error}\n"));
            return Err(Exit::BadInput);
        }
    }
    Ok(identities)
}

fn passphrase(what: &str, surface: Surface) -> Option<crate::model::Secret> {
    match ask(&format!("Passphrase for {}: ", safe::line(what, surface.errors))) {
        Typed::Line(line) if line.expose().is_empty() => None,
        Typed::Line(line) => Some(line),
        Typed::Nothing => None,
        // Nothing has been done yet that would have to be put in order.
        Typed::Interrupted => std::process::exit(i32::from(Exit::Interrupted.code())),
    }
}
