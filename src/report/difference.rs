//! Two texts as a unified diff for a person: harmless, bounded, broken to the width there is.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::Range;

use similar::{Algorithm, DiffOp, capture_diff_slices, group_diff_ops};

use super::layout::{Break, Line};
use super::safe;
use super::style::{Paint, Style};

/// Unchanged lines around a change.
const CONTEXT: usize = 3;
/// So many lines are shown, the rest is counted.
const LINES: usize = 400;
/// So many columns of one line are shown.
const LONGEST: usize = 1_000;
/// Columns before the first difference of two lines that are too long to show whole.
const LEAD: usize = 40;

/// How two texts differ, as a unified diff, indented by two spaces.
#[must_use]
pub fn text_difference(from: &[u8], to: &[u8], style: Style) -> String {
    let mut text = String::new();
    write(&mut text, style, 2, Some(from), to);
    text
}

/// Writes how two texts differ, each row after `indent` spaces. `from` is `None` when nothing is there.
pub(super) fn write(text: &mut String, style: Style, indent: usize, from: Option<&[u8]>, to: &[u8]) {
    let old = split(from.unwrap_or_default());
    let new = split(to);
    let mut rows = Rows { text, style, indent, left: LINES, added: 0, removed: 0, unchanged: 0 };
    if old.is_empty() && new.is_empty() {
        rows.remark("empty");
        return;
    }
    let one_sided = old.is_empty() || new.is_empty();
    // The heuristic variant: its work is bounded whatever a machine sends.
    let operations = capture_diff_slices(Algorithm::Myers, &old, &new);
    for group in group_diff_ops(operations, CONTEXT) {
        if !one_sided {
            rows.place(&group);
        }
        for operation in &group {
            let gone = old.get(operation.old_range()).unwrap_or_default();
            let come = new.get(operation.new_range()).unwrap_or_default();
            if let DiffOp::Equal { .. } = operation {
                gone.iter().for_each(|line| rows.line(Sort::Same, line, &show(line, style), None));
            } else {
                rows.changed(gone, come);
            }
        }
    }
    rows.finish();
}

/// The lines of a text, each with its line break.
fn split(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|byte| *byte == b'\n').collect()
}

fn body(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

fn show(line: &[u8], style: Style) -> String {
    safe::bytes(body(line), style)
}

/// What a line is in a diff.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Same,
    Removed,
    Added,
}

/// The rows written so far.
struct Rows<'a> {
    text: &'a mut String,
    style: Style,
    indent: usize,
    /// Lines that may still be shown.
    left: usize,
    /// Lines that were not shown.
    added: usize,
    removed: usize,
    unchanged: usize,
}

impl Rows<'_> {
    /// `@@ -12,7 +12,8 @@`: where a group of changes lies in both texts.
    fn place(&mut self, group: &[DiffOp]) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { return };
        if self.left == 0 {
            return;
        }
        let old = range(first.old_range().start..last.old_range().end);
        let new = range(first.new_range().start..last.new_range().end);
        self.row(Line::default().with(Paint::Place, format!("@@ -{old} +{new} @@")));
    }

    /// Lines that went and lines that came in their place.
    fn changed(&mut self, gone: &[&[u8]], come: &[&[u8]]) {
        let old = shown(gone, come, self.style);
        let new = shown(come, gone, self.style);
        // Lines that changed one by one show what in them did.
        let paired = gone.len() == come.len();
        let twin = |others: &[String], index: usize| if paired { others.get(index).cloned() } else { None };
        for (index, (line, text)) in gone.iter().zip(&old).enumerate() {
            self.line(Sort::Removed, line, text, twin(&new, index).as_deref());
        }
        for (index, (line, text)) in come.iter().zip(&new).enumerate() {
            self.line(Sort::Added, line, text, twin(&old, index).as_deref());
        }
    }

    fn line(&mut self, sort: Sort, line: &[u8], shown: &str, twin: Option<&str>) {
        if self.left == 0 {
            *match sort {
                Sort::Same => &mut self.unchanged,
                Sort::Removed => &mut self.removed,
                Sort::Added => &mut self.added,
            } += 1;
            return;
        }
        self.left -= 1;
        let (sign, paint, part) = match sort {
            Sort::Same => ("  ", Paint::Plain, Paint::Plain),
            Sort::Removed => ("- ", Paint::Removed, Paint::RemovedPart),
            Sort::Added => ("+ ", Paint::Created, Paint::CreatedPart),
        };
        // No spaces at the end that are not in the text.
        let sign = if shown.is_empty() { sign.trim_end() } else { sign };
        let [begin, middle, end] = apart(shown, twin, sort == Sort::Added);
        let row = Line::default().with(paint, format!("{sign}{begin}")).with(part, middle).with(paint, end);
        self.row(row);
        if !line.ends_with(b"\n") {
            self.remark("\\ no newline at end of file");
        }
    }

    fn remark(&mut self, words: &str) {
        self.row(Line::default().with(Paint::Faint, words));
    }

    fn row(&mut self, line: Line) {
        let mark = if self.style.unicode { "↳ " } else { "> " };
        let hang = Line::indented(self.indent).with(Paint::Faint, mark);
        let line = if line.columns() == 0 { line } else { Line::indented(self.indent).followed(line) };
        line.write(self.text, self.style, Break::Anywhere, &hang);
    }

    /// Says how much was not shown.
    fn finish(mut self) {
        let hidden = self.added + self.removed + self.unchanged;
        if hidden == 0 {
            return;
        }
        let noun = if hidden == 1 { "line" } else { "lines" };
        let ellipsis = self.style.ellipsis();
        let words = format!("{ellipsis} {hidden} more {noun} (+{} -{})", self.added, self.removed);
        self.remark(&words);
    }
}

/// A range of lines as `diff -u` writes it: the first line from 1 and how many; the line before an empty range.
fn range(lines: Range<usize>) -> String {
    match lines.len() {
        0 => format!("{},0", lines.start),
        1 => format!("{}", lines.start + 1),
        length => format!("{},{length}", lines.start + 1),
    }
}

/// Lines as they are shown, beside the lines that they are shown with: what looks the same and is
/// not is spelt out.
fn shown(lines: &[&[u8]], others: &[&[u8]], style: Style) -> Vec<String> {
    let shown: Vec<String> = lines.iter().map(|line| show(line, style)).collect();
    let beside: Vec<String> = others.iter().map(|line| show(line, style)).collect();
    let looks: BTreeMap<&str, &[u8]> =
        beside.iter().map(String::as_str).zip(others.iter().map(|other| body(other))).collect();
    let one = |(index, (line, shown)): (usize, (&&[u8], &String))| match looks.get(shown.as_str()) {
        Some(other) if *other != body(line) => window(&safe::exact(body(line)), None, style),
        _ => window(shown, beside.get(index).map(String::as_str), style),
    };
    lines.iter().zip(&shown).enumerate().map(one).collect()
}

/// The part of a line that is shown: of two long lines that begin alike, the beginning is left out.
fn window(shown: &str, other: Option<&str>, style: Style) -> String {
    let alike = other.map_or(0, |other| alike(shown.chars(), other.chars()));
    if safe::columns(shown) <= LONGEST || alike + LEAD <= LONGEST / 2 {
        return safe::bounded(shown, LONGEST, style);
    }
    let rest: String = shown.chars().skip(alike.saturating_sub(LEAD)).collect();
    safe::bounded(&format!("{}{rest}", style.ellipsis()), LONGEST, style)
}

/// How many characters are the same from the start.
fn alike(one: impl Iterator<Item = char>, other: impl Iterator<Item = char>) -> usize {
    one.zip(other).take_while(|(one, other)| one == other).count()
}

/// A line's beginning, the part that its twin does not have, and its end. Without a twin that is
/// mostly the same, that part is empty, or the spaces that end a new line.
fn apart(shown: &str, twin: Option<&str>, added: bool) -> [String; 3] {
    let characters: Vec<char> = shown.chars().collect();
    let mut range = characters.len()..characters.len();
    if let Some(twin) = twin {
        let other: Vec<char> = twin.chars().collect();
        let begin = alike(characters.iter().copied(), other.iter().copied());
        let shortest = characters.len().min(other.len());
        let back = (characters.iter().rev().copied(), other.iter().rev().copied());
        let end = alike(back.0, back.1).min(shortest - begin);
        if 2 * (begin + end) >= shortest {
            range = begin..characters.len() - end;
        }
    }
    if range.is_empty() && added {
        range.start = shown.trim_end_matches(' ').chars().count();
        range.end = characters.len();
    }
    let part = |range: Range<usize>| characters.get(range).unwrap_or_default().iter().collect();
    [part(0..range.start), part(range.clone()), part(range.end..characters.len())]
}
