//! The answers of the kinds' own questions: one `NAME VALUE` a line, some values in base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::answer::ObserveError;

/// The value on the first line that starts with a name.
///
/// # Errors
/// [`ObserveError::Nonsense`] when there is no such line.
pub(super) fn value<'a>(lines: &'a [String], name: &str) -> Result<&'a str, ObserveError> {
    optional(lines, name).ok_or_else(|| ObserveError::Nonsense(format!("it does not say `{name}`")))
}

/// As [`value`], for a line that may be missing.
pub(super) fn optional<'a>(lines: &'a [String], name: &str) -> Option<&'a str> {
    lines
        .iter()
        .filter_map(|line| line.split_once(' ').or(Some((line.as_str(), ""))))
        .find(|(word, _)| *word == name)
        .map(|(_, value)| value)
}

/// The bytes of a value in base64.
///
/// # Errors
/// [`ObserveError::Nonsense`] when it is none.
pub(super) fn bytes(value: &str) -> Result<Vec<u8>, ObserveError> {
    STANDARD.decode(value).map_err(|error| ObserveError::Nonsense(format!("broken base64: {error}")))
}

/// The text of a value in base64; bytes that are not UTF-8 are replaced.
///
/// # Errors
/// As for [`bytes`].
pub(super) fn text(value: &str) -> Result<String, ObserveError> {
    bytes(value).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_name() {
        let said = ["state file".to_owned(), "empty".to_owned(), "text YSBi".to_owned()];
        assert_eq!(value(&said, "state"), Ok("file"));
        assert_eq!(optional(&said, "empty"), Some(""));
        assert_eq!(optional(&said, "sta"), None);
        assert!(value(&said, "other").is_err());
        assert_eq!(text(value(&said, "text").unwrap()), Ok("a b".to_owned()));
        assert!(bytes("a b").is_err());
    }
}
