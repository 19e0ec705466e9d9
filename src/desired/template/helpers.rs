//! The helpers a template may use. Few, because a template is a file with holes, not a program.

use std::sync::Mutex;

use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, Output, PathAndJson, RenderContext, RenderError,
    ScopedJson,
};
use serde_json::Value as Json;
use zeroize::Zeroizing;

use super::super::fault::Fault;
use super::super::scope::Scope;
use super::Secrets;
use crate::model::{SealedValue, SecretFrom, quote};
use crate::resource::Content;

/// Stands before every plain value.
pub(super) const VALUE: &str = "fleetprov-value";
/// Stands before every block.
pub(super) const CHECK: &str = "fleetprov-check";
/// Blocks.
pub(super) const BLOCKS: &[&str] = &["if", "unless", "each", "with", "raw"];
/// Helpers that give a value and may stand in parentheses.
pub(super) const VALUES: &[&str] =
    &["and", "default", "eq", "join", "lookup", "ne", "not", "or", "shell_quote"];
/// Helpers that only write.
pub(super) const TEXTS: &[&str] = &["secret"];

/// The secrets a template used, and whether each was at hand.
pub(super) type Used = Mutex<Vec<(SecretFrom, bool)>>;

/// Registers the helpers of this page.
pub(super) fn register<'a>(
    registry: &mut Handlebars<'a>,
    scope: &'a Scope,
    secrets: &'a dyn Secrets,
    used: &'a Used,
) {
    let mut value = |name: &'static str, compute: Compute| {
        registry.register_helper(name, Box::new(Value { name, compute, scope }));
    };
    value(VALUE, |arguments| arguments.text(0).map(Json::String));
    value(CHECK, check);
    value("and", |arguments| Ok(Json::Bool(arguments.all()?.into_iter().all(is_given))));
    value("or", |arguments| Ok(Json::Bool(arguments.all()?.into_iter().any(is_given))));
    value("not", |arguments| Ok(Json::Bool(!is_given(arguments.any(0)?))));
    value("eq", |arguments| equal(arguments).map(Json::Bool));
    value("ne", |arguments| equal(arguments).map(|equal| Json::Bool(!equal)));
    value("default", |arguments| {
        let first = arguments.any(0)?;
        Ok(if first.is_null() { arguments.any(1)?.clone() } else { first.clone() })
    });
    value("join", join);
    value("lookup", lookup);
    value("shell_quote", |arguments| arguments.text(0).map(|text| Json::String(quote(&text))));
    registry.register_helper("secret", Box::new(SecretHelper { scope, secrets, used }));
}

type Compute = fn(&Arguments<'_, '_>) -> Result<Json, Fault>;

/// A helper that gives a value.
struct Value<'a> {
    name: &'static str,
    compute: Compute,
    scope: &'a Scope,
}

/// The arguments of one call; none of them is missing.
struct Arguments<'a, 'b> {
    name: &'static str,
    helper: &'a Helper<'b>,
    scope: &'a Scope,
}

impl Arguments<'_, '_> {
    /// The argument at `index`, whatever it is, null included; a name that does not exist is refused.
    fn any(&self, index: usize) -> Result<&Json, Fault> {
        let Some(argument) = self.helper.param(index) else {
            let given =
                if index == 1 { "only one argument".to_owned() } else { format!("only {index} arguments") };
            return Err(Fault::new(format!("`{}` has {given}", self.name))
                .expected(format!("at least {}", index + 1)));
        };
        given(argument, self.scope)
    }

    fn all(&self) -> Result<Vec<&Json>, Fault> {
        self.helper.params().iter().map(|argument| given(argument, self.scope)).collect()
    }

    /// The argument at `index` as a text.
    fn text(&self, index: usize) -> Result<String, Fault> {
        let value = self.any(index)?;
        let shown = self.helper.param(index).map(shown).unwrap_or_default();
        text_of(value, &shown)
    }
}

fn given<'a>(argument: &'a PathAndJson<'_>, scope: &Scope) -> Result<&'a Json, Fault> {
    if argument.is_value_missing() {
        Err(scope.missing(argument.relative_path().map_or("", String::as_str)))
    } else {
        Ok(argument.value())
    }
}

fn shown(argument: &PathAndJson<'_>) -> String {
    argument
        .relative_path()
        .map_or_else(|| "what the parentheses give".to_owned(), |path| format!("`{path}`"))
}

fn text_of(value: &Json, shown: &str) -> Result<String, Fault> {
    match value {
        Json::String(text) => Ok(text.clone()),
        Json::Bool(flag) => Ok(flag.to_string()),
        Json::Number(number) => Ok(number.to_string()),
        Json::Null => Err(Fault::new(format!("{shown} has no value"))
            .expected("a value, or {{#if ...}} around this for the case that there is none")),
        Json::Array(_) => Err(Fault::new(format!("{shown} is a list"))
            .expected("{{#each ...}}, {{join ... \", \"}}, or the tag alone in a field that takes a list")),
        Json::Object(_) => Err(Fault::new(format!("{shown} is a map"))
            .expected("one of its values, or the tag alone in a field that takes a map")),
    }
}

/// What `if` takes for yes: not null, `false`, 0, or empty. handlebars' own rule.
fn is_given(value: &Json) -> bool {
    handlebars::JsonTruthy::is_truthy(value, false)
}

fn check(arguments: &Arguments<'_, '_>) -> Result<Json, Fault> {
    let value = arguments.any(0)?;
    let shown = arguments.helper.param(0).map(shown).unwrap_or_default();
    let block = arguments.any(1)?.as_str().unwrap_or_default();
    match (block, value) {
        ("each", Json::Array(_) | Json::Object(_)) | ("with", Json::Object(_)) | ("if" | "unless", _) => {
            Ok(Json::String(String::new()))
        }
        (_, Json::Null) => Err(Fault::new(format!("{shown} has no value"))
            .expected("a value, or {{#if ...}} around this for the case that there is none")),
        ("each", _) => Err(Fault::new(format!("{shown} is a single value")).expected("a list or a map")),
        (_, Json::Array(_)) => Err(Fault::new(format!("{shown} is a list")).expected("a map")),
        _ => Err(Fault::new(format!("{shown} is a single value")).expected("a map")),
    }
}

fn equal(arguments: &Arguments<'_, '_>) -> Result<bool, Fault> {
    Ok(arguments.text(0)? == arguments.text(1)?)
}

fn join(arguments: &Arguments<'_, '_>) -> Result<Json, Fault> {
    let list = arguments.any(0)?;
    let Json::Array(items) = list else {
        return Err(Fault::new("`join` takes a list first").expected("{{join list \", \"}}"));
    };
    let texts: Vec<String> =
        items.iter().map(|item| text_of(item, "an item of the list")).collect::<Result<_, _>>()?;
    Ok(Json::String(texts.join(&arguments.text(1)?)))
}

/// `lookup map "key" …`: a value whose name is itself a value, such as a machine's.
fn lookup(arguments: &Arguments<'_, '_>) -> Result<Json, Fault> {
    let mut found = arguments.any(0)?;
    let mut shown =
        arguments.helper.param(0).and_then(|map| map.relative_path()).cloned().unwrap_or_default();
    if arguments.helper.params().len() < 2 {
        return Err(Fault::new("`lookup` has no key").expected("{{lookup map \"key\"}}"));
    }
    for index in 1..arguments.helper.params().len() {
        let key = arguments.text(index)?;
        let known = found.as_object();
        found = known.and_then(|map| map.get(&key)).ok_or_else(|| {
            let names: Vec<&str> = known.into_iter().flat_map(|map| map.keys().map(String::as_str)).collect();
            let fault = Fault::new(format!("there is no `{key}` in `{shown}`"));
            let fault =
                if names.is_empty() { fault } else { fault.expected(format!("one of {}", names.join(", "))) };
            fault.nearest_of(&key, names)
        })?;
        shown = format!("{shown}.{key}");
    }
    Ok(found.clone())
}

impl HelperDef for Value<'_> {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let arguments = Arguments { name: self.name, helper, scope: self.scope };
        if let Some(option) = helper.hash().keys().next() {
            return Err(Fault::new(format!("`{}` takes no `{option}=`", self.name)).into());
        }
        Ok(ScopedJson::Derived((self.compute)(&arguments)?))
    }

    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        registry: &'reg Handlebars<'reg>,
        context: &'rc Context,
        render: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let value = self.call_inner(helper, registry, context, render)?;
        out.write(&text_of(value.as_json(), &format!("what `{}` finds", self.name))?)?;
        Ok(())
    }
}

/// What `secret` is asked for: a name, or a value that is itself a reference, as a variable can be:
/// `token: {secret: NAME}`, `token: {sealed: ARMOUR}`.
fn wanted(arguments: &Arguments<'_, '_>) -> Result<SecretFrom, Fault> {
    if let Json::Object(map) = arguments.any(0)? {
        let mut entries = map.iter();
        match (entries.next().map(|(key, value)| (key.as_str(), value)), entries.next()) {
            (Some(("secret", Json::String(name))), None) => return Ok(SecretFrom::Name(name.clone())),
            (Some(("sealed", Json::String(text))), None) => {
                return SealedValue::parse(text).map(SecretFrom::Sealed).map_err(|error| {
                    Fault::new(format!("`sealed`: {error}")).expected("what `fleetprov secret seal` prints")
                });
            }
            _ => {}
        }
    }
    arguments.text(0).map(|text| SecretFrom::of_text(&text))
}

/// `{{secret "name"}}` and `{{secret "name" quote="shell"}}`. It only writes, so that no copy of
/// the secret is handed from helper to helper.
struct SecretHelper<'a> {
    scope: &'a Scope,
    secrets: &'a dyn Secrets,
    used: &'a Used,
}

impl SecretHelper<'_> {
    fn write(&self, helper: &Helper<'_>, out: &mut dyn Output) -> Result<(), RenderError> {
        let arguments = Arguments { name: "secret", helper, scope: self.scope };
        let from = wanted(&arguments)?;
        let quoted = match helper.hash_get("quote").map(|quote| quote.value().as_str()) {
            None => false,
            Some(Some("shell")) => true,
            Some(_) => {
                return Err(Fault::new("`quote=` is no known way of quoting")
                    .expected("quote=\"shell\"")
                    .into());
            }
        };
        let note = |at_hand| {
            let mut used = self.used.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            used.push((from.clone(), at_hand));
        };
        match self.secrets.secret(&from)? {
            Content::Secret(secret) => {
                note(true);
                let text = std::str::from_utf8(secret.expose())
                    .map_err(|_| Fault::new(format!("the secret `{from}` is not text")).expected("UTF-8"))?;
                // Whoever makes a secret with an editor or `echo` gets a line end with it.
                let text = text.strip_suffix('\n').unwrap_or(text);
                if quoted {
                    out.write(&Zeroizing::new(quote(text)))?;
                } else {
                    out.write(text)?;
                }
            }
            _ => {
                note(false);
                out.write("<secret>")?;
            }
        }
        Ok(())
    }
}

impl HelperDef for SecretHelper<'_> {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        self.write(helper, out)
    }
}
