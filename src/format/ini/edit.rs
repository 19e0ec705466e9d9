//! The byte edits of an INI file: each changes one place and keeps the rest.

use std::collections::BTreeSet;

use super::scan::{Entry, KeyLine, Scan};
use crate::format::lines::{first_line_start, is_unterminated, terminator_of};

/// Replaces the bytes between two offsets.
fn splice(text: &[u8], start: usize, end: usize, new: &[u8]) -> Vec<u8> {
    let before = text.get(..start).unwrap_or(text);
    let after = text.get(end..).unwrap_or_default();
    [before, new, after].concat()
}

/// Puts another value into a line that has the key.
pub(super) fn replace_value(text: &[u8], entry: &KeyLine<'_>, value: &str) -> Vec<u8> {
    // `key =` without a value says by its first space that it wants one after the sign too.
    let needs_space = entry.value.is_empty()
        && entry.after_sign.is_empty()
        && !entry.before_sign.is_empty()
        && !value.is_empty();
    let space = if needs_space { " " } else { "" };
    let new = format!("{space}{value}");
    splice(text, entry.value.start, entry.value.end, new.as_bytes())
}

/// One key line without a terminator, spaced as `pattern` is.
fn render(pattern: Option<&KeyLine<'_>>, key: &str, value: &str) -> Vec<u8> {
    let (indentation, before, after) = pattern.map_or((&b""[..], &b" "[..], &b" "[..]), |line| {
        (line.indentation, line.before_sign, line.after_sign)
    });
    let mut line = [indentation, key.as_bytes(), before, b"="].concat();
    if !value.is_empty() {
        line.extend_from_slice(after);
        line.extend_from_slice(value.as_bytes());
    }
    line
}

/// Inserts a whole line at the start of a line or at the end of the file. A file without a line
/// ending at its end stays without one.
fn insert_line(text: &[u8], offset: usize, line: &[u8]) -> Vec<u8> {
    let newline = terminator_of(text).unwrap_or(b"\n");
    let new = if offset == text.len() && is_unterminated(text) {
        [newline, line].concat()
    } else {
        [line, newline].concat()
    };
    splice(text, offset, offset, &new)
}

/// Adds a key that the file does not have.
pub(super) fn add_key(
    text: &[u8],
    scan: &Scan<'_>,
    section: Option<&str>,
    key: &str,
    value: &str,
) -> Vec<u8> {
    let line = render(scan.pattern(section), key, value);
    let end_of = |index: usize| scan.entries.get(index).map_or(text.len(), |entry| entry.line().end());
    let Some(section) = section else {
        let has_sections = scan.entries.iter().any(|entry| matches!(entry, Entry::Header { .. }));
        let offset = match scan.last_above_sections() {
            Some(last) => end_of(last),
            // Comments above the first header may belong to it: stay clear of them.
            None if has_sections => first_line_start(text),
            None => text.len(),
        };
        return insert_line(text, offset, &line);
    };
    match scan.headers(section).last() {
        Some(header) => insert_line(text, end_of(scan.last_of_section(header)), &line),
        None => add_section(text, scan, section, &line),
    }
}

/// Adds a section with one line at the end of the file. In a file that ends with a blank line (as
/// rclone writes them) it goes below that line and is followed by one; otherwise a blank line
/// goes before it. Either way [`delete_sections`] gives the file back to the byte.
fn add_section(text: &[u8], scan: &Scan<'_>, section: &str, line: &[u8]) -> Vec<u8> {
    let newline = terminator_of(text).unwrap_or(b"\n");
    let header = format!("[{section}]");
    let mut edited = text.to_vec();
    let (before, after): (&[&[u8]], &[&[u8]]) = match scan.entries.last() {
        None => (&[], &[newline]),
        Some(_) if is_unterminated(text) => (&[newline, newline], &[]),
        Some(Entry::Blank(_)) => (&[], &[newline, newline]),
        Some(_) => (&[newline], &[newline]),
    };
    let body = [header.as_bytes(), newline, line];
    for part in before.iter().chain(&body).chain(after) {
        edited.extend_from_slice(part);
    }
    edited
}

/// Takes the lines with these indices out. When they reach the end of a file that has no line
/// ending there, the file keeps having none.
fn delete_lines(text: &[u8], scan: &Scan<'_>, indices: &BTreeSet<usize>) -> Vec<u8> {
    let mut edited = text.get(..first_line_start(text)).unwrap_or_default().to_vec();
    for (index, entry) in scan.entries.iter().enumerate() {
        if !indices.contains(&index) {
            let line = entry.line();
            edited.extend_from_slice(line.content);
            edited.extend_from_slice(line.terminator);
        }
    }
    let reaches_end = indices.last() == scan.entries.len().checked_sub(1).as_ref();
    if reaches_end && is_unterminated(text) {
        let kept = edited.strip_suffix(b"\r\n").or_else(|| edited.strip_suffix(b"\n"));
        // A carriage return left at the very end would make the file unreadable to the next edit.
        if let Some(kept) = kept.filter(|kept| !kept.ends_with(b"\r")) {
            edited.truncate(kept.len());
        }
    }
    edited
}

/// Takes the line of one key out.
pub(super) fn delete_key(text: &[u8], scan: &Scan<'_>, entry: &KeyLine<'_>) -> Vec<u8> {
    // Lines are numbered from 1, entries from 0.
    let index = entry.line.number.saturating_sub(1);
    delete_lines(text, scan, &BTreeSet::from([index]))
}

/// Takes out the sections at these headers, each from its header to its last key, and one blank
/// line beside each. All at once, so that the cost does not grow with their number.
pub(super) fn delete_sections(text: &[u8], scan: &Scan<'_>, headers: &[usize]) -> Vec<u8> {
    let mut indices = BTreeSet::new();
    for header in headers.iter().copied() {
        let last = scan.last_of_section(header);
        indices.extend(header..=last);
        let blank = [Some(last + 1), header.checked_sub(1)].into_iter().flatten().find(|index| {
            let entry = scan.entries.get(*index);
            matches!(entry, Some(Entry::Blank(_))) && !indices.contains(index)
        });
        indices.extend(blank);
    }
    delete_lines(text, scan, &indices)
}
