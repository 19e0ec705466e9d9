//! Small readings that several parts share: names, lists, secrets, maps kept as they are.

use crate::inventory::fleet::{RoleUse, Setting};
use crate::model::{
    Diagnostic, Diagnostics, Entry, Fields, Key, MachineName, NAME_SHAPE, NameError, Node, NodeKind,
    RoleName, SecretReference, Span, Spanned, Value,
};

/// A declared name: the key of an entry, checked.
pub(super) fn declared<T>(
    key: &Key,
    new: impl FnOnce(&str) -> Result<T, NameError>,
    problems: &mut Diagnostics,
) -> Option<T> {
    match new(&key.text) {
        Ok(name) => Some(name),
        Err(error) => {
            let mut problem = Diagnostic::at(&key.span, error.to_string()).expected(NAME_SHAPE);
            problem.nearest = error.suggestion();
            problems.push(problem);
            None
        }
    }
}

/// A name that has no type of its own, by the same rule as all others.
pub(super) fn plain_name(key: &Key, problems: &mut Diagnostics) -> Option<String> {
    declared(key, MachineName::new, problems).map(|_| key.text.clone())
}

/// A map kept as it is, for templates.
pub(super) fn map_node(fields: &mut Fields<'_>, key: &'static str) -> Option<Node> {
    let node = fields.node(key)?;
    if matches!(node.value, Value::Map(_)) {
        return Some(node.clone());
    }
    let message = format!("`{key}` is {}", node.kind().phrase());
    fields.problems().push(Diagnostic::at(&node.span, message).expected(NodeKind::Map.pattern()));
    None
}

/// A text, or a list of texts; empty when absent.
pub(super) fn one_or_more(fields: &mut Fields<'_>, key: &'static str) -> Vec<Spanned<String>> {
    match fields.node(key).map(|node| &node.value) {
        None => Vec::new(),
        Some(Value::List(_)) => fields.texts(key),
        Some(_) => fields.text(key).into_iter().collect(),
    }
}

/// The place of a key of a map; the map's own when it has no such key.
pub(super) fn key_span<'a>(map: &'a Node, key: &str) -> &'a Span {
    match &map.value {
        Value::Map(entries) => {
            entries.iter().find(|entry| entry.key.text == key).map_or(&map.span, |entry| &entry.key.span)
        }
        _ => &map.span,
    }
}

/// A list of roles: names, or names with inputs.
pub(super) fn roles(fields: &mut Fields<'_>, key: &'static str) -> Vec<RoleUse> {
    let items = fields.list(key);
    items.iter().filter_map(|item| role(item, fields.problems())).collect()
}

fn role(node: &Node, problems: &mut Diagnostics) -> Option<RoleUse> {
    let expected = "`NAME` or `{NAME: {INPUT: VALUE}}`";
    let (text, span, with) = match &node.value {
        Value::Scalar { text, .. } => (text, &node.span, None),
        Value::Map(entries) => match entries.as_slice() {
            [Entry { key, value }] => (&key.text, &key.span, Some(value)),
            [Entry { key, value }, beside, ..] if value.value == Value::Null => {
                let role = &key.text;
                let message = format!("`{}` stands beside the role `{role}`, not below it", beside.key.text);
                problems.push(
                    Diagnostic::at(&beside.key.span, message)
                        .expected(format!("the inputs further to the right than `{role}`")),
                );
                return None;
            }
            _ => {
                let message = format!("a role is a map with {} keys", entries.len());
                problems.push(Diagnostic::at(&node.span, message).expected(expected));
                return None;
            }
        },
        _ => {
            let message = format!("a role is {}", node.kind().phrase());
            problems.push(Diagnostic::at(&node.span, message).expected(expected));
            return None;
        }
    };
    let name = declared(&Key { text: text.clone(), span: span.clone() }, RoleName::new, problems)?;
    let with = match with {
        Some(node) if matches!(node.value, Value::Map(_)) => Some(node.clone()),
        None | Some(Node { value: Value::Null, .. }) => None,
        Some(node) => {
            let message = format!("the inputs of role `{name}` are {}", node.kind().phrase());
            let expected = match node.as_text() {
                Some(role) if matches!(text.as_str(), "name" | "role") => {
                    format!("`{role}`, or `{{{role}: {{INPUT: VALUE}}}}`")
                }
                _ => NodeKind::Map.pattern().to_owned(),
            };
            problems.push(Diagnostic::at(&node.span, message).expected(expected));
            return None;
        }
    };
    Some(RoleUse { role: Spanned { value: name, span: span.clone() }, with })
}

/// A reference to a secret: `{secret: NAME}`, or `{sealed: ARMOUR}`.
pub(super) fn secret(node: &Node, what: &str, problems: &mut Diagnostics) -> Option<SecretReference> {
    if !matches!(node.value, Value::Map(_)) {
        problems.push(
            Diagnostic::at(&node.span, format!("{what} is {}", node.kind().phrase()))
                .expected("`{secret: NAME}`: the secret itself stays out of the inventory"),
        );
        return None;
    }
    SecretReference::read_named(node, what, problems)
}

/// A text, or a reference to a secret.
pub(super) fn setting(node: &Node, what: &str, problems: &mut Diagnostics) -> Option<Setting> {
    match &node.value {
        Value::Scalar { text, .. } => {
            Some(Setting::Plain(Spanned { value: text.clone(), span: node.span.clone() }))
        }
        Value::Map(_) => secret(node, what, problems).map(Setting::Secret),
        _ => {
            let message = format!("{what} is {}", node.kind().phrase());
            problems.push(Diagnostic::at(&node.span, message).expected("a text or `{secret: NAME}`"));
            None
        }
    }
}
