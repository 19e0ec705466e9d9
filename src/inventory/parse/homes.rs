//! One home per surface: no two surfaces cover the same place.

use std::collections::BTreeMap;

use crate::inventory::fleet::{Member, Pattern, Surface, Tier};
use crate::model::{Diagnostic, Diagnostics, Span};

/// Where a path of a surface is: in `~/.claude`, or on its home.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Ground {
    Settings,
    Machine(String),
    Service(String),
}

/// A place one surface covers.
struct Covered<'a> {
    surface: &'a Surface,
    span: &'a Span,
}

/// Reports every place that two surfaces cover, a folder and something inside it included.
pub(super) fn check(surfaces: &[Surface], tiers: &[Tier], problems: &mut Diagnostics) {
    // Sorted by component, a folder stands right before what lies in it.
    let mut places: BTreeMap<(Ground, Vec<&str>), Vec<Covered<'_>>> = BTreeMap::new();
    for surface in surfaces {
        for path in &surface.paths {
            let key = (Ground::Settings, components(&path.value));
            places.entry(key).or_default().push(Covered { surface, span: &path.span });
        }
        if let (Some(path), Some(ground)) = (&surface.path, ground(surface, tiers)) {
            let key = (ground, components(&path.value));
            places.entry(key).or_default().push(Covered { surface, span: &path.span });
        }
    }
    let mut covering: Vec<(&Ground, &[&str], &Covered<'_>)> = Vec::new();
    for ((ground, path), here) in &places {
        covering.retain(|(on, folder, _)| *on == ground && path.starts_with(folder));
        for covered in here {
            if let Some((_, _, first)) = covering.last() {
                problems.push(both(first, covered));
            }
            covering.push((ground, path, covered));
        }
    }
}

fn both(one: &Covered<'_>, other: &Covered<'_>) -> Diagnostic {
    // The later of the two in the text is the one that is too many.
    let swapped = one.span.source() == other.span.source() && one.span.start() > other.span.start();
    let (first, second) = if swapped { (other, one) } else { (one, other) };
    let message = if first.surface.name == second.surface.name {
        format!("surface `{}` covers this place twice", first.surface.name)
    } else {
        format!("surfaces `{}` and `{}` cover the same place", first.surface.name, second.surface.name)
    };
    Diagnostic::at(second.span, message)
        .expected("one home per surface: each place in one of them")
        .related(first.span, "also covered here")
}

/// The member whose path it is: the declared home, or the one the tier's pattern turns on.
fn ground(surface: &Surface, tiers: &[Tier]) -> Option<Ground> {
    let ground_of = |member: &Member| match member {
        Member::Machine(name) => Ground::Machine(name.as_str().to_owned()),
        Member::Service(name) => Ground::Service(name.as_str().to_owned()),
    };
    if let Some(home) = &surface.home {
        return Some(ground_of(&home.value));
    }
    let tier = tiers.iter().find(|tier| tier.name == surface.tier.value)?;
    match tier.pattern {
        Pattern::PrimaryAndSecondaries => {
            tier.primary.as_ref().map(|primary| Ground::Machine(primary.value.as_str().to_owned()))
        }
        Pattern::HubAndSpoke | Pattern::CloudAsHub => tier.hub.as_ref().map(|hub| ground_of(&hub.value)),
        Pattern::Mesh => None,
    }
}

fn components(path: &str) -> Vec<&str> {
    path.split('/').filter(|part| !part.is_empty()).collect()
}
