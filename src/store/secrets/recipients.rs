//! To whom secrets are sealed: age recipients and SSH public keys, and the files that list them.

use std::fmt;
use std::sync::Arc;

use age::ssh::ParseRecipientKeyError;
use age::{ssh, x25519};

use crate::model::{Diagnostic, Diagnostics, Source, Span};

/// What a recipient looks like, for messages.
const SHAPE: &str = "an age recipient (age1...), or an SSH public key (ssh-ed25519 ..., ssh-rsa ...)";

/// Somebody a secret can be sealed to.
#[derive(Clone)]
pub struct Recipient {
    /// As it is written in a file, without a comment.
    text: String,
    key: Key,
}

#[derive(Clone)]
enum Key {
    Age(x25519::Recipient),
    Ssh(Box<ssh::Recipient>),
}

/// Why a text is no recipient.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecipientError {
    /// It is the secret half.
    #[error("use a secret key as a recipient: whoever reads it opens every secret")]
    Secret,
    /// An RSA key that is too short or too long.
    #[error("use an RSA key with {0} bits")]
    Size(&'static str),
    /// A sort of key that nothing can be sealed to.
    #[error("seal to a key of the sort `{0}`")]
    Unsupported(String),
    /// Anything else.
    #[error("read it as a recipient")]
    Invalid,
}

impl Recipient {
    /// Reads an age recipient (`age1…`) or an SSH public key, with a comment or without.
    ///
    /// # Errors
    /// [`RecipientError`].
    pub fn parse(text: &str) -> Result<Self, RecipientError> {
        let text = text.trim();
        if is_secret(text) {
            return Err(RecipientError::Secret);
        }
        if let Ok(key) = text.parse::<x25519::Recipient>() {
            return Ok(Self { text: key.to_string(), key: Key::Age(key) });
        }
        if text.starts_with("age1") {
            return Err(RecipientError::Invalid);
        }
        // The end has to be marked, or a key whose last part is cut off is taken for an unfinished one.
        match format!("{text}\n").parse::<ssh::Recipient>() {
            Ok(key) => Ok(Self { text: key.to_string(), key: Key::Ssh(Box::new(key)) }),
            Err(ParseRecipientKeyError::RsaModulusTooSmall) => Err(RecipientError::Size("fewer than 2048")),
            Err(ParseRecipientKeyError::RsaModulusTooLarge) => Err(RecipientError::Size("more than 4096")),
            Err(ParseRecipientKeyError::Unsupported(sort)) => Err(RecipientError::Unsupported(sort)),
            Err(ParseRecipientKeyError::Invalid(_) | ParseRecipientKeyError::Ignore) => {
                Err(RecipientError::Invalid)
            }
        }
    }

    pub(super) fn key(&self) -> &dyn age::Recipient {
        match &self.key {
            Key::Age(key) => key,
            Key::Ssh(key) => key.as_ref(),
        }
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Recipient({})", self.text)
    }
}

impl PartialEq for Recipient {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// Whether a text holds the secret half of a key.
fn is_secret(text: &str) -> bool {
    let text = text.to_ascii_uppercase();
    text.contains("AGE-SECRET-KEY-") || text.contains("PRIVATE KEY-----")
}

/// A list of recipients, each once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recipients(Vec<Recipient>);

impl Recipients {
    /// Reads a file of recipients: one a line, `#` begins a comment line. The result may be empty.
    ///
    /// # Errors
    /// Every line that is none. A secret key in it is told without showing it.
    pub fn read(source: &Arc<Source>) -> Result<Self, Diagnostics> {
        let mut problems = Diagnostics::new();
        if is_secret(source.text()) {
            problems.push(shown_without(source));
            return Err(problems);
        }
        let mut found = Self::default();
        let mut start = 0;
        for whole in source.text().split_inclusive('\n') {
            let line = whole.trim();
            let begin = start + (whole.len() - whole.trim_start().len());
            start += whole.len();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match Recipient::parse(line) {
                Ok(recipient) => found.add([recipient]),
                Err(error) => {
                    let span = Span::new(source, begin, begin + line.len());
                    problems.push(Diagnostic::at(&span, format!("failed to {error}")).expected(SHAPE));
                }
            }
        }
        if problems.is_empty() { Ok(found) } else { Err(problems) }
    }

    /// Adds those that are not there yet.
    pub fn add(&mut self, more: impl IntoIterator<Item = Recipient>) {
        for recipient in more {
            if !self.0.contains(&recipient) {
                self.0.push(recipient);
            }
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = &Recipient> {
        self.0.iter()
    }

    /// As a file of recipients.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.iter().map(|recipient| format!("{recipient}\n")).collect()
    }
}

/// Says that a file of recipients holds a secret key, at its line, with nothing of it in sight.
fn shown_without(source: &Arc<Source>) -> Diagnostic {
    let line = source.text().lines().position(is_secret).unwrap_or_default();
    let hidden = Source::new(source.name(), format!("{}<secret key>\n", "\n".repeat(line)));
    let span = Span::new(&hidden, line, hidden.text().len() - 1);
    Diagnostic::at(&span, format!("failed to {}", RecipientError::Secret)).expected(SHAPE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use age::secrecy::ExposeSecret as _;

    fn read(text: &str) -> Result<Recipients, Diagnostics> {
        Recipients::read(&Source::new("secrets/recipients", text))
    }

    #[test]
    fn a_file_of_recipients_is_read_line_by_line() {
        let key = x25519::Identity::generate().to_public().to_string();
        let found = read(&format!("# ours\r\n\r\n  {key}\r\n{key}\n")).unwrap();
        assert_eq!(found.text(), format!("{key}\n"), "each once");
        assert!(read("# nobody\n").unwrap().is_empty());
    }

    #[test]
    fn every_wrong_line_is_told_at_its_place() {
        let problems = read("# x\nage1nobody\n  somebody@example.org\n").unwrap_err();
        let places: Vec<_> = problems
            .sorted()
            .iter()
            .map(|problem| problem.span.as_ref().unwrap().line_and_column())
            .collect();
        assert_eq!(places, [(2, 1), (3, 3)]);
    }

    #[test]
    fn a_secret_key_among_recipients_is_refused_unseen() {
        let secret = x25519::Identity::generate().to_string();
        let secret = secret.expose_secret();
        for text in
            [secret.to_owned(), secret.to_lowercase(), "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA".to_owned()]
        {
            let problems = read(&format!("# a\n{text}\n")).unwrap_err();
            let problem = problems.sorted()[0].clone();
            let span = problem.span.clone().unwrap();
            assert_eq!(span.line_and_column(), (2, 1));
            assert!(!span.source().text().contains("AAAA") && !span.source().text().contains(secret));
            assert!(problem.message.contains("secret key"), "{}", problem.message);
        }
    }

    #[test]
    fn keys_that_nothing_can_be_sealed_to_say_so() {
        let sort = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBHwAAAA= me@here";
        assert_eq!(
            Recipient::parse(sort).unwrap_err(),
            RecipientError::Unsupported("ecdsa-sha2-nistp256".to_owned())
        );
        for wrong in ["", "age1", "ssh-ed25519", "ssh-ed25519 AAAA", "age1yubikey1qwerty"] {
            assert_eq!(Recipient::parse(wrong).unwrap_err(), RecipientError::Invalid, "{wrong}");
        }
    }
}
