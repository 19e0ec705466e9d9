//! Owned keys in a JSON or JSONC document that somebody else owns.
//!
//! A key is addressed by a [`Pointer`]: names of objects inside objects. Arrays are values and are
//! owned whole. Every byte outside the changed value, or the added or removed member, stays as it
//! is: comments, trailing commas, order, indentation, escapes, large numbers, byte order mark.
//!
//! - Comments (`//`, `/* */`) and trailing commas are accepted and kept; everything else is
//!   strict JSON (RFC 8259).
//! - An empty file, or one with only comments, counts as `{}`.
//! - Two equal keys in one object are refused wherever they stand, because programs differ in
//!   which one counts (RFC 8259, section 4). Keys are equal when they are after their escapes are
//!   read.
//! - Nesting is limited to [`MAXIMUM_DEPTH`], so that a hostile file cannot exhaust the stack.
//! - Values are compared by what they mean: order in an object and escapes in a string do not
//!   count, and numbers are equal when they are the same number, so `1`, `1.0` and `10e-1` are.
//!   Setting an equal value changes no byte.
//! - The parser is the `jsonc-parser` crate (MIT, no features, no dependencies of its own), for its
//!   places and tokens. The editing that its `cst` feature offers is not used, because it does not
//!   keep bytes: it breaks a one-line object into lines on append, and drops blank lines and
//!   comments on removal (tested with 0.34.0).

use serde_json::Value;
use thiserror::Error;

mod document;
mod edit;
mod layout;
mod meaning;
mod pointer;

use document::{Document, Lookup};
pub use pointer::Pointer;

/// How deep objects and arrays may be nested; the outermost has depth 1.
pub const MAXIMUM_DEPTH: usize = 128;

/// Why keys of a JSON document cannot be read or changed. Lines and columns are counted from 1,
/// columns in characters. No error shows a value, because it may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum JsonError {
    /// The pointer is not written as RFC 6901 says, or it names no key.
    #[error("use {text:?} as a JSON pointer: it must be /key or /key/key, with ~0 for ~ and ~1 for /")]
    Pointer {
        /// The pointer that was refused.
        text: String,
    },
    /// The file is not UTF-8.
    #[error("read the JSON at line {line}, column {column}: it is not UTF-8")]
    NotUtf8 {
        /// The line of the first wrong byte.
        line: usize,
        /// Its column.
        column: usize,
    },
    /// The file is not JSON.
    #[error("read the JSON at line {line}, column {column}: {message}")]
    Syntax {
        /// The line of the problem.
        line: usize,
        /// Its column.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// Objects and arrays are nested too deep in the file.
    #[error("read the JSON at line {line}, column {column}: it is nested deeper than {MAXIMUM_DEPTH}")]
    TooDeep {
        /// The line where it goes too deep.
        line: usize,
        /// Its column.
        column: usize,
    },
    /// The new value would be nested too deep.
    #[error("write {pointer}: the document would be nested deeper than {MAXIMUM_DEPTH}")]
    ValueTooDeep {
        /// The key to be set.
        pointer: Pointer,
    },
    /// An object has the same key twice.
    #[error(
        "choose between two values of {key:?}, at line {first_line}, column {first_column}, and at line {line}, column {column}"
    )]
    DuplicateKey {
        /// The key.
        key: String,
        /// The line of the second one.
        line: usize,
        /// Its column.
        column: usize,
        /// The line of the first one.
        first_line: usize,
        /// Its column.
        first_column: usize,
    },
    /// Something that is no object stands where the key's object should be. It is not replaced,
    /// because it is not ours.
    #[error("write {pointer}: the value at line {line}, column {column} is not an object")]
    NotAnObject {
        /// The key to be set.
        pointer: Pointer,
        /// The line of what stands there.
        line: usize,
        /// Its column.
        column: usize,
    },
    /// A number is too large to be read as a value.
    #[error("read the number at line {line}, column {column}: it is out of range")]
    NumberOutOfRange {
        /// The line of the number.
        line: usize,
        /// Its column.
        column: usize,
    },
}

/// The value at a key, or `None` when it is not there.
///
/// An integer beyond 64 bits, or a fraction of more than 15 digits, may come back rounded; compare
/// with [`holds`], which is exact.
///
/// # Errors
/// A document that cannot be read, and [`JsonError::NumberOutOfRange`].
pub fn get(text: &[u8], pointer: &Pointer) -> Result<Option<Value>, JsonError> {
    let document = Document::parse(text)?;
    match document.look_up(pointer) {
        Lookup::Found { member, .. } => meaning::to_value(&document, &member.value).map(Some),
        Lookup::Missing { .. } | Lookup::Blocked { .. } => Ok(None),
    }
}

/// Whether the key is there and has this value, compared as the module's page says.
///
/// # Errors
/// A document that cannot be read.
pub fn holds(text: &[u8], pointer: &Pointer, value: &Value) -> Result<bool, JsonError> {
    let document = Document::parse(text)?;
    Ok(match document.look_up(pointer) {
        Lookup::Found { member, .. } => meaning::is_equal(&member.value, value),
        Lookup::Missing { .. } | Lookup::Blocked { .. } => false,
    })
}

/// Writes the value of a key.
///
/// A key that is there keeps its place and gets the new value whole; none of the old value's
/// comments or keys are merged in. A new key goes to the end of its object, with the objects
/// around it made as needed. New text follows the file: its indentation, its line ending, its
/// spacing, one line or many.
///
/// # Errors
/// A document that cannot be read, [`JsonError::NotAnObject`] and [`JsonError::ValueTooDeep`].
pub fn set(text: &[u8], pointer: &Pointer, value: &Value) -> Result<Vec<u8>, JsonError> {
    let document = Document::parse(text)?;
    let room = MAXIMUM_DEPTH.checked_sub(pointer.keys().len());
    if !room.is_some_and(|room| meaning::is_within_depth(value, room)) {
        return Err(JsonError::ValueTooDeep { pointer: pointer.clone() });
    }
    match document.look_up(pointer) {
        Lookup::Found { member, .. } if meaning::is_equal(&member.value, value) => Ok(text.to_vec()),
        Lookup::Found { object, member } => Ok(edit::replace_value(&document, object, member, value)),
        Lookup::Missing { object, holder, keys } => {
            Ok(edit::add_member(&document, object, holder, keys, value))
        }
        Lookup::Blocked { at } => {
            let (line, column) = document.place(at);
            Err(JsonError::NotAnObject { pointer: pointer.clone(), line, column })
        }
    }
}

/// Takes a key and its value out. A document without the key comes back as it is.
///
/// Only the member goes, with its comma and, if it had one, its own line. Comments near it stay,
/// and so does the object it was in, even when that was made for it and is now `{}`. So does a
/// file that was made for it: it keeps `{}`. An object that becomes empty is written `{}`, unless
/// it holds a comment.
///
/// # Errors
/// A document that cannot be read.
pub fn remove(text: &[u8], pointer: &Pointer) -> Result<Vec<u8>, JsonError> {
    let document = Document::parse(text)?;
    Ok(match document.look_up(pointer) {
        Lookup::Found { object, member } => edit::remove_member(&document, object, member),
        Lookup::Missing { .. } | Lookup::Blocked { .. } => text.to_vec(),
    })
}

/// Whether an object, or the whole document when no key is given, is there and holds nothing at all, not
/// even a comment. An empty document holds nothing.
///
/// # Errors
/// A document that cannot be read.
pub fn is_bare(text: &[u8], pointer: Option<&Pointer>) -> Result<bool, JsonError> {
    let document = Document::parse(text)?;
    Ok(match pointer.map(|pointer| document.look_up(pointer)) {
        None => document.is_bare(),
        Some(Lookup::Found { member, .. }) => document.is_bare_object(&member.value),
        Some(Lookup::Missing { .. } | Lookup::Blocked { .. }) => false,
    })
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
