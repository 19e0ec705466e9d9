//! Logins compared across the fleet: one key per machine, no machine twice, no circle of jumps.

use std::collections::HashMap;

use crate::inventory::fleet::{Connect, Machine, Membership};
use crate::model::{Diagnostic, Diagnostics, MachineName, Span};

/// Reports keys and addresses that two machines share, and jumps that lead in a circle.
pub(super) fn check(machines: &[Machine], problems: &mut Diagnostics) {
    let connects: Vec<(&Machine, &Connect)> = machines
        .iter()
        .filter_map(|machine| match &machine.membership {
            Membership::Managed(managed) => Some((machine, &managed.connect)),
            Membership::Unmanaged(_) => None,
        })
        .collect();
    keys(&connects, problems);
    addresses(&connects, problems);
    seats(&connects, problems);
    circles(&connects, problems);
}

/// C7: an access key opens one machine.
fn keys(connects: &[(&Machine, &Connect)], problems: &mut Diagnostics) {
    let mut seen: HashMap<_, (&MachineName, &Span)> = HashMap::new();
    let given = connects.iter().flat_map(|(machine, connect)| {
        let former = connect.former.as_ref().and_then(|former| former.key.as_ref());
        connect.key.iter().chain(former).map(move |key| (machine, key))
    });
    for (machine, key) in given {
        let file = key.span.source().name();
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        let path = key.value.strip_prefix("./").unwrap_or(&key.value);
        let folder = if path.starts_with(['/', '~']) { "" } else { folder };
        match seen.get(&(folder, path)) {
            Some((first, _)) if **first == machine.name => {}
            Some((first, place)) => {
                let name = &machine.name;
                problems.push(
                    Diagnostic::at(&key.span, format!("machines `{first}` and `{name}` share one key"))
                        .expected("a key of its own for each machine")
                        .related(place, "used here first"),
                );
            }
            None => {
                seen.insert((folder, path), (&machine.name, &key.span));
            }
        }
    }
}

/// Two names for one login would plan against each other. Behind different jump hosts the same
/// private address is another machine. A former address counts, too: whoever answers there now would be
/// taken for the machine that left it.
fn addresses(connects: &[(&Machine, &Connect)], problems: &mut Diagnostics) {
    let mut seen: HashMap<_, (&MachineName, &Span)> = HashMap::new();
    for (machine, connect) in connects {
        let jumps: Vec<&str> = connect.jumps.iter().map(|jump| jump.value.as_str()).collect();
        let declared = connect.host.iter().map(|host| (connect.user.as_deref(), host, connect.port));
        let former =
            connect.former.iter().map(|former| (Some(former.user.as_str()), &former.host, former.port));
        for (user, host, port) in declared.chain(former) {
            match seen.get(&(user, host.value.to_ascii_lowercase(), port, jumps.clone())) {
                Some((first, _)) if **first == machine.name => {}
                Some((first, place)) => {
                    let name = &machine.name;
                    problems.push(
                        Diagnostic::at(&host.span, format!("machines `{first}` and `{name}` are one login"))
                            .expected("an address of its own for each machine")
                            .related(place, "used here first"),
                    );
                }
                None => {
                    let address = (user, host.value.to_ascii_lowercase(), port, jumps.clone());
                    seen.insert(address, (&machine.name, &host.span));
                }
            }
        }
    }
}

/// One computer is one machine.
fn seats(connects: &[(&Machine, &Connect)], problems: &mut Diagnostics) {
    let mut seen: HashMap<Option<&str>, &Machine> = HashMap::new();
    for (machine, connect) in connects.iter().filter(|(_, connect)| connect.local) {
        if let Some(first) = seen.get(&connect.id.as_deref()) {
            problems.push(
                Diagnostic::at(
                    &machine.span,
                    format!("machines `{}` and `{}` are both this computer", first.name, machine.name),
                )
                .expected("`local: true` for one of them, or a different `id` for each")
                .related(&first.span, "the other is declared here"),
            );
        } else {
            seen.insert(connect.id.as_deref(), machine);
        }
    }
}

/// How far the walk along a machine's jumps has come.
#[derive(Clone, Copy, PartialEq)]
enum Visit {
    Open,
    Done,
}

/// Walks the jumps of every machine without recursion: a chain may be as long as the fleet.
fn circles(connects: &[(&Machine, &Connect)], problems: &mut Diagnostics) {
    let by_name: HashMap<&str, usize> =
        connects.iter().enumerate().map(|(at, (machine, _))| (machine.name.as_str(), at)).collect();
    let mut visits: Vec<Option<Visit>> = vec![None; connects.len()];
    for start in 0..connects.len() {
        let mut path: Vec<(usize, usize)> = vec![(start, 0)];
        if visits.get(start).copied().flatten().is_some() {
            continue;
        }
        while let Some((at, next)) = path.last().copied() {
            let jump = connects.get(at).and_then(|(_, connect)| connect.jumps.get(next));
            if let Some(visit) = visits.get_mut(at) {
                *visit = Some(if jump.is_some() { Visit::Open } else { Visit::Done });
            }
            let Some(jump) = jump else {
                path.pop();
                continue;
            };
            if let Some(top) = path.last_mut() {
                top.1 += 1;
            }
            let Some(to) = by_name.get(jump.value.as_str()).copied() else { continue };
            match visits.get(to).copied().flatten() {
                Some(Visit::Done) => {}
                None => path.push((to, 0)),
                Some(Visit::Open) => {
                    let circle = path.iter().map(|(at, _)| *at).skip_while(|at| *at != to);
                    let names: Vec<&str> = circle
                        .filter_map(|at| connects.get(at))
                        .map(|(machine, _)| machine.name.as_str())
                        .collect();
                    problems.push(
                        Diagnostic::at(&jump.span, format!("the jumps lead in a circle: {}", round(&names)))
                            .expected("jumps that end at a machine reached directly"),
                    );
                }
            }
        }
    }
}

/// The members of a circle, back to the first; the middle of a long one is left out.
fn round(names: &[&str]) -> String {
    let first = names.first().copied().unwrap_or_default();
    let shown = match names {
        [one, two, three, .., last] if names.len() > 8 => [one, two, three, "...", last].join(" -> "),
        _ => names.join(" -> "),
    };
    format!("{shown} -> {first}")
}
