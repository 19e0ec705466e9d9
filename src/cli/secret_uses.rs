//! Who uses which secrets.

use std::collections::{BTreeMap, BTreeSet};

use crate::desired::{Asked, Library, facts_of, resolve};
use crate::inventory::{PrivilegeKind, ServiceKind, Setting};
use crate::model::SecretFrom;
use crate::store::Project;

/// Every secret that is asked for, with those who ask: names of machines, and `service NAME` for what only
/// a service has.
pub(super) fn uses(project: &Project) -> BTreeMap<SecretFrom, BTreeSet<String>> {
    let fleet = &project.fleet;
    let asked = Asked::default();
    let library = Library { asked: Some(asked.clone()), ..Library::clone(&project.library) };
    let mut found: BTreeMap<SecretFrom, BTreeSet<String>> = BTreeMap::new();
    for (machine, managed) in fleet.managed() {
        if let PrivilegeKind::Sudo(Some(reference)) = &managed.privilege {
            found.entry(reference.from.clone()).or_default().insert(machine.name.to_string());
        }
        if let Some(facts) = facts_of(machine) {
            // A machine that cannot be resolved is told as such by whoever loads the project.
            let _ = resolve(fleet, machine, &library, &facts);
        }
        for from in asked.take() {
            found.entry(from).or_default().insert(machine.name.to_string());
        }
    }
    for service in &fleet.services {
        let settings: Vec<&Setting> = match &service.kind {
            ServiceKind::Rclone { options, .. } => options.iter().map(|(_, setting)| setting).collect(),
            ServiceKind::Notify { topic, .. } => topic.iter().collect(),
            ServiceKind::Cloud | ServiceKind::Git { .. } => Vec::new(),
        };
        for setting in settings {
            if let Setting::Secret(reference) = setting {
                let users = found.entry(reference.from.clone()).or_default();
                if users.is_empty() {
                    users.insert(format!("service {}", service.name));
                }
            }
        }
    }
    found
}
