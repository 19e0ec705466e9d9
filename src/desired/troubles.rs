//! The problems of all machines, each told once, with the machines that have it.

use std::sync::Arc;

use crate::inventory::{Fleet, Machine};
use crate::model::{Diagnostic, Diagnostics};

/// Problems and the machines that have them.
pub(super) struct Troubles<'a> {
    fleet: &'a Fleet,
    found: Vec<(Diagnostic, Vec<&'a Machine>)>,
}

impl<'a> Troubles<'a> {
    pub(super) fn new(fleet: &'a Fleet) -> Self {
        Self { fleet, found: Vec::new() }
    }

    /// Adds what is wrong on one machine.
    pub(super) fn add(&mut self, machine: &'a Machine, problems: &Diagnostics) {
        for problem in problems.sorted() {
            match self.found.iter_mut().find(|(known, _)| known == problem) {
                Some((_, machines)) => machines.push(machine),
                None => self.found.push((problem.clone(), vec![machine])),
            }
        }
    }

    /// All of them. One that points into a role or template also says for which machine it was read:
    /// the same line can be right for another.
    pub(super) fn told(self) -> Diagnostics {
        let mut all = Diagnostics::new();
        for (problem, machines) in self.found {
            let in_inventory =
                problem.span.as_ref().is_some_and(|span| Arc::ptr_eq(span.source(), &self.fleet.source));
            all.push(match machines.split_first() {
                Some((first, others)) if !in_inventory => {
                    let more = match others.len() {
                        0 => String::new(),
                        1 => " and one other".to_owned(),
                        more => format!(" and {more} others"),
                    };
                    problem.related(&first.span, format!("for machine `{}`{more}", first.name))
                }
                _ => problem,
            });
        }
        all
    }
}
