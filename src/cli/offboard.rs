//! `offboard`: the mirror of `onboard`, and what to do when a machine is stolen or dead.

use std::path::Path;
use std::sync::Arc;

use super::arguments::{Change, Offboard};
use super::exit::Exit;
use super::identities::Need;
use super::load::invalid;
use super::runs::{Wish, change};
use super::secret_uses::uses;
use super::surface::{Surface, complain, ended, print};
use crate::desired::{LINK_DOOR, seat_key_prefix};
use crate::fleet::Chosen;
use crate::inventory::Managed;
use crate::inventory::edit::{Edit, Removal, remove_machine};
use crate::model::{Diagnostic, Diagnostics, MachineName, ResourceId, nearest};
use crate::resource::authorized_key;
use crate::store::{Enrolment, LinkKeys, Project, Which, read_text, replace_text};
use crate::transport::KnownHosts;

/// Lets a machine go.
pub(super) async fn offboard(arguments: &Offboard, surface: Surface) -> Exit {
    let exit = match (Leaving { arguments, surface }).run().await {
        Ok(exit) | Err(exit) => exit,
    };
    ended(&arguments.change, &arguments.name, exit);
    exit
}

struct Leaving<'a> {
    arguments: &'a Offboard,
    surface: Surface,
}

impl Leaving<'_> {
    async fn run(&self) -> Result<Exit, Exit> {
        let project = self.load()?;
        let found = project.fleet.managed().find(|(machine, _)| machine.name.as_str() == self.arguments.name);
        let Some((machine, managed)) = found else {
            let names = project.fleet.managed().map(|(machine, _)| machine.name.as_str());
            complain(&super::render::unknown_machine(
                &self.arguments.name,
                nearest(&self.arguments.name, names),
            ));
            return Err(Exit::BadInput);
        };
        let name = machine.name.clone();
        let removal = remove_machine(&project.fleet.source, name.as_str())
            .map_err(|problems| invalid(&problems, false, self.surface))?;
        if self.arguments.lost {
            self.lost(&project, &name, managed, &removal).await
        } else {
            self.leave(&project, &name, managed, &removal).await
        }
    }

    fn load(&self) -> Result<Project, Exit> {
        let look = &self.arguments.change.look;
        super::load::project(&look.inventory, look.known_hosts.clone(), Need::Values, look.json, self.surface)
    }

    fn tell(&self, text: &str) {
        if self.arguments.change.look.json { complain(text) } else { print(text) }
    }

    /// Removes what is owned on the machine, its doors on the others, the way in, and the entry.
    async fn leave(
        &self,
        project: &Project,
        name: &MachineName,
        managed: &Managed,
        removal: &Removal,
    ) -> Result<Exit, Exit> {
        let mentions = mentions(name, removal);
        if !mentions.is_empty() {
            complain("error: nothing was changed: take out first what the machine is still needed for\n");
            return Err(invalid(&mentions, self.arguments.change.look.json, self.surface));
        }
        let json = self.arguments.change.look.json;
        self.tell(&format!("{name}: everything but the way in\n"));
        let is_way_in = |id: &ResourceId| id.kind == authorized_key::KIND && id.target.contains("#seat/");
        done(
            change(
                &self.arguments.change,
                Wish::leaving(name.clone(), Arc::new(is_way_in)).aside(json),
                self.surface,
            )
            .await,
        )?;
        self.forget_links(project, name)?;
        self.close_doors(name).await?;
        if managed.connect.host.is_some() {
            self.tell(&format!("{name}: the way in\n"));
            let at_once = self.at_once();
            done(change(&at_once, Wish::farewell(name.clone()).aside(json), self.surface).await)?;
        }
        self.forget_access(project, name)?;
        self.pins(project, managed, |file, text, host, port| {
            let unpinned = KnownHosts::unpin(file, text, host, port).map_err(failed)?;
            Ok(unpinned.text)
        })?;
        self.write(removal)?;
        self.tell(&format!("{name} has left the fleet; the journal of its runs stays on it\n"));
        Ok(Exit::Done)
    }

    /// Revokes every key that the machine held, on every other machine, and what it is known by. It is not
    /// contacted.
    async fn lost(
        &self,
        project: &Project,
        name: &MachineName,
        managed: &Managed,
        removal: &Removal,
    ) -> Result<Exit, Exit> {
        let secrets: Vec<String> = uses(project)
            .into_iter()
            .filter(|(_, users)| users.contains(name.as_str()))
            .map(|(from, _)| from.to_string())
            .collect();
        self.forget_links(project, name)?;
        if Enrolment::new(&project.folder, name.as_str()).remove().map_err(failed)? {
            self.tell(&format!("{name} is no seat any more\n"));
        }
        self.pins(project, managed, |file, text, host, port| {
            let revoked = KnownHosts::revoke(file, text, host, port).map_err(failed)?;
            for key in &revoked.keys {
                self.tell(&format!("{name}: its host key {key} is marked @revoked in {file}\n"));
            }
            Ok(revoked.text)
        })?;
        // Where a machine does not answer now, the next apply takes the lines away.
        let exit = match self.close_doors(name).await {
            Ok(()) => Exit::Done,
            Err(exit) => exit,
        };
        self.forget_access(project, name)?;
        let mentions = mentions(name, removal);
        let exit = if mentions.is_empty() {
            self.write(removal)?;
            exit
        } else {
            complain(&format!(
                "{name} stays in the inventory until this is taken out; its keys are revoked all the same\n"
            ));
            complain(&crate::report::diagnostics(&mentions, self.surface.errors));
            exit.or_worse(Exit::Partly)
        };
        if secrets.is_empty() {
            self.tell(&format!("{name} had no secrets of the fleet\n"));
        } else {
            self.tell(&format!("{name} had these secrets; give them new values: {}\n", secrets.join(", ")));
        }
        Ok(exit)
    }

    /// The public halves of the machine's links, beside the inventory.
    fn forget_links(&self, project: &Project, name: &MachineName) -> Result<(), Exit> {
        let links = LinkKeys::new(&project.folder);
        for half in links.halves().map_err(failed)?.iter().filter(|half| half.machine == name.as_str()) {
            links.remove(name, &half.key).map_err(failed)?;
        }
        Ok(())
    }

    /// Takes the lines away that let the machine in, as a link or as a seat, on all others.
    async fn close_doors(&self, name: &MachineName) -> Result<(), Exit> {
        let link = format!("#{LINK_DOOR}{name}");
        let seat = format!("#{}", seat_key_prefix(name.as_str()));
        let chosen: Chosen = Arc::new(move |id: &ResourceId| {
            let is_of = |prefix: &str| {
                let rest = id.target.split_once(prefix).map(|(_, rest)| rest);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '/']))
            };
            id.kind == authorized_key::KIND && (is_of(&link) || id.target.contains(&seat))
        });
        let json = self.arguments.change.look.json;
        self.tell(&format!("{name}: its lines on the other machines\n"));
        done(change(&self.at_once(), Wish::beside(name.clone(), chosen).aside(json), self.surface).await)
    }

    /// The same options with the question answered: it was asked for with the command, or before.
    fn at_once(&self) -> Change {
        let mut at_once = self.arguments.change.clone();
        at_once.yes = true;
        at_once
    }

    /// This seat's keys for the machine, and the public halves of all seats' keys for it.
    fn forget_access(&self, project: &Project, name: &MachineName) -> Result<(), Exit> {
        for keys in &project.library.seats {
            if keys.machine == name.as_str() {
                Enrolment::new(&project.folder, &keys.seat).remove_public(name.as_str()).map_err(failed)?;
            }
        }
        if let Some((keys, _)) = &project.keys {
            for which in Which::ALL {
                keys.forget(name, which).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Edits what is pinned for the machine, at each of its addresses.
    fn pins(
        &self,
        project: &Project,
        managed: &Managed,
        edit: impl Fn(&str, &str, &str, u16) -> Result<String, Exit>,
    ) -> Result<(), Exit> {
        let (file, _) = &project.known_hosts;
        let path = Path::new(file.as_str());
        let Some((before, digest)) = read_text(path).map_err(failed)? else { return Ok(()) };
        let connect = &managed.connect;
        let now = connect.host.iter().map(|host| (host.value.as_str(), connect.port));
        let former = connect.former.iter().map(|former| (former.host.value.as_str(), former.port));
        let mut text = before.clone();
        for (host, port) in now.chain(former) {
            text = edit(file, &text, host, port)?;
        }
        if text != before {
            replace_text(path, &text, Some(&digest)).map_err(failed)?;
        }
        Ok(())
    }

    fn write(&self, removal: &Removal) -> Result<(), Exit> {
        let path = &self.arguments.change.look.inventory.inventory;
        if let Edit::Changed(text) = &removal.edit {
            let was = read_text(path).map_err(failed)?.map(|(_, digest)| digest);
            replace_text(path, text, was.as_ref()).map_err(failed)?;
            self.tell(&format!("{}: taken out of {}\n", self.arguments.name, path.display()));
        }
        Ok(())
    }
}

/// Where the inventory cannot do without a machine, as problems.
fn mentions(name: &MachineName, removal: &Removal) -> Diagnostics {
    let mut problems = Diagnostics::new();
    for mention in removal.mentions.iter().filter(|mention| mention.certain) {
        problems.push(
            Diagnostic::at(&mention.span, format!("`{}` needs {name}", mention.way))
                .expected("another machine, or nothing of it"),
        );
    }
    problems
}

fn done(exit: Exit) -> Result<(), Exit> {
    if exit == Exit::Done { Ok(()) } else { Err(exit) }
}

fn failed(error: impl std::fmt::Display) -> Exit {
    complain(&format!("error: failed to {error}\n"));
    Exit::Error
}
