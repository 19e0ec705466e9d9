//! Fields as the inventory would give them, and a plan's view of one resource.

use crate::model::{
    Diagnostic, Diagnostics, Entry, Facts, Init, Key, Node, Platform, Secret, SecretReference, Source, Span,
    Spanned, Value,
};
use std::sync::Arc;

use crate::resource::{
    Answer, Answers, Comparison, Content, Declared, Detail, Difference, Former, ObserveError, Origin, Read,
    Reading, Remnant, Removal, Resource, Supply, Surroundings, kind,
};

/// The key of a test's run.
pub(in crate::resource) const RUN_KEY: &str = "00ff00ff";

/// Secrets and templates are the text of their name.
struct Echo;

impl Supply for Echo {
    fn template(&self, name: &Spanned<String>) -> Result<Content, Diagnostic> {
        Ok(Content::Bytes(name.value.clone().into_bytes().into()))
    }

    fn file(&self, name: &Spanned<String>) -> Result<Content, Diagnostic> {
        self.template(name)
    }

    fn secret(&self, secret: &SecretReference) -> Result<Content, Diagnostic> {
        Ok(Content::Secret(Secret::new(secret.from.as_text().as_bytes().to_vec())))
    }
}

/// An origin.
pub(in crate::resource) fn origin() -> Origin {
    let source = Source::new("test.yaml", "test\n");
    Origin { from: "role test".to_owned(), span: Span::new(&source, 0, 4) }
}

/// A node from JSON, whose texts count as quoted and whose other values as plain.
fn node(json: &serde_json::Value, span: &Span) -> Node {
    let value = match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::String(text) => Value::Scalar { text: text.clone(), plain: false },
        serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {
            Value::Scalar { text: json.to_string(), plain: true }
        }
        serde_json::Value::Array(items) => Value::List(items.iter().map(|item| node(item, span)).collect()),
        serde_json::Value::Object(entries) => Value::Map(
            entries
                .iter()
                .map(|(key, value)| Entry {
                    key: Key { text: key.clone(), span: span.clone() },
                    value: node(value, span),
                })
                .collect(),
        ),
    };
    Node { value, span: span.clone() }
}

/// Reads a kind's fields for alice on a Debian machine managed as root: what it declares, or what
/// is wrong with the fields.
pub(in crate::resource) fn read_with(
    read: Read,
    fields: serde_json::Value,
) -> Result<Vec<Declared>, Vec<String>> {
    let facts = Facts {
        platform: Platform::Debian,
        init: Init::Systemd,
        user: "alice".to_owned(),
        home: "/home/alice".to_owned(),
        root: true,
        state: None,
    };
    let origin = origin();
    let mut problems = Diagnostics::new();
    let reading = Reading { facts: &facts, supply: &Echo };
    let declared = read(&node(&fields, &origin.span), &origin, &reading, &mut problems);
    if problems.is_empty() {
        assert!(!declared.is_empty(), "nothing was declared and nothing was wrong");
        Ok(declared)
    } else {
        assert!(declared.is_empty(), "something was declared in spite of problems");
        Err(problems.sorted().iter().map(|problem| problem.message.clone()).collect())
    }
}

/// A resource compared with answers.
pub(in crate::resource) fn compared(
    resource: &dyn Resource,
    answers: &[Answer],
) -> Result<Option<Difference>, ObserveError> {
    let surroundings = Surroundings { key: RUN_KEY.to_owned(), ..Surroundings::default() };
    resource.compare(Answers::new(answers, &surroundings)).map(|comparison| match comparison {
        Comparison::InOrder => {
            agrees(resource, answers);
            None
        }
        Comparison::Differs(difference) => Some(difference),
    })
}

/// As [`compared`], of a resource that has to differ.
pub(in crate::resource) fn differs(resource: &dyn Resource, answers: &[Answer]) -> Difference {
    compared(resource, answers).unwrap().expect("it is in order")
}

/// A difference in lines: the verb, the details, the calls.
pub(in crate::resource) fn shown(difference: &Difference) -> String {
    let mut lines = vec![difference.action.verb().to_owned()];
    for detail in &difference.details {
        lines.push(match detail {
            Detail::Value { name, from: Some(from), to } => format!("  {name} {from} → {to}"),
            Detail::Value { name, from: None, to } => format!("  {name} {to}"),
            Detail::Text { name, from, to } => format!(
                "  {name}: {:?} → {:?}",
                from.as_deref().map(String::from_utf8_lossy),
                String::from_utf8_lossy(to)
            ),
            Detail::Summary { name, from, to } => format!("  {name}: {from:?} → {to}"),
            Detail::Secret { name, existed } => format!("  {name}: secret, existed {existed}"),
            Detail::Note(note) => format!("  {note}"),
        });
    }
    for operation in &difference.operations {
        lines.push(format!("  > {} {}", operation.call.function, operation.call.arguments.join("|")));
    }
    lines.join("\n")
}

/// What the record says of a resource that was applied, some aspects of which were there before.
pub(in crate::resource) fn former(resource: &dyn Resource, adopted: &[&str]) -> Former {
    let adopted = adopted.iter().map(|name| (*name).to_owned()).collect();
    Former { remains: resource.remains(), adopted }
}

/// What is left of a resource once it has left the inventory, by what it says of itself.
pub(in crate::resource) fn left(resource: &dyn Resource) -> Arc<dyn Remnant> {
    let id = resource.id();
    let kind = kind(id.kind).unwrap();
    let recall = kind.recall;
    assert!(recall(&id.target, &serde_json::Value::Null).is_none(), "{id} is recalled from nothing");
    assert!(recall("--", &serde_json::json!({"path": "x"})).is_none(), "{id} is recalled from nonsense");
    let remnant = recall(&id.target, &resource.remains()).unwrap_or_else(|| panic!("{id} is not recalled"));
    assert_eq!(remnant.id(), id);
    assert_eq!(remnant.guards(), resource.guards());
    remnant
}

/// How what is left of a resource goes. `adopted` names the aspects that were there before.
pub(in crate::resource) fn removal(
    resource: &dyn Resource,
    answers: &[Answer],
    adopted: &[&str],
    surroundings: &Surroundings,
) -> Result<Removal, ObserveError> {
    let former = former(resource, adopted);
    let surroundings = Surroundings { key: RUN_KEY.to_owned(), ..surroundings.clone() };
    left(resource).remove(Answers::new(answers, &surroundings).with_former(Some(&former)))
}

/// The same in words: `gone`, `stays: …`, or as [`shown`].
pub(in crate::resource) fn going(resource: &dyn Resource, answers: &[Answer], adopted: &[&str]) -> String {
    match removal(resource, answers, adopted, &Surroundings::default()) {
        Err(error) => format!("error: {error}"),
        Ok(Removal::Gone) => "gone".to_owned(),
        Ok(Removal::Release(reason)) => format!("stays: {reason}"),
        Ok(Removal::Remove(difference)) => shown(&difference),
    }
}

/// Checks that what is in order is there aspect by aspect, and spelled as it is desired.
pub(in crate::resource) fn agrees(resource: &dyn Resource, answers: &[Answer]) {
    let surroundings = Surroundings { key: RUN_KEY.to_owned(), ..Surroundings::default() };
    let seen = resource.observed(Answers::new(answers, &surroundings)).unwrap();
    for (name, wanted) in resource.wanted() {
        // Of what is not there at all, nothing is on.
        if seen.is_empty() && ["no", "inactive"].contains(&wanted.to_string().as_str()) {
            continue;
        }
        let there = seen.get(&name);
        let is_same = there.and_then(|there| wanted.is(there, RUN_KEY));
        assert_eq!(is_same, Some(true), "{}: {name}: {wanted:?} but {there:?}", resource.id());
    }
}

/// What is there of a resource, aspect by aspect, as `name value`.
pub(in crate::resource) fn seen(resource: &dyn Resource, answers: &[Answer]) -> Vec<String> {
    let surroundings = Surroundings { key: RUN_KEY.to_owned(), ..Surroundings::default() };
    let seen = resource.observed(Answers::new(answers, &surroundings)).unwrap();
    seen.iter().map(|(name, aspect)| format!("{name} {aspect}")).collect()
}
