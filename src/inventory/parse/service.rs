//! A service: a cloud account, a git repository, a storage, a notification service.

use super::scalar::{self, declared};
use crate::inventory::fleet::{Service, ServiceKind, Setting};
use crate::model::{Diagnostic, Diagnostics, Entry, Fields, Node, ServiceName, Value};

#[derive(Clone, Copy)]
enum Word {
    Cloud,
    Git,
    Rclone,
    Notify,
}

const KINDS: &[(&str, Word)] =
    &[("cloud", Word::Cloud), ("git", Word::Git), ("rclone", Word::Rclone), ("notify", Word::Notify)];

pub(super) fn read(entry: &Entry, problems: &mut Diagnostics) -> Option<Service> {
    let name = declared(&entry.key, ServiceName::new, problems);
    let title = format!("service `{}`", entry.key.text);
    let mut fields = Fields::open(&entry.value, title.as_str(), problems)?;
    fields.required_node("kind")?;
    let kind = match fields.choice("kind", KINDS)? {
        Word::Cloud => Some(ServiceKind::Cloud),
        Word::Git => git(&mut fields),
        Word::Notify => notify(&mut fields),
        // rclone's options are for rclone to know, so no key is unknown here.
        Word::Rclone => {
            let kind = rclone(&mut fields, &entry.value);
            return Some(Service { name: name?, span: entry.key.span.clone(), kind: kind? });
        }
    };
    fields.close();
    Some(Service { name: name?, span: entry.key.span.clone(), kind: kind? })
}

fn git(fields: &mut Fields<'_>) -> Option<ServiceKind> {
    let remote = fields.required_text("remote");
    let branch = fields.text("branch");
    for text in remote.iter().chain(&branch) {
        // git would take it for an option.
        if text.value.starts_with('-') || text.value.is_empty() || text.value.chars().any(char::is_control) {
            let problem = Diagnostic::at(&text.span, format!("git cannot use `{}`", text.value))
                .expected("a text that does not start with `-`");
            fields.problems().push(problem);
            return None;
        }
    }
    Some(ServiceKind::Git {
        remote: remote?,
        branch: branch.map_or_else(|| "main".to_owned(), |branch| branch.value),
    })
}

fn notify(fields: &mut Fields<'_>) -> Option<ServiceKind> {
    let url = fields.required_text("url");
    let topic = match fields.node("topic") {
        None => None,
        Some(node) => Some(scalar::setting(node, "`topic`", fields.problems())?),
    };
    let url = url?;
    if !(url.value.starts_with("https://") || url.value.starts_with("http://")) {
        let problem = Diagnostic::at(&url.span, format!("`{}` is not a web address", url.value))
            .expected("`https://...`");
        fields.problems().push(problem);
        return None;
    }
    Some(ServiceKind::Notify { url, topic })
}

fn rclone(fields: &mut Fields<'_>, node: &Node) -> Option<ServiceKind> {
    let backend = fields.required_text("type");
    let root = fields.text("root");
    let Value::Map(entries) = &node.value else { return None };
    let mut options: Vec<(String, Setting)> = Vec::new();
    for Entry { key, value } in entries {
        if matches!(key.text.as_str(), "kind" | "type" | "root") || value.value == Value::Null {
            continue;
        }
        // A key of rclone's INI file; `-` is the inventory's spelling of `_`.
        let name = key.text.replace('-', "_");
        if name.is_empty()
            || !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        {
            fields.problems().push(
                Diagnostic::at(&key.span, format!("`{}` is not an rclone option", key.text))
                    .expected("lower-case letters, digits, `_` and `-`"),
            );
        } else if let Some(setting) = scalar::setting(value, &format!("`{}`", key.text), fields.problems()) {
            if let Setting::Plain(text) = &setting
                && text.value.chars().any(char::is_control)
            {
                fields.problems().push(
                    Diagnostic::at(&text.span, format!("`{}` has several lines", key.text))
                        .expected("one line: rclone keeps its options in an INI file"),
                );
                continue;
            }
            options.push((name, setting));
        }
    }
    let backend = backend?;
    if backend.value.is_empty() || !backend.value.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        fields.problems().push(
            Diagnostic::at(&backend.span, format!("`{}` is not an rclone backend", backend.value))
                .expected("a word such as b2, drive, s3, sftp, local"),
        );
        return None;
    }
    Some(ServiceKind::Rclone { backend, options, root: root.map_or_else(String::new, |root| root.value) })
}
