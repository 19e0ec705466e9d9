//! Expands the roles of one machine: inputs checked, values filled in, kinds read.

use std::collections::HashMap;

use super::input;
use super::library::Library;
use super::references::{Pending, add};
use super::render;
use super::role::{Part, Role, What};
use super::roles::{self, Roles};
use super::scope::{Scope, map};
use super::supply::Shelf;
use crate::inventory::{Fleet, Machine, RoleUse};
use crate::model::{Diagnostic, Diagnostics, Facts, MachineName, Node, ResourceId, Span, Spanned, Value};
use crate::resource::{Origin, Reading};

/// What roles are expanded for.
pub(super) struct Expansion<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) machine: &'a Machine,
    pub(super) library: &'a Library,
    pub(super) roles: &'a Roles,
    pub(super) facts: &'a Facts,
    /// What every template of the machine sees.
    pub(super) scope: &'a Scope,
}

impl Expansion<'_> {
    /// The resources of a role as an inventory uses it. Its inputs there may hold templates, too.
    pub(super) fn used(&self, used: &RoleUse, problems: &mut Diagnostics) -> Vec<Pending> {
        let name = Spanned { value: used.role.value.as_str().to_owned(), span: used.role.span.clone() };
        if !self.library.roles.contains_key(&name.value) {
            problems.push(roles::unknown(&name, self.library));
            return Vec::new();
        }
        let with = match &used.with {
            None => None,
            Some(with) => match render::node(with, self.scope, problems) {
                Some(with) => Some(with),
                None => return Vec::new(),
            },
        };
        self.role(&name, with.as_ref(), problems)
    }

    fn role(&self, name: &Spanned<String>, with: Option<&Node>, problems: &mut Diagnostics) -> Vec<Pending> {
        // A role that does not exist has been reported where it is included, and one that could not
        // be read with its file.
        let Some(role) = self.roles.get(&name.value) else { return Vec::new() };
        let Some(scope) = self.inputs(role, with, &name.span, problems) else { return Vec::new() };
        let mut declared: Vec<Pending> = Vec::new();
        let mut named: HashMap<&str, Vec<ResourceId>> = HashMap::new();
        let mut ranges = Vec::new();
        for part in &role.parts {
            let first = declared.len();
            declared.extend(self.part(role, part, &scope, problems));
            let new = declared.get(first..).unwrap_or_default();
            if let Some(id) = &part.id {
                let ids = new.iter().map(|pending| pending.declared.resource.id());
                named.entry(&id.value).or_default().extend(ids);
            }
            ranges.push((part, first..declared.len()));
        }
        // After all are there, so that a part may name one that stands behind it.
        for (part, range) in ranges {
            let ids = |references: &[Spanned<String>]| -> Vec<ResourceId> {
                references
                    .iter()
                    .filter_map(|reference| named.get(reference.value.as_str()))
                    .flatten()
                    .cloned()
                    .collect()
            };
            for pending in declared.get_mut(range).unwrap_or_default() {
                add(&mut pending.declared.after, ids(&part.after));
                add(&mut pending.declared.follows, ids(&part.follows));
            }
        }
        declared
    }

    /// The scope of a role: the machine's, and `inputs`.
    fn inputs(
        &self,
        role: &Role,
        with: Option<&Node>,
        used: &Span,
        problems: &mut Diagnostics,
    ) -> Option<Scope> {
        let before = problems.len();
        let given = input::given(with, problems);
        let meant = input::unknown(&role.name, given, &role.inputs, problems);
        let mut inputs = map(Vec::new(), used);
        for input in &role.inputs {
            let name = &input.name.value;
            let value = given.iter().find(|entry| entry.key.text == *name).map(|entry| entry.value.clone());
            let value = match value.filter(|value| value.value != Value::Null) {
                Some(value) => Some(value),
                // A default may use the inputs declared before it.
                None => match &input.default {
                    Some(default) => {
                        render::node(default, &self.scope.with("inputs", inputs.clone()), problems)
                            .filter(|value| value.value != Value::Null)
                    }
                    None if input.required => {
                        if !meant.contains(name) {
                            problems.push(input::missing(&role.name, input, used));
                        }
                        None
                    }
                    None => None,
                },
            };
            let value = match value.map(|value| input.check(&value, self.fleet, &self.facts.home)) {
                Some(Ok(value)) => value,
                Some(Err(problem)) => {
                    problems.push(problem);
                    continue;
                }
                None => Node { value: Value::Null, span: input.name.span.clone() },
            };
            if let Value::Map(entries) = &mut inputs.value {
                entries.push(super::scope::entry(name, value));
            }
        }
        (problems.len() == before).then(|| self.scope.with("inputs", inputs))
    }

    fn part(&self, role: &Role, part: &Part, scope: &Scope, problems: &mut Diagnostics) -> Vec<Pending> {
        let scopes = match &part.each {
            None => vec![scope.clone()],
            Some(each) => match render::items(each, scope, problems) {
                Some(items) => items.into_iter().map(|item| scope.with(&part.item, item)).collect(),
                None => return Vec::new(),
            },
        };
        scopes.iter().flat_map(|scope| self.one(role, part, scope, problems)).collect()
    }

    /// A part for one item of its `each`.
    fn one(&self, role: &Role, part: &Part, scope: &Scope, problems: &mut Diagnostics) -> Vec<Pending> {
        match part.when.as_ref().map(|when| render::condition(when, scope)) {
            None | Some(Ok(true)) => {}
            Some(Ok(false)) => return Vec::new(),
            Some(Err(problem)) => {
                problems.push(problem);
                return Vec::new();
            }
        }
        let mut references = |given: &[Spanned<String>]| -> Vec<Spanned<String>> {
            let written = given.iter().filter(|reference| reference.value.contains(' '));
            written
                .filter_map(|reference| {
                    render::spanned(reference, scope).map_err(|problem| problems.push(problem)).ok()
                })
                .collect()
        };
        let (after, follows) = (references(&part.after), references(&part.follows));
        let awaits = self.awaited(&part.awaits, scope, problems);
        let mut declared = match &part.what {
            What::Role { name, with } => match with {
                None => self.role(name, None, problems),
                Some(with) => match render::node(with, scope, problems) {
                    Some(with) => self.role(name, Some(&with), problems),
                    None => Vec::new(),
                },
            },
            What::Kind { read, fields } => {
                let Some(fields) = render::node(fields, scope, problems) else { return Vec::new() };
                let shelf = Shelf { library: self.library, scope };
                let reading = Reading { facts: self.facts, supply: &shelf };
                let origin = Origin { from: format!("role {}", role.name), span: part.span.clone() };
                read(&fields, &origin, &reading, problems).into_iter().map(Pending::new).collect()
            }
        };
        for pending in &mut declared {
            pending.after.extend(after.iter().cloned());
            pending.follows.extend(follows.iter().cloned());
            pending.declared.guard |= part.guard;
            pending.declared = pending.declared.clone().awaits(awaits.iter().cloned());
        }
        declared
    }

    /// The machines a part waits for. The machine itself does not count: a role may be its own hub's, too.
    fn awaited(
        &self,
        given: &[Spanned<String>],
        scope: &Scope,
        problems: &mut Diagnostics,
    ) -> Vec<MachineName> {
        let mut machines = Vec::new();
        for written in given {
            let name = match render::spanned(written, scope) {
                Ok(name) => name,
                Err(problem) => {
                    problems.push(problem);
                    continue;
                }
            };
            match self.fleet.managed().find(|(machine, _)| machine.name.as_str() == name.value) {
                Some((machine, _)) if machine.name == self.machine.name => {}
                Some((machine, _)) => machines.push(machine.name.clone()),
                None => {
                    let known = self.fleet.managed().map(|(machine, _)| machine.name.as_str());
                    problems.push(
                        Diagnostic::at(&name.span, format!("no managed machine is called `{}`", name.value))
                            .expected("the name of a machine whose changes come first")
                            .nearest_of(&name.value, known),
                    );
                }
            }
        }
        machines
    }
}
