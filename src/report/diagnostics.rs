//! Diagnostics as text: place, line, caret, what was expected, the nearest name.
//!
//! Drawn by hand: miette 7.6 passes control characters of the text on to the terminal, counts
//! columns in bytes and shows lines in full however long they are (measured).

#[cfg(test)]
mod tests;

use super::safe::{columns, line as safe_line, width};
use super::style::{Paint, Style};
use crate::model::{Diagnostic, Diagnostics, Span};

/// So many problems are drawn; the rest is counted.
const SHOWN: usize = 50;
/// Columns a tab takes.
const TAB: usize = 4;

/// Draws problems in the order of their places, and a last line that counts them.
///
/// Every line ends with `\n`. Nothing at all when there are no problems.
#[must_use]
pub fn diagnostics(problems: &Diagnostics, style: Style) -> String {
    if problems.is_empty() {
        return String::new();
    }
    let sorted = problems.sorted();
    let mut text = String::new();
    for problem in sorted.iter().take(SHOWN) {
        draw(problem, style, &mut text);
        text.push('\n');
    }
    if sorted.len() > SHOWN {
        text.push_str(&format!("{} more are not shown\n", sorted.len() - SHOWN));
    }
    text.push_str(&style.paint(Paint::Strong, &count(&sorted, style)));
    text.push('\n');
    text
}

fn count(problems: &[&Diagnostic], style: Style) -> String {
    let mut files: Vec<&str> = problems
        .iter()
        .filter_map(|problem| problem.span.as_ref())
        .map(|span| span.source().name())
        .collect();
    files.sort_unstable();
    files.dedup();
    let number = problems.len();
    let noun = if number == 1 { "problem" } else { "problems" };
    match files.as_slice() {
        [] => format!("{number} {noun}"),
        [file] => format!("{number} {noun} in {}", safe_line(file, style)),
        files => format!("{number} {noun} in {} files", files.len()),
    }
}

fn draw(problem: &Diagnostic, style: Style, text: &mut String) {
    let gutter = std::iter::once(problem.span.as_ref())
        .chain(problem.related.iter().map(|(span, _)| Some(span)))
        .flatten()
        .map(|span| span.line_and_column().0.to_string().len())
        .max()
        .unwrap_or(1);
    let frame = Frame { style, gutter };
    frame.wrapped(text, "error: ", "       ", &problem.message, Paint::Alarm);
    if let Some(span) = &problem.span {
        frame.place(text, if style.unicode { "╭─▶" } else { "-->" }, span, "");
        frame.snippet(text, span, "^", Paint::Alarm);
    }
    for (span, note) in &problem.related {
        frame.place(text, if style.unicode { "├─▶" } else { ":::" }, span, note);
        frame.snippet(text, span, "-", Paint::Changed);
    }
    let indent = " ".repeat(gutter + 1);
    if let Some(expected) = &problem.expected {
        let head = format!("{indent}= expected: ");
        frame.wrapped(text, &head, &" ".repeat(head.len()), expected, Paint::Place);
    }
    if let Some(nearest) = &problem.nearest {
        let nearest = safe_line(nearest, style);
        let head = format!("{indent}= ");
        text.push_str(&format!("{}did you mean `{nearest}`?\n", style.paint(Paint::Place, &head)));
    }
}

/// What all lines of one problem share.
struct Frame {
    style: Style,
    /// Columns of the longest line number.
    gutter: usize,
}

impl Frame {
    fn bar(&self) -> &'static str {
        if self.style.unicode { "│" } else { "|" }
    }

    /// `--> file:line:column`.
    fn place(&self, text: &mut String, arrow: &str, span: &Span, note: &str) {
        let (line, column) = span.line_and_column();
        let name = safe_line(span.source().name(), self.style);
        let arrow = self.style.paint(Paint::Place, &format!("{}{arrow}", " ".repeat(self.gutter)));
        let note = safe_line(note, self.style);
        let note = if note.is_empty() { note } else { format!(" {note}") };
        text.push_str(&format!("{arrow} {name}:{line}:{column}{note}\n"));
    }

    /// The line the span starts on, and marks under the span.
    fn snippet(&self, text: &mut String, span: &Span, mark: &str, colour: Paint) {
        let room = self.style.width.saturating_sub(self.gutter + 3).max(20);
        let (line, _) = span.line_and_column();
        let shown = Excerpt::of(span, room, self.style);
        let empty = format!("{} {}", " ".repeat(self.gutter), self.bar());
        let numbered = format!("{line:>gutter$} {}", self.bar(), gutter = self.gutter);
        let (empty, numbered) =
            (self.style.paint(Paint::Place, &empty), self.style.paint(Paint::Place, &numbered));
        let marks = self.style.paint(colour, &mark.repeat(shown.marked));
        text.push_str(&format!("{empty}\n"));
        text.push_str(format!("{numbered} {}", shown.line).trim_end());
        text.push_str(&format!("\n{empty} {}{marks}\n", " ".repeat(shown.before)));
    }

    /// A text broken between words, the first line after `head`, the others after `indent`.
    fn wrapped(&self, text: &mut String, head: &str, indent: &str, words: &str, colour: Paint) {
        let words = safe_line(words, self.style);
        text.push_str(&self.style.paint(colour, head));
        let mut at = columns(head);
        let mut fresh = true;
        for word in words.split(' ') {
            let length = columns(word);
            if !fresh && at + 1 + length > self.style.width {
                text.push('\n');
                text.push_str(indent);
                at = columns(indent);
                fresh = true;
            }
            if !fresh {
                text.push(' ');
                at += 1;
            }
            text.push_str(word);
            at += length;
            fresh = false;
        }
        text.push('\n');
    }
}

/// The part of a line that is shown, and where the marks go.
struct Excerpt {
    line: String,
    /// Columns before the marks.
    before: usize,
    /// Columns of the marks, at least one.
    marked: usize,
}

impl Excerpt {
    /// A line that is too long is cut on both sides so that the start of the span is seen.
    fn of(span: &Span, room: usize, style: Style) -> Self {
        let whole = span.source().text();
        let before = whole.get(..span.start()).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let before = before.get(line_start..).unwrap_or_default();
        let after = whole.get(span.start()..).unwrap_or_default();
        let after = after.lines().next().unwrap_or_default();
        let length = (span.end() - span.start()).min(after.len());
        let marked = after.get(..length).unwrap_or(after);
        let after = after.get(length..).unwrap_or_default();
        let ellipsis = style.ellipsis();

        let part = |text: &str| safe_line(&text.replace('\t', &" ".repeat(TAB)), style);
        // No more than `room` characters of each part can be shown.
        let tail: Vec<char> = before.chars().rev().take(room + 1).collect();
        let before = part(&tail.into_iter().rev().collect::<String>());
        let marked = part(&marked.chars().take(room + 1).collect::<String>());
        let after = part(&after.chars().take(room + 1).collect::<String>());

        let rest = columns(&marked) + columns(&after);
        let (before, marked, after) = if columns(&before) + rest <= room {
            (before, marked, after)
        } else {
            let before = last_columns(&before, room.saturating_sub(rest).max(room / 2), ellipsis);
            let marked = first_columns(&marked, room.saturating_sub(columns(&before)), ellipsis);
            let left = room.saturating_sub(columns(&before) + columns(&marked));
            let after = first_columns(&after, left, ellipsis);
            (before, marked, after)
        };
        Self {
            before: columns(&before),
            marked: columns(&marked).max(1),
            line: format!("{before}{marked}{after}"),
        }
    }
}

fn first_columns(text: &str, room: usize, ellipsis: &str) -> String {
    if columns(text) <= room {
        return text.to_owned();
    }
    let mut taken = String::new();
    let mut left = room.saturating_sub(columns(ellipsis));
    for character in text.chars() {
        let Some(rest) = left.checked_sub(width(character)) else { break };
        left = rest;
        taken.push(character);
    }
    if room < columns(ellipsis) { taken } else { taken + ellipsis }
}

fn last_columns(text: &str, room: usize, ellipsis: &str) -> String {
    if columns(text) <= room {
        return text.to_owned();
    }
    let mut taken: Vec<char> = Vec::new();
    let mut left = room.saturating_sub(columns(ellipsis));
    for character in text.chars().rev() {
        let Some(rest) = left.checked_sub(width(character)) else { break };
        left = rest;
        taken.push(character);
    }
    format!("{ellipsis}{}", taken.into_iter().rev().collect::<String>())
}
