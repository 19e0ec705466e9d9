//! A backup leg: what goes where, who runs it, when and how.

use super::names::Names;
use super::{endpoint, scalar};
use crate::inventory::fleet::{Backup, BackupMode, When};
use crate::model::{Diagnostic, Diagnostics, Entry, Fields, MachinePath, Spanned, parse_duration};

const MODES: &[(&str, BackupMode)] =
    &[("copy", BackupMode::Copy), ("sync", BackupMode::Sync), ("move", BackupMode::Move)];

pub(super) fn read(entry: &Entry, names: &Names<'_>, problems: &mut Diagnostics) -> Option<Backup> {
    let name = scalar::plain_name(&entry.key, problems);
    let title = format!("backup `{}`", entry.key.text);
    let mut fields = Fields::open(&entry.value, title, problems)?;
    let run_on = fields.required_text("run-on");
    let run_on_text = run_on.as_ref().map(|text| text.value.as_str());
    let from = fields.required_text("from");
    let to = fields.required_text("to");
    let from = from.and_then(|text| endpoint::parse(&text, run_on_text, names, fields.problems()));
    let to = to.and_then(|text| endpoint::parse(&text, run_on_text, names, fields.problems()));
    let run_on = run_on.as_ref().and_then(|text| names.managed(text, "run a leg", fields.problems()));
    let when = when(&mut fields);
    let mode = fields.choice("mode", MODES);
    let backup_dir = fields.text("backup-dir");
    let filters = fields.texts("filters");
    for filter in &filters {
        check_filter(filter, fields.problems());
    }
    let bandwidth = fields.text("bandwidth");
    let max_delete = fields.parsed("max-delete", "a whole number below 2^32", |text| {
        text.parse::<u32>().map_err(|_| format!("`{text}` is not a number of files"))
    });
    let sentinel = fields.text("sentinel");
    let sentinel = sentinel.and_then(|path| relative(path, fields.problems()));
    fields.close();
    Some(Backup {
        name: Spanned { value: name?, span: entry.key.span.clone() },
        run_on: run_on?,
        from: from?,
        to: to?,
        when: when?,
        mode: mode.unwrap_or_default(),
        backup_dir,
        filters,
        bandwidth,
        max_delete,
        sentinel,
    })
}

fn when(fields: &mut Fields<'_>) -> Option<When> {
    let at = fields.required_text("at");
    let zone = fields.text("zone");
    let spread = fields.parsed("spread", "a duration such as 90s, 10m, 2h or 1d", parse_duration);
    let spread = spread.and_then(|value| placed(fields, "spread", value));
    let catch_up = fields.flag("catch-up").and_then(|value| placed(fields, "catch-up", value));
    Some(When { at: at?, zone, spread, catch_up })
}

fn placed<T>(fields: &mut Fields<'_>, key: &'static str, value: T) -> Option<Spanned<T>> {
    fields.node(key).map(|node| Spanned { value, span: node.span.clone() })
}

/// rclone's rules: `+ PATTERN`, `- PATTERN`, or `!` which forgets those before it.
fn check_filter(filter: &Spanned<String>, problems: &mut Diagnostics) {
    let rule = filter.value.as_str();
    let pattern = rule.strip_prefix("+ ").or_else(|| rule.strip_prefix("- "));
    let fits = rule == "!" || pattern.is_some_and(|pattern| !pattern.trim().is_empty());
    if !fits || rule.chars().any(char::is_control) {
        problems.push(
            Diagnostic::at(&filter.span, format!("`{rule}` is not a filter rule"))
                .expected("`+ PATTERN`, `- PATTERN` or `!`"),
        );
    }
}

fn relative(text: Spanned<String>, problems: &mut Diagnostics) -> Option<Spanned<String>> {
    let fits = !text.value.starts_with(['/', '~'])
        && MachinePath::new(&format!("/{}", text.value)).is_ok_and(|path| path.as_str() != "/");
    if fits {
        return Some(text);
    }
    problems.push(
        Diagnostic::at(&text.span, format!("`sentinel`: `{}` is not below the source", text.value))
            .expected("a path relative to `from`, without `..`"),
    );
    None
}
