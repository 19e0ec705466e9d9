//! Faults of the YAML text itself, in words a person can act on.

use std::sync::Arc;

use saphyr_parser::ScanError;

use crate::model::{Diagnostic, Source, Span};

/// The first character that YAML forbids in a file, when there is one.
///
/// YAML 1.2.2 section 5.1 allows no control characters but tab and line ends. The parser takes a
/// NUL for the end of the text and would silently lose what follows.
pub(super) fn forbidden_character(source: &Arc<Source>) -> Option<Diagnostic> {
    let (at, character) = source.text().char_indices().find(|(_, character)| {
        character.is_control() && !matches!(character, '\t' | '\n' | '\r' | '\u{85}')
    })?;
    let span = Span::new(source, at, at + character.len_utf8());
    Some(
        Diagnostic::at(&span, format!("the character U+{:04X} is not allowed", u32::from(character)))
            .expected(
                "text without control characters; \"\\x1b\" and the like can be written in double quotes",
            ),
    )
}

/// A syntax error of the parser at its place. Its own words are kept where they are clear.
pub(super) fn explain(error: &ScanError, at: &Span) -> Diagnostic {
    let info = error.info();
    let known = KNOWN.iter().find(|(part, _, _)| info.contains(part));
    let Some((_, message, expected)) = known else {
        return Diagnostic::at(at, format!("not valid YAML: {info}"));
    };
    Diagnostic::at(at, *message).expected(*expected)
}

/// A part of the parser's text, what is wrong, what would be right.
const KNOWN: &[(&str, &str, &str)] = &[
    (
        "tabs disallowed within this context",
        "a tab stands in the indentation",
        "spaces: YAML does not allow tabs there",
    ),
    (
        "tab cannot be used as indentation",
        "a tab stands in the indentation",
        "spaces: YAML does not allow tabs there",
    ),
    (
        "mapping values are not allowed in this context",
        "a `:` stands where no key can be",
        "the indentation of the other keys, or quotes around a text that holds `: `",
    ),
    (
        "illegal placement of ':' indicator",
        "a `:` stands where no key can be",
        "a `]` before it, or quotes around a text that holds `:`",
    ),
    (
        "while parsing a flow mapping, did not find expected",
        "a map in braces does not go on here",
        "`,` or `}`",
    ),
    ("while parsing a flow sequence, expected", "a list in brackets does not go on here", "`,` or `]`"),
    (
        "invalid indentation in quoted scalar",
        "a quoted text is not closed",
        "the closing quote on the same line",
    ),
    ("found unexpected end of stream", "a quoted text is not closed", "the closing quote"),
    (
        "found unknown anchor",
        "the alias has no anchor",
        "an `&` anchor of this name before it, or quotes around a text that starts with `*`",
    ),
    (
        "while scanning an anchor or alias",
        "an anchor or alias has no name",
        "quotes around a text that starts with `*` or `&`",
    ),
    ("unexpected character: `@'", "a text cannot start with `@`", "quotes around it"),
    ("unexpected character: ``'", "a text cannot start with a backquote", "quotes around it"),
    ("unexpected character: `%'", "a text cannot start with `%`", "quotes around it"),
    (
        "block sequence entries are not allowed in this context",
        "a list cannot start here",
        "the first `-` on its own line",
    ),
    ("simple key expected", "a key has no `:`", "`KEY: VALUE`"),
    ("simple key expect ':'", "a key has no `:`", "`KEY: VALUE`"),
    (
        "while parsing a block mapping, did not find expected key",
        "the indentation fits no map above",
        "the indentation of the keys this one belongs to",
    ),
    (
        "invalid indentation in flow construct",
        "a list or map in brackets is still open",
        "its closing bracket before this line, or this line further to the right",
    ),
    ("did not find expected node content", "a value is missing", "a value, or the closing bracket"),
    ("recursion limit exceeded", "lists and maps are nested too deep", "at most 64 inside each other"),
];
