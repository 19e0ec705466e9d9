//! One step of a plan for a person: a heading and what differs.

use super::layout::{Break, Line};
use super::style::{Paint, Style};
use super::{difference, safe};
use crate::model::{Aspect, MachineName, ResourceId};
use crate::plan::{Class, Step};
use crate::resource::{Action, Detail, Origin};

/// Columns before what stands below a heading.
pub(super) const BODY: usize = 6;
/// Columns of the longest verb.
const VERB: usize = 7;
/// Columns of a value that may share a row with others.
const SHORT: usize = 40;
/// Columns of a value that are shown at all.
const LONGEST: usize = 400;
/// Lines of a reason that are shown.
const LINES: usize = 20;

/// What a heading begins with.
pub(super) struct Heading {
    pub(super) sign: &'static str,
    pub(super) verb: &'static str,
    pub(super) paint: Paint,
}

impl Heading {
    fn of(action: Action, style: Style) -> Self {
        let (sign, plain, paint) = match action {
            Action::Create => ("+", "+", Paint::Created),
            Action::Update => ("~", "~", Paint::Changed),
            Action::Replace => ("±", "*", Paint::Replaced),
            Action::Remove => ("-", "-", Paint::Removed),
            Action::Release => ("○", "o", Paint::Faint),
            Action::Restart => ("↻", "@", Paint::Place),
        };
        Self { sign: if style.unicode { sign } else { plain }, verb: action.verb(), paint }
    }

    /// Writes `+ create   file /etc/motd  (role base)`.
    ///
    /// `more` stands behind the origin: who moved, what it waits for.
    pub(super) fn write(
        &self,
        text: &mut String,
        id: &ResourceId,
        origin: &Origin,
        more: &str,
        style: Style,
    ) {
        let begin = Line::indented(2)
            .with(self.paint, format!("{} {:VERB$}  ", self.sign, self.verb))
            .with(Paint::Strong, safe::line(&id.to_string(), style));
        let origin = format!("({}{})", safe::line(&origin.from, style), safe::line(more, style));
        let together = begin.clone().with(Paint::Faint, format!("  {origin}"));
        let hang = Line::indented(BODY);
        if together.columns() <= style.columns() {
            together.write(text, style, Break::Words, &hang);
        } else {
            begin.write(text, style, Break::Words, &hang);
            hang.clone().with(Paint::Faint, origin).write(text, style, Break::Words, &hang);
        }
    }
}

/// What there is to say of a step besides what it changes: `, drifted`, `, adopted`, `, after hs-nas`.
fn circumstances(step: &Step) -> String {
    let mut words = match step.class {
        Class::Pending => String::new(),
        Class::Drifted => ", drifted".to_owned(),
        Class::Both => ", drifted and pending".to_owned(),
    };
    if step.former.is_none() && step.entry.as_ref().is_some_and(|entry| entry.adopted) {
        words.push_str(", was there before");
    }
    if !step.awaits.is_empty() {
        let names: Vec<&str> = step.awaits.iter().map(MachineName::as_str).collect();
        words.push_str(&format!(", after {}", names.join(" and ")));
    }
    words
}

/// Whether a step shows a text, which takes many rows.
pub(super) fn has_text(step: &Step) -> bool {
    step.difference.details.iter().any(|detail| matches!(detail, Detail::Text { .. }))
}

/// Writes a step: its heading, and all that differs.
pub(super) fn write(text: &mut String, step: &Step, style: Style) {
    Heading::of(step.difference.action, style).write(
        text,
        &step.id,
        &step.origin,
        &circumstances(step),
        style,
    );
    let mut row = Values::default();
    for detail in &step.difference.details {
        if let Detail::Value { name, from, to } = detail {
            row.add(text, &Value::new(name, from.as_deref(), to, style), style);
            continue;
        }
        row.flush(text, style);
        match detail {
            Detail::Value { .. } => {}
            Detail::Text { name, from, to } => {
                if *name != step.id.target {
                    heading(text, name, style);
                }
                difference::write(text, style, BODY, from.as_deref(), to);
            }
            Detail::Summary { name, from, to } => {
                let name = if *name == step.id.target { "content" } else { name };
                row.add(text, &Value::summary(name, from.as_deref(), to, style), style);
                row.flush(text, style);
            }
            Detail::Secret { name, existed } => {
                let name = if *name == step.id.target { "content" } else { name };
                let from = existed.then_some("<secret>");
                row.add(text, &Value::new(name, from, "<secret>", style), style);
                row.flush(text, style);
            }
            Detail::Note(words) => note(text, words, BODY, style),
        }
    }
    row.flush(text, style);
    step.aspects.iter().filter(|aspect| aspect.class == Class::Both).for_each(|aspect| {
        let value = |value: &Option<Aspect>| value.as_ref().map_or("nothing".to_owned(), Aspect::to_string);
        let is_secret = [&aspect.desired, &aspect.applied, &aspect.observed]
            .into_iter()
            .any(|value| value.as_ref().is_some_and(Aspect::is_secret));
        let words = if is_secret {
            format!(
                "{}: another one is asked for than was applied, and yet another one is there",
                aspect.name
            )
        } else {
            format!(
                "{}: {} is asked for now, {} was applied, {} is there",
                aspect.name,
                value(&aspect.desired),
                value(&aspect.applied),
                value(&aspect.observed)
            )
        };
        note(text, &words, BODY, style);
    });
}

/// Writes a sentence behind a dot.
pub(super) fn note(text: &mut String, words: &str, indent: usize, style: Style) {
    let dot = if style.unicode { "·" } else { "*" };
    let words = safe::bounded(&safe::line(words, style), LONGEST, style);
    Line::indented(indent).with(Paint::Faint, format!("{dot} {words}")).write(
        text,
        style,
        Break::Words,
        &Line::indented(indent + 2),
    );
}

/// Writes what a machine said, as many lines as are worth reading.
pub(super) fn reason(text: &mut String, words: &str, indent: usize, style: Style) {
    let lines = safe::lines(words.trim_end(), style);
    for line in lines.iter().take(LINES) {
        let line = safe::bounded(line, LONGEST, style);
        let hang = Line::indented(indent + 2);
        Line::indented(indent).with(Paint::Plain, line).write(text, style, Break::Words, &hang);
    }
    if let Some(hidden) = lines.len().checked_sub(LINES).filter(|hidden| *hidden > 0) {
        let words = format!("{} {hidden} more lines", style.ellipsis());
        Line::indented(indent).with(Paint::Faint, words).write(text, style, Break::Words, &Line::default());
    }
}

fn heading(text: &mut String, name: &str, style: Style) {
    let hang = Line::indented(BODY);
    hang.clone().with(Paint::Faint, format!("{}:", safe::line(name, style))).write(
        text,
        style,
        Break::Words,
        &hang,
    );
}

/// `mode 0644 → 0600`.
struct Value {
    name: String,
    from: Option<String>,
    to: String,
}

impl Value {
    /// One that is described, not quoted.
    fn summary(name: &str, from: Option<&str>, to: &str, style: Style) -> Self {
        let show = |words: &str| safe::bounded(&safe::line(words, style), LONGEST, style);
        Self { name: safe::line(name, style), from: from.map(show), to: show(to) }
    }

    fn new(name: &str, from: Option<&str>, to: &str, style: Style) -> Self {
        let show = |value: &str| {
            let shown = safe::bounded(&safe::line(value, style), LONGEST, style);
            let plain = !shown.is_empty() && shown.trim() == shown && !shown.contains(", ");
            if plain { shown } else { format!("\"{shown}\"") }
        };
        let (mut old, mut new) = (from.map(show), show(to));
        if let Some(from) = from
            && from != to
            && old.as_deref() == Some(new.as_str())
        {
            // They look the same and are not.
            old = Some(safe::bounded(&safe::exact(from.as_bytes()), LONGEST, style));
            new = safe::bounded(&safe::exact(to.as_bytes()), LONGEST, style);
        }
        Self { name: safe::line(name, style), from: old, to: new }
    }

    fn line(&self, style: Style) -> Line {
        let line = Line::default().with(Paint::Plain, format!("{} ", self.name));
        match &self.from {
            None => line.with(Paint::Plain, self.to.as_str()),
            Some(from) => line
                .with(Paint::Removed, from.as_str())
                .with(Paint::Faint, format!(" {} ", style.arrow()))
                .with(Paint::Created, self.to.as_str()),
        }
    }
}

/// Short values that wait for the rows they share.
#[derive(Default)]
struct Values(Vec<Line>);

impl Values {
    fn add(&mut self, text: &mut String, value: &Value, style: Style) {
        let line = value.line(style);
        let columns = line.columns();
        if columns <= SHORT {
            self.0.push(line);
            return;
        }
        self.flush(text, style);
        let body = Line::indented(BODY);
        let hang = Line::indented(BODY + 2);
        match &value.from {
            // Too long for one row: one below the other, as in a diff.
            Some(from) if BODY + columns > style.columns() => {
                let name = body.clone().with(Paint::Plain, value.name.as_str());
                name.write(text, style, Break::Words, &hang);
                let old = body.clone().with(Paint::Removed, format!("- {from}"));
                old.write(text, style, Break::Words, &hang);
                let new = body.with(Paint::Created, format!("+ {}", value.to));
                new.write(text, style, Break::Words, &hang);
            }
            _ => body.followed(line).write(text, style, Break::Words, &hang),
        }
    }

    fn flush(&mut self, text: &mut String, style: Style) {
        if !self.0.is_empty() {
            Line::indented(BODY).flow(std::mem::take(&mut self.0), text, style, BODY);
        }
    }
}
