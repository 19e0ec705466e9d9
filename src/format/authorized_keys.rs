//! Keys in an `authorized_keys` file that somebody else owns: one line each, the rest stays byte for byte.
//!
//! A line is `[OPTIONS ]TYPE BASE64[ COMMENT]` (`sshd(8)`, AUTHORIZED_KEYS FILE FORMAT). A key is
//! known by its type and blob, whatever stands around it. Options end at the first white space outside
//! double quotes; a backslash keeps a quote from ending the text in quotes.

mod key;

use thiserror::Error;

use super::lines::{Line, NotText, check_text, is_unterminated, lines, terminator_of};

pub use key::{PublicKey, PublicKeyError};

/// Why keys of a file cannot be read or changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AuthorizedKeysError {
    /// The file cannot be edited line by line.
    #[error(transparent)]
    NotText(#[from] NotText),
    /// The options would not be read back as they are.
    #[error("use {options:?} as the options of a key: {reason}")]
    Options {
        /// The options that were refused.
        options: String,
        /// What is wrong.
        reason: &'static str,
    },
}

/// What stands around a key in its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Around {
    /// The options, as they are written; empty when there are none.
    pub options: String,
    /// The comment; empty when there is none.
    pub comment: String,
}

/// Checks options as they stand before a key: one line, quotes that end, no white space outside them,
/// nothing that would be taken for a key's type.
///
/// # Errors
/// [`AuthorizedKeysError::Options`].
pub fn check_options(options: &str) -> Result<(), AuthorizedKeysError> {
    let refuse = |reason| Err(AuthorizedKeysError::Options { options: options.to_owned(), reason });
    if options.chars().any(char::is_control) {
        return refuse("they hold a control character");
    }
    if options.starts_with('#') {
        return refuse("they would make the line a comment");
    }
    if key::is_type(options) {
        return refuse("they would be taken for the type of a key");
    }
    match options_end(options.as_bytes()) {
        Some(end) if end == options.len() => Ok(()),
        Some(_) => refuse("they hold white space outside of quotes"),
        None => refuse("a quote in them does not end"),
    }
}

/// Where options end: at the first white space outside quotes. Nothing when a quote does not end.
fn options_end(text: &[u8]) -> Option<usize> {
    let mut is_quoted = false;
    let mut is_escaped = false;
    for (index, byte) in text.iter().enumerate() {
        match byte {
            b' ' | b'\t' if !is_quoted => return Some(index),
            b'"' if !is_escaped => is_quoted = !is_quoted,
            _ => {}
        }
        is_escaped = *byte == b'\\' && !is_escaped;
    }
    (!is_quoted).then_some(text.len())
}

/// A line that lets somebody in, or that is meant to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The line, counted from 1.
    pub line: usize,
    /// The options, as they are written; empty when there are none.
    pub options: String,
    /// The key, or why it is none.
    pub key: Result<PublicKey, PublicKeyError>,
}

/// Every line that is neither empty nor a comment, whatever the text is.
#[must_use]
pub fn entries(text: &[u8]) -> Vec<Entry> {
    lines(text)
        .into_iter()
        .filter_map(|line| {
            let text = String::from_utf8_lossy(line.content);
            let text = text.trim();
            if text.is_empty() || text.starts_with('#') {
                return None;
            }
            let first = text.split([' ', '\t']).next()?;
            let end = if key::is_type(first) { 0 } else { options_end(text.as_bytes()).unwrap_or(0) };
            let (options, rest) = text.split_at_checked(end)?;
            Some(Entry {
                line: line.number,
                options: options.to_owned(),
                key: PublicKey::parse(rest.trim_start()),
            })
        })
        .collect()
}

/// What stands around a key in a line, when the line holds it.
fn around(line: &[u8], wanted: &PublicKey) -> Option<Around> {
    let text = std::str::from_utf8(line).ok()?.trim();
    if text.starts_with('#') {
        return None;
    }
    let (options, rest) = match key::is_type(text.split([' ', '\t']).next()?) {
        true => ("", text),
        false => {
            let (options, rest) = text.split_at_checked(options_end(text.as_bytes())?)?;
            (options, rest.trim_start())
        }
    };
    let key = PublicKey::parse(rest).ok()?;
    let is_it = key.sort() == wanted.sort() && key.blob() == wanted.blob();
    is_it.then(|| Around { options: options.to_owned(), comment: key.comment().to_owned() })
}

fn holding<'a>(text: &'a [u8], key: &PublicKey) -> Vec<(Line<'a>, Around)> {
    let with = |line: Line<'a>| around(line.content, key).map(|around| (line, around));
    lines(text).into_iter().filter_map(with).collect()
}

/// What stands around a key in each of the lines that hold it.
///
/// # Errors
/// What cannot be edited as lines.
pub fn get(text: &[u8], key: &PublicKey) -> Result<Vec<Around>, AuthorizedKeysError> {
    check_text(text)?;
    Ok(holding(text, key).into_iter().map(|(_, around)| around).collect())
}

/// Makes one line of a key: the first that holds it takes these options, others that hold it go, and
/// where there is none it comes last. Without a `comment` a line keeps its own, and a new one gets that
/// of the key.
///
/// # Errors
/// Options that cannot be written, and what cannot be edited as lines.
pub fn set(
    text: &[u8],
    key: &PublicKey,
    options: &str,
    comment: Option<&str>,
) -> Result<Vec<u8>, AuthorizedKeysError> {
    check_text(text)?;
    check_options(options)?;
    let newline = terminator_of(text).unwrap_or(b"\n");
    let found = holding(text, key);
    let line = |comment: &str| {
        let words = [options, key.sort(), &key.encoded(), comment];
        words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
    };
    let Some(((first, present), others)) = found.split_first() else {
        let mut edited = text.to_vec();
        if is_unterminated(text) {
            edited.extend_from_slice(newline);
        }
        edited.extend_from_slice(line(comment.unwrap_or(key.comment())).as_bytes());
        edited.extend_from_slice(newline);
        return Ok(edited);
    };
    let is_right = present.options == options && comment.is_none_or(|comment| comment == present.comment);
    let mut edited = text.get(..first.start).unwrap_or_default().to_vec();
    if is_right {
        edited.extend_from_slice(first.content);
    } else {
        edited.extend_from_slice(line(comment.unwrap_or(&present.comment)).as_bytes());
    }
    edited.extend_from_slice(first.terminator);
    let rest = text.get(first.end()..).unwrap_or_default();
    edited.extend_from_slice(&without(rest, first.end(), others.iter().map(|(line, _)| line)));
    Ok(edited)
}

/// Takes every line of a key out. A text without it comes back as it is.
///
/// # Errors
/// What cannot be edited as lines.
pub fn remove(text: &[u8], key: &PublicKey) -> Result<Vec<u8>, AuthorizedKeysError> {
    check_text(text)?;
    Ok(without(text, 0, holding(text, key).iter().map(|(line, _)| line)))
}

/// A text that begins at `offset` of a whole one, without some lines of that.
fn without<'a>(text: &[u8], offset: usize, lines: impl Iterator<Item = &'a Line<'a>>) -> Vec<u8> {
    let mut kept = Vec::with_capacity(text.len());
    let mut end = 0;
    for line in lines {
        let (start, next) = (line.start.saturating_sub(offset), line.end().saturating_sub(offset));
        kept.extend_from_slice(text.get(end..start).unwrap_or_default());
        end = next;
    }
    kept.extend_from_slice(text.get(end..).unwrap_or_default());
    kept
}

#[cfg(test)]
mod tests;
