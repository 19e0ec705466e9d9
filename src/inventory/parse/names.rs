//! What can be referred to, known before anything is read, and the looking up of references.

use std::collections::HashMap;

use super::scalar;
use crate::inventory::fleet::Member;
use crate::model::{
    Diagnostic, Diagnostics, Entry, Fields, MachineName, Node, ServiceName, Spanned, TierName, Value, one_of,
};

/// Up to this many valid names are written out in a message.
const LISTED: usize = 8;

/// The declared names with what a reference may ask about them.
///
/// A name that breaks the rule for names is known here too: it is reported where it is declared,
/// and a reference to it is not a second mistake.
pub(super) struct Names<'a> {
    tiers: HashMap<&'a str, ()>,
    machines: HashMap<&'a str, MachineFacts<'a>>,
    services: HashMap<&'a str, Option<&'a str>>,
}

struct MachineFacts<'a> {
    tier: Option<&'a str>,
    managed: bool,
    ssh: bool,
}

impl<'a> Names<'a> {
    pub(super) fn of(inventory: &'a Node) -> Self {
        let entries = |key| match inventory.get(key).map(|node| &node.value) {
            Some(Value::Map(entries)) => entries.as_slice(),
            _ => &[],
        };
        let word = |node: &'a Node, key| node.get(key).and_then(Node::as_text);
        Self {
            tiers: entries("tiers").iter().map(|entry| (entry.key.text.as_str(), ())).collect(),
            machines: entries("machines")
                .iter()
                .map(|entry| {
                    let machine = &entry.value;
                    let given = |node: Option<&Node>| node.is_some_and(|node| node.value != Value::Null);
                    let facts = MachineFacts {
                        tier: word(machine, "tier"),
                        managed: !given(machine.get("unmanaged")),
                        ssh: given(machine.get("connect").and_then(|connect| connect.get("ssh"))),
                    };
                    (entry.key.text.as_str(), facts)
                })
                .collect(),
            services: entries("services")
                .iter()
                .map(|entry| (entry.key.text.as_str(), word(&entry.value, "kind")))
                .collect(),
        }
    }

    /// Reports names that are both a machine and a service.
    pub(super) fn check_unique(&self, machines: &[Entry], services: &[Entry], problems: &mut Diagnostics) {
        for service in services.iter().filter(|entry| self.machines.contains_key(entry.key.text.as_str())) {
            let machine = machines.iter().find(|machine| machine.key.text == service.key.text);
            let name = &service.key.text;
            let mut problem =
                Diagnostic::at(&service.key.span, format!("`{name}` is a machine and a service"))
                    .expected("a name that no machine has");
            if let Some(machine) = machine {
                problem = problem.related(&machine.key.span, "the machine is declared here");
            }
            problems.push(problem);
        }
    }

    /// Looks up a tier.
    pub(super) fn tier(
        &self,
        text: &Spanned<String>,
        problems: &mut Diagnostics,
    ) -> Option<Spanned<TierName>> {
        if !self.tiers.contains_key(text.value.as_str()) {
            problems.push(unknown("tier", text, self.tiers.keys().copied()));
            return None;
        }
        Some(Spanned { value: TierName::new(&text.value).ok()?, span: text.span.clone() })
    }

    /// Looks up a machine.
    pub(super) fn machine(
        &self,
        text: &Spanned<String>,
        problems: &mut Diagnostics,
    ) -> Option<Spanned<MachineName>> {
        if !self.machines.contains_key(text.value.as_str()) {
            let problem = if self.services.contains_key(text.value.as_str()) {
                Diagnostic::at(&text.span, format!("`{}` is a service", text.value)).expected("a machine")
            } else {
                unknown("machine", text, self.machines.keys().copied())
            };
            problems.push(problem);
            return None;
        }
        Some(Spanned { value: MachineName::new(&text.value).ok()?, span: text.span.clone() })
    }

    /// Looks up a machine that somebody logs in to; `purpose` says why ("runs a leg").
    pub(super) fn managed(
        &self,
        text: &Spanned<String>,
        purpose: &str,
        problems: &mut Diagnostics,
    ) -> Option<Spanned<MachineName>> {
        let machine = self.machine(text, problems)?;
        if self.is_managed(&text.value) {
            return Some(machine);
        }
        problems.push(
            Diagnostic::at(&text.span, format!("`{}` is unmanaged and cannot {purpose}", text.value))
                .expected("a managed machine"),
        );
        None
    }

    /// Looks up a service.
    pub(super) fn service(
        &self,
        text: &Spanned<String>,
        problems: &mut Diagnostics,
    ) -> Option<Spanned<ServiceName>> {
        if !self.services.contains_key(text.value.as_str()) {
            let problem = if self.machines.contains_key(text.value.as_str()) {
                Diagnostic::at(&text.span, format!("`{}` is a machine", text.value)).expected("a service")
            } else {
                unknown("service", text, self.services.keys().copied())
            };
            problems.push(problem);
            return None;
        }
        Some(Spanned { value: ServiceName::new(&text.value).ok()?, span: text.span.clone() })
    }

    /// Looks up a machine or a service.
    pub(super) fn member(
        &self,
        text: &Spanned<String>,
        problems: &mut Diagnostics,
    ) -> Option<Spanned<Member>> {
        let name = text.value.as_str();
        let value = if self.machines.contains_key(name) {
            Member::Machine(MachineName::new(name).ok()?)
        } else if self.services.contains_key(name) {
            Member::Service(ServiceName::new(name).ok()?)
        } else {
            let names = self.machines.keys().chain(self.services.keys()).copied();
            problems.push(unknown("machine or service", text, names));
            return None;
        };
        Some(Spanned { value, span: text.span.clone() })
    }

    /// Whether a machine of this name is declared as managed.
    pub(super) fn is_managed(&self, machine: &str) -> bool {
        self.machines.get(machine).is_some_and(|facts| facts.managed)
    }

    /// Whether a machine of this name has an SSH address.
    pub(super) fn has_ssh(&self, machine: &str) -> bool {
        self.machines.get(machine).is_some_and(|facts| facts.ssh)
    }

    /// The tier a machine says it is in.
    pub(super) fn tier_of(&self, machine: &str) -> Option<&str> {
        self.machines.get(machine).and_then(|facts| facts.tier)
    }

    /// The kind a service says it is.
    pub(super) fn kind_of(&self, service: &str) -> Option<&str> {
        self.services.get(service).copied().flatten()
    }
}

fn unknown<'n>(what: &str, text: &Spanned<String>, names: impl Iterator<Item = &'n str>) -> Diagnostic {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.dedup();
    let expected = match names.as_slice() {
        [] => format!("a {what} that is declared: so far there is none"),
        few if few.len() <= LISTED => one_of(few),
        _ => format!("a {what} of this inventory"),
    };
    Diagnostic::at(&text.span, format!("no {what} is called `{}`", text.value))
        .expected(expected)
        .nearest_of(&text.value, names)
}

/// The references under a key that may hold one or several.
pub(super) fn members(fields: &mut Fields<'_>, key: &'static str, names: &Names<'_>) -> Vec<Spanned<Member>> {
    let texts = scalar::one_or_more(fields, key);
    texts.iter().filter_map(|text| names.member(text, fields.problems())).collect()
}
