//! How a text for a person looks: colour, characters, width. Given by the caller, never looked up.

/// What the reader's terminal can show. Finding that out is the caller's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// ANSI colours.
    pub colour: bool,
    /// Columns of a line. Less than 40 are taken as 40.
    pub width: usize,
    /// Characters beyond ASCII. Without, what machines and files hold is shown as escapes, too: on
    /// a terminal that does not read UTF-8 the bytes of a harmless letter can be a control code.
    pub unicode: bool,
}

/// What a piece of text is, which decides its colour. Only the colours every terminal has are used
/// (ECMA-48 SGR).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// As it is.
    Plain,
    /// Seen first: a machine's name, a heading.
    Strong,
    /// Seen last: an origin, a note.
    Faint,
    /// What is new, or well.
    Created,
    /// The part of a new line that its old one did not have.
    CreatedPart,
    /// What differs.
    Changed,
    /// What something else takes the place of.
    Replaced,
    /// What goes away.
    Removed,
    /// The part of an old line that its new one does not have.
    RemovedPart,
    /// Where in a text.
    Place,
    /// What went wrong or is in the way.
    Alarm,
}

impl Style {
    /// For files and pipes: no colour, 100 columns, UTF-8.
    pub const PLAIN: Self = Self { colour: false, width: 100, unicode: true };

    /// A text in its colour, when colours are asked for.
    #[must_use]
    pub fn paint(self, paint: Paint, text: &str) -> String {
        let code = match paint {
            Paint::Plain => return text.to_owned(),
            _ if !self.colour || text.is_empty() => return text.to_owned(),
            Paint::Strong => "1",
            Paint::Faint => "2",
            Paint::Created => "32",
            Paint::CreatedPart => "7;32",
            Paint::Changed => "33",
            Paint::Replaced => "35",
            Paint::Removed => "31",
            Paint::RemovedPart => "7;31",
            Paint::Place => "36",
            Paint::Alarm => "1;31",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// The columns there are to fill.
    pub(super) fn columns(self) -> usize {
        self.width.max(40)
    }

    /// Stands between what is there and what will be.
    pub(super) fn arrow(self) -> &'static str {
        if self.unicode { "→" } else { "->" }
    }

    /// Stands for what is left out.
    pub(super) fn ellipsis(self) -> &'static str {
        if self.unicode { "…" } else { "..." }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_only_used_when_asked_for() {
        let colour = Style { colour: true, ..Style::PLAIN };
        assert_eq!(colour.paint(Paint::Created, "x"), "\u{1b}[32mx\u{1b}[0m");
        assert_eq!(colour.paint(Paint::Plain, "x"), "x");
        assert_eq!(colour.paint(Paint::Created, ""), "");
        assert_eq!(Style::PLAIN.paint(Paint::Created, "x"), "x");
    }
}
