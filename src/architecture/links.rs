//! Who talks to whom, and for what: derived from surfaces and legs, and as declared.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::hash::Hash;

use super::frequency;
use super::parts::part_in;
use crate::inventory::{
    Backup, Endpoint, Fleet, Link, Machine, Member, Membership, Part, Pattern, ServiceKind, Surface, Tier,
};
use crate::model::SurfaceName;

/// One row of the table of links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DerivedLink {
    /// Where what travels comes from. In a pull, this is not the machine that opens the connection.
    pub from: Vec<Member>,
    /// Where it goes.
    pub to: Vec<Member>,
    /// By which means.
    pub via: String,
    /// What for.
    pub purpose: String,
    /// What in the inventory it follows from.
    pub origin: Origin,
}

/// What in the inventory a link follows from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A link under `links:`.
    Declared(String),
    /// Surfaces that travel this way.
    Surfaces(Vec<SurfaceName>),
    /// Backup legs, by name.
    Backups(Vec<String>),
}

/// All links of a fleet: those of surfaces, then the declared ones, then those of backup legs.
///
/// Surfaces with the same ends, means and purpose are one row; legs from the same machine with the
/// same means and purpose are one row with several destinations.
#[must_use]
pub fn links(fleet: &Fleet) -> Vec<DerivedLink> {
    let mut members: HashMap<&str, Vec<&Machine>> = HashMap::new();
    for machine in &fleet.machines {
        members.entry(machine.tier.value.as_str()).or_default().push(machine);
    }
    let mut links = of_surfaces(fleet, &members);
    links.extend(fleet.links.iter().map(declared));
    links.extend(of_backups(&fleet.backups));
    links
}

fn declared(link: &Link) -> DerivedLink {
    DerivedLink {
        from: link.from.iter().map(|end| end.value.clone()).collect(),
        to: link.to.iter().map(|end| end.value.clone()).collect(),
        via: link.via.clone().unwrap_or_else(|| "ssh".to_owned()),
        purpose: link.purpose.value.clone(),
        origin: Origin::Declared(link.name.clone()),
    }
}

fn of_surfaces(fleet: &Fleet, members: &HashMap<&str, Vec<&Machine>>) -> Vec<DerivedLink> {
    let mut rows = Rows::new();
    for surface in &fleet.surfaces {
        let Some((from, to, via)) = travel(surface, fleet, members) else { continue };
        if from.is_empty() || to.is_empty() {
            continue;
        }
        let purpose = surface
            .purpose
            .as_ref()
            .map_or_else(|| surface.name.as_str().to_owned(), |text| text.value.clone());
        let key = (names(&from), names(&to), via.clone(), purpose.clone());
        match rows.at(key) {
            Some(DerivedLink { origin: Origin::Surfaces(surfaces), .. }) => {
                surfaces.push(surface.name.clone())
            }
            _ => rows.add(DerivedLink {
                from,
                to,
                via,
                purpose,
                origin: Origin::Surfaces(vec![surface.name.clone()]),
            }),
        }
    }
    rows.links
}

/// From where to where a surface travels, and how; nothing when it stays where it is.
fn travel(
    surface: &Surface,
    fleet: &Fleet,
    members: &HashMap<&str, Vec<&Machine>>,
) -> Option<(Vec<Member>, Vec<Member>, String)> {
    let tier = fleet.tier(surface.tier.value.as_str())?;
    let own = members.get(tier.name.as_str()).map(Vec::as_slice).unwrap_or_default();
    let managed = |machine: &&&Machine| matches!(machine.membership, Membership::Managed(_));
    let via = surface.via.as_ref().map(|via| means(fleet, via.value.as_str()));
    match tier.pattern {
        Pattern::PrimaryAndSecondaries => {
            let primary = Member::Machine(tier.primary.as_ref()?.value.clone());
            let secondaries = own
                .iter()
                .filter(managed)
                .filter(|machine| part_in(tier, machine) == Part::Secondary)
                .map(|machine| member(machine));
            Some((vec![primary], secondaries.collect(), via?))
        }
        Pattern::Mesh => {
            let peers: Vec<Member> = own.iter().filter(managed).map(|machine| member(machine)).collect();
            let via = via.unwrap_or_else(|| "Syncthing".to_owned());
            (peers.len() > 1).then(|| (peers.clone(), peers, via))
        }
        Pattern::HubAndSpoke => {
            let home = home(surface, tier)?;
            let users = surface
                .used_by
                .iter()
                .filter_map(|user| members.get(user.value.as_str()))
                .flatten()
                .filter(|machine| matches!(machine.membership, Membership::Managed(_)))
                .map(|machine| member(machine))
                .filter(|user| *user != home);
            let via = via.unwrap_or_else(|| match &home {
                Member::Machine(_) => "hub mount".to_owned(),
                Member::Service(service) => means(fleet, service.as_str()),
            });
            Some((users.collect(), vec![home], via))
        }
        Pattern::CloudAsHub => {
            let clients = own.iter().filter(|machine| is_view(machine)).map(|machine| member(machine));
            Some((clients.collect(), vec![home(surface, tier)?], "HTTPS".to_owned()))
        }
    }
}

fn home(surface: &Surface, tier: &Tier) -> Option<Member> {
    surface.home.as_ref().or(tier.hub.as_ref()).map(|home| home.value.clone())
}

/// Whether an unmanaged member is a view on the cloud from outside; agents and accounts live in it.
fn is_view(machine: &Machine) -> bool {
    match &machine.membership {
        Membership::Unmanaged(word) => !matches!(word.value.as_str(), "cloud-agent" | "saas"),
        Membership::Managed(_) => false,
    }
}

/// The words for travelling through a service.
fn means(fleet: &Fleet, service: &str) -> String {
    match fleet.service(service).map(|service| &service.kind) {
        Some(ServiceKind::Git { .. }) => "git push / pull".to_owned(),
        Some(ServiceKind::Rclone { .. }) => "rclone".to_owned(),
        Some(ServiceKind::Cloud) => "HTTPS".to_owned(),
        Some(ServiceKind::Notify { .. }) => "push".to_owned(),
        None => service.to_owned(),
    }
}

fn of_backups(backups: &[Backup]) -> Vec<DerivedLink> {
    let mut rows = Rows::new();
    for backup in backups {
        let runner = Member::Machine(backup.run_on.value.clone());
        let outside = |end: &Endpoint| match end {
            Endpoint::Here(_) => None,
            Endpoint::Machine(machine, _) => Some(Member::Machine(machine.clone())),
            Endpoint::Service(service, _) => Some(Member::Service(service.clone())),
        };
        let (from, to, via) = match (outside(&backup.from.value), outside(&backup.to.value)) {
            (None, Some(to)) => (runner, to, "rclone push"),
            (Some(from), None) => (from, runner, "pull-model rclone"),
            // Within one machine nobody talks to anybody; two other ends are refused when the fleet is read.
            _ => continue,
        };
        let kind = if matches!(to, Member::Service(_)) { "off-site backup" } else { "backup mirror" };
        let purpose = format!("{} {kind}", frequency::word(&backup.when.at.value));
        let key = (name(&from), via, purpose.clone());
        match rows.at(key) {
            Some(DerivedLink { to: ends, origin: Origin::Backups(legs), .. }) => {
                if !ends.contains(&to) {
                    ends.push(to);
                }
                legs.push(backup.name.value.clone());
            }
            _ => rows.add(DerivedLink {
                from: vec![from],
                to: vec![to],
                via: via.to_owned(),
                purpose,
                origin: Origin::Backups(vec![backup.name.value.clone()]),
            }),
        }
    }
    rows.links
}

/// Rows in the order they were first met, found again by what makes them one.
struct Rows<Key> {
    links: Vec<DerivedLink>,
    places: HashMap<Key, usize>,
}

impl<Key: Eq + Hash> Rows<Key> {
    fn new() -> Self {
        Self { links: Vec::new(), places: HashMap::new() }
    }

    /// The row of a key, when it is there; otherwise the next row added is this key's.
    fn at(&mut self, key: Key) -> Option<&mut DerivedLink> {
        let next = self.links.len();
        let place = *self.places.entry(key).or_insert(next);
        self.links.get_mut(place)
    }

    fn add(&mut self, link: DerivedLink) {
        self.links.push(link);
    }
}

fn member(machine: &Machine) -> Member {
    Member::Machine(machine.name.clone())
}

fn name(member: &Member) -> String {
    match member {
        Member::Machine(name) => name.as_str().to_owned(),
        Member::Service(name) => name.as_str().to_owned(),
    }
}

fn names(members: &[Member]) -> Vec<String> {
    members.iter().map(name).collect()
}
