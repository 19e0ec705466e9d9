//! Secrets as texts ask for them: by name, or sealed where they stand.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::diagnostic::{Diagnostic, Diagnostics};
use super::fields::Fields;
use super::name::{MachineName, NAME_SHAPE};
use super::node::Node;
use super::source::Span;

const BEGIN: &str = "-----BEGIN AGE ENCRYPTED FILE-----";
const END: &str = "-----END AGE ENCRYPTED FILE-----";

/// Characters in a line of armour, as age writes it.
const WIDTH: usize = 64;

/// What a sealed value looks like, for messages.
const SHAPE: &str = "`sealed: |` and below it what `fleetprov secret seal` prints";

/// A value sealed with age, armoured. It may show; only an identity opens it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SealedValue(Arc<str>);

/// Why a text is no sealed value. What it is does not show: it may be the value itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealedError {
    /// It is something else, or a part is missing.
    #[error("it is not between `{BEGIN}` and `{END}`")]
    Armour,
    /// What stands between the marks is damaged.
    #[error("it is damaged")]
    Damaged,
}

impl SealedValue {
    /// Reads armoured text. How it is wrapped and indented does not matter: editors and formatters
    /// change that.
    ///
    /// # Errors
    /// [`SealedError`].
    pub fn parse(text: &str) -> Result<Self, SealedError> {
        let inner = text
            .trim()
            .strip_prefix(BEGIN)
            .and_then(|rest| rest.strip_suffix(END))
            .ok_or(SealedError::Armour)?;
        let inner: String = inner.split_whitespace().collect();
        let bytes = STANDARD.decode(&inner).map_err(|_| SealedError::Damaged)?;
        if !bytes.starts_with(b"age-encryption.org/") {
            return Err(SealedError::Damaged);
        }
        let mut whole = format!("{BEGIN}\n");
        for (at, character) in inner.chars().enumerate() {
            if at > 0 && at % WIDTH == 0 {
                whole.push('\n');
            }
            whole.push(character);
        }
        whole.push_str(&format!("\n{END}\n"));
        Ok(Self(whole.into()))
    }

    /// The armoured text, wrapped as age does it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where a secret comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretFrom {
    /// `NAME.age` in the folder of the secrets.
    Name(String),
    /// It stands in the text itself, sealed.
    Sealed(SealedValue),
}

impl SecretFrom {
    /// A sealed value when the text is one, else a name.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        match SealedValue::parse(text) {
            Ok(value) => Self::Sealed(value),
            Err(_) => Self::Name(text.to_owned()),
        }
    }

    /// The name, or the armoured text; [`SecretFrom::of_text`] reads it back.
    #[must_use]
    pub fn as_text(&self) -> &str {
        match self {
            Self::Name(name) => name,
            Self::Sealed(value) => value.as_str(),
        }
    }
}

/// The name, or that it stands there sealed.
impl fmt::Display for SecretFrom {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => formatter.write_str(name),
            Self::Sealed(_) => formatter.write_str("sealed in place"),
        }
    }
}

/// A reference to a secret: `{secret: NAME}`, or `{sealed: ARMOUR}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretReference {
    /// What is asked for.
    pub from: SecretFrom,
    /// Where it is asked for.
    pub span: Span,
}

impl SecretReference {
    /// Reads a map that is a reference and nothing else; `what` names it in messages. A name is any text:
    /// a secret may lie in a folder.
    pub fn read(node: &Node, what: &str, problems: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::open(node, what, problems)?;
        let found = Self::read_one(&mut fields);
        if found.is_none() {
            let span = fields.span().clone();
            let problem = Diagnostic::at(&span, format!("{what} has neither `secret` nor `sealed`"))
                .expected("`{secret: NAME}`, or a value sealed in place: `{sealed: ARMOUR}`");
            fields.missing_one_of(&["secret", "sealed"], problem);
        }
        fields.close();
        found
    }

    /// As [`SecretReference::read`], and the name has to be one as everything in an inventory has it.
    pub fn read_named(node: &Node, what: &str, problems: &mut Diagnostics) -> Option<Self> {
        let found = Self::read(node, what, problems)?;
        if let SecretFrom::Name(name) = &found.from
            && let Err(error) = MachineName::new(name)
        {
            let span = node.get("secret").map_or(&node.span, |node| &node.span);
            let mut problem = Diagnostic::at(span, format!("`secret`: {error}")).expected(NAME_SHAPE);
            problem.nearest = error.suggestion();
            problems.push(problem);
            return None;
        }
        Some(found)
    }

    /// The reference among other fields of a map; `None` when there is none, or a wrong one, which is a
    /// problem.
    pub fn read_one(fields: &mut Fields<'_>) -> Option<Self> {
        match (fields.node("secret"), fields.node("sealed")) {
            (Some(_), Some(sealed)) => {
                let problem = Diagnostic::at(&sealed.span, "a secret is given by name and sealed in place");
                fields.problems().push(problem.expected("one of the two"));
                None
            }
            (Some(_), None) => {
                fields.text("secret").map(|name| Self { from: SecretFrom::Name(name.value), span: name.span })
            }
            (None, Some(sealed)) => fields
                .parsed("sealed", SHAPE, SealedValue::parse)
                .map(|value| Self { from: SecretFrom::Sealed(value), span: sealed.span.clone() }),
            (None, None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_survives_wrapping_and_indenting() {
        let body = STANDARD.encode([b"age-encryption.org/v1\n".as_slice(), &[7; 90]].concat());
        let whole = format!("{BEGIN}\n{}\n{}\n{}\n{END}\n", &body[..64], &body[64..128], &body[128..]);
        let value = SealedValue::parse(&whole).unwrap();
        assert_eq!(value.as_str(), whole);
        for other in [
            whole.replace('\n', "\r\n"),
            whole.replace('\n', "\n    "),
            whole.trim().replace('\n', " "),
            format!("{BEGIN} {body} {END}"),
        ] {
            assert_eq!(SealedValue::parse(&other).unwrap(), value, "{other}");
        }
        assert_eq!(SecretFrom::of_text(&whole).as_text(), whole);
        assert_eq!(SecretFrom::of_text("token"), SecretFrom::Name("token".to_owned()));
    }

    #[test]
    fn what_is_no_sealed_value_is_not_repeated() {
        for (text, error) in [
            ("hunter2", SealedError::Armour),
            (BEGIN, SealedError::Armour),
            (&format!("{BEGIN}\nhunter2!\n{END}"), SealedError::Damaged),
            (&format!("{BEGIN}\naHVudGVyMg==\n{END}"), SealedError::Damaged),
        ] {
            let found = SealedValue::parse(text).unwrap_err();
            assert_eq!(found, error);
            assert!(!found.to_string().contains("hunter2"));
        }
    }
}
