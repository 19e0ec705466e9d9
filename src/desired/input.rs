//! A role's inputs: their types, and checking what is given for them.

use crate::inventory::Fleet;
use crate::model::{
    Diagnostic, Diagnostics, Entry, Fields, MachinePath, Node, NodeKind, Span, Spanned, Value, one_of,
    parse_duration,
};

/// What an input takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InputType {
    Text,
    Path,
    Number,
    Flag,
    List,
    Map,
    Machine,
    Service,
    Duration,
}

const TYPES: &[(&str, InputType)] = &[
    ("duration", InputType::Duration),
    ("flag", InputType::Flag),
    ("list", InputType::List),
    ("machine", InputType::Machine),
    ("map", InputType::Map),
    ("number", InputType::Number),
    ("path", InputType::Path),
    ("service", InputType::Service),
    ("text", InputType::Text),
];

/// An input as a role declares it.
#[derive(Clone, Debug)]
pub(super) struct Input {
    pub(super) name: Spanned<String>,
    pub(super) of: InputType,
    pub(super) default: Option<Node>,
    pub(super) required: bool,
}

/// Reads one entry of a role's `inputs`.
pub(super) fn read(entry: &Entry, problems: &mut Diagnostics) -> Option<Input> {
    let name = Spanned { value: entry.key.text.clone(), span: entry.key.span.clone() };
    let title = format!("input `{}`", name.value);
    let fits = super::template::is_name(&name.value) && !name.value.contains('.');
    if !fits {
        problems.push(
            Diagnostic::at(&name.span, format!("`{}` cannot be the name of an input", name.value))
                .expected("letters, digits, `-` and `_`"),
        );
    }
    let mut fields = Fields::open(&entry.value, title.as_str(), problems)?;
    let of = fields.required_node("type").and_then(|_| fields.choice("type", TYPES));
    let default = fields.node("default").cloned();
    let required = fields.flag("required");
    let _ = fields.text("description");
    if required == Some(true)
        && let Some(default) = &default
    {
        let message = format!("{title} is required and has a default");
        fields.problems().push(Diagnostic::at(&default.span, message).expected("one of the two"));
    }
    fields.close();
    Some(Input { name, of: of?, required: required.unwrap_or(false), default }).filter(|_| fits)
}

impl Input {
    /// Checks a value, and gives it in the shape templates rely on: numbers and flags unquoted, paths
    /// absolute, with `home` for `~`.
    ///
    /// # Errors
    /// A diagnostic at the value.
    pub(super) fn check(&self, value: &Node, fleet: &Fleet, home: &str) -> Result<Node, Diagnostic> {
        let text = value.as_text();
        let wrong = |expected: &str| {
            let shown = match text {
                Some(text) => format!("`{text}`"),
                None => value.kind().phrase().to_owned(),
            };
            Diagnostic::at(&value.span, format!("input `{}` is {shown}", self.name.value))
                .expected(expected)
                .related(&self.name.span, "declared here")
        };
        let accepted = |fits: bool, expected: &str| {
            if fits { Ok(value.clone()) } else { Err(wrong(expected)) }
        };
        let plain = |text: &str| Node {
            value: Value::Scalar { text: text.to_owned(), plain: true },
            span: value.span.clone(),
        };
        match self.of {
            InputType::Text => accepted(text.is_some(), "a text"),
            InputType::List => accepted(matches!(value.value, Value::List(_)), NodeKind::List.pattern()),
            InputType::Map => accepted(matches!(value.value, Value::Map(_)), NodeKind::Map.pattern()),
            InputType::Path => match text.and_then(|text| absolute(text, home)) {
                Some(path) => Ok(Node::text(path.as_str(), value.span.clone())),
                None => Err(wrong("an absolute path such as /srv/sites, or one that starts with ~/")),
            },
            InputType::Duration => accepted(
                text.is_some_and(|text| parse_duration(text).is_ok()),
                "a duration such as 90s, 10m, 2h or 1d",
            ),
            InputType::Number => match text {
                Some(text) if text.parse::<i64>().is_ok_and(|number| number.to_string() == text) => {
                    Ok(plain(text))
                }
                _ => Err(wrong("a whole number")),
            },
            InputType::Flag => match text {
                Some(text @ ("true" | "false")) => Ok(plain(text)),
                _ => Err(wrong("true or false")),
            },
            InputType::Machine => match text {
                Some(text) if fleet.machine(text).is_some() => Ok(value.clone()),
                _ => Err(wrong("the name of a machine").nearest_of(
                    text.unwrap_or_default(),
                    fleet.machines.iter().map(|machine| machine.name.as_str()),
                )),
            },
            InputType::Service => match text {
                Some(text) if fleet.service(text).is_some() => Ok(value.clone()),
                _ => Err(wrong("the name of a service").nearest_of(
                    text.unwrap_or_default(),
                    fleet.services.iter().map(|service| service.name.as_str()),
                )),
            },
        }
    }
}

fn absolute(text: &str, home: &str) -> Option<MachinePath> {
    let below_home = text.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with('/'));
    let path = below_home.map_or_else(|| text.to_owned(), |rest| format!("{home}{rest}"));
    MachinePath::new(&path).ok()
}

/// The entries of what is given to a role; nothing is an empty map.
pub(super) fn given<'a>(with: Option<&'a Node>, problems: &mut Diagnostics) -> &'a [Entry] {
    match with.map(|node| (&node.value, node)) {
        None | Some((Value::Null, _)) => &[],
        Some((Value::Map(entries), _)) => entries,
        Some((_, node)) => {
            problems.push(
                Diagnostic::at(&node.span, format!("the inputs are {}", node.kind().phrase()))
                    .expected(NodeKind::Map.pattern()),
            );
            &[]
        }
    }
}

/// Reports inputs that the role does not have; gives the inputs that are near to them, and so are
/// probably not missing but misspelt.
pub(super) fn unknown(
    role: &str,
    given: &[Entry],
    inputs: &[Input],
    problems: &mut Diagnostics,
) -> Vec<String> {
    let mut meant = Vec::new();
    for entry in given {
        let key = &entry.key;
        if inputs.iter().any(|input| input.name.value == key.text) {
            continue;
        }
        let mut names: Vec<&str> = inputs.iter().map(|input| input.name.value.as_str()).collect();
        names.sort_unstable();
        let expected =
            if names.is_empty() { "no inputs: the role has none".to_owned() } else { one_of(&names) };
        let problem = Diagnostic::at(&key.span, format!("role `{role}` has no input `{}`", key.text))
            .expected(expected)
            .nearest_of(&key.text, names);
        meant.extend(problem.nearest.clone());
        problems.push(problem);
    }
    meant
}

/// Says that a required input is not given.
pub(super) fn missing(role: &str, input: &Input, used: &Span) -> Diagnostic {
    Diagnostic::at(used, format!("role `{role}` needs the input `{}`", input.name.value))
        .expected(format!("`{}:` among its inputs", input.name.value))
        .related(&input.name.span, "declared here")
}
