//! The two lines that enclose a managed block: how they are written and recognised.

use super::BlockError;

/// The word that marks a block as ours, whatever its id.
const OWNER: &str = "fleetprov";

/// What the begin marker tells a person who opens the file.
const BEGIN_NOTE: &str = "(managed: edits here are overwritten)";

/// What the end marker says when the file's own last line had no terminator.
const UNTERMINATED_NOTE: &str = "(the line before this block had no line ending)";

/// How a file's format writes a comment that fills one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    open: String,
    close: String,
}

impl Comment {
    /// A comment that runs to the end of the line: `#`, `//`, `;`, `--`.
    ///
    /// # Errors
    /// [`BlockError::Comment`] when the sign is empty or holds white space.
    pub fn line(sign: &str) -> Result<Self, BlockError> {
        Self::enclosed(sign, "")
    }

    /// A comment between two signs: `<!--` and `-->`, `/*` and `*/`.
    ///
    /// # Errors
    /// [`BlockError::Comment`] when the opening sign is empty or either holds white space.
    pub fn enclosed(open: &str, close: &str) -> Result<Self, BlockError> {
        let printable = |sign: &str| sign.chars().all(|c| c.is_ascii_graphic());
        if open.is_empty() || !printable(open) || !printable(close) {
            return Err(BlockError::Comment { open: open.to_owned(), close: close.to_owned() });
        }
        Ok(Self { open: open.to_owned(), close: close.to_owned() })
    }

    /// The sign that opens it.
    pub fn open(&self) -> &str {
        &self.open
    }

    /// The sign that closes it; empty for a comment that runs to the end of the line.
    pub fn close(&self) -> &str {
        &self.close
    }

    /// A whole comment line around some words.
    fn wrap(&self, words: &str) -> String {
        if self.close.is_empty() {
            format!("{} {words}", self.open)
        } else {
            format!("{} {words} {}", self.open, self.close)
        }
    }
}

/// The two lines that enclose one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Markers {
    comment: Comment,
    id: String,
}

/// What a line is, seen as a marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Begin,
    End,
    /// A marker of another block.
    Other,
}

impl Markers {
    /// The markers of the block with this id, written as the file's comments are.
    ///
    /// # Errors
    /// [`BlockError::Id`] when the id is empty, holds anything but ASCII letters, digits and
    /// `. _ : / @ + -`, or would end an enclosed comment early (`--` inside `<!-- … -->`).
    pub fn new(comment: Comment, id: &str) -> Result<Self, BlockError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._:/@+-".contains(c);
        // XML forbids `--` anywhere in a comment, not only in its end sign (XML 1.0, section 2.5).
        let ends_comment = !comment.close.is_empty() && (id.contains(&comment.close) || id.contains("--"));
        if id.is_empty() || !id.chars().all(allowed) || ends_comment {
            return Err(BlockError::Id { id: id.to_owned() });
        }
        Ok(Self { comment, id: id.to_owned() })
    }

    /// The line that begins the block, without a terminator.
    pub fn begin(&self) -> String {
        self.comment.wrap(&format!("BEGIN {OWNER} {} {BEGIN_NOTE}", self.id))
    }

    /// The line that ends the block, without a terminator.
    pub fn end(&self) -> String {
        self.comment.wrap(&format!("END {OWNER} {}", self.id))
    }

    /// The end line of a block before which a line ending had to be added.
    pub(super) fn end_after_unterminated(&self) -> String {
        self.comment.wrap(&format!("END {OWNER} {} {UNTERMINATED_NOTE}", self.id))
    }

    /// Recognises a marker line. Indentation and the note after the id do not count, so that a
    /// block written by another version, or re-indented by an editor, is still found.
    pub(super) fn role(&self, content: &[u8]) -> Option<Role> {
        let words = content.trim_ascii().strip_prefix(self.comment.open.as_bytes())?;
        if !words.starts_with(b" ") && !words.starts_with(b"\t") {
            return None;
        }
        let mut words = words.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let role = match words.next()? {
            b"BEGIN" => Role::Begin,
            b"END" => Role::End,
            _ => return None,
        };
        if words.next()? != OWNER.as_bytes() {
            return None;
        }
        Some(if words.next()? == self.id.as_bytes() { role } else { Role::Other })
    }
}
