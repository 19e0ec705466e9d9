//! The lines around a place, and changes put into a text.

use std::ops::Range;

/// Replacements of parts of a text; they do not overlap.
pub(super) type Splices = Vec<(Range<usize>, String)>;

/// The text with its parts replaced. Of several at one place the one that was given first comes first.
pub(super) fn apply(text: &str, mut splices: Splices) -> String {
    splices.sort_by_key(|(range, _)| (range.start, range.end));
    let mut edited = String::with_capacity(text.len());
    let mut end = 0;
    for (range, new) in splices {
        edited.push_str(text.get(end..range.start).unwrap_or_default());
        edited.push_str(&new);
        end = range.end.max(end);
    }
    edited.push_str(text.get(end..).unwrap_or_default());
    edited
}

/// Where a place of the edited text was before; what was put in was where it replaced something.
pub(super) fn place_before(splices: &Splices, at: usize) -> usize {
    let mut sorted: Vec<_> = splices.iter().collect();
    sorted.sort_by_key(|(range, _)| (range.start, range.end));
    // How far the edited text is ahead of the old one, up to the splice at hand.
    let (mut added, mut removed) = (0, 0);
    for (range, new) in sorted {
        let start = range.start + added - removed;
        if at < start {
            break;
        }
        if at < start + new.len() {
            return range.start;
        }
        added += new.len();
        removed += range.len();
    }
    (at + removed).saturating_sub(added)
}

/// What stands on a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing but white space.
    Blank,
    /// A comment alone, this many spaces from the left.
    Comment(usize),
    /// Anything else.
    Other,
}

/// The first byte of the line that holds a place; a byte order mark belongs to no line.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    let first = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let before = text.get(..at).unwrap_or_default();
    before.rfind('\n').map_or(first, |feed| feed + 1)
}

/// The byte behind the last one of the line that holds a place, its line end left out.
pub(super) fn content_end(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    match rest.find('\n') {
        None => text.len(),
        Some(feed) => {
            let line = rest.get(..feed).unwrap_or_default();
            at + line.strip_suffix('\r').unwrap_or(line).len()
        }
    }
}

/// The first byte of the line below the one that holds a place.
pub(super) fn line_below(text: &str, at: usize) -> Option<usize> {
    text.get(at..)?.find('\n').map(|feed| at + feed + 1).filter(|start| *start < text.len())
}

/// The first byte of the line above the one that holds a place.
pub(super) fn line_above(text: &str, at: usize) -> Option<usize> {
    let start = line_start(text, at);
    let before = text.get(..start)?.strip_suffix('\n')?;
    Some(line_start(text, before.len()))
}

/// What stands on the line that starts at a place.
pub(super) fn kind(text: &str, start: usize) -> Kind {
    let line = text.get(start..content_end(text, start)).unwrap_or_default();
    let visible = line.trim_start_matches([' ', '\t']);
    if visible.is_empty() {
        Kind::Blank
    } else if visible.starts_with('#') {
        Kind::Comment(line.len() - visible.len())
    } else {
        Kind::Other
    }
}

/// How far a place is from the left, when only spaces stand before it.
pub(super) fn own_column(text: &str, at: usize) -> Option<usize> {
    let before = text.get(line_start(text, at)..at)?;
    before.bytes().all(|byte| byte == b' ').then_some(before.len())
}

/// The line end of the line that holds a place; of the first line, where that has none.
pub(super) fn line_end(text: &str, at: usize) -> &'static str {
    let end = content_end(text, at);
    let rest = text.get(end..).unwrap_or_default();
    let feed = if rest.is_empty() {
        text.find('\n')
    } else {
        Some(end + rest.len() - rest.trim_start_matches('\r').len())
    };
    match feed {
        Some(feed) if text.get(..feed).is_some_and(|before| before.ends_with('\r')) => "\r\n",
        _ => "\n",
    }
}

/// The first of the comment lines that stand directly above a line, at its own distance from the left;
/// the line itself when there are none.
pub(super) fn attached_comments(text: &str, line: usize, column: usize) -> usize {
    let mut first = line;
    while let Some(above) = line_above(text, first) {
        if kind(text, above) != Kind::Comment(column) {
            break;
        }
        first = above;
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_of_the_edited_text_is_found_in_the_old_one() {
        let text = "abcdefgh";
        let splices = vec![(5..7, "X".to_owned()), (1..3, String::new()), (3..3, "YZ".to_owned())];
        let edited = apply(text, splices.clone());
        assert_eq!(edited, "aYZdeXh");
        for (at, one) in edited.char_indices() {
            let before = place_before(&splices, at);
            match one {
                'Y' | 'Z' => assert_eq!(before, 3),
                'X' => assert_eq!(before, 5),
                one => assert_eq!(text.get(before..=before), Some(one.to_string().as_str())),
            }
        }
        assert_eq!(place_before(&splices, edited.len()), text.len());
    }
}
