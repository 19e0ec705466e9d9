//! A role file: its inputs and its list of resources, as written.

use std::collections::HashMap;
use std::sync::Arc;

use super::input::{self, Input};
use crate::intent::INTENTS;
use crate::inventory::read_yaml;
use crate::model::{
    Diagnostic, Diagnostics, Entry, Fields, Node, RoleName, Source, Span, Spanned, Value, nearest, one_of,
};
use crate::resource::{KINDS, Read};

/// Keys that may stand beside a kind.
const MODIFIERS: &[&str] = &["after", "as", "awaits", "each", "follows", "guard", "id", "when"];

/// A role.
#[derive(Clone, Debug)]
pub(super) struct Role {
    pub(super) name: String,
    pub(super) inputs: Vec<Input>,
    pub(super) parts: Vec<Part>,
}

/// One item of a role's `resources`.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Where it stands.
    pub(super) span: Span,
    /// What it declares.
    pub(super) what: What,
    /// Its name inside the role, for `after` and `follows`.
    pub(super) id: Option<Spanned<String>>,
    /// Only when this holds.
    pub(super) when: Option<Spanned<String>>,
    /// Once for each of these.
    pub(super) each: Option<Node>,
    /// What one of them is called.
    pub(super) item: String,
    /// What comes first.
    pub(super) after: Vec<Spanned<String>>,
    /// What it follows.
    pub(super) follows: Vec<Spanned<String>>,
    /// Whether a change of it can cut the way in, whatever it is.
    pub(super) guard: bool,
    /// Machines whose own changes have to be made first.
    pub(super) awaits: Vec<Spanned<String>>,
}

/// What a part declares.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// A kind or an intent, and its fields before rendering.
    Kind { read: Read, fields: Node },
    /// Another role.
    Role { name: Spanned<String>, with: Option<Node> },
}

/// Reads a role file; `file` is the name it is found under.
pub(super) fn read(file: &str, source: &Arc<Source>, problems: &mut Diagnostics) -> Option<Role> {
    let node = read_yaml(source, problems)?;
    let mut fields = Fields::open(&node, format!("role file `{file}`"), problems)?;
    if let Some(name) = fields.required_text("role")
        && name.value != file
    {
        fields.problems().push(
            Diagnostic::at(
                &name.span,
                format!("the role is called `{}` in the file of `{file}`", name.value),
            )
            .expected(format!("`role: {file}`, or a file `{}.yaml`", name.value)),
        );
    }
    let _ = fields.text("description");
    let inputs = fields.map("inputs");
    let inputs = inputs.iter().filter_map(|entry| input::read(entry, fields.problems())).collect();
    let resources = fields.list("resources");
    let parts: Vec<Part> = resources.iter().filter_map(|node| part(node, fields.problems())).collect();
    fields.close();
    check_ids(&parts, problems);
    Some(Role { name: file.to_owned(), inputs, parts })
}

fn part(node: &Node, problems: &mut Diagnostics) -> Option<Part> {
    let Value::Map(entries) = &node.value else {
        problems.push(
            Diagnostic::at(&node.span, format!("a resource is {}", node.kind().phrase()))
                .expected("a map with the kind as its key: `- file: {path: ...}`"),
        );
        return None;
    };
    let (modifiers, kinds): (Vec<&Entry>, Vec<&Entry>) =
        entries.iter().partition(|entry| MODIFIERS.contains(&entry.key.text.as_str()));
    let kind = kind_of(node, &kinds, problems);
    let modifiers =
        Node { value: Value::Map(modifiers.into_iter().cloned().collect()), span: node.span.clone() };
    let mut fields = Fields::open(&modifiers, "a resource", problems)?;
    let id = fields.text("id");
    let when = fields.text("when");
    let each = fields.node("each").cloned();
    let item = fields.text("as");
    let after = fields.texts("after");
    let follows = fields.texts("follows");
    let guard = fields.flag("guard").unwrap_or_default();
    let awaits = fields.texts("awaits");
    if let (Some(item), None) = (&item, &each) {
        let problem = Diagnostic::at(&item.span, "`as` names nothing without `each`").expected("`each:` too");
        fields.problems().push(problem);
    }
    fields.close();
    if let Some(each) = &each
        && !matches!(each.value, Value::List(_) | Value::Scalar { .. })
    {
        problems.push(
            Diagnostic::at(&each.span, format!("`each` is {}", each.kind().phrase()))
                .expected("a list, or the name of one: `each: inputs.folders`"),
        );
    }
    Some(Part {
        span: node.span.clone(),
        what: kind?,
        id,
        when,
        each,
        item: item.map_or_else(|| "item".to_owned(), |item| item.value),
        after,
        follows,
        guard,
        awaits,
    })
}

/// The kind among the keys that are no modifiers.
fn kind_of(node: &Node, keys: &[&Entry], problems: &mut Diagnostics) -> Option<What> {
    let (kinds, others): (Vec<&Entry>, Vec<&Entry>) =
        keys.iter().partition(|entry| all_words().any(|word| word == entry.key.text));
    let entry = match kinds.as_slice() {
        [entry] => entry,
        [] => {
            if others.is_empty() {
                problems.push(Diagnostic::at(&node.span, "a resource has no kind").expected(words()));
            }
            for entry in others {
                problems.push(match nearest(&entry.key.text, MODIFIERS.iter().copied()) {
                    Some(_) => no_modifier(entry),
                    None => no_kind(entry),
                });
            }
            return None;
        }
        [first, .., last] => {
            problems.push(
                Diagnostic::at(&last.key.span, "a resource has more than one kind")
                    .expected("one kind for each resource, each behind a `-` of its own")
                    .related(&first.key.span, "the first one"),
            );
            return None;
        }
    };
    for entry in others {
        problems.push(no_modifier(entry));
    }
    if entry.key.text == "role" {
        return role_use(&entry.value, problems);
    }
    let read = readers().find(|(word, _)| *word == entry.key.text).map(|(_, read)| read);
    Some(What::Kind { read: read?, fields: entry.value.clone() })
}

fn no_kind(entry: &Entry) -> Diagnostic {
    Diagnostic::at(&entry.key.span, format!("there is no kind `{}`", entry.key.text))
        .expected(words())
        .nearest_of(&entry.key.text, all_words())
}

fn no_modifier(entry: &Entry) -> Diagnostic {
    Diagnostic::at(&entry.key.span, format!("a resource has an unknown key `{}`", entry.key.text))
        .expected(format!("beside the kind, {}", one_of(MODIFIERS)))
        .nearest_of(&entry.key.text, MODIFIERS.iter().copied())
}

fn role_use(node: &Node, problems: &mut Diagnostics) -> Option<What> {
    if let Some(text) = node.as_text() {
        let name = Spanned { value: text.to_owned(), span: node.span.clone() };
        return Some(What::Role { name, with: None });
    }
    let mut fields = Fields::open(node, "role", problems)?;
    let name = fields.required("name", "the name of a role", |text| {
        RoleName::new(text).map(|name| name.as_str().to_owned())
    });
    let span = node.get("name").map_or_else(|| node.span.clone(), |name| name.span.clone());
    let with = fields.node("with").cloned();
    fields.close();
    Some(What::Role { name: Spanned { value: name?, span }, with })
}

fn all_words() -> impl Iterator<Item = &'static str> {
    readers().map(|(word, _)| word).chain(["role"])
}

fn words() -> String {
    let mut words: Vec<&str> = all_words().collect();
    words.sort_unstable();
    words.dedup();
    one_of(&words)
}

/// Everything a role can declare, by its word.
fn readers() -> impl Iterator<Item = (&'static str, Read)> {
    let kinds = KINDS.iter().map(|kind| (kind.word, kind.read));
    INTENTS.iter().map(|(word, read)| (*word, *read)).chain(kinds)
}

/// Each `id` once; every `after` and `follows` of one word is one of them.
fn check_ids(parts: &[Part], problems: &mut Diagnostics) {
    let mut ids: HashMap<&str, &Span> = HashMap::new();
    for id in parts.iter().filter_map(|part| part.id.as_ref()) {
        if id.value.contains(' ') || id.value.is_empty() {
            problems.push(
                Diagnostic::at(&id.span, format!("`{}` cannot be an id", id.value)).expected("one word"),
            );
        }
        if let Some(first) = ids.insert(&id.value, &id.span) {
            problems.push(
                Diagnostic::at(&id.span, format!("the id `{}` is given twice", id.value))
                    .expected("each id once in a role")
                    .related(first, "first given here"),
            );
        }
    }
    for reference in parts.iter().flat_map(|part| part.after.iter().chain(&part.follows)) {
        if !reference.value.contains(' ') && !ids.contains_key(reference.value.as_str()) {
            problems.push(
                Diagnostic::at(
                    &reference.span,
                    format!("the role has no resource with the id `{}`", reference.value),
                )
                .expected("the `id:` of a resource of this role, or KIND TARGET")
                .nearest_of(&reference.value, ids.keys().copied()),
            );
        }
    }
}
