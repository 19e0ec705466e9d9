//! A parsed JSON document that knows the place of every value, comma and comment.

use std::collections::HashMap;

use jsonc_parser::ast::{Object, ObjectProp, Value};
use jsonc_parser::common::{Range, Ranged};
use jsonc_parser::errors::ParseErrorKind;
use jsonc_parser::tokens::{Token, TokenAndRange};
use jsonc_parser::{CollectOptions, CommentCollectionStrategy, ParseOptions, parse_to_ast};

use super::{JsonError, MAXIMUM_DEPTH, Pointer};
use crate::format::lines::first_line_start;

/// The document; every offset in it counts from the start of `body`.
pub(super) struct Document<'a> {
    /// The byte order mark, or nothing.
    pub(super) prefix: &'a [u8],
    /// The text after the byte order mark.
    pub(super) body: &'a str,
    /// The outermost value; `None` in a file that is empty or holds only comments.
    pub(super) root: Option<Value<'a>>,
    /// All tokens in their order, comments too.
    tokens: Vec<TokenAndRange<'a>>,
}

/// What a pointer leads to.
pub(super) enum Lookup<'d, 'a, 'p> {
    /// The member is there.
    Found { object: &'d Object<'a>, member: &'d ObjectProp<'a> },
    /// The way ends at an object without the next key.
    Missing {
        /// The object; `None` when the document is empty.
        object: Option<&'d Object<'a>>,
        /// The member whose value the object is; `None` for the outermost.
        holder: Option<&'d ObjectProp<'a>>,
        /// The keys that are missing, outermost first; at least one.
        keys: &'p [String],
    },
    /// The way ends at a value that is no object.
    Blocked {
        /// The offset of that value.
        at: usize,
    },
}

/// Strict JSON, but for comments and trailing commas.
const OPTIONS: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_trailing_commas: true,
    allow_loose_object_property_names: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

const COLLECT: CollectOptions =
    CollectOptions { comments: CommentCollectionStrategy::AsTokens, tokens: true };

/// The line and column of an offset, both from 1, the column in characters. Lines end with LF,
/// CRLF, or a carriage return alone.
fn place(body: &str, offset: usize) -> (usize, usize) {
    let before = body.get(..offset).unwrap_or(body);
    let mut line = 1;
    let mut column = 1;
    let mut characters = before.chars().peekable();
    while let Some(character) = characters.next() {
        let is_break = character == '\n' || character == '\r' && characters.peek() != Some(&'\n');
        if is_break {
            line += 1;
            column = 1;
        } else {
            column += 1;
        }
    }
    (line, column)
}

/// The parser's message as a fragment that begins with a small letter.
fn fragment(kind: &ParseErrorKind) -> String {
    let message = kind.to_string();
    let mut characters = message.chars();
    match characters.next() {
        Some(first) => first.to_lowercase().chain(characters).collect(),
        None => message,
    }
}

fn decode(text: &[u8]) -> Result<(&[u8], &str), JsonError> {
    let (prefix, body) = text.split_at_checked(first_line_start(text)).unwrap_or((b"", text));
    match std::str::from_utf8(body) {
        Ok(body) => Ok((prefix, body)),
        Err(error) => {
            let valid = body.get(..error.valid_up_to()).unwrap_or_default();
            let (line, column) = place(&String::from_utf8_lossy(valid), usize::MAX);
            Err(JsonError::NotUtf8 { line, column })
        }
    }
}

impl<'a> Document<'a> {
    /// Reads a document and checks all that the module's page promises.
    pub(super) fn parse(text: &'a [u8]) -> Result<Self, JsonError> {
        let (prefix, body) = decode(text)?;
        // The parser stops by itself at a depth of 512, so its own recursion is bounded too.
        let parsed = parse_to_ast(body, &COLLECT, &OPTIONS).map_err(|error| {
            let (line, column) = place(body, error.range().start);
            match error.kind() {
                ParseErrorKind::NestingDepthExceeded => JsonError::TooDeep { line, column },
                kind => JsonError::Syntax { line, column, message: fragment(kind) },
            }
        })?;
        let document = Self { prefix, body, root: parsed.value, tokens: parsed.tokens.unwrap_or_default() };
        document.check_characters()?;
        if let Some(root) = &document.root {
            document.check_value(root, 1)?;
        }
        Ok(document)
    }

    /// The line and column of an offset.
    pub(super) fn place(&self, offset: usize) -> (usize, usize) {
        place(self.body, offset)
    }

    /// The text between two offsets.
    pub(super) fn slice(&self, start: usize, end: usize) -> &'a str {
        self.body.get(start..end).unwrap_or_default()
    }

    fn syntax_error(&self, offset: usize, message: &str) -> JsonError {
        let (line, column) = self.place(offset);
        JsonError::Syntax { line, column, message: message.to_owned() }
    }

    /// Refuses two things that the parser lets through and RFC 8259 does not: other white space
    /// than its four between tokens, and control characters in a string.
    fn check_characters(&self) -> Result<(), JsonError> {
        let find = |start: usize, end: usize, wrong: fn(char) -> bool| {
            self.slice(start, end).find(wrong).map(|at| start + at)
        };
        let mut end = 0;
        for token in &self.tokens {
            let range = token.range;
            self.check_gap(end, range.start)?;
            if matches!(token.token, Token::String(_))
                && let Some(at) = find(range.start, range.end, |c| c < ' ')
            {
                return Err(self.syntax_error(at, "unexpected control character in a string"));
            }
            end = range.end;
        }
        self.check_gap(end, self.body.len())
    }

    fn check_gap(&self, start: usize, end: usize) -> Result<(), JsonError> {
        let wrong = |c: char| !matches!(c, ' ' | '\t' | '\r' | '\n');
        match self.slice(start, end).find(wrong) {
            Some(at) => Err(self.syntax_error(start + at, "unexpected character")),
            None => Ok(()),
        }
    }

    fn check_value(&self, value: &Value<'a>, depth: usize) -> Result<(), JsonError> {
        if depth > MAXIMUM_DEPTH && matches!(value, Value::Object(_) | Value::Array(_)) {
            let (line, column) = self.place(value.start());
            return Err(JsonError::TooDeep { line, column });
        }
        match value {
            Value::Array(array) => {
                array.elements.iter().try_for_each(|element| self.check_value(element, depth + 1))
            }
            Value::Object(object) => {
                let mut seen = HashMap::new();
                for member in &object.properties {
                    let key = member.name.as_str();
                    if let Some(first) = seen.insert(key, member.start()) {
                        let (first_line, first_column) = self.place(first);
                        let (line, column) = self.place(member.start());
                        return Err(JsonError::DuplicateKey {
                            key: key.to_owned(),
                            line,
                            column,
                            first_line,
                            first_column,
                        });
                    }
                    self.check_value(&member.value, depth + 1)?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Follows a pointer as far as it goes.
    pub(super) fn look_up<'d, 'p>(&'d self, pointer: &'p Pointer) -> Lookup<'d, 'a, 'p> {
        let mut keys = pointer.keys();
        let mut holder = None;
        let mut value = match &self.root {
            Some(root) => root,
            None => {
                return Lookup::Missing { object: None, holder, keys };
            }
        };
        loop {
            let Value::Object(object) = value else {
                return Lookup::Blocked { at: value.start() };
            };
            let found = keys.split_first().and_then(|(key, rest)| {
                let member = object.properties.iter().find(|member| member.name.as_str() == key)?;
                Some((member, rest))
            });
            match found {
                None => {
                    return Lookup::Missing { object: Some(object), holder, keys };
                }
                Some((member, [])) => return Lookup::Found { object, member },
                Some((member, rest)) => {
                    holder = Some(member);
                    value = &member.value;
                    keys = rest;
                }
            }
        }
    }

    /// The comma that follows an offset, when it is the next token, comments aside.
    pub(super) fn comma_after(&self, offset: usize) -> Option<Range> {
        let first = self.tokens.partition_point(|token| token.range.start < offset);
        let next = self.tokens.iter().skip(first).find(|token| !is_comment(token))?;
        (next.token == Token::Comma).then_some(next.range)
    }

    /// The comma before an offset, when it is the token before it, comments aside.
    pub(super) fn comma_before(&self, offset: usize) -> Option<Range> {
        let count = self.tokens.partition_point(|token| token.range.end <= offset);
        let before = self.tokens.iter().take(count).rev().find(|token| !is_comment(token))?;
        (before.token == Token::Comma).then_some(before.range)
    }

    /// The comments that lie wholly between two offsets, in their order.
    pub(super) fn comments(&self, start: usize, end: usize) -> impl Iterator<Item = Range> {
        let first = self.tokens.partition_point(|token| token.range.start < start);
        self.tokens
            .iter()
            .skip(first)
            .take_while(move |token| token.range.end <= end)
            .filter(|token| is_comment(token))
            .map(|token| token.range)
    }

    /// Whether a value is an object with nothing in it, not even a comment.
    pub(super) fn is_bare_object(&self, value: &Value<'a>) -> bool {
        let Value::Object(object) = value else { return false };
        object.properties.is_empty() && self.comments(object.start(), object.end()).next().is_none()
    }

    /// Whether it holds nothing but perhaps `{}`.
    pub(super) fn is_bare(&self) -> bool {
        let is_empty = self.root.as_ref().is_none_or(|root| self.is_bare_object(root));
        is_empty && self.comments(0, self.body.len()).next().is_none()
    }

    /// Whether a comment that runs to the end of its line ends at this offset.
    pub(super) fn line_comment_ends_at(&self, offset: usize) -> bool {
        let count = self.tokens.partition_point(|token| token.range.end < offset);
        self.tokens
            .get(count)
            .is_some_and(|token| token.range.end == offset && matches!(token.token, Token::CommentLine(_)))
    }
}

fn is_comment(token: &TokenAndRange<'_>) -> bool {
    matches!(token.token, Token::CommentLine(_) | Token::CommentBlock(_))
}
