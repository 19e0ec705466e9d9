//! A declared link.

use super::names::{self, Names};
use super::scalar;
use crate::inventory::fleet::{Allow, AllowedProgram, Link};
use crate::model::{Diagnostic, Diagnostics, Entry, Fields, MachinePath, Spanned, Value};

pub(super) fn read(entry: &Entry, names: &Names<'_>, problems: &mut Diagnostics) -> Option<Link> {
    let name = scalar::plain_name(&entry.key, problems);
    let title = format!("link `{}`", entry.key.text);
    let mut fields = Fields::open(&entry.value, title, problems)?;
    fields.required_node("from");
    fields.required_node("to");
    let from = names::members(&mut fields, "from", names);
    let to = names::members(&mut fields, "to", names);
    for key in ["from", "to"] {
        if let Some(node) = fields.node(key)
            && matches!(&node.value, Value::List(items) if items.is_empty())
        {
            let problem = Diagnostic::at(&node.span, format!("`{key}` names nobody"))
                .expected("a machine or service, or several");
            fields.problems().push(problem);
        }
    }
    for end in &to {
        if let Some(same) = from.iter().find(|other| other.value == end.value) {
            let problem = Diagnostic::at(&end.span, "the link leads back to where it starts")
                .expected("another member")
                .related(&same.span, "starts here");
            fields.problems().push(problem);
        }
    }
    let via = fields.text("via");
    let purpose = fields.required_text("for");
    let allow = allow(&mut fields);
    fields.close();
    Some(Link {
        name: name?,
        span: entry.key.span.clone(),
        from,
        to,
        via: via.map(|via| via.value),
        purpose: purpose?,
        allow,
    })
}

fn allow(fields: &mut Fields<'_>) -> Vec<Allow> {
    let Some(node) = fields.node("allow") else { return Vec::new() };
    let Some(mut inner) = Fields::open(node, "`allow`", fields.problems()) else { return Vec::new() };
    let mut allowed = Vec::new();
    for (key, program) in [("rsync", AllowedProgram::Rsync), ("sftp", AllowedProgram::Sftp)] {
        let Some(text) = inner.text(key) else { continue };
        match MachinePath::new(&text.value) {
            Ok(path) => allowed.push(Allow { program, path: Spanned { value: path, span: text.span } }),
            Err(error) => inner
                .problems()
                .push(Diagnostic::at(&text.span, format!("`{key}`: {error}")).expected("an absolute path")),
        }
    }
    inner.close();
    allowed
}
