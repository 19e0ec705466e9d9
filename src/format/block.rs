//! A managed block: lines that fleetprov owns inside a text file that somebody else owns.
//!
//! ```text
//! # BEGIN fleetprov backups (managed: edits here are overwritten)
//! 10 3 * * * /usr/bin/rclone …
//! # END fleetprov backups
//! ```
//!
//! Every byte outside the block stays as it is. The block follows the file's line endings. A file
//! whose last line is not terminated needs a line ending before the block; the end marker then
//! says so, and removing the block takes that line ending away again while the block is still the
//! last thing in the file. So adding and removing a block restores the file to the byte.

use thiserror::Error;

use super::lines::{Line, NotText, check_text, first_line_start, is_unterminated, lines, terminator_of};

mod markers;

use markers::Role;
pub use markers::{Comment, Markers};

/// Why a managed block cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BlockError {
    /// The id cannot stand in a marker line.
    #[error(
        "use {id:?} as a block id: it must be letters, digits and . _ : / @ + - only, without the comment's own end"
    )]
    Id {
        /// The id that was refused.
        id: String,
    },
    /// The comment signs cannot make a marker line.
    #[error(
        "use {open:?} and {close:?} as comment signs: they must be printable, without white space, the first not empty"
    )]
    Comment {
        /// The sign that opens the comment.
        open: String,
        /// The sign that closes it; empty for a line comment.
        close: String,
    },
    /// The file cannot be edited line by line.
    #[error(transparent)]
    NotText(#[from] NotText),
    /// A begin marker has no end marker after it.
    #[error("find the end of the block that begins on line {line}")]
    BeginWithoutEnd {
        /// The begin marker's line, counted from 1.
        line: usize,
    },
    /// An end marker stands alone.
    #[error("find the beginning of the block that ends on line {line}")]
    EndWithoutBegin {
        /// The end marker's line, counted from 1.
        line: usize,
    },
    /// The end marker stands before the begin marker.
    #[error("read the block: its end on line {end} stands before its beginning on line {begin}")]
    EndBeforeBegin {
        /// The begin marker's line, counted from 1.
        begin: usize,
        /// The end marker's line, counted from 1.
        end: usize,
    },
    /// The block begins twice.
    #[error("choose between two blocks with the same id: they begin on lines {first} and {second}")]
    TwoBegins {
        /// The first begin marker's line, counted from 1.
        first: usize,
        /// The second begin marker's line, counted from 1.
        second: usize,
    },
    /// The block ends twice.
    #[error("choose between two ends of the same block, on lines {first} and {second}")]
    TwoEnds {
        /// The first end marker's line, counted from 1.
        first: usize,
        /// The second end marker's line, counted from 1.
        second: usize,
    },
    /// Another block's marker stands inside this block, so rewriting it would break the other.
    #[error("rewrite the block: another block's marker stands inside it on line {line}")]
    Overlap {
        /// The other marker's line, counted from 1.
        line: usize,
    },
    /// The content holds a marker line, which would end the block early.
    #[error("put line {line} of the content into a block: it is a marker line itself")]
    ContentHoldsMarker {
        /// The line in the content, counted from 1.
        line: usize,
    },
    /// The content holds a byte that cannot stand in a line: zero, or a carriage return that does
    /// not end it.
    #[error("put line {line} of the content into a block: it holds a zero byte or a carriage return")]
    ContentNotText {
        /// The line in the content, counted from 1.
        line: usize,
    },
}

/// Where a block goes in a file that does not have it yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// After everything else.
    End,
    /// Before everything else, except a byte order mark and a `#!` line.
    Start,
}

/// A block that stands in a text.
struct Found<'a> {
    /// The text before the begin marker's line.
    before: &'a [u8],
    /// The lines between the markers.
    inner: Vec<Line<'a>>,
    /// Whether the end marker says that a line ending was added before the block.
    after_unterminated: bool,
    /// The text after the end marker's line.
    after: &'a [u8],
}

fn find<'a>(text: &'a [u8], markers: &Markers) -> Result<Option<Found<'a>>, BlockError> {
    let lines = lines(text);
    let mut begin: Option<(usize, Line<'a>)> = None;
    let mut end: Option<(usize, Line<'a>)> = None;
    let mut others = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        match markers.role(line.content) {
            None => {}
            Some(Role::Other) => others.push((index, line.number)),
            Some(Role::Begin) => {
                if let Some((_, first)) = begin.replace((index, *line)) {
                    return Err(BlockError::TwoBegins { first: first.number, second: line.number });
                }
            }
            Some(Role::End) => {
                if let Some((_, first)) = end.replace((index, *line)) {
                    return Err(BlockError::TwoEnds { first: first.number, second: line.number });
                }
            }
        }
    }
    let ((begin_index, begin), (end_index, end)) = match (begin, end) {
        (None, None) => return Ok(None),
        (Some((_, begin)), None) => {
            return Err(BlockError::BeginWithoutEnd { line: begin.number });
        }
        (None, Some((_, end))) => return Err(BlockError::EndWithoutBegin { line: end.number }),
        (Some(begin), Some(end)) => (begin, end),
    };
    if end_index < begin_index {
        return Err(BlockError::EndBeforeBegin { begin: begin.number, end: end.number });
    }
    if let Some((_, line)) = others.iter().find(|(index, _)| (begin_index..end_index).contains(index)) {
        return Err(BlockError::Overlap { line: *line });
    }
    Ok(Some(Found {
        before: text.get(..begin.start).unwrap_or_default(),
        inner: lines.get(begin_index + 1..end_index).unwrap_or_default().to_vec(),
        after_unterminated: end.content.trim_ascii() == markers.end_after_unterminated().as_bytes(),
        after: text.get(end.end()..).unwrap_or_default(),
    }))
}

/// Checks the content and cuts it into lines without terminators.
fn content_lines<'a>(content: &'a [u8], markers: &Markers) -> Result<Vec<&'a [u8]>, BlockError> {
    let body = content.strip_suffix(b"\n").unwrap_or(content);
    if content.is_empty() {
        return Ok(Vec::new());
    }
    body.split(|byte| *byte == b'\n')
        .enumerate()
        .map(|(index, line)| {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let number = index + 1;
            if line.iter().any(|byte| matches!(byte, 0 | b'\r')) {
                return Err(BlockError::ContentNotText { line: number });
            }
            if markers.role(line).is_some() {
                return Err(BlockError::ContentHoldsMarker { line: number });
            }
            Ok(line)
        })
        .collect()
}

/// Splits a text without the block at the place where the block goes.
fn split_at_position(text: &[u8], position: Position) -> (&[u8], &[u8]) {
    let offset = match position {
        Position::End => text.len(),
        Position::Start => lines(text)
            .first()
            .filter(|line| line.content.starts_with(b"#!"))
            .map_or(first_line_start(text), Line::end),
    };
    text.split_at_checked(offset).unwrap_or((text, b""))
}

/// Writes the block: replaces its content where it stands, or adds it at `position`.
///
/// `content` is lines ended by LF or CRLF, the last with or without; they get the file's own line
/// ending, that of its first line outside the block, and LF in a file that has none. Setting the
/// same content twice gives the same bytes.
///
/// # Errors
/// A broken or doubled pair of markers, another block's marker inside the block, content that
/// holds a marker line, and what cannot be edited as lines.
pub fn set(
    text: &[u8],
    markers: &Markers,
    content: &[u8],
    position: Position,
) -> Result<Vec<u8>, BlockError> {
    check_text(text)?;
    let content = content_lines(content, markers)?;
    let (before, after, after_unterminated) = match find(text, markers)? {
        Some(found) => (found.before, found.after, found.after_unterminated),
        None => {
            let (before, after) = split_at_position(text, position);
            (before, after, is_unterminated(before))
        }
    };
    let newline = terminator_of(before).or_else(|| terminator_of(after)).unwrap_or(b"\n");
    let begin = markers.begin();
    let end = if after_unterminated { markers.end_after_unterminated() } else { markers.end() };
    let mut edited = before.to_vec();
    if is_unterminated(before) {
        edited.extend_from_slice(newline);
    }
    let block = [begin.as_bytes()].into_iter().chain(content).chain([end.as_bytes()]);
    for line in block {
        edited.extend_from_slice(line);
        edited.extend_from_slice(newline);
    }
    edited.extend_from_slice(after);
    Ok(edited)
}

/// The block's content, each line ended by LF whatever the file's line ending; `None` when the
/// file does not have the block.
///
/// # Errors
/// A broken or doubled pair of markers, another block's marker inside the block, and what cannot
/// be edited as lines.
pub fn get(text: &[u8], markers: &Markers) -> Result<Option<Vec<u8>>, BlockError> {
    check_text(text)?;
    Ok(find(text, markers)?.map(|found| {
        let mut content = Vec::new();
        for line in found.inner {
            content.extend_from_slice(line.content);
            content.push(b'\n');
        }
        content
    }))
}

/// Takes the block out, markers included; a text without it comes back as it is.
///
/// # Errors
/// A broken or doubled pair of markers, another block's marker inside the block, and what cannot
/// be edited as lines.
pub fn remove(text: &[u8], markers: &Markers) -> Result<Vec<u8>, BlockError> {
    check_text(text)?;
    let Some(found) = find(text, markers)? else {
        return Ok(text.to_vec());
    };
    let before = if found.after_unterminated && found.after.is_empty() {
        let kept = found.before.strip_suffix(b"\n").unwrap_or(found.before);
        kept.strip_suffix(b"\r").unwrap_or(kept)
    } else {
        found.before
    };
    Ok([before, found.after].concat())
}

#[cfg(test)]
mod tests;
