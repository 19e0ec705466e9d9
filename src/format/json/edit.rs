//! The byte edits of a JSON document: each touches one member and keeps the rest.

use std::ops::Range;

use jsonc_parser::ast::{Object, ObjectProp};
use jsonc_parser::common::Ranged;
use serde_json::{Map, Value};

use super::document::Document;
use super::layout::{Lines, Style, is_blank, line_indentation, own_line};

/// Replacements of parts of the body, in order and without overlap.
type Splices = Vec<(Range<usize>, String)>;

fn apply(document: &Document<'_>, splices: Splices) -> Vec<u8> {
    let mut edited = document.prefix.to_vec();
    let mut end = 0;
    for (range, new) in splices {
        edited.extend_from_slice(document.slice(end, range.start).as_bytes());
        edited.extend_from_slice(new.as_bytes());
        end = range.end;
    }
    edited.extend_from_slice(document.slice(end, document.body.len()).as_bytes());
    edited
}

/// How a member is laid out.
fn lines_of(document: &Document<'_>, member: &ObjectProp<'_>) -> Lines {
    own_line(document, member.start()).map_or(Lines::Shared, |indentation| Lines::Own(indentation.to_owned()))
}

/// Puts another value into a member that is there.
pub(super) fn replace_value<'a>(
    document: &Document<'a>,
    object: &Object<'a>,
    member: &ObjectProp<'a>,
    value: &Value,
) -> Vec<u8> {
    let new = Style::of(document, Some(object)).value(value, &lines_of(document, member));
    apply(document, vec![(member.value.start()..member.value.end(), new)])
}

/// Adds a member to the object where the way ended. `keys` are the missing keys; all but the
/// first become objects around the value.
pub(super) fn add_member<'a>(
    document: &Document<'a>,
    object: Option<&Object<'a>>,
    holder: Option<&ObjectProp<'a>>,
    keys: &[String],
    value: &Value,
) -> Vec<u8> {
    let Some((key, inner)) = keys.split_first() else {
        return apply(document, Vec::new());
    };
    let value = inner
        .iter()
        .rev()
        .fold(value.clone(), |value, key| Value::Object(Map::from_iter([(key.clone(), value)])));
    let style = Style::of(document, object);
    let Some(object) = object else {
        return add_document(document, &style, key, &value);
    };
    let splices = match object.properties.last() {
        Some(last) => add_behind(document, &style, last, key, &value),
        None => add_first(document, &style, object, holder, key, &value),
    };
    apply(document, splices)
}

/// Writes a whole object below what an empty file holds: nothing, blank lines or comments.
fn add_document(document: &Document<'_>, style: &Style<'_>, key: &str, value: &Value) -> Vec<u8> {
    let newline = style.newline;
    let member = style.member(key, value, &Lines::Own(style.step.to_owned()));
    let before = if document.body.is_empty() || document.body.ends_with('\n') { "" } else { newline };
    let new = format!("{before}{{{newline}{}{member}{newline}}}{newline}", style.step);
    let end = document.body.len();
    apply(document, vec![(end..end, new)])
}

/// Adds a member behind the last one.
fn add_behind(
    document: &Document<'_>,
    style: &Style<'_>,
    last: &ObjectProp<'_>,
    key: &str,
    value: &Value,
) -> Splices {
    let lines = lines_of(document, last);
    let member = style.member(key, value, &lines);
    let trailing_comma = document.comma_after(last.end());
    let end = trailing_comma.map_or(last.end(), |comma| comma.end);
    match (lines, trailing_comma) {
        (Lines::Own(indentation), trailing_comma) => {
            let at = behind_comments_on_line(document, end);
            let new = format!("{}{indentation}{member}", style.newline);
            match trailing_comma {
                Some(_) => vec![(at..at, format!("{new},"))],
                None => vec![(end..end, ",".to_owned()), (at..at, new)],
            }
        }
        (Lines::Shared, Some(_)) => {
            let (_, space) = style.comma.split_once(',').unwrap_or(("", ""));
            vec![(end..end, format!("{space}{member},"))]
        }
        (Lines::Shared, None) => vec![(end..end, format!("{}{member}", style.comma))],
    }
}

/// The end of the comments that begin on the line of an offset and follow it directly: they
/// speak of what stands before them. White space up to the end of the line belongs to it too.
fn behind_comments_on_line(document: &Document<'_>, offset: usize) -> usize {
    let mut end = offset;
    for comment in document.comments(offset, document.body.len()) {
        if !is_blank(document.slice(end, comment.start)) {
            break;
        }
        end = comment.end;
    }
    let rest = document.slice(end, document.body.len());
    let visible = rest.trim_start_matches([' ', '\t']);
    if visible.starts_with(['\n', '\r']) {
        end += rest.len() - visible.len();
    }
    end
}

/// Adds the first member of an empty object.
fn add_first(
    document: &Document<'_>,
    style: &Style<'_>,
    object: &Object<'_>,
    holder: Option<&ObjectProp<'_>>,
    key: &str,
    value: &Value,
) -> Splices {
    let inside = object.start() + 1..object.end().saturating_sub(1);
    let newline = style.newline;
    let outer = line_indentation(document, object.start());
    let own = Lines::Own(format!("{outer}{}", style.step));
    let on_own_line = |lines: &Lines| match lines {
        Lines::Own(indentation) => {
            format!("{newline}{indentation}{}", style.member(key, value, lines))
        }
        Lines::Shared => style.member(key, value, lines),
    };
    if let Some(comment) = document.comments(inside.start, inside.end).last() {
        let rest = document.slice(comment.end, inside.end);
        let (at, new) = if rest.contains(['\n', '\r']) {
            let at = behind_comments_on_line(document, comment.end);
            (at, on_own_line(&own))
        } else {
            let member = style.member(key, value, &Lines::Shared);
            (comment.end, format!(" {member}"))
        };
        return vec![(at..at, new)];
    }
    let shares_line = holder.is_some_and(|holder| lines_of(document, holder) == Lines::Shared);
    let new = if shares_line {
        style.member(key, value, &Lines::Shared)
    } else {
        format!("{}{newline}{outer}", on_own_line(&own))
    };
    vec![(inside, new)]
}

/// Takes a member out, with its comma and, if it has one, its own line.
pub(super) fn remove_member(
    document: &Document<'_>,
    object: &Object<'_>,
    member: &ObjectProp<'_>,
) -> Vec<u8> {
    let inside = object.start() + 1..object.end().saturating_sub(1);
    let is_only = object.properties.len() == 1;
    let holds_comments = document
        .comments(inside.start, member.start())
        .chain(document.comments(member.end(), inside.end))
        .next()
        .is_some();
    if is_only && !holds_comments {
        return apply(document, vec![(inside, String::new())]);
    }

    let is_last = object.properties.last().is_some_and(|last| last.start() == member.start());
    let comma_after = document.comma_after(member.end());
    let lone_comma_before = match comma_after {
        None => document.comma_before(member.start()),
        Some(_) => None,
    };
    // The comma goes together with the member when only space lies between them, and by itself
    // when a comment does.
    let joined = comma_after.filter(|comma| is_blank(document.slice(member.end(), comma.start)));
    let end = joined.map_or(member.end(), |comma| comma.end);
    let taken = space_around(document, member.start()..end, is_last);

    let mut splices: Splices = Vec::new();
    if let Some(comma) = lone_comma_before {
        splices.push((comma.start..comma.end, String::new()));
    }
    splices.push((taken, String::new()));
    if let (Some(comma), None) = (comma_after, joined) {
        splices.push((comma.start..comma.end, String::new()));
    }
    apply(document, splices)
}

/// Widens the place of a member by the white space that was there for it.
fn space_around(document: &Document<'_>, place: Range<usize>, is_last: bool) -> Range<usize> {
    let rest = document.slice(place.end, document.body.len());
    let visible = rest.trim_start_matches([' ', '\t']);
    let behind = place.end + (rest.len() - visible.len());
    match own_line(document, place.start) {
        Some(indentation) => {
            let line_start = place.start - indentation.len();
            let before = document.slice(0, line_start);
            let above =
                before.strip_suffix("\r\n").or_else(|| before.strip_suffix(['\n', '\r'])).unwrap_or(before);
            // The line ending before the member goes with it, unless what follows would then
            // move up behind a comment: into it, or beside one that speaks of something else.
            let ends_line = visible.starts_with(['\n', '\r']);
            let closes = visible.starts_with('}') && !document.line_comment_ends_at(above.len());
            if ends_line {
                above.len()..behind
            } else if closes {
                above.len()..place.end
            } else {
                place.start..behind
            }
        }
        None if is_last => {
            let before = document.slice(0, place.start);
            before.trim_end_matches([' ', '\t']).len()..place.end
        }
        None => place.start..behind,
    }
}
