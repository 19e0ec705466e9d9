//! Cloud and local are two networks with different jobs: no surface belongs to both.

use crate::inventory::{Fleet, Member, Pattern, ServiceKind};
use crate::model::{Diagnostic, Diagnostics, Span};

const EXPECTED: &str = "two networks, different jobs: a surface of its own for each";

/// Reports surfaces that cloud and local tiers share, and homes in the other network.
#[must_use]
pub fn check(fleet: &Fleet) -> Diagnostics {
    let mut problems = Diagnostics::new();
    for surface in &fleet.surfaces {
        let Some(tier) = fleet.tier(surface.tier.value.as_str()) else { continue };
        let in_cloud = tier.pattern == Pattern::CloudAsHub;
        let name = &surface.name;
        for user in &surface.used_by {
            let Some(other) = fleet.tier(user.value.as_str()) else { continue };
            if (other.pattern == Pattern::CloudAsHub) != in_cloud {
                let (cloud, local) =
                    if in_cloud { (&tier.name, &other.name) } else { (&other.name, &tier.name) };
                problems.push(split(
                    &user.span,
                    format!(
                        "surface `{name}` is shared by the cloud tier `{cloud}` and the local tier `{local}`"
                    ),
                    &surface.tier.span,
                ));
            }
        }
        let Some(home) = &surface.home else { continue };
        match &home.value {
            Member::Machine(machine) if in_cloud => problems.push(split(
                &home.span,
                format!("surface `{name}` of the cloud tier `{}` has its home on machine `{machine}`", tier.name),
                &surface.tier.span,
            )),
            Member::Service(service) if !in_cloud && is_cloud(fleet, service.as_str()) => problems.push(split(
                &home.span,
                format!("surface `{name}` of the local tier `{}` has its home in the cloud service `{service}`", tier.name),
                &surface.tier.span,
            )),
            _ => {}
        }
    }
    problems
}

fn split(span: &Span, message: String, tier: &Span) -> Diagnostic {
    Diagnostic::at(span, message).expected(EXPECTED).related(tier, "its tier is named here")
}

fn is_cloud(fleet: &Fleet, service: &str) -> bool {
    fleet.service(service).is_some_and(|service| matches!(service.kind, ServiceKind::Cloud))
}
