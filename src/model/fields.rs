//! Reads the fields of a map one by one, gathering every problem instead of stopping at the first.

use super::diagnostic::{Diagnostic, Diagnostics, nearest, one_of};
use super::node::{Entry, Node, NodeKind, Value};
use super::source::{Span, Spanned};

/// The fields of one map while it is being read.
///
/// Each reading method notes the key as known; [`Fields::close`] then reports what was not asked
/// for. A method returns `None` when the field is absent or wrong; only the second is a problem,
/// unless the field is a required one. A required field that is only misspelt is one problem, not
/// two, so absent ones are reported at the end: at `close`, or when the fields go.
pub struct Fields<'a> {
    what: String,
    span: Span,
    entries: &'a [Entry],
    known: Vec<&'static str>,
    absent: Vec<Absent>,
    problems: &'a mut Diagnostics,
}

/// A problem that is one only when none of the keys is there, well or badly spelt.
struct Absent {
    keys: Vec<&'static str>,
    problem: Diagnostic,
}

impl<'a> Fields<'a> {
    /// Opens a node that has to be a map; `what` names it in messages ("machine `droplet`").
    /// An empty node counts as an empty map.
    pub fn open(node: &'a Node, what: impl Into<String>, problems: &'a mut Diagnostics) -> Option<Self> {
        let what = what.into();
        let entries: &[Entry] = match &node.value {
            Value::Map(entries) => entries,
            Value::Null => &[],
            _ => {
                problems.push(
                    Diagnostic::at(&node.span, format!("{what} is {}", node.kind().phrase()))
                        .expected(NodeKind::Map.pattern()),
                );
                return None;
            }
        };
        let (known, absent) = (Vec::new(), Vec::new());
        Some(Self { what, span: node.span.clone(), entries, known, absent, problems })
    }

    /// Where the map stands.
    #[must_use]
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// The problems gathered so far, to add one of your own.
    pub fn problems(&mut self) -> &mut Diagnostics {
        self.problems
    }

    /// The node under a key, unread; an explicit null counts as absent.
    pub fn node(&mut self, key: &'static str) -> Option<&'a Node> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        let entries: &'a [Entry] = self.entries;
        entries
            .iter()
            .find(|entry| entry.key.text == key)
            .map(|entry| &entry.value)
            .filter(|node| node.value != Value::Null)
    }

    /// As [`Fields::node`], but its absence is a problem.
    pub fn required_node(&mut self, key: &'static str) -> Option<&'a Node> {
        let found = self.node(key);
        if found.is_none() {
            self.missing(key);
        }
        found
    }

    /// A text.
    pub fn text(&mut self, key: &'static str) -> Option<Spanned<String>> {
        let node = self.node(key)?;
        self.scalar(key, node, "a text")
    }

    /// A text that has to be there.
    pub fn required_text(&mut self, key: &'static str) -> Option<Spanned<String>> {
        let node = self.required_node(key)?;
        self.scalar(key, node, "a text")
    }

    /// A text that has to satisfy `parse`; `expected` says in words what that is.
    pub fn parsed<T, E: std::fmt::Display>(
        &mut self,
        key: &'static str,
        expected: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let node = self.node(key)?;
        let text = self.scalar(key, node, expected)?;
        match parse(&text.value) {
            Ok(value) => Some(value),
            Err(error) => {
                self.problems
                    .push(Diagnostic::at(&text.span, format!("`{key}`: {error}")).expected(expected));
                None
            }
        }
    }

    /// As [`Fields::parsed`], but its absence is a problem.
    pub fn required<T, E: std::fmt::Display>(
        &mut self,
        key: &'static str,
        expected: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        self.required_node(key)?;
        self.parsed(key, expected, parse)
    }

    /// `true` or `false`, unquoted.
    pub fn flag(&mut self, key: &'static str) -> Option<bool> {
        let node = self.node(key)?;
        match &node.value {
            Value::Scalar { text, .. } if text == "true" => Some(true),
            Value::Scalar { text, .. } if text == "false" => Some(false),
            _ => {
                let shown = node
                    .as_text()
                    .map_or_else(|| node.kind().phrase().to_owned(), |text| format!("`{text}`"));
                self.problems.push(
                    Diagnostic::at(&node.span, format!("`{key}` is {shown}")).expected("true or false"),
                );
                None
            }
        }
    }

    /// One of a few words.
    pub fn choice<T: Copy>(&mut self, key: &'static str, choices: &[(&'static str, T)]) -> Option<T> {
        let node = self.node(key)?;
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let expected = one_of(&names);
        let text = self.scalar(key, node, &expected)?;
        let found = choices.iter().find(|(name, _)| *name == text.value).map(|(_, value)| *value);
        if found.is_none() {
            self.problems.push(
                Diagnostic::at(&text.span, format!("`{key}` is `{}`", text.value))
                    .expected(expected)
                    .nearest_of(&text.value, names),
            );
        }
        found
    }

    /// A list of nodes; empty when absent.
    pub fn list(&mut self, key: &'static str) -> &'a [Node] {
        let Some(node) = self.node(key) else { return &[] };
        if let Value::List(items) = &node.value {
            return items;
        }
        self.problems.push(
            Diagnostic::at(&node.span, format!("`{key}` is {}", node.kind().phrase()))
                .expected(NodeKind::List.pattern()),
        );
        &[]
    }

    /// A list of texts; empty when absent.
    pub fn texts(&mut self, key: &'static str) -> Vec<Spanned<String>> {
        self.list(key).iter().filter_map(|node| self.scalar(key, node, "a list of texts")).collect()
    }

    /// A map's entries in their order; empty when absent.
    pub fn map(&mut self, key: &'static str) -> &'a [Entry] {
        let Some(node) = self.node(key) else { return &[] };
        if let Value::Map(entries) = &node.value {
            return entries;
        }
        self.problems.push(
            Diagnostic::at(&node.span, format!("`{key}` is {}", node.kind().phrase()))
                .expected(NodeKind::Map.pattern()),
        );
        &[]
    }

    /// Reports a required field that is not there.
    pub fn missing(&mut self, key: &'static str) {
        let problem = Diagnostic::at(&self.span, format!("{} has no `{key}`", self.what))
            .expected(format!("`{key}:` among its keys"));
        self.missing_one_of(&[key], problem);
    }

    /// Reports that none of some fields is there, in words of your own; not when one of them is
    /// there after all, and so wrong in another way, or is misspelt. Both are reported as such.
    pub fn missing_one_of(&mut self, keys: &[&'static str], problem: Diagnostic) {
        let mut is_given = false;
        for key in keys {
            is_given |= self.node(key).is_some();
        }
        if !is_given {
            self.absent.push(Absent { keys: keys.to_vec(), problem });
        }
    }

    /// Ends the reading: every key that nobody asked for is a problem, with the nearest known one.
    pub fn close(mut self) {
        self.finish(true);
    }

    /// Reports what is absent, and of the unknown keys all, or those that stand for an absent one.
    fn finish(&mut self, all: bool) {
        self.known.sort_unstable();
        let absent = std::mem::take(&mut self.absent);
        let mut misspelt: Vec<String> = Vec::new();
        for Entry { key, .. } in self.entries {
            if self.known.contains(&key.text.as_str()) {
                continue;
            }
            let near = nearest(&key.text, self.known.iter().copied());
            let stands_for_absent =
                near.as_deref().is_some_and(|near| absent.iter().any(|absent| absent.keys.contains(&near)));
            if all || stands_for_absent {
                let message = format!("{} has an unknown key `{}`", self.what, key.text);
                let mut problem = Diagnostic::at(&key.span, message);
                problem.expected =
                    Some(if self.known.is_empty() { "no keys here".to_owned() } else { one_of(&self.known) });
                problem.nearest.clone_from(&near);
                self.problems.push(problem);
                misspelt.extend(near);
            }
        }
        for Absent { keys, problem } in absent {
            if !misspelt.iter().any(|near| keys.contains(&near.as_str())) {
                self.problems.push(problem);
            }
        }
    }

    fn scalar(&mut self, key: &str, node: &'a Node, expected: &str) -> Option<Spanned<String>> {
        if let Some(text) = node.as_text() {
            return Some(Spanned { value: text.to_owned(), span: node.span.clone() });
        }
        self.problems.push(
            Diagnostic::at(&node.span, format!("`{key}` is {}", node.kind().phrase())).expected(expected),
        );
        None
    }
}

/// Whoever gives up on a map before its end has not seen which of its keys are known, but has seen
/// what is absent.
impl Drop for Fields<'_> {
    fn drop(&mut self) {
        if !self.absent.is_empty() {
            self.finish(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Key, Source};

    fn map(pairs: &[(&str, Value)]) -> Node {
        let text: String = pairs.iter().map(|(key, _)| format!("{key}: x\n")).collect();
        let source = Source::new("t.yaml", text.clone());
        let entries = pairs
            .iter()
            .map(|(key, value)| {
                let at = text.find(key).unwrap();
                let span = Span::new(&source, at, at + key.len());
                Entry {
                    key: Key { text: (*key).to_owned(), span: span.clone() },
                    value: Node { value: value.clone(), span },
                }
            })
            .collect();
        Node { value: Value::Map(entries), span: Span::new(&source, 0, text.len()) }
    }

    fn scalar(text: &str) -> Value {
        Value::Scalar { text: text.to_owned(), plain: true }
    }

    #[test]
    fn every_problem_of_a_map_is_gathered() {
        let node = map(&[("pth", scalar("/a")), ("mode", Value::List(vec![])), ("force", scalar("yes"))]);
        let mut problems = Diagnostics::new();
        let mut fields = Fields::open(&node, "file", &mut problems).unwrap();
        assert!(fields.required_text("path").is_none());
        assert!(fields.text("mode").is_none());
        assert!(fields.flag("force").is_none());
        fields.close();
        let messages: Vec<&str> = problems.sorted().iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(
            messages,
            ["file has an unknown key `pth`", "`mode` is a list", "`force` is `yes`"],
            "a required key that is misspelt is one mistake"
        );
        assert_eq!(problems.sorted()[0].nearest.as_deref(), Some("path"));
    }

    fn told(pairs: &[&str], read: impl FnOnce(Fields<'_>)) -> Vec<String> {
        let pairs: Vec<(&str, Value)> = pairs.iter().map(|key| (*key, scalar("x"))).collect();
        let node = map(&pairs);
        let mut problems = Diagnostics::new();
        read(Fields::open(&node, "thing", &mut problems).unwrap());
        problems.sorted().iter().map(|problem| problem.message.clone()).collect()
    }

    #[test]
    fn what_is_absent_is_told_once_however_the_reading_ends() {
        let required = |mut fields: Fields<'_>| {
            fields.required_text("kind");
        };
        assert_eq!(told(&["other"], required), ["thing has no `kind`"]);
        assert_eq!(told(&["knid", "other"], required), ["thing has an unknown key `knid`"]);
        let closed = |mut fields: Fields<'_>| {
            fields.required_text("kind");
            fields.close();
        };
        assert_eq!(told(&["far"], closed), ["thing has an unknown key `far`", "thing has no `kind`"]);
        let near = |mut fields: Fields<'_>| {
            fields.required_text("at");
            fields.text("to");
            fields.close();
        };
        assert_eq!(told(&["to"], near), ["thing has no `at`"], "a key that is known is no misspelling");
    }

    #[test]
    fn one_of_several_may_be_the_misspelt_one() {
        let read = |mut fields: Fields<'_>| {
            let problem = Diagnostic::at(&fields.span().clone(), "thing has no content");
            fields.missing_one_of(&["content", "source"], problem);
            fields.close();
        };
        assert_eq!(told(&[], read), ["thing has no content"]);
        assert_eq!(told(&["contnet"], read), ["thing has an unknown key `contnet`"]);
    }

    #[test]
    fn absent_optional_fields_are_no_problem() {
        let node = map(&[("a", Value::Null)]);
        let mut problems = Diagnostics::new();
        let mut fields = Fields::open(&node, "thing", &mut problems).unwrap();
        assert!(fields.text("a").is_none());
        assert!(fields.texts("b").is_empty());
        assert!(fields.map("c").is_empty());
        fields.close();
        assert!(problems.is_empty());
    }
}
