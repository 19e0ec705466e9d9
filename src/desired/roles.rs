//! All roles of a library, read once; roles that include each other in a circle are found here.

use std::collections::{BTreeMap, BTreeSet};

use super::library::Library;
use super::role::{self, Role, What};
use crate::model::{Diagnostic, Diagnostics, Spanned, one_of};

/// Up to this many roles are written out in a message.
const LISTED: usize = 20;

/// The roles by name.
pub(super) struct Roles(BTreeMap<String, Role>);

impl Roles {
    /// Reads every role file. A role with problems, or in a circle, is left out, and so reported once.
    pub(super) fn read(library: &Library, problems: &mut Diagnostics) -> Self {
        let roles: BTreeMap<String, Role> = library
            .roles
            .iter()
            .filter_map(|(name, source)| Some((name.clone(), role::read(name, source, problems)?)))
            .collect();
        let mut all = Self(roles);
        all.check_includes(library, problems);
        for name in all.circles(problems) {
            all.0.remove(&name);
        }
        all
    }

    pub(super) fn get(&self, name: &str) -> Option<&Role> {
        self.0.get(name)
    }

    fn check_includes(&self, library: &Library, problems: &mut Diagnostics) {
        for included in self.0.values().flat_map(includes) {
            if !library.roles.contains_key(&included.value) {
                problems.push(unknown(included, library));
            }
        }
    }

    /// The roles on a circle; each circle is reported once, from its first name in the alphabet.
    fn circles(&self, problems: &mut Diagnostics) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for start in self.0.keys() {
            if found.contains(start) {
                continue;
            }
            if let Some(path) = self.way_back(start) {
                problems.push(circle(start, &path));
                found.extend(path.iter().map(|step| step.value.clone()));
            }
        }
        found
    }

    /// The shortest chain of includes that leads from a role to itself.
    fn way_back<'a>(&'a self, start: &str) -> Option<Vec<&'a Spanned<String>>> {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut paths: Vec<Vec<&Spanned<String>>> =
            self.0.get(start).map(|role| includes(role).map(|next| vec![next]).collect())?;
        while !paths.is_empty() {
            let mut longer = Vec::new();
            for path in paths {
                let Some(last) = path.last() else { continue };
                if last.value == start {
                    return Some(path);
                }
                if !seen.insert(&last.value) {
                    continue;
                }
                let next = self.0.get(&last.value).into_iter().flat_map(includes);
                longer.extend(next.map(|step| path.iter().copied().chain([step]).collect::<Vec<_>>()));
            }
            paths = longer;
        }
        None
    }
}

/// What is wrong with the role files of a library, whatever the fleet is.
#[must_use]
pub fn check_roles(library: &Library) -> Diagnostics {
    let mut problems = Diagnostics::new();
    let _ = Roles::read(library, &mut problems);
    problems
}

fn includes(role: &Role) -> impl Iterator<Item = &Spanned<String>> {
    role.parts.iter().filter_map(|part| match &part.what {
        What::Role { name, .. } => Some(name),
        What::Kind { .. } => None,
    })
}

fn circle(start: &str, path: &[&Spanned<String>]) -> Diagnostic {
    let names: Vec<&str> =
        std::iter::once(start).chain(path.iter().map(|step| step.value.as_str())).collect();
    let message = format!("roles include each other in a circle: {}", names.join(" -> "));
    let mut steps = path.iter().zip(&names);
    let mut diagnostic = match steps.next() {
        Some((first, _)) => Diagnostic::at(&first.span, message),
        None => Diagnostic::placeless(message),
    }
    .expected("roles that include others, and are not included by them");
    for (step, includer) in steps {
        diagnostic = diagnostic.related(&step.span, format!("`{includer}` includes `{}` here", step.value));
    }
    diagnostic
}

/// Says that a role does not exist.
pub(super) fn unknown(name: &Spanned<String>, library: &Library) -> Diagnostic {
    let names: Vec<&str> = library.roles.keys().map(String::as_str).collect();
    let expected = if names.len() <= LISTED {
        format!("{}, or a new file roles/NAME.yaml", one_of(&names))
    } else {
        "a built-in role, or a file roles/NAME.yaml".to_owned()
    };
    Diagnostic::at(&name.span, format!("there is no role `{}`", name.value))
        .expected(expected)
        .nearest_of(&name.value, names)
}
