//! Entries of maps in braces.

use super::content::Content;
use super::document::Document;
use super::lines::{self, Splices};
use super::outline::{Pair, Piece};
use super::place::Holder;
use crate::inventory::yaml::next_visible;
use crate::model::Diagnostic;

/// Adds an entry behind the last one: on a line of its own when that has one, else beside it.
pub(super) fn add_behind(
    document: &Document<'_>,
    entries: &[Pair],
    key: &str,
    content: &Content,
    samples: &[&Piece],
) -> Splices {
    let text = document.text;
    let Some(last) = entries.last() else { return Splices::new() };
    let pair = document.writer.flow_pair(key, content, samples);
    let comma = comma_behind(text, last.end());
    let end = comma.map_or(last.end(), |comma| comma + 1);
    let Some(column) = lines::own_column(text, last.key.start) else {
        return match comma {
            Some(_) => vec![(end..end, format!(" {pair},"))],
            None => vec![(end..end, format!(", {pair}"))],
        };
    };
    let new = format!("{}{}{pair}", lines::line_end(text, end), " ".repeat(column));
    let at = lines::content_end(text, end);
    match comma {
        // What closes the map stands on the same line.
        _ if next_visible(text, end) < at => {
            let comma_before = if comma.is_some() { "" } else { "," };
            let comma_behind = if comma.is_some() { "," } else { "" };
            vec![(end..end, format!("{comma_before}{new}{comma_behind}"))]
        }
        Some(_) => vec![(at..at, format!("{new},"))],
        None => vec![(end..end, ",".to_owned()), (at..at, new)],
    }
}

/// Adds the first entry of a map that is empty or not written, inside of braces.
pub(super) fn add_first(
    document: &Document<'_>,
    holder: Holder<'_>,
    key: &str,
    content: &Content,
    samples: &[&Piece],
) -> Result<Splices, Diagnostic> {
    let text = document.text;
    let pair = document.writer.flow_pair(key, content, samples);
    let space = if document.writer.layout.padded_maps { " " } else { "" };
    let map = format!("{{{space}{pair}{space}}}");
    if let Some(at) = brace(text, holder.map) {
        let end = holder.map.end.saturating_sub(1);
        let is_blank = text.get(at..end).is_some_and(|inside| inside.trim().is_empty());
        let place = if is_blank { at..end } else { end..end };
        return Ok(vec![(place, format!("{space}{pair}{space}"))]);
    }
    match (holder.pair, holder.gap(text)) {
        (_, Some((from, to))) => Ok(vec![(from..to, format!(" {map}"))]),
        (Some(pair), None) => Ok(vec![(pair.key.end..pair.key.end, format!(": {map}"))]),
        (None, None) => Err(Diagnostic::at(&document.place(holder.map), "there is no map to add to")
            .expected("a map: `KEY: VALUE`")),
    }
}

/// Takes an entry out, with its comma, its own line if it has one, and the comments attached to it
/// there: all that stand directly above it.
pub(super) fn remove(document: &Document<'_>, map: &Piece, entries: &[Pair], index: usize) -> Splices {
    let text = document.text;
    let Some(pair) = entries.get(index) else { return Splices::new() };
    let comma = comma_behind(text, pair.end());
    let mut end = comma.map_or(pair.end(), |comma| comma + 1);
    let column = lines::own_column(text, pair.key.start);
    let line_end = lines::content_end(text, end);
    // The rest of the line is a comment on the entry, or something else stands there.
    let is_alone = next_visible(text, end) >= line_end;
    if column.is_some() && is_alone {
        end = line_end;
    }
    let start = column.map_or(pair.key.start, |column| {
        let key_line = lines::line_start(text, pair.key.start);
        let first = lines::attached_comments(text, key_line, column);
        lines::line_above(text, first).map_or(first, |above| lines::content_end(text, above))
    });
    let before = index.checked_sub(1).and_then(|before| entries.get(before));
    match (before, entries.get(index + 1)) {
        (None, None) => {
            let (open, close) = (brace(text, map).unwrap_or(start), map.end.saturating_sub(1));
            // Other comments stay; without any, nothing does.
            let blank = |from: usize, to| text.get(from..to).is_none_or(|part| part.trim().is_empty());
            let is_all = blank(open, start.max(open)) && blank(end, close);
            vec![(if is_all { open..close } else { start..end }, String::new())]
        }
        (_, Some(next)) => {
            let shares_line =
                lines::line_start(text, next.key.start) == lines::line_start(text, pair.key.start);
            let place = if shares_line { pair.key.start..next.key.start } else { start..end };
            vec![(place, String::new())]
        }
        (Some(before), None) => {
            let comma_before = comma_behind(text, before.end());
            match (comma, comma_before, column) {
                (Some(_), Some(comma_before), None) => vec![(comma_before + 1..end, String::new())],
                (Some(_), ..) | (None, None, _) => vec![(start..end, String::new())],
                (None, Some(comma_before), Some(_)) => {
                    let own = start.max(comma_before + 1);
                    vec![(comma_before..comma_before + 1, String::new()), (own..end, String::new())]
                }
                (None, Some(comma_before), None) => vec![(comma_before..pair.end(), String::new())],
            }
        }
    }
}

/// The place of the comma behind an entry.
fn comma_behind(text: &str, end: usize) -> Option<usize> {
    let at = next_visible(text, end);
    text.get(at..).is_some_and(|rest| rest.starts_with(',')).then_some(at)
}

/// The place behind the brace that opens a map; `None` when it has none.
fn brace(text: &str, map: &Piece) -> Option<usize> {
    let written = text.get(map.start..map.end)?;
    let at = if map.anchor == 0 { 0 } else { written.find('{')? };
    written.get(at..)?.starts_with('{').then_some(map.start + at + 1)
}
