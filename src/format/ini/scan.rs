//! Reads an INI file into lines that know what they are and where their parts stand.

use std::ops::Range;

use super::IniError;
use crate::format::lines::{Line, check_text, lines};

/// A line with a key.
#[derive(Debug, Clone)]
pub(super) struct KeyLine<'a> {
    pub(super) line: Line<'a>,
    pub(super) name: &'a [u8],
    /// White space before the name.
    pub(super) indentation: &'a [u8],
    /// White space between the name and `=`.
    pub(super) before_sign: &'a [u8],
    /// White space between `=` and the value; all that follows `=` when the value is empty.
    pub(super) after_sign: &'a [u8],
    /// The place of the value in the file.
    pub(super) value: Range<usize>,
}

#[derive(Debug, Clone)]
pub(super) enum Entry<'a> {
    Blank(Line<'a>),
    Comment(Line<'a>),
    Header { line: Line<'a>, name: &'a [u8] },
    Key(KeyLine<'a>),
    Other(Line<'a>),
}

impl<'a> Entry<'a> {
    pub(super) fn line(&self) -> &Line<'a> {
        match self {
            Self::Blank(line) | Self::Comment(line) | Self::Other(line) => line,
            Self::Header { line, .. } => line,
            Self::Key(key) => &key.line,
        }
    }
}

/// A whole file, read.
pub(super) struct Scan<'a> {
    pub(super) entries: Vec<Entry<'a>>,
}

/// The name in a section header: what stands before the first `]` that nothing but white space
/// or a comment follows. (git allows a `]` inside a quoted name.)
pub(super) fn header_name(content: &[u8]) -> Option<&[u8]> {
    let inside = content.trim_ascii().strip_prefix(b"[")?;
    let name = inside.iter().enumerate().filter(|(_, byte)| **byte == b']').find_map(|(index, _)| {
        let (name, rest) = inside.split_at_checked(index)?;
        let rest = rest.strip_prefix(b"]")?.trim_ascii_start();
        let ends = rest.is_empty() || rest.starts_with(b";") || rest.starts_with(b"#");
        ends.then(|| name.trim_ascii())
    })?;
    (!name.is_empty()).then_some(name)
}

/// Whether a byte is white space between the parts of a key line. A carriage return is none: it
/// must not be copied into the spacing of a new line.
fn is_space(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// The white space at the start of some bytes, and the rest.
fn split_leading_space(bytes: &[u8]) -> (&[u8], &[u8]) {
    let count = bytes.iter().take_while(|byte| is_space(byte)).count();
    bytes.split_at_checked(count).unwrap_or((b"", bytes))
}

/// Some bytes without the white space at their end.
fn without_trailing_space(bytes: &[u8]) -> &[u8] {
    let count = bytes.iter().rev().take_while(|byte| is_space(byte)).count();
    bytes.get(..bytes.len() - count).unwrap_or_default()
}

fn key_line<'a>(line: Line<'a>) -> Option<KeyLine<'a>> {
    let sign = line.content.iter().position(|byte| *byte == b'=')?;
    let (left, right) = line.content.split_at_checked(sign)?;
    let (indentation, left) = split_leading_space(left);
    let name = without_trailing_space(left);
    if name.is_empty() {
        return None;
    }
    let (after_sign, value) = split_leading_space(right.strip_prefix(b"=")?);
    let value_start = line.start + sign + 1 + after_sign.len();
    Some(KeyLine {
        line,
        name,
        indentation,
        before_sign: left.get(name.len()..)?,
        after_sign,
        value: value_start..value_start + without_trailing_space(value).len(),
    })
}

impl<'a> Scan<'a> {
    pub(super) fn new(text: &'a [u8]) -> Result<Self, IniError> {
        check_text(text)?;
        let entries = lines(text)
            .into_iter()
            .map(|line| {
                let content = line.content.trim_ascii();
                match content.first() {
                    None => Ok(Entry::Blank(line)),
                    Some(b';' | b'#') => Ok(Entry::Comment(line)),
                    Some(b'[') => header_name(content)
                        .map(|name| Entry::Header { line, name })
                        .ok_or(IniError::Header { line: line.number }),
                    Some(_) => Ok(key_line(line).map_or(Entry::Other(line), Entry::Key)),
                }
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { entries })
    }

    /// The entries of a section, headers left out, with their indices.
    fn members(&self, section: Option<&str>) -> impl Iterator<Item = (usize, &Entry<'a>)> {
        let mut inside = section.is_none();
        self.entries.iter().enumerate().filter(move |(_, entry)| match entry {
            Entry::Header { name, .. } => {
                inside = section.is_some_and(|section| section.as_bytes() == *name);
                false
            }
            _ => inside,
        })
    }

    /// The one line that holds this key.
    pub(super) fn key(&self, section: Option<&str>, key: &str) -> Result<Option<&KeyLine<'a>>, IniError> {
        let mut found = self.members(section).filter_map(|(_, entry)| match entry {
            Entry::Key(line) if line.name == key.as_bytes() => Some(line),
            _ => None,
        });
        match (found.next(), found.next()) {
            (Some(first), Some(second)) => Err(IniError::DuplicateKey {
                key: key.to_owned(),
                first: first.line.number,
                second: second.line.number,
            }),
            (found, _) => Ok(found),
        }
    }

    /// The indices of the headers with this name.
    pub(super) fn headers(&self, section: &str) -> impl Iterator<Item = usize> {
        self.entries.iter().enumerate().filter_map(move |(index, entry)| match entry {
            Entry::Header { name, .. } if *name == section.as_bytes() => Some(index),
            _ => None,
        })
    }

    /// The entries below a header, down to the next one, with their indices.
    fn below(&self, header: usize) -> impl Iterator<Item = (usize, &Entry<'a>)> {
        self.entries
            .iter()
            .enumerate()
            .skip(header + 1)
            .take_while(|(_, entry)| !matches!(entry, Entry::Header { .. }))
    }

    /// The index of the last line that holds something of the section at this header: a key, a
    /// line of another kind, or the header itself.
    pub(super) fn last_of_section(&self, header: usize) -> usize {
        self.below(header)
            .filter(|(_, entry)| matches!(entry, Entry::Key(_) | Entry::Other(_)))
            .last()
            .map_or(header, |(index, _)| index)
    }

    /// The index of the last line above the first header that holds something.
    pub(super) fn last_above_sections(&self) -> Option<usize> {
        self.members(None)
            .filter(|(_, entry)| matches!(entry, Entry::Key(_) | Entry::Other(_)))
            .last()
            .map(|(index, _)| index)
    }

    /// Whether nothing stands in the section at this header that removing it would lose or orphan.
    pub(super) fn is_empty_section(&self, header: usize) -> bool {
        self.last_of_section(header) == header
            && !matches!(self.entries.get(header + 1), Some(Entry::Comment(_)))
    }

    /// The key line whose spacing a new key of this section follows: the section's last one with
    /// a value, or else the file's last one.
    pub(super) fn pattern(&self, section: Option<&str>) -> Option<&KeyLine<'a>> {
        fn shows_spacing<'b, 'a>(entry: &'b Entry<'a>) -> Option<&'b KeyLine<'a>> {
            match entry {
                Entry::Key(line) if !line.value.is_empty() => Some(line),
                _ => None,
            }
        }
        self.members(section)
            .filter_map(|(_, entry)| shows_spacing(entry))
            .last()
            .or_else(|| self.entries.iter().rev().find_map(shows_spacing))
    }
}
