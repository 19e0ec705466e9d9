//! Small phrases that several reports share.

use super::layout::Line;
use super::machine::MachineReport;
use super::safe;
use super::style::Paint;

/// A longer name pushes only its own line.
const WIDEST: usize = 16;

/// The columns that names are padded to, so that what follows them stands in one column.
pub(super) fn name_columns(machines: &[MachineReport<'_>]) -> usize {
    machines.iter().map(|machine| safe::columns(machine.name.as_str())).max().unwrap_or(0).min(WIDEST)
}

/// A machine's name and the space behind it.
pub(super) fn name(machine: &MachineReport<'_>, widest: usize) -> Line {
    let name = machine.name.as_str();
    let space = widest.saturating_sub(safe::columns(name)) + 2;
    Line::default().with(Paint::Strong, name).with(Paint::Plain, " ".repeat(space))
}

/// `1 machine`, `2 machines`.
#[must_use]
pub fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Each number that is not zero, with its words.
pub(super) fn counts(sorts: &[(usize, &str, Paint)]) -> Vec<Line> {
    let some = sorts.iter().filter(|(count, ..)| *count > 0);
    some.map(|(count, words, paint)| Line::default().with(*paint, format!("{count} {words}"))).collect()
}
