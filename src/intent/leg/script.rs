//! What the template of a leg's script sees.

use super::{End, Leg, Mode};
use crate::model::{Entry, Key, MachinePath, Node, Span, Spanned, Value};
use crate::resource::Origin;

/// The template, by name; a file of this name in the user's templates takes its place.
const TEMPLATE: &str = "leg.sh.hbs";

pub(super) fn template(origin: &Origin) -> Spanned<String> {
    Spanned { value: TEMPLATE.to_owned(), span: origin.span.clone() }
}

impl Leg {
    /// `leg`: `name`, `mode`, `from`, `to`, `config`, `log`, `filters`, and the rest, null where it
    /// does not apply. `sentinel` and `backup-dir` are whole, as rclone takes them; `sentinel-here` says
    /// that the sentinel is a path of this machine.
    pub(super) fn values(&self, log: &MachinePath, origin: &Origin) -> [(&'static str, Node); 1] {
        let span = &origin.span;
        let text = |text: String| Node::text(text, span.clone());
        let option = |value: Option<String>| match value {
            Some(value) => text(value),
            None => Node { value: Value::Null, span: span.clone() },
        };
        let here = matches!(self.source, End::Here(_));
        let limit = self.max_delete.or(self.mode.default_limit());
        let entries = [
            ("name", text(self.name.clone())),
            ("mode", text(self.mode.word().to_owned())),
            ("from", text(self.source.shown())),
            ("to", text(self.destination.shown())),
            ("config", text(self.config.to_string())),
            ("log", text(log.to_string())),
            ("sentinel", option(self.sentinel.as_ref().map(|path| self.source.below(path)))),
            ("sentinel-here", flag(here, span)),
            ("backup-dir", option(self.backup_dir.clone())),
            (
                "filters",
                Node { value: Value::List(self.rules().into_iter().map(text).collect()), span: span.clone() },
            ),
            ("bandwidth", option(self.bandwidth.clone())),
            ("max-delete", option(limit.map(|limit| limit.to_string()))),
        ];
        let entries = entries
            .into_iter()
            .map(|(name, value)| Entry { key: Key { text: name.to_owned(), span: span.clone() }, value })
            .collect();
        [("leg", Node { value: Value::Map(entries), span: span.clone() })]
    }
}

impl Leg {
    /// The filter rules. A move leaves its sentinel where it is, or the next run would not find it.
    fn rules(&self) -> Vec<String> {
        let kept = self.sentinel.as_ref().filter(|_| self.mode == Mode::Move);
        let kept = kept.map(|sentinel| format!("- /{}", literal(sentinel.trim_start_matches('/'))));
        kept.into_iter().chain(self.filters.iter().cloned()).collect()
    }
}

/// A path as a pattern that matches nothing else (rclone's page on filtering: glob, `\\` quotes).
fn literal(path: &str) -> String {
    let mut pattern = String::with_capacity(path.len());
    for character in path.chars() {
        if "*?[]{}\\".contains(character) {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

fn flag(flag: bool, span: &Span) -> Node {
    Node { value: Value::Scalar { text: flag.to_string(), plain: true }, span: span.clone() }
}
