//! Entries of maps that are written on lines of their own.

use super::content::Content;
use super::document::Document;
use super::layout;
use super::lines::{self, Kind, Splices};
use super::outline::{Pair, Piece};
use super::place::Holder;
use crate::model::Diagnostic;

/// Adds an entry behind the last one, with a blank line above it when most entries have one.
pub(super) fn add_behind(
    document: &Document<'_>,
    entries: &[Pair],
    key: &str,
    content: &Content,
    samples: &[&Piece],
) -> Result<Splices, Diagnostic> {
    let text = document.text;
    let Some(last) = entries.last() else { return Ok(Splices::new()) };
    let column = own_column(document, last)?;
    let key_end = column + key.chars().count();
    let spaces = layout::spaces_before_value(text, entries, key_end);
    let mut written = Vec::new();
    if layout::mostly_apart(text, entries) {
        written.push(String::new());
    }
    written.extend(document.writer.pair(key, content, samples, column, spaces));
    Ok(vec![insert_below(text, end_of(text, last, column), &written)])
}

/// Adds the first entry of a map that is not written (`machines:`) or empty (`machines: {}`).
pub(super) fn add_first(
    document: &Document<'_>,
    holder: Holder<'_>,
    key: &str,
    content: &Content,
    samples: &[&Piece],
) -> Result<Splices, Diagnostic> {
    let text = document.text;
    let (Some(pair), Some((from, to))) = (holder.pair, holder.gap(text)) else {
        return Err(unusual(document, holder.map));
    };
    let column = own_column(document, pair)? + document.writer.layout.step;
    let written = document.writer.pair(key, content, samples, column, 1);
    Ok(vec![(from..to, String::new()), insert_below(text, lines::content_end(text, to), &written)])
}

/// Takes an entry out, with its lines, the comments attached to it and a blank line that stood there for
/// it alone.
///
/// Attached are the comment lines directly above the key, as far from the left as it. They stay when they
/// head a group: when they begin behind a blank line or at the top of the map, and the next entry follows
/// on the next line, without a comment of its own. Attached, too, are the comment lines directly behind
/// the entry that stand further to the right than its key.
pub(super) fn remove(
    document: &Document<'_>,
    holder: Holder<'_>,
    entries: &[Pair],
    index: usize,
) -> Result<Splices, Diagnostic> {
    let text = document.text;
    let Some(pair) = entries.get(index) else { return Ok(Splices::new()) };
    let column = own_column(document, pair)?;
    let mut end = end_of(text, pair, column);
    let key_line = lines::line_start(text, pair.key.start);
    let top = lines::attached_comments(text, key_line, column);
    let kind_above =
        |line| lines::line_above(text, line).map_or(Kind::Blank, |above| lines::kind(text, above));
    let next = entries.get(index + 1);
    let heads_group = top < key_line
        && (index == 0 || kind_above(top) == Kind::Blank)
        && next.is_some_and(|next| {
            lines::line_below(text, end) == Some(lines::line_start(text, next.key.start))
        });
    let first = if heads_group { key_line } else { top };

    let blank_below =
        lines::line_below(text, end).is_none_or(|below| lines::kind(text, below) == Kind::Blank);
    let mut start = first;
    if next.is_none() || blank_below {
        start = above_blanks(text, first);
    }
    if index == 0 && start == first && blank_below && next.is_some() {
        end = behind_blanks(text, end);
    }
    let mut splices = match lines::line_above(text, start) {
        Some(above) => vec![(lines::content_end(text, above)..end, String::new())],
        None => vec![(start..lines::line_below(text, end).unwrap_or(text.len()), String::new())],
    };
    if entries.len() == 1 {
        let Some((gap, _)) = holder.gap(text) else { return Err(unusual(document, holder.map)) };
        splices.insert(0, (gap..gap, " {}".to_owned()));
    }
    Ok(splices)
}

/// The first line of the run of blank lines directly above a line, or the line itself.
fn above_blanks(text: &str, line: usize) -> usize {
    let mut first = line;
    while let Some(above) = lines::line_above(text, first) {
        if lines::kind(text, above) != Kind::Blank {
            break;
        }
        first = above;
    }
    first
}

/// The end of the last of the blank lines directly below the line that ends at a place.
fn behind_blanks(text: &str, end: usize) -> usize {
    let mut end = end;
    while let Some(below) = lines::line_below(text, end) {
        if lines::kind(text, below) != Kind::Blank {
            break;
        }
        end = lines::content_end(text, below);
    }
    end
}

/// The end of the last line of an entry: comments further to the right directly behind it belong to it.
fn end_of(text: &str, pair: &Pair, column: usize) -> usize {
    let mut end = lines::content_end(text, pair.end());
    while let Some(below) = lines::line_below(text, end) {
        if !matches!(lines::kind(text, below), Kind::Comment(right) if right > column) {
            break;
        }
        end = lines::content_end(text, below);
    }
    end
}

/// Lines put in behind the end of a line, in its line end.
fn insert_below(text: &str, end: usize, written: &[String]) -> (std::ops::Range<usize>, String) {
    let line_end = lines::line_end(text, end);
    (end..end, written.iter().map(|line| format!("{line_end}{line}")).collect())
}

fn own_column(document: &Document<'_>, pair: &Pair) -> Result<usize, Diagnostic> {
    lines::own_column(document.text, pair.key.start)
        .filter(|_| pair.colon.is_some())
        .ok_or_else(|| unusual(document, &pair.key))
}

fn unusual(document: &Document<'_>, piece: &Piece) -> Diagnostic {
    Diagnostic::at(&document.place(piece), "this is written in a way that cannot be edited")
        .expected("`KEY:` at the start of a line")
}
