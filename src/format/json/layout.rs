//! How a JSON document is laid out, and new text in the same layout.

use jsonc_parser::ast;
use jsonc_parser::common::Ranged;
use serde_json::Value;

use super::document::Document;
use crate::format::lines::terminator_of;

/// The indentation for a document that shows none.
const DEFAULT_INDENTATION: &str = "  ";

/// How a member is written that shares its line with others, or has its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lines {
    /// Each member on its own line; the text is the indentation of the member at hand.
    Own(String),
    /// All on one line.
    Shared,
}

/// The spacing of a document.
pub(super) struct Style<'a> {
    /// The line ending.
    pub(super) newline: &'static str,
    /// One step of indentation.
    pub(super) step: &'a str,
    /// What stands between a key and its value: a colon and white space.
    pub(super) colon: &'a str,
    /// What stands between two members on one line: a comma and white space.
    pub(super) comma: &'a str,
}

/// The white space before an offset, when nothing else stands before it on its line. Looks no
/// further back than that white space, so that it costs little on a document of one long line.
pub(super) fn own_line<'a>(document: &Document<'a>, offset: usize) -> Option<&'a str> {
    let before = document.slice(0, offset);
    let visible = before.trim_end_matches([' ', '\t']);
    let starts_line = visible.is_empty() || visible.ends_with(['\n', '\r']);
    starts_line.then(|| document.slice(visible.len(), offset))
}

/// The indentation of the line on which an offset lies.
pub(super) fn line_indentation<'a>(document: &Document<'a>, offset: usize) -> &'a str {
    let before = document.slice(0, offset);
    let line = before.rsplit(['\n', '\r']).next().unwrap_or(before);
    line.split(|c| !matches!(c, ' ' | '\t')).next().unwrap_or("")
}

/// Whether a text is spaces and tabs only, or empty.
pub(super) fn is_blank(text: &str) -> bool {
    text.chars().all(|c| matches!(c, ' ' | '\t'))
}

impl<'a> Style<'a> {
    /// The spacing that new text in or below this object follows: that of the object's own
    /// members, or else of the outermost object's.
    pub(super) fn of(document: &Document<'a>, object: Option<&ast::Object<'a>>) -> Self {
        let root = document.root.as_ref().and_then(ast::Value::as_object);
        let pattern = object.filter(|object| !object.properties.is_empty()).or(root);
        let colon = pattern
            .and_then(|object| object.properties.last())
            .map(|member| document.slice(member.name.end(), member.value.start()))
            .filter(|text| {
                text.split_once(':').is_some_and(|(before, after)| is_blank(before) && is_blank(after))
            })
            .unwrap_or(": ");
        let comma = pattern
            .and_then(|object| match object.properties.as_slice() {
                [.., before, last] => Some(document.slice(before.end(), last.start())),
                _ => None,
            })
            // White space before a comma would be left behind when the member is removed.
            .filter(|text| text.strip_prefix(',').is_some_and(is_blank))
            .unwrap_or(if colon.ends_with(' ') { ", " } else { "," });
        Self {
            newline: match terminator_of(document.body.as_bytes()) {
                Some(b"\r\n") => "\r\n",
                _ => "\n",
            },
            step: document
                .root
                .as_ref()
                .and_then(|root| first_step(document, root))
                .unwrap_or(DEFAULT_INDENTATION),
            colon,
            comma,
        }
    }

    /// One member, without a comma.
    pub(super) fn member(&self, key: &str, value: &Value, lines: &Lines) -> String {
        let key = Value::from(key);
        format!("{key}{}{}", self.colon, self.value(value, lines))
    }

    /// A value whose member stands as `lines` says. The recursion is bounded by the caller's
    /// check of the value's depth.
    pub(super) fn value(&self, value: &Value, lines: &Lines) -> String {
        let deeper = match lines {
            Lines::Own(indentation) => Lines::Own(format!("{indentation}{}", self.step)),
            Lines::Shared => Lines::Shared,
        };
        match value {
            Value::Array(array) if !array.is_empty() => {
                let elements = array.iter().map(|element| self.value(element, &deeper));
                self.enclose("[", elements.collect(), "]", lines, &deeper)
            }
            Value::Object(object) if !object.is_empty() => {
                let members = object.iter().map(|(key, value)| self.member(key, value, &deeper));
                self.enclose("{", members.collect(), "}", lines, &deeper)
            }
            other => other.to_string(),
        }
    }

    fn enclose(&self, open: &str, items: Vec<String>, close: &str, lines: &Lines, deeper: &Lines) -> String {
        match (lines, deeper) {
            (Lines::Own(outer), Lines::Own(inner)) => {
                let newline = self.newline;
                let items = items.join(&format!(",{newline}{inner}"));
                format!("{open}{newline}{inner}{items}{newline}{outer}{close}")
            }
            _ => format!("{open}{}{close}", items.join(self.comma)),
        }
    }
}

/// The first step of indentation that the document shows: the space by which something stands
/// further in than the line that opens it.
fn first_step<'a>(document: &Document<'a>, value: &ast::Value<'a>) -> Option<&'a str> {
    let step_to = |offset: usize| {
        own_line(document, offset)
            .and_then(|inner| inner.strip_prefix(line_indentation(document, value.start())))
            .filter(|step| !step.is_empty())
    };
    match value {
        ast::Value::Array(array) => array
            .elements
            .iter()
            .find_map(|element| step_to(element.start()).or_else(|| first_step(document, element))),
        ast::Value::Object(object) => object
            .properties
            .iter()
            .find_map(|member| step_to(member.start()).or_else(|| first_step(document, &member.value))),
        _ => None,
    }
}
