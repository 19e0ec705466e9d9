//! The closing table and the last sentence, for a person.

use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle};

use super::layout::Line;
use super::machine::{Counts, Ended, MachineReport, Status};
use super::style::{Paint, Style};
use super::words::counted;
use crate::event::StepOutcome;
use crate::plan::Step;
use crate::resource::Action;

/// Columns between two columns, when there is room.
const GAP: usize = 2;

/// Draws one row for each machine, in the order given, and the last sentence below.
///
/// Before an apply the columns count what is to do, after it how the steps ended. A column that
/// would be empty is left out, but for the most common ones. Every line ends with `\n`.
#[must_use]
pub fn summary(machines: &[MachineReport<'_>], style: Style) -> String {
    if machines.is_empty() {
        return String::new();
    }
    let columns = if machines.iter().any(MachineReport::was_applied) { AFTER } else { BEFORE };
    let columns: Vec<&Column> = columns
        .iter()
        .filter(|column| column.always || machines.iter().any(|machine| (column.count)(machine) > 0))
        .collect();
    let mut text = painted(&table(machines, &columns, style), machines, style);
    text.push('\n');
    let parts = parts(machines).into_iter().map(|part| Line::default().with(Paint::Plain, part));
    Line::default().flow(parts.collect(), &mut text, style, 0);
    text
}

fn table(machines: &[MachineReport<'_>], columns: &[&Column], style: Style) -> Table {
    let mut table = rows(machines, columns, false);
    let total = |table: &Table, gap: usize| {
        let widths = table.column_max_content_widths();
        widths.iter().map(|width| usize::from(*width) + gap).sum::<usize>() - gap
    };
    if total(&table, GAP) > style.columns() {
        table = rows(machines, columns, true);
    }
    let gap = if total(&table, GAP) > style.columns() { 1 } else { GAP };
    let dash = if style.unicode { '─' } else { '-' };
    table
        .load_style(TableStyle::new().header_separator(LineStyle::none().fill(dash)))
        // Otherwise it would look at the terminal and the environment.
        .force_no_tty()
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(style.columns()).unwrap_or(u16::MAX));
    let last = columns.len() + 1;
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if index == last { 0 } else { u16::try_from(gap).unwrap_or(1) }));
        if index > 0 {
            // Only a long name is broken.
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    table
}

/// The cells. A narrow table has one word a row in its headings.
fn rows(machines: &[MachineReport<'_>], columns: &[&Column], narrow: bool) -> Table {
    let mut table = Table::new();
    let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
    let heading = |name: &str| if narrow { name.replace(' ', "\n") } else { name.to_owned() };
    let mut header = vec![Cell::new("machine")];
    header.extend(columns.iter().map(|column| right(heading(column.name))));
    header.push(Cell::new("result"));
    table.set_header(header);
    for machine in machines {
        let mut row = vec![Cell::new(machine.name)];
        row.extend(columns.iter().map(|column| match (column.count)(machine) {
            0 => right("-".to_owned()),
            count => right(count.to_string()),
        }));
        row.push(Cell::new(machine.status().words()));
        table.add_row(row);
    }
    table
}

/// One column of counts.
struct Column {
    name: &'static str,
    /// Shown even when nothing is counted.
    always: bool,
    count: fn(&MachineReport<'_>) -> usize,
}

const fn column(name: &'static str, always: bool, count: fn(&MachineReport<'_>) -> usize) -> Column {
    Column { name, always, count }
}

fn counts(machine: &MachineReport<'_>) -> Counts {
    Counts::made(machine)
}

fn ended(machine: &MachineReport<'_>) -> Ended {
    Ended::of(machine.steps)
}

const BEFORE: &[Column] = &[
    column("create", true, |machine| counts(machine).create),
    column("update", true, |machine| counts(machine).update),
    column("replace", false, |machine| counts(machine).replace),
    column("remove", true, |machine| counts(machine).remove),
    column("release", false, |machine| counts(machine).release),
    column("restart", false, |machine| counts(machine).restart),
    column("refused", false, |machine| machine.refused()),
    column("blocked", false, |machine| counts(machine).blocked),
    column("in order", true, |machine| counts(machine).in_order),
];

/// How many changes of a sort were made.
fn made(machine: &MachineReport<'_>, action: Action) -> usize {
    let steps = machine.plan.map_or(&[][..], |plan| &plan.steps);
    let is_made = |(step, outcome): &(&Step, &StepOutcome)| {
        step.difference.action == action && **outcome == StepOutcome::Changed
    };
    steps.iter().zip(machine.steps).filter(is_made).count()
}

/// Of what was changed, what is gone or was let go of is counted once more.
const AFTER: &[Column] = &[
    column("changed", true, |machine| ended(machine).changed),
    column("removed", false, |machine| made(machine, Action::Remove)),
    column("released", false, |machine| made(machine, Action::Release)),
    column("failed", false, |machine| ended(machine).failed),
    column("refused", false, |machine| ended(machine).refused),
    column("put back", false, |machine| ended(machine).reverted),
    column("skipped", false, |machine| ended(machine).skipped),
    column("waits", false, |machine| ended(machine).held),
    column("not reached", false, |machine| ended(machine).not_reached),
    column("left", true, |machine| machine.left.map_or(0, |left| left.steps.len())),
    column("blocked", false, |machine| machine.left.or(machine.plan).map_or(0, |plan| plan.blocked.len())),
];

/// Colours a table: the last column by what became of the machine.
fn painted(table: &Table, machines: &[MachineReport<'_>], style: Style) -> String {
    let mut text = String::new();
    let mut result_at = 0;
    let mut below_rule = false;
    let mut rows = machines.iter();
    for line in table.lines() {
        let line = line.trim_end();
        let is_rule = !line.is_empty() && line.chars().all(|character| "─-".contains(character));
        if is_rule && !below_rule {
            below_rule = true;
            text.push_str(&style.paint(Paint::Faint, line));
        } else if below_rule {
            // All that the table holds is ASCII, so bytes are columns.
            let (begin, result) = line.split_at_checked(result_at).unwrap_or((line, ""));
            let status = if result.is_empty() { None } else { rows.next() };
            text.push_str(begin);
            text.push_str(&style.paint(status.map_or(Paint::Plain, |row| paint(row.status())), result));
        } else {
            result_at = line.rfind("result").unwrap_or(result_at);
            text.push_str(&style.paint(Paint::Strong, line));
        }
        text.push('\n');
    }
    text
}

fn paint(status: Status) -> Paint {
    match status {
        Status::InOrder | Status::Done | Status::NoDrift => Paint::Created,
        Status::Pending | Status::Partly | Status::Drifted => Paint::Changed,
        Status::Unsupported => Paint::Faint,
        Status::Blocked | Status::Refused | Status::Unreachable | Status::Interrupted | Status::Failed => {
            Paint::Alarm
        }
    }
}

/// The last sentence, without a line break: `4 machines changed, 1 unreachable`.
#[must_use]
pub fn closing(machines: &[MachineReport<'_>]) -> String {
    parts(machines).join(", ")
}

fn parts(machines: &[MachineReport<'_>]) -> Vec<String> {
    let number = |wanted: Status| machines.iter().filter(|machine| machine.status() == wanted).count();
    let mut parts: Vec<String> = Vec::new();
    for (status, noun, what) in
        [(Status::Pending, "change", "to make"), (Status::Drifted, "resource", "drifted")]
    {
        let found: Vec<usize> = machines
            .iter()
            .filter(|machine| machine.status() == status)
            .map(MachineReport::remaining)
            .collect();
        if !found.is_empty() {
            let what = format!("{} {what}", counted(found.iter().sum(), noun));
            parts.push(format!("{what} on {}", counted(found.len(), "machine")));
        }
    }
    let mut say = |count: usize, words: &dyn Fn(&str) -> String| {
        if count > 0 {
            // Only the first part names what is counted.
            let counted = if parts.is_empty() { counted(count, "machine") } else { count.to_string() };
            parts.push(words(&counted));
        }
    };
    say(number(Status::Done), &|count| format!("{count} changed"));
    say(number(Status::Partly), &|count| format!("{count} partly changed"));
    say(number(Status::InOrder), &|count| format!("nothing to do on {count}"));
    say(number(Status::NoDrift), &|count| format!("no drift on {count}"));
    let rest = [
        Status::Blocked,
        Status::Refused,
        Status::Failed,
        Status::Unreachable,
        Status::Interrupted,
        Status::Unsupported,
    ];
    for status in rest {
        say(number(status), &|count| format!("{count} {}", status.words()));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Failure, FailureKind};
    use crate::model::MachineName;
    use crate::report::samples::{ASCII, NARROW, Sample, WIDE, plan, step, visible};

    #[test]
    fn before_and_after() {
        let sample = Sample::new();
        insta::assert_snapshot!("planned_80", summary(&sample.planned(), NARROW));
        insta::assert_snapshot!("planned_120_colour", visible(&summary(&sample.planned(), WIDE)));
        insta::assert_snapshot!("applied_80", summary(&sample.applied(), NARROW));
        insta::assert_snapshot!("applied_80_ascii", summary(&sample.applied(), ASCII));
        insta::assert_snapshot!("applied_120_colour", visible(&summary(&sample.applied(), WIDE)));
    }

    #[test]
    fn what_is_gone_is_counted_once_more() {
        let name = MachineName::new("m").unwrap();
        let of = |action| step("file", "/f", "x", action, Vec::new());
        let whole =
            plan(vec![of(Action::Remove), of(Action::Release), of(Action::Remove), of(Action::Create)], 0);
        let left = plan(Vec::new(), 4);
        let failed = StepOutcome::Failed("x".to_owned());
        let steps = [StepOutcome::Changed, StepOutcome::Changed, failed, StepOutcome::Changed];
        let report = MachineReport {
            plan: Some(&whole),
            steps: &steps,
            left: Some(&left),
            ..MachineReport::new(&name)
        };
        let text = summary(&[report], NARROW);
        let row = |line: usize| text.lines().nth(line).unwrap().split_whitespace().collect::<Vec<_>>();
        assert_eq!(row(0), ["machine", "changed", "removed", "released", "failed", "left", "result"]);
        assert_eq!(row(2), ["m", "3", "1", "1", "1", "-", "partly"]);
    }

    #[test]
    fn the_last_sentence_says_what_became_of_all() {
        let name = MachineName::new("m").unwrap();
        let (nothing, some) =
            (plan(Vec::new(), 3), plan(Vec::from([step("file", "/f", "x", Action::Create, Vec::new())]), 0));
        let in_order = MachineReport { plan: Some(&nothing), ..MachineReport::new(&name) };
        let pending = MachineReport { plan: Some(&some), ..in_order };
        let done = MachineReport { steps: &[StepOutcome::Changed], left: Some(&nothing), ..pending };
        let failure = Failure { kind: FailureKind::Unreachable, message: "reach it".to_owned() };
        let unreachable = MachineReport { failure: Some(&failure), ..MachineReport::new(&name) };
        assert_eq!(closing(&[in_order; 5]), "nothing to do on 5 machines");
        assert_eq!(closing(&[in_order]), "nothing to do on 1 machine");
        assert_eq!(closing(&[done, done, done, done, unreachable]), "4 machines changed, 1 unreachable");
        assert_eq!(closing(&[pending, in_order]), "1 change to make on 1 machine, nothing to do on 1");
        assert_eq!(closing(&[unreachable, unreachable]), "2 machines unreachable");
        assert_eq!(summary(&[], NARROW), "");
    }

    #[test]
    fn rows_fit_and_colour_adds_nothing_else() {
        let sample = Sample::new();
        for width in [0, 60, 80, 90, 100, 200] {
            for reports in [sample.planned(), sample.applied()] {
                let style = Style { colour: false, width, unicode: true };
                let text = summary(&reports, style);
                if width >= 80 {
                    assert!(text.lines().all(|row| row.chars().count() <= width), "{text}");
                }
                let coloured = summary(&reports, Style { colour: true, ..style });
                let mut parts = coloured.split('\u{1b}');
                let first = parts.next().unwrap().to_owned();
                let bare = parts.fold(first, |bare, part| bare + part.split_once('m').unwrap().1);
                assert_eq!(bare, text);
            }
        }
    }
}
