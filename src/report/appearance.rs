//! How a text for a terminal looks: colour, characters, width.

/// What the reader's terminal can show. It is for the caller to find out; nothing here reads the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appearance {
    /// ANSI colours.
    pub colour: bool,
    /// Characters beyond ASCII in what fleetprov draws; what a person wrote keeps its own.
    pub unicode: bool,
    /// Columns of a line.
    pub width: usize,
}

impl Appearance {
    /// For files, pipes and tests: no colour, ASCII, 100 columns.
    pub const PLAIN: Self = Self { colour: false, unicode: false, width: 100 };

    /// A text in a colour, when colours are asked for.
    pub(super) fn paint(self, colour: Colour, text: &str) -> String {
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        let code = match colour {
            Colour::Wrong => "1;31",
            Colour::Frame => "34",
            Colour::Related => "36",
            Colour::Strong => "1",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// What a colour is for. Only the eight colours every terminal has are used (ECMA-48 SGR).
#[derive(Clone, Copy)]
pub(super) enum Colour {
    /// What is wrong.
    Wrong,
    /// Lines around a text.
    Frame,
    /// What belongs to something wrong.
    Related,
    /// What should be seen first.
    Strong,
}
