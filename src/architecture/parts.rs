//! Which machine plays which part in its tier, and the roles that follow.

use crate::inventory::{Fleet, Machine, Member, Part, Pattern, RoleUse, Tier};

/// The part a machine plays in its tier's pattern.
///
/// A machine whose tier the fleet does not have is a peer; [`crate::inventory::parse`] makes none.
#[must_use]
pub fn part(fleet: &Fleet, machine: &Machine) -> Part {
    fleet.tier(machine.tier.value.as_str()).map_or(Part::Peer, |tier| part_in(tier, machine))
}

/// The part a machine plays in a tier, which has to be its own.
pub(super) fn part_in(tier: &Tier, machine: &Machine) -> Part {
    let is_primary = tier.primary.as_ref().is_some_and(|primary| primary.value == machine.name);
    let is_hub = tier
        .hub
        .as_ref()
        .is_some_and(|hub| matches!(&hub.value, Member::Machine(name) if *name == machine.name));
    match tier.pattern {
        Pattern::PrimaryAndSecondaries if is_primary => Part::Primary,
        Pattern::PrimaryAndSecondaries => Part::Secondary,
        Pattern::Mesh => Part::Peer,
        Pattern::HubAndSpoke | Pattern::CloudAsHub if is_hub => Part::Hub,
        Pattern::HubAndSpoke => Part::Spoke,
        Pattern::CloudAsHub => Part::Client,
    }
}

/// The roles of a machine in their order: its tier's, those of its part, its own.
#[must_use]
pub fn roles<'a>(fleet: &'a Fleet, machine: &'a Machine) -> Vec<&'a RoleUse> {
    let mut roles: Vec<&RoleUse> = Vec::new();
    if let Some(tier) = fleet.tier(machine.tier.value.as_str()) {
        let played = part_in(tier, machine);
        roles.extend(&tier.roles);
        roles.extend(tier.roles_of.iter().filter(|(part, _)| *part == played).flat_map(|(_, roles)| roles));
    }
    roles.extend(&machine.roles);
    roles
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::parse;
    use crate::model::Source;

    fn fleet(primary: &str) -> Fleet {
        let text = format!(
            "fleet: f\n\
             tiers:\n\
             \x20 pcs: {{pattern: primary-and-secondaries, primary: {primary}, roles: [base],\n\
             \x20       roles-of: {{primary: [primary], secondary: [secondary]}}}}\n\
             \x20 nas: {{pattern: hub-and-spoke, hub: n}}\n\
             \x20 peers: {{pattern: mesh}}\n\
             \x20 cloud: {{pattern: cloud-as-hub, hub: c}}\n\
             services: {{c: {{kind: cloud}}}}\n\
             machines:\n\
             \x20 a: {{tier: pcs, platform: debian, connect: {{ssh: r@a}}, roles: [web-host]}}\n\
             \x20 b: {{tier: pcs, platform: debian, connect: {{ssh: r@b}}}}\n\
             \x20 n: {{tier: nas, platform: debian, connect: {{ssh: r@n}}}}\n\
             \x20 s: {{tier: nas, platform: debian, connect: {{ssh: r@s}}}}\n\
             \x20 p: {{tier: peers, platform: debian, connect: {{ssh: r@p}}}}\n\
             \x20 t: {{tier: cloud, unmanaged: phone}}\n"
        );
        parse(&Source::new("f.yaml", text), None).unwrap()
    }

    #[test]
    fn every_pattern_has_its_parts() {
        let fleet = fleet("a");
        let parts: Vec<Part> = fleet.machines.iter().map(|machine| part(&fleet, machine)).collect();
        assert_eq!(parts, [Part::Primary, Part::Secondary, Part::Hub, Part::Spoke, Part::Peer, Part::Client]);
    }

    #[test]
    fn naming_another_primary_moves_the_roles_of_the_parts() {
        for (primary, expected) in [
            ("a", [("a", "base primary web-host"), ("b", "base secondary")]),
            ("b", [("a", "base secondary web-host"), ("b", "base primary")]),
        ] {
            let fleet = fleet(primary);
            for (machine, expected) in expected {
                let roles: Vec<&str> = roles(&fleet, fleet.machine(machine).unwrap())
                    .iter()
                    .map(|role| role.role.value.as_str())
                    .collect();
                assert_eq!(roles.join(" "), expected, "{machine} when {primary} is primary");
            }
        }
    }
}
