//! `onboard`: one command from a bare machine to a managed one.
//!
//! Every step is found again from what is there: a host key that is pinned, an entry that is written, a key that
//! opens the door. So the command can be cut anywhere, and the same command finishes it.

mod arguments;
mod door;
mod plan;

use std::sync::Arc;

pub(super) use arguments::Onboard;

use self::door::Door;
use super::arguments::Change;
use super::exit::Exit;
use super::identities::Need;
use super::keys::Here;
use super::runs::{Wish, change};
use super::surface::{Surface, complain, print};
use crate::desired::seat_key_prefix;
use crate::fleet::Chosen;
use crate::flow::{EntryWish, Rights, entry};
use crate::inventory::edit::{Edit, add_machine};
use crate::model::{Identity, MachineName, ResourceId};
use crate::resource::authorized_key;
use crate::store::{Project, Which, read_text, replace_text};

/// Onboards a machine.
pub(super) async fn onboard(arguments: &Onboard, surface: Surface) -> Exit {
    match (Arrival { arguments, surface }).run().await {
        Ok(exit) | Err(exit) => exit,
    }
}

/// One machine on its way into the fleet.
struct Arrival<'a> {
    arguments: &'a Onboard,
    surface: Surface,
}

impl Arrival<'_> {
    async fn run(&self) -> Result<Exit, Exit> {
        let project = self.load()?;
        let name = MachineName::new(&self.arguments.name).map_err(|error| {
            complain(&format!("error: `{}` cannot be a machine's name: {error}\n", self.arguments.name));
            Exit::BadInput
        })?;
        let here = Here::of(&project, self.arguments.seat.as_deref())?;
        here.check_enrolled()?;
        let wish = self.wish(&project, &name)?;
        let door = Door::open(self.arguments, &project, &here, &name, self.surface).await?;
        let about = &door.about;
        self.tell(&format!(
            "{name}: {} on {}, services by {}, time zone {}, rights: {}\n",
            about.named,
            about.arch,
            about.facts.init,
            if about.zone.is_empty() { "not said" } else { &about.zone },
            match about.rights {
                Rights::Root => "root's login",
                Rights::Sudo => "sudo, without a password",
                Rights::Doas => "doas, without a password",
                Rights::Password => "sudo, with a password",
                Rights::None => "the login user's own",
            }
        ));
        let fields = entry(about, &wish).map_err(|error| {
            complain(&format!("error: {name}: failed to {error}\n"));
            Exit::Error
        })?;
        let path = &self.arguments.change.look.inventory.inventory;
        let edit = match project.fleet.machine(name.as_str()) {
            // Whoever has changed the entry since knows why.
            Some(_) => Edit::Unchanged,
            None => add_machine(&project.fleet.source, &name, &fields)
                .map_err(|problems| super::load::invalid(&problems, false, self.surface))?,
        };
        if self.arguments.dry_run {
            return plan::show(self, &project, &door, &name, &edit).await;
        }
        self.keep_password(&project, &door, &wish)?;
        self.make_key(&project, &here, &name)?;
        if let Edit::Changed(text) = &edit {
            let was = read_text(path).map_err(failed)?.map(|(_, digest)| digest);
            replace_text(path, text, was.as_ref()).map_err(failed)?;
            self.tell(&format!("{name}: written into {}\n", path.display()));
        }
        let project = self.load()?;
        if !door.by_own_key {
            self.let_in(&door, &here, &name).await?;
            self.prove(&project, &name).await?;
            self.tell(&format!("{name}: its own key opens it\n"));
        }
        Ok(change(&self.arguments.change, Wish::machine(name), self.surface).await)
    }

    fn load(&self) -> Result<Project, Exit> {
        let look = &self.arguments.change.look;
        super::load::project(&look.inventory, look.known_hosts.clone(), Need::Values, look.json, self.surface)
    }

    /// What is not for a program, when standard output is for one.
    fn tell(&self, text: &str) {
        if self.arguments.change.look.json { complain(text) } else { print(text) }
    }

    fn wish(&self, project: &Project, name: &MachineName) -> Result<EntryWish, Exit> {
        let tiers: Vec<&str> = project.fleet.tiers.iter().map(|tier| tier.name.as_str()).collect();
        let tier = match (&self.arguments.tier, project.fleet.machine(name.as_str()), tiers.as_slice()) {
            (Some(tier), _, _) => tier.clone(),
            (None, Some(machine), _) => machine.tier.value.to_string(),
            (None, None, [only]) => (*only).to_owned(),
            (None, None, several) => {
                complain(&format!(
                    "error: which tier is {name} of? say --tier with one of: {}\n",
                    several.join(", ")
                ));
                return Err(Exit::BadInput);
            }
        };
        let mut roles = self.arguments.roles.clone();
        if self.arguments.keys_only {
            roles.push(KEYS_ONLY.to_owned());
        }
        Ok(EntryWish { tier, login: self.arguments.login.clone(), roles, password: format!("{name}-sudo") })
    }

    /// Seals the password that sudo asks for.
    fn keep_password(&self, project: &Project, door: &Door, wish: &EntryWish) -> Result<(), Exit> {
        let (Rights::Password, Some(password)) = (door.about.rights, &door.password) else { return Ok(()) };
        if project.library.secrets.contains_key(&wish.password) {
            return Ok(());
        }
        super::secret::keep(&self.arguments.change.look.inventory, &wish.password, password, self.surface)?;
        self.tell(&format!(
            "{}: sudo's password is sealed as the secret {}\n",
            self.arguments.name, wish.password
        ));
        Ok(())
    }

    fn make_key(&self, project: &Project, here: &Here, name: &MachineName) -> Result<(), Exit> {
        let is_new = !here.keys.has(name, Which::Current);
        here.enrol(project, &[name])?;
        if is_new {
            self.tell(&format!("{name}: a key of its own is made for it\n"));
        }
        Ok(())
    }

    /// Puts the key's public half on the machine, by the way that is open now.
    async fn let_in(&self, door: &Door, here: &Here, name: &MachineName) -> Result<(), Exit> {
        let prefix = format!("#{}", seat_key_prefix(&here.name));
        let chosen: Chosen =
            Arc::new(move |id: &ResourceId| id.kind == authorized_key::KIND && id.target.contains(&prefix));
        // That is what was asked for; what the machine's roles bring is shown and asked for behind it.
        let mut at_once: Change = self.arguments.change.clone();
        at_once.yes = true;
        at_once.look.json = false;
        let wish = Wish::only(name.clone(), chosen)
            .with_identities(door.identities.clone())
            .aside(self.arguments.change.look.json);
        match change(&at_once, wish, self.surface).await {
            Exit::Done => Ok(()),
            exit => Err(exit),
        }
    }

    async fn prove(&self, project: &Project, name: &MachineName) -> Result<(), Exit> {
        let found = project.fleet.managed().find(|(machine, _)| machine.name == *name);
        let Some((machine, managed)) = found else { return Err(Exit::Error) };
        let own = match project.access.get(name) {
            Some(Ok(own)) => own.first().cloned(),
            _ => None,
        };
        let Some(identity @ Identity::Key { .. }) = own else {
            complain(&format!("error: {name}: failed to open the key that was made for it\n"));
            return Err(Exit::Error);
        };
        super::proof::prove(project, machine, managed, identity).await
    }
}

/// The role that switches password logins off.
const KEYS_ONLY: &str = "keys-only";

fn failed(error: impl std::fmt::Display) -> Exit {
    complain(&format!("error: failed to {error}\n"));
    Exit::Error
}
