//! The fields of `ini-keys`.

use super::{IniKeys, IniValue, KIND};
use crate::format::ini;
use crate::model::{Diagnostic, Diagnostics, Entry, Fields, Node, SecretReference, Value};
use crate::resource::content::Content;
use crate::resource::declared::{Declared, Origin};
use crate::resource::ownership;
use crate::resource::reading::Reading;

/// Reads `ini-keys: {path, id, sections, top, sensitive, owner, group, mode}`.
///
/// `sections` maps a section's name to its keys and `top` holds the keys above the first section. A
/// key has a text, or `{secret: NAME}`. `id` is `keys` unless given. `sensitive: true` says that
/// others keep secrets in the file. The mode of a file with a secret is 0600 unless given.
pub fn read(
    node: &Node,
    origin: &Origin,
    reading: &Reading<'_>,
    problems: &mut Diagnostics,
) -> Vec<Declared> {
    let Some(mut fields) = Fields::open(node, KIND, problems) else { return Vec::new() };
    let path = fields.required_text("path").and_then(|path| reading.path(&path, fields.problems()));
    let id = fields.text("id").map_or_else(|| "keys".to_owned(), |id| id.value);
    let before = fields.problems().len();
    let mut values = Vec::new();
    for entry in fields.map("top") {
        values.extend(value_of(None, entry, reading, fields.problems()));
    }
    for section in fields.map("sections") {
        if let Value::Map(entries) = &section.value.value {
            for entry in entries {
                values.extend(value_of(Some(&section.key.text), entry, reading, fields.problems()));
            }
        } else {
            let message = format!("section `{}` is {}", section.key.text, section.value.kind().phrase());
            fields.problems().push(
                Diagnostic::at(&section.value.span, message).expected("a map of keys and their values"),
            );
        }
    }
    let is_whole = fields.problems().len() == before && !values.is_empty();
    if values.is_empty() && fields.problems().len() == before {
        let problem = Diagnostic::at(fields.span(), "ini-keys has no keys")
            .expected("a key and its value in `sections:` or `top:`");
        if fields.node("sections").or_else(|| fields.node("top")).is_some() {
            fields.problems().push(problem);
        } else {
            fields.missing_one_of(&["sections", "top"], problem);
        }
    }
    let sensitive = fields.flag("sensitive").unwrap_or(false);
    let owner = ownership::read_account(&mut fields, "owner");
    let group = ownership::read_account(&mut fields, "group");
    let mode = ownership::read_mode(&mut fields);
    fields.close();
    match path {
        Some(path) if is_whole => {
            let owner = owner.unwrap_or_else(|| reading.owner_of(&path));
            let has_secret = values.iter().any(|value| value.value.is_secret());
            let mode = mode.or(has_secret.then_some(0o600));
            let keys = IniKeys { path, id, values, sensitive, owner, group, mode };
            vec![Declared::new(keys, origin.clone())]
        }
        _ => Vec::new(),
    }
}

fn value_of(
    section: Option<&str>,
    entry: &Entry,
    reading: &Reading<'_>,
    problems: &mut Diagnostics,
) -> Option<IniValue> {
    let key = &entry.key.text;
    let content = match entry.value.as_text() {
        Some(text) => {
            if let Err(error) = ini::set(b"", section, key, text) {
                let message = format!("failed to {error}");
                problems.push(
                    Diagnostic::at(&entry.value.span, message).expected("a key with a value of one line"),
                );
                return None;
            }
            Content::Bytes(text.as_bytes().into())
        }
        None => {
            if let Err(error) = ini::set(b"", section, key, "") {
                problems.push(
                    Diagnostic::at(&entry.key.span, format!("failed to {error}"))
                        .expected("a key as INI files have them"),
                );
                return None;
            }
            let secret = SecretReference::read(&entry.value, &format!("key `{key}`"), problems)?;
            match reading.supply.secret(&secret) {
                Ok(content) => content,
                Err(problem) => {
                    problems.push(problem);
                    return None;
                }
            }
        }
    };
    Some(IniValue { section: section.map(str::to_owned), key: key.clone(), value: content })
}
