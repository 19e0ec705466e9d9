//! The whole document: reads the files, takes the parts in order, checks what spans several parts.

use std::sync::Arc;

use super::names::Names;
use super::{backup, homes, legs, link, logins, machine, service, surface, tier};
use crate::inventory::fleet::Fleet;
use crate::inventory::{overlay, yaml};
use crate::model::{Diagnostics, Fields, FleetName, NAME_SHAPE, Node, Source, Value};

/// Reads an inventory, with an overlay laid over it when one is given, and checks every reference.
///
/// What the patterns ask beyond that is for `architecture::check`, which whoever reads a
/// fleet calls next.
///
/// # Errors
/// Everything that is wrong with either file, each with its place; no [`Fleet`] is made then.
pub fn parse(source: &Arc<Source>, overlay: Option<&Arc<Source>>) -> Result<Fleet, Diagnostics> {
    match parse_partly(source, overlay) {
        (Some(fleet), problems) if problems.is_empty() => Ok(fleet),
        (_, problems) => Err(problems),
    }
}

/// As [`parse`], but gives the fleet also when something is wrong with it, as long as every tier,
/// machine and service is there: what is wrong elsewhere can then be found in the same go.
pub fn parse_partly(source: &Arc<Source>, overlay: Option<&Arc<Source>>) -> (Option<Fleet>, Diagnostics) {
    let mut problems = Diagnostics::new();
    let inventory = yaml::read(source, &mut problems);
    let over = overlay.map(|overlay| yaml::read(overlay, &mut problems));
    let (Some(mut inventory), None | Some(Some(_))) = (inventory, &over) else {
        return (None, problems);
    };
    if let Some(over) = over.flatten() {
        overlay::apply(&mut inventory, over, &mut problems);
    }
    let fleet = read(source, &inventory, &mut problems);
    let entries = |key: &str| match inventory.get(key).map(|node| &node.value) {
        Some(Value::Map(entries)) => entries.len(),
        _ => 0,
    };
    let whole = fleet.filter(|fleet| {
        fleet.tiers.len() == entries("tiers")
            && fleet.machines.len() == entries("machines")
            && fleet.services.len() == entries("services")
    });
    (whole, problems)
}

fn read(source: &Arc<Source>, inventory: &Node, problems: &mut Diagnostics) -> Option<Fleet> {
    let names = Names::of(inventory);
    let mut fields = Fields::open(inventory, "the inventory", problems)?;
    let name = fields.required("fleet", NAME_SHAPE, FleetName::new);
    let vars = super::scalar::map_node(&mut fields, "vars");
    let known_hosts = fields.text("known-hosts");
    let secrets = fields.text("secrets");
    let tiers = fields.map("tiers");
    let machines = fields.map("machines");
    let services = fields.map("services");
    let surfaces = fields.map("surfaces");
    let links = fields.map("links");
    let backups = fields.map("backups");
    if matches!(&inventory.value, Value::Map(_)) && machines.is_empty() && fields.node("machines").is_none() {
        fields.missing("machines");
    }
    let problems = fields.problems();
    names.check_unique(machines, services, problems);
    let tiers: Vec<_> = tiers.iter().filter_map(|entry| tier::read(entry, &names, problems)).collect();
    let machines: Vec<_> =
        machines.iter().filter_map(|entry| machine::read(entry, &names, problems)).collect();
    let services: Vec<_> = services.iter().filter_map(|entry| service::read(entry, problems)).collect();
    let surfaces: Vec<_> =
        surfaces.iter().filter_map(|entry| surface::read(entry, &names, problems)).collect();
    let links: Vec<_> = links.iter().filter_map(|entry| link::read(entry, &names, problems)).collect();
    let backups: Vec<_> = backups.iter().filter_map(|entry| backup::read(entry, &names, problems)).collect();
    logins::check(&machines, problems);
    homes::check(&surfaces, &tiers, problems);
    legs::check(&backups, problems);
    fields.close();
    Some(Fleet {
        name: name?,
        source: Arc::clone(source),
        vars,
        tiers,
        machines,
        services,
        surfaces,
        links,
        backups,
        known_hosts,
        secrets,
    })
}
