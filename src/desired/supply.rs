//! What kinds and intents may ask for while they are read, taken from the library.

use std::collections::BTreeMap;

use super::fault::Fault;
use super::library::Library;
use super::place::Place;
use super::scope::Scope;
use super::template::{self, Secrets};
use crate::model::{
    Diagnostic, MachineName, Node, Secret, SecretFrom, SecretReference, ServiceName, Spanned, Value,
};
use crate::resource::{Content, Supply};

/// The library, with the values in scope for its templates.
pub(super) struct Shelf<'a> {
    pub(super) library: &'a Library,
    pub(super) scope: &'a Scope,
}

impl Shelf<'_> {
    fn filled(&self, name: &Spanned<String>, scope: &Scope) -> Result<Content, Diagnostic> {
        let source = found(&self.library.templates, &name.value, "template", "templates")
            .map_err(|fault| fault.at(&name.span))?;
        let filled = template::fill(source.text(), &Place::File(source), scope, &Opened(self.library))?;
        let bytes = filled.text.as_slice();
        Ok(match filled.secrets.iter().find(|(_, at_hand)| !at_hand) {
            Some((sealed, _)) => Content::Sealed(sealed.clone()),
            None if filled.secrets.is_empty() => Content::Bytes(bytes.into()),
            None => Content::Secret(Secret::new(bytes.to_vec())),
        })
    }
}

impl Supply for Shelf<'_> {
    fn template(&self, name: &Spanned<String>) -> Result<Content, Diagnostic> {
        self.filled(name, self.scope)
    }

    fn template_with(&self, name: &Spanned<String>, values: &[(&str, Node)]) -> Result<Content, Diagnostic> {
        let scope =
            values.iter().fold(self.scope.clone(), |scope, (name, value)| scope.with(name, value.clone()));
        self.filled(name, &scope)
    }

    fn file(&self, name: &Spanned<String>) -> Result<Content, Diagnostic> {
        found(&self.library.files, &name.value, "file", "files")
            .cloned()
            .map_err(|fault| fault.at(&name.span))
    }

    fn secret(&self, secret: &SecretReference) -> Result<Content, Diagnostic> {
        Ok(self.library.secret(&secret.from))
    }

    fn machines_at(&self, host: &str, port: Option<u16>) -> Vec<MachineName> {
        let Ok(Node { value: Value::Map(machines), .. }) = self.scope.get("machines") else {
            return Vec::new();
        };
        let own = self.scope.get("machine.name").ok().and_then(Node::as_text);
        let is = |node: &Node, name: &str, text: &str| {
            node.get(name).and_then(Node::as_text).is_some_and(|found| found.eq_ignore_ascii_case(text))
        };
        machines
            .iter()
            .filter(|entry| own != Some(entry.key.text.as_str()) && is(&entry.value, "address", host))
            .filter(|entry| port.is_none_or(|port| is(&entry.value, "port", &port.to_string())))
            .filter_map(|entry| MachineName::new(&entry.key.text).ok())
            .collect()
    }

    fn repository(&self, remote: &str) -> Option<ServiceName> {
        let Ok(Node { value: Value::Map(services), .. }) = self.scope.get("services") else { return None };
        let is_it = |node: &Node| node.get("remote").and_then(Node::as_text) == Some(remote);
        let found = services.iter().find(|entry| is_it(&entry.value))?;
        ServiceName::new(&found.key.text).ok()
    }
}

struct Opened<'a>(&'a Library);

impl Secrets for Opened<'_> {
    fn secret(&self, from: &SecretFrom) -> Result<Content, Fault> {
        Ok(self.0.secret(from))
    }
}

fn found<'a, T>(
    shelf: &'a BTreeMap<String, T>,
    name: &str,
    what: &str,
    folder: &str,
) -> Result<&'a T, Fault> {
    shelf.get(name).ok_or_else(|| {
        Fault::new(format!("there is no {what} `{name}`"))
            .expected(format!("the name of a file in the {folder} folder"))
            .nearest_of(name, shelf.keys().map(String::as_str))
    })
}
