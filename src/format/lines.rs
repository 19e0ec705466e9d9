//! The lines of a text that somebody else owns, each with its exact place and terminator.
//!
//! A line ends with LF or CRLF. A byte order mark at the start belongs to no line, so that an
//! editor that works line by line keeps it without thinking of it.

use thiserror::Error;

/// The UTF-8 byte order mark that some Windows programs write first.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Why bytes cannot be edited line by line.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotText {
    /// A zero byte: the file is binary or UTF-16, and a line edit would damage it.
    #[error("edit line {line}: it holds a zero byte, so the file is binary or UTF-16")]
    ZeroByte {
        /// The line, counted from 1.
        line: usize,
    },
    /// The last byte is a carriage return alone. A line added after it would turn it into CRLF,
    /// and the original could not be restored.
    #[error("edit line {line}: the file ends with a carriage return alone")]
    LoneCarriageReturn {
        /// The line, counted from 1.
        line: usize,
    },
}

/// One line and its place in the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    /// The line's number, counted from 1.
    pub(super) number: usize,
    /// The offset of its first byte.
    pub(super) start: usize,
    /// The bytes before the terminator.
    pub(super) content: &'a [u8],
    /// LF, CRLF, or nothing on a last line that is not terminated.
    pub(super) terminator: &'a [u8],
}

impl Line<'_> {
    /// The offset of the first byte after the line and its terminator.
    pub(super) fn end(&self) -> usize {
        self.content_end() + self.terminator.len()
    }

    /// The offset of the first byte of the terminator.
    pub(super) fn content_end(&self) -> usize {
        self.start + self.content.len()
    }
}

/// The offset at which the first line begins: after a byte order mark, if there is one.
pub(super) fn first_line_start(text: &[u8]) -> usize {
    if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 }
}

/// Cuts a text into lines. An empty text has none.
pub(super) fn lines(text: &[u8]) -> Vec<Line<'_>> {
    let mut start = first_line_start(text);
    let body = text.get(start..).unwrap_or_default();
    body.split_inclusive(|byte| *byte == b'\n')
        .enumerate()
        .map(|(index, whole)| {
            let content = whole.strip_suffix(b"\r\n").or_else(|| whole.strip_suffix(b"\n")).unwrap_or(whole);
            let line = Line {
                number: index + 1,
                start,
                content,
                terminator: whole.get(content.len()..).unwrap_or_default(),
            };
            start += whole.len();
            line
        })
        .collect()
}

/// The line terminator a text uses: that of its first terminated line.
pub(super) fn terminator_of(text: &[u8]) -> Option<&'static [u8]> {
    let feed = text.iter().position(|byte| *byte == b'\n')?;
    let before = text.get(..feed).unwrap_or_default();
    Some(if before.ends_with(b"\r") { b"\r\n" } else { b"\n" })
}

/// Whether a text has lines and the last of them is not terminated.
pub(super) fn is_unterminated(text: &[u8]) -> bool {
    text.len() > first_line_start(text) && !text.ends_with(b"\n")
}

/// Refuses what cannot be edited line by line without damage.
pub(super) fn check_text(text: &[u8]) -> Result<(), NotText> {
    let line_at = |offset: usize| {
        let before = text.get(..offset).unwrap_or_default();
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    };
    if let Some(offset) = text.iter().position(|byte| *byte == 0) {
        return Err(NotText::ZeroByte { line: line_at(offset) });
    }
    if text.ends_with(b"\r") {
        return Err(NotText::LoneCarriageReturn { line: line_at(text.len()) });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{NotText, check_text, first_line_start, is_unterminated, lines, terminator_of};
    use proptest::prelude::*;

    #[test]
    fn lines_keep_their_terminators_and_places() {
        let text = b"\xef\xbb\xbfone\r\ntwo\n\nlast";
        let found: Vec<_> = lines(text)
            .iter()
            .map(|line| (line.number, line.start, line.content.to_vec(), line.terminator.to_vec()))
            .collect();
        assert_eq!(
            found,
            vec![
                (1, 3, b"one".to_vec(), b"\r\n".to_vec()),
                (2, 8, b"two".to_vec(), b"\n".to_vec()),
                (3, 12, b"".to_vec(), b"\n".to_vec()),
                (4, 13, b"last".to_vec(), b"".to_vec()),
            ]
        );
        assert_eq!(terminator_of(text), Some(&b"\r\n"[..]));
        assert!(is_unterminated(text));
        assert!(!is_unterminated(b"\xef\xbb\xbf"));
    }

    #[test]
    fn what_is_not_text_is_refused_with_its_line() {
        assert_eq!(check_text(b"a\nb\0"), Err(NotText::ZeroByte { line: 2 }));
        assert_eq!(check_text(b"a\n\nb\r"), Err(NotText::LoneCarriageReturn { line: 3 }));
        assert_eq!(check_text(b"a\rb\r\n"), Ok(()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn lines_cover_the_text_without_gap_or_overlap(
            text in proptest::collection::vec(prop::sample::select(b"ab\r\n\xef\xbb\xbf".to_vec()), 0..40),
        ) {
            let mut offset = first_line_start(&text);
            for line in lines(&text) {
                prop_assert_eq!(line.start, offset);
                prop_assert_eq!(&text[line.start..line.content_end()], line.content);
                prop_assert_eq!(&text[line.content_end()..line.end()], line.terminator);
                offset = line.end();
            }
            prop_assert_eq!(offset, text.len());
        }
    }
}
