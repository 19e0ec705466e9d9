//! The fields of a leg.

use super::super::folders;
use super::{End, KIND, Leg, Mode};
use crate::model::{Diagnostic, Diagnostics, Fields, NAME_SHAPE, Node, RoleName, Spanned, parse_duration};
use crate::resource::{Declared, Origin, Reading};

const MODES: &[(&str, Mode)] = &[("copy", Mode::Copy), ("move", Mode::Move), ("sync", Mode::Sync)];

/// Reads `leg: {name, from, to, at, zone, spread, catch-up, mode, backup-dir, filters, bandwidth,
/// max-delete, sentinel, config}`; an end is a path, or `REMOTE:PATH` with a remote of rclone's
/// configuration.
pub fn read(
    node: &Node,
    origin: &Origin,
    reading: &Reading<'_>,
    problems: &mut Diagnostics,
) -> Vec<Declared> {
    let before = problems.len();
    let Some(mut fields) = Fields::open(node, KIND, problems) else { return Vec::new() };
    let name = fields.required("name", NAME_SHAPE, |text| RoleName::new(text).map(|_| text.to_owned()));
    let source = fields.required_text("from");
    let destination = fields.required_text("to");
    let source = source.and_then(|text| end(&text, reading, fields.problems()));
    let destination = destination.and_then(|text| end(&text, reading, fields.problems()));
    let at = fields.required_text("at");
    let zone = fields.text("zone");
    let spread_span = fields.node("spread").map(|node| node.span.clone());
    let spread = fields.parsed("spread", "a duration such as 90s, 10m, 2h or 1d", parse_duration);
    let catch_up_span = fields.node("catch-up").map(|node| node.span.clone());
    let catch_up = fields.flag("catch-up");
    let mode = fields.choice("mode", MODES).unwrap_or(Mode::Copy);
    let backup_dir = fields.text("backup-dir").map(|text| text.value);
    let filters = fields.texts("filters").into_iter().map(|text| text.value).collect();
    let bandwidth = fields.text("bandwidth").map(|text| text.value);
    let max_delete = fields.parsed("max-delete", "a whole number", str::parse::<u32>);
    let sentinel = fields.text("sentinel").map(|text| text.value);
    let config = fields.text("config");
    let home = folders::runner_home(reading.facts);
    let span = fields.span().clone();
    let config = config.unwrap_or(Spanned { value: format!("{home}/.config/rclone/rclone.conf"), span });
    let config = reading.path(&config, fields.problems());
    fields.close();
    let (Some(name), Some(source), Some(destination), Some(at), Some(config)) =
        (name, source, destination, at, config)
    else {
        return Vec::new();
    };
    if problems.len() > before {
        return Vec::new();
    }
    let leg = Leg {
        name,
        source,
        destination,
        mode,
        at,
        zone,
        spread: spread.zip(spread_span).map(|(value, span)| Spanned { value, span }),
        catch_up: catch_up.zip(catch_up_span).map(|(value, span)| Spanned { value, span }),
        backup_dir,
        filters,
        bandwidth,
        max_delete,
        sentinel,
        config,
    };
    leg.expand(&[], origin, reading, problems)
}

fn end(text: &Spanned<String>, reading: &Reading<'_>, problems: &mut Diagnostics) -> Option<End> {
    if let Some((remote, path)) = text.value.split_once(':')
        && !remote.contains('/')
    {
        if super::super::rclone_remote::name_from(remote).is_err() || path.chars().any(char::is_control) {
            problems.push(
                Diagnostic::at(&text.span, format!("`{}` is not on an rclone remote", text.value))
                    .expected("a path, or REMOTE:PATH with a remote of rclone's configuration"),
            );
            return None;
        }
        return Some(End::Remote { remote: remote.to_owned(), path: path.to_owned() });
    }
    reading.path(text, problems).map(End::Here)
}
