//! Owned keys in an INI-like file that somebody else owns.
//!
//! What is understood is what the common programs agree on (measured with rclone 1.60; git,
//! systemd and Samba read the same way unless said otherwise):
//!
//! - A line is blank, a comment (`;` or `#` first), a section header (`[name]`, nothing after it
//!   but white space or a comment), a key with its value (the first `=` divides them), or
//!   something else, which is kept and counts as part of its section.
//! - Names of sections and keys are compared byte for byte; git and Samba ignore case.
//! - White space around names and values does not count. Everything after `=` is the value:
//!   quotes, `#`, `;` and a backslash at the end mean nothing here. A program that reads them
//!   differently (git does) must be given a value written in its own way.
//! - Sections with the same name are one section. A new key goes into the last of them.
//! - A key that stands twice in its section is refused when it is asked for, because programs
//!   differ in which one counts.
//!
//! Every byte outside the changed value or the added or removed lines stays as it is: comments,
//! order, blank lines, spacing, line endings, byte order mark.

use thiserror::Error;

use super::lines::NotText;

mod edit;
mod scan;

use scan::Scan;

/// Why keys of an INI file cannot be read or changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IniError {
    /// The file cannot be edited line by line.
    #[error(transparent)]
    NotText(#[from] NotText),
    /// A line begins like a section header and is none, so it is unclear what the keys below it
    /// belong to.
    #[error("read the section header on line {line}: it must be [name] and nothing else")]
    Header {
        /// The line, counted from 1.
        line: usize,
    },
    /// The key stands twice in its section.
    #[error("choose between two values of {key:?}, on lines {first} and {second}")]
    DuplicateKey {
        /// The key.
        key: String,
        /// The first line, counted from 1.
        first: usize,
        /// The second line, counted from 1.
        second: usize,
    },
    /// The section name would not be read back as it is.
    #[error("use {name:?} as a section name")]
    SectionName {
        /// The name that was refused.
        name: String,
    },
    /// The key would not be read back as it is.
    #[error("use {name:?} as a key")]
    KeyName {
        /// The key that was refused.
        name: String,
    },
    /// The value would not be read back as it is. It may be a secret and is not shown.
    #[error("write the value of {key:?}: it holds a line ending or a zero byte, or white space at its edge")]
    Value {
        /// The key whose value was refused.
        key: String,
    },
}

/// When a section may be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SectionRemoval {
    /// Only when nothing stands in it: no key, no other line, no comment directly below its
    /// header.
    IfEmpty,
    /// With all its keys.
    Always,
}

/// The value of a key, or `None` when the file does not have it.
///
/// `section` is `None` for keys above the first section header.
///
/// # Errors
/// [`IniError::DuplicateKey`], [`IniError::Header`], [`IniError::NotText`], and names that cannot
/// stand in a file.
pub fn get<'a>(text: &'a [u8], section: Option<&str>, key: &str) -> Result<Option<&'a [u8]>, IniError> {
    check_names(section, key)?;
    let scan = Scan::new(text)?;
    Ok(scan.key(section, key)?.map(|entry| text.get(entry.value.clone()).unwrap_or_default()))
}

/// Writes the value of a key.
///
/// A key that is there keeps its line; only the value's bytes change, and none when the value is
/// the same. A new key goes below the last key of its section, written with the same spacing. A
/// new section goes to the end of the file, behind a blank line.
///
/// # Errors
/// As for [`get`], and [`IniError::Value`] for a value that would not be read back as it is.
pub fn set(text: &[u8], section: Option<&str>, key: &str, value: &str) -> Result<Vec<u8>, IniError> {
    check_names(section, key)?;
    let value_fits =
        !value.contains(['\n', '\r', '\0']) && value.as_bytes().trim_ascii().len() == value.len();
    if !value_fits {
        return Err(IniError::Value { key: key.to_owned() });
    }
    let scan = Scan::new(text)?;
    Ok(match scan.key(section, key)? {
        Some(entry) => edit::replace_value(text, entry, value),
        None => edit::add_key(text, &scan, section, key, value),
    })
}

/// Takes a key's line out. A file without the key comes back as it is; the section stays, see
/// [`remove_section`].
///
/// # Errors
/// As for [`get`].
pub fn remove(text: &[u8], section: Option<&str>, key: &str) -> Result<Vec<u8>, IniError> {
    check_names(section, key)?;
    let scan = Scan::new(text)?;
    Ok(match scan.key(section, key)? {
        Some(entry) => edit::delete_key(text, &scan, entry),
        None => text.to_vec(),
    })
}

/// Takes a section out: its header, and everything down to its last key. Comments below the last
/// key stay, because they often head the next section. One blank line goes too: the one below, or
/// else the one above. A file without the section comes back as it is.
///
/// # Errors
/// As for [`get`].
pub fn remove_section(text: &[u8], section: &str, removal: SectionRemoval) -> Result<Vec<u8>, IniError> {
    check_section(section)?;
    let scan = Scan::new(text)?;
    let headers: Vec<usize> = scan
        .headers(section)
        .filter(|header| removal == SectionRemoval::Always || scan.is_empty_section(*header))
        .collect();
    Ok(edit::delete_sections(text, &scan, &headers))
}

/// Whether the file has a header of a section.
///
/// # Errors
/// As for [`get`].
pub fn has_section(text: &[u8], section: &str) -> Result<bool, IniError> {
    check_section(section)?;
    Ok(Scan::new(text)?.headers(section).next().is_some())
}

fn check_section(name: &str) -> Result<(), IniError> {
    let line = format!("[{name}]");
    if name.contains(['\n', '\r', '\0']) || scan::header_name(line.as_bytes()) != Some(name.as_bytes()) {
        return Err(IniError::SectionName { name: name.to_owned() });
    }
    Ok(())
}

fn check_names(section: Option<&str>, key: &str) -> Result<(), IniError> {
    section.map_or(Ok(()), check_section)?;
    let fits = !key.is_empty()
        && !key.contains(['\n', '\r', '\0', '='])
        && !key.starts_with(['[', ';', '#'])
        // A byte order mark would be taken for the file's own.
        && !key.starts_with('\u{feff}')
        && key.as_bytes().trim_ascii().len() == key.len();
    if fits { Ok(()) } else { Err(IniError::KeyName { name: key.to_owned() }) }
}

#[cfg(test)]
mod tests;
