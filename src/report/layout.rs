//! Lines of coloured pieces, broken to the width there is.

use super::safe;
use super::style::{Paint, Style};

/// Where a line that is too long is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Break {
    /// At a space, when there is one.
    Words,
    /// Wherever it is full: spaces count.
    Anywhere,
}

/// One line, as pieces that each have a colour. The texts have to be harmless already.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    pieces: Vec<(Paint, String)>,
}

impl Line {
    /// A line of spaces.
    pub(super) fn indented(by: usize) -> Self {
        Self::default().with(Paint::Plain, " ".repeat(by))
    }

    /// Adds a piece.
    pub(super) fn with(mut self, paint: Paint, text: impl Into<String>) -> Self {
        self.pieces.push((paint, text.into()));
        self
    }

    /// Adds the pieces of another line.
    pub(super) fn followed(mut self, line: Line) -> Self {
        self.pieces.extend(line.pieces);
        self
    }

    /// The columns of the whole line.
    pub(super) fn columns(&self) -> usize {
        self.pieces.iter().map(|(_, text)| safe::columns(text)).sum()
    }

    /// Writes the line, in as many rows as it takes. Every row but the first begins with `hang`.
    pub(super) fn write(&self, text: &mut String, style: Style, at: Break, hang: &Line) {
        let mut cells: Vec<(Paint, char)> = self.cells();
        let mut room = style.columns();
        let mut first = true;
        loop {
            let rest = split(&mut cells, room, at, if first { self.leading() } else { 0 });
            if !first {
                hang.cells().chunk_by(|one, other| one.0 == other.0).for_each(|run| push(text, style, run));
            }
            let end = match at {
                Break::Words => {
                    cells.iter().rposition(|(_, character)| *character != ' ').map_or(0, |i| i + 1)
                }
                Break::Anywhere => cells.len(),
            };
            cells.truncate(end);
            cells.chunk_by(|one, other| one.0 == other.0).for_each(|run| push(text, style, run));
            text.push('\n');
            if rest.is_empty() {
                return;
            }
            cells = rest;
            first = false;
            room = style.columns().saturating_sub(hang.columns()).max(10);
        }
    }

    /// Writes items after this line, divided by commas. A row ends between two items; only one that
    /// is longer than a row is broken inside.
    pub(super) fn flow(self, items: Vec<Line>, text: &mut String, style: Style, hang: usize) {
        let mut row = self;
        let mut fresh = true;
        let mut items = items.into_iter().peekable();
        while let Some(item) = items.next() {
            let comma = if items.peek().is_some() { "," } else { "" };
            let item = item.with(Paint::Plain, comma);
            let gap = usize::from(!fresh);
            if !fresh && row.columns() + gap + item.columns() > style.columns() {
                row.write(text, style, Break::Words, &Line::indented(hang + 2));
                row = Line::indented(hang);
                fresh = true;
            }
            row = row.with(Paint::Plain, if fresh { "" } else { " " }).followed(item);
            fresh = false;
        }
        row.write(text, style, Break::Words, &Line::indented(hang + 2));
    }

    fn cells(&self) -> Vec<(Paint, char)> {
        self.pieces
            .iter()
            .flat_map(|(paint, text)| text.chars().map(|character| (*paint, character)))
            .collect()
    }

    /// How many spaces the line begins with: no place to break it.
    fn leading(&self) -> usize {
        self.cells().iter().take_while(|(_, character)| *character == ' ').count()
    }
}

fn push(text: &mut String, style: Style, run: &[(Paint, char)]) {
    if let Some((paint, _)) = run.first() {
        let run: String = run.iter().map(|(_, character)| *character).collect();
        text.push_str(&style.paint(*paint, &run));
    }
}

/// Leaves in `cells` what fits into `room` columns and gives the rest.
fn split(cells: &mut Vec<(Paint, char)>, room: usize, at: Break, leading: usize) -> Vec<(Paint, char)> {
    let mut used = 0;
    let Some(full) = cells.iter().position(|(_, character)| {
        used += safe::width(*character);
        used > room
    }) else {
        return Vec::new();
    };
    let space = match at {
        Break::Anywhere => None,
        Break::Words => cells
            .get(leading..=full)
            .and_then(|part| part.iter().rposition(|(_, character)| *character == ' '))
            .filter(|space| *space > 0)
            .map(|space| space + leading),
    };
    let Some(space) = space else {
        return cells.split_off(full.max(1));
    };
    let mut rest = cells.split_off(space);
    let spaces = rest.iter().take_while(|(_, character)| *character == ' ').count();
    rest.drain(..spaces);
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(line: &Line, at: Break, hang: usize) -> String {
        let mut text = String::new();
        line.write(&mut text, Style { width: 40, ..Style::PLAIN }, at, &Line::indented(hang));
        text
    }

    #[test]
    fn a_short_line_stays_one() {
        assert_eq!(rows(&Line::indented(2).with(Paint::Plain, "x"), Break::Words, 4), "  x\n");
        assert_eq!(rows(&Line::default(), Break::Words, 4), "\n");
    }

    #[test]
    fn words_stay_whole_and_long_ones_are_broken() {
        let line = Line::indented(2).with(Paint::Plain, format!("{} {} c", "a".repeat(30), "b".repeat(50)));
        let expected = format!("  {}\n    {}\n    {} c\n", "a".repeat(30), "b".repeat(36), "b".repeat(14));
        assert_eq!(rows(&line, Break::Words, 4), expected);
    }

    #[test]
    fn items_stay_whole() {
        let items = ["3 to create", "1 to update", "28 in order", "and more"];
        let items: Vec<Line> = items.iter().map(|item| Line::default().with(Paint::Plain, *item)).collect();
        let mut text = String::new();
        let style = Style { width: 40, ..Style::PLAIN };
        Line::default().with(Paint::Plain, "droplet  ").flow(items, &mut text, style, 9);
        assert_eq!(text, "droplet  3 to create, 1 to update,\n         28 in order, and more\n");
    }

    #[test]
    fn spaces_that_matter_are_kept() {
        let line = Line::default().with(Paint::Plain, format!("{}   x ", "a".repeat(39)));
        assert_eq!(rows(&line, Break::Anywhere, 2), format!("{} \n    x \n", "a".repeat(39)));
    }

    #[test]
    fn a_colour_goes_on_in_the_next_row() {
        let line = Line::default().with(Paint::Created, "a".repeat(50));
        let mut text = String::new();
        let style = Style { width: 40, colour: true, ..Style::PLAIN };
        line.write(&mut text, style, Break::Anywhere, &Line::indented(1));
        let expected =
            format!("\u{1b}[32m{}\u{1b}[0m\n \u{1b}[32m{}\u{1b}[0m\n", "a".repeat(40), "a".repeat(10));
        assert_eq!(text, expected);
    }
}
