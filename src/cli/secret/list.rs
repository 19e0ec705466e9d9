//! `secret list`: which secrets there are, which of them open here, and who uses them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::arguments::List;
use super::failed;
use super::rekey::{place, place_json};
use crate::cli::exit::Exit;
use crate::cli::identities::Need;
use crate::cli::load::project;
use crate::cli::secret_uses::uses;
use crate::cli::surface::{Surface, print};
use crate::model::{SecretFrom, Span};
use crate::report::safe;
use crate::resource::Content;
use crate::store::{SecretError, sealed_values};

/// What is known of one secret.
struct Row {
    name: String,
    /// `None` when it has no file.
    opens: Option<bool>,
    used_by: BTreeSet<String>,
}

/// Lists them.
pub(super) fn list(arguments: &List, surface: Surface) -> Exit {
    let inventory = &arguments.inventory;
    let project = match project(inventory, None, Need::Values, arguments.json, surface) {
        Ok(project) => project,
        Err(exit) => return exit,
    };
    let inline = match sealed_values(&inventory.inventory, inventory.overlay.as_deref()) {
        Ok(inline) => inline,
        Err(error) => return failed(SecretError::Load(error), arguments.json, surface),
    };
    let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (from, users) in uses(&project) {
        if let SecretFrom::Name(name) = from {
            used.insert(name, users);
        }
    }
    let kept = &project.library.secrets;
    let names: BTreeSet<&String> = kept.keys().chain(used.keys()).collect();
    let rows: Vec<Row> = names
        .into_iter()
        .map(|name| Row {
            name: name.clone(),
            opens: kept.get(name).map(|content| matches!(content, Content::Secret(_))),
            used_by: used.get(name).cloned().unwrap_or_default(),
        })
        .collect();
    if arguments.json {
        print(&json(project.fleet.name.as_str(), &rows, &inline));
    } else {
        print(&text(&rows, &inline, surface));
    }
    Exit::Done
}

fn json(fleet: &str, rows: &[Row], inline: &[Span]) -> String {
    let secrets: Vec<_> = rows
        .iter()
        .map(|row| {
            serde_json::json!({
                "name": row.name,
                "status": status(row.opens),
                "used_by": row.used_by,
            })
        })
        .collect();
    let value = serde_json::json!({
        "version": 1,
        "fleet": fleet,
        "secrets": secrets,
        "in_place": inline.iter().map(place_json).collect::<Vec<_>>(),
        "exit_code": 0,
    });
    format!("{value}\n")
}

fn status(opens: Option<bool>) -> &'static str {
    match opens {
        Some(true) => "opens",
        Some(false) => "closed",
        None => "missing",
    }
}

fn text(rows: &[Row], inline: &[Span], surface: Surface) -> String {
    let mut text = String::new();
    let names: Vec<String> = rows.iter().map(|row| safe::line(&row.name, surface.output)).collect();
    let width = names.iter().map(|name| safe::columns(name)).max().unwrap_or_default();
    for (row, name) in rows.iter().zip(&names) {
        let gap = " ".repeat(width - safe::columns(name));
        let users: Vec<&str> = row.used_by.iter().map(String::as_str).collect();
        let users = if users.is_empty() { "used by nobody".to_owned() } else { users.join(", ") };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name}{gap}  {:<7}  {users}", status(row.opens));
    }
    if rows.is_empty() {
        text.push_str("there are no secrets\n");
    }
    for span in inline {
        let _ = writeln!(text, "sealed in place at {}", place(span));
    }
    text
}
