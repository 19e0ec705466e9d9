//! Keys: what opens the machines, and what an audit found.

use super::json::{JSON_VERSION, escaped, failure_kind};
use super::layout::{Break, Line};
use super::links::{self, LinkRow};
use super::style::{Paint, Style};
use super::{counted, plan, safe};
use crate::audit::{Finding, MachineKeys};
use crate::event::Failure;
use crate::model::MachineName;

/// What opens one machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// The machine.
    pub machine: String,
    /// What this seat shows to it.
    pub from_here: String,
    /// The public halves of enrolled seats: the seat, the fingerprint, the day the key was made on.
    pub keys: Vec<(String, String, Option<String>)>,
}

/// Draws the keys: a machine each, with what this seat shows to it, and the keys of all seats below.
#[must_use]
pub fn keys(seat: &str, rows: &[KeyRow], style: Style) -> String {
    let mut text = String::new();
    if rows.is_empty() {
        text.push_str("no machine is reached over SSH\n");
    }
    for row in rows {
        let head = Line::default().with(Paint::Strong, safe::line(&row.machine, style));
        let said =
            format!("  {} opens it with {}", safe::line(seat, style), safe::line(&row.from_here, style));
        head.with(Paint::Plain, said).write(&mut text, style, Break::Words, &Line::indented(4));
        for (seat, fingerprint, made) in &row.keys {
            let made = made.as_ref().map_or_else(String::new, |day| format!("  made on {day}"));
            Line::indented(2)
                .with(Paint::Plain, format!("{}  {fingerprint}", safe::line(seat, style)))
                .with(Paint::Faint, safe::line(&made, style))
                .write(&mut text, style, Break::Words, &Line::indented(4));
        }
    }
    text
}

/// One line of JSON with its line break, described in `docs/json.md`.
#[must_use]
pub fn keys_json(fleet: &str, seat: &str, rows: &[KeyRow], links: &[LinkRow]) -> String {
    let machines: Vec<_> = rows
        .iter()
        .map(|row| {
            let keys: Vec<_> = row
                .keys
                .iter()
                .map(|(seat, fingerprint, made)| {
                    serde_json::json!({ "seat": seat, "fingerprint": fingerprint, "made": made })
                })
                .collect();
            serde_json::json!({ "name": row.machine, "from_here": row.from_here, "keys": keys })
        })
        .collect();
    let document = serde_json::json!({
        "version": JSON_VERSION, "fleet": fleet, "seat": seat, "machines": machines,
        "links": links.iter().map(links::value).collect::<Vec<_>>(), "exit_code": 0,
    });
    escaped(&document.to_string()) + "\n"
}

/// Draws what an audit found: a line for each finding with what to do, machines that did not answer, and a
/// line that counts.
#[must_use]
pub fn audit(
    said: &[(MachineName, MachineKeys)],
    found: &[Finding],
    absent: &[(MachineName, Failure)],
    style: Style,
) -> String {
    let mut text = String::new();
    for finding in found {
        Line::default().with(Paint::Alarm, safe::line(&finding.to_string(), style)).write(
            &mut text,
            style,
            Break::Words,
            &Line::indented(4),
        );
        Line::indented(2).with(Paint::Faint, finding.advice()).write(
            &mut text,
            style,
            Break::Words,
            &Line::indented(4),
        );
    }
    for (machine, failure) in absent {
        let line = Line::default().with(Paint::Strong, machine.as_str());
        line.with(Paint::Alarm, "  was not looked at").write(
            &mut text,
            style,
            Break::Words,
            &Line::indented(4),
        );
        plan::failed(&mut text, failure, style);
    }
    let open: usize = said.iter().map(|(_, keys)| keys.authorized.len()).sum();
    let held: usize = said.iter().map(|(_, keys)| keys.held.len()).sum();
    let wrong = if found.is_empty() { "nothing wrong".to_owned() } else { counted(found.len(), "finding") };
    let line = format!(
        "{} looked at: {} to get in by, {} held; {wrong}",
        counted(said.len(), "machine"),
        counted(open, "key"),
        counted(held, "private key"),
    );
    if !text.is_empty() {
        text.push('\n');
    }
    Line::default().with(Paint::Plain, line).write(&mut text, style, Break::Words, &Line::indented(4));
    text
}

/// One line of JSON with its line break, described in `docs/json.md`.
#[must_use]
pub fn audit_json(
    fleet: &str,
    said: &[(MachineName, MachineKeys)],
    found: &[Finding],
    absent: &[(MachineName, Failure)],
    exit_code: u8,
) -> String {
    let machines: Vec<_> = said
        .iter()
        .map(|(machine, keys)| {
            serde_json::json!({
                "name": machine.as_str(), "authorized": keys.authorized.len(), "held": keys.held.len(),
            })
        })
        .collect();
    let findings: Vec<_> = found
        .iter()
        .map(|finding| {
            let places: Vec<_> = finding
                .places()
                .iter()
                .map(|place| {
                    serde_json::json!({
                        "machine": place.machine.as_str(), "user": place.user, "path": place.path,
                    })
                })
                .collect();
            serde_json::json!({
                "kind": finding.word(), "message": finding.to_string(), "key": finding.key(),
                "places": places, "advice": finding.advice(),
            })
        })
        .collect();
    let absent: Vec<_> = absent
        .iter()
        .map(|(machine, failure)| {
            serde_json::json!({
                "name": machine.as_str(), "kind": failure_kind(failure.kind), "message": failure.message,
            })
        })
        .collect();
    let document = serde_json::json!({
        "version": JSON_VERSION, "fleet": fleet, "machines": machines, "findings": findings,
        "absent": absent, "exit_code": exit_code,
    });
    escaped(&document.to_string()) + "\n"
}
