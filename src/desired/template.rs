//! Handlebars, made strict: what is not given, or cannot be a text, is an error with its place.
//!
//! handlebars' own strict mode lets several things through (measured, 6.4): `{{#if nope}}`, a null
//! (renders as nothing), a list and a map (render as `[a, b]` and `[object]`), a missing argument of
//! a helper. So a parsed template is tightened before it is rendered: only the helpers of this page
//! may stand in it, every value goes through one that refuses what is no text, and every block is
//! preceded by a check of its argument.

mod buffer;
mod depth;
mod error;
mod helpers;
mod open;
#[cfg(test)]
mod tests;
mod tighten;

use std::collections::BTreeSet;
use std::sync::Mutex;

use handlebars::{Context, Handlebars, RenderContext, Renderable as _, Template};
use zeroize::Zeroizing;

use super::fault::Fault;
use super::place::{Place, is_end, line_and_column, mention};
use super::scope::Scope;
use crate::model::{Diagnostic, SecretFrom};
use crate::resource::Content;
use buffer::Buffer;
use open::left_open;

/// Where a template's `secret` gets its values.
pub(super) trait Secrets: Send + Sync {
    /// A secret.
    ///
    /// # Errors
    /// What is wrong, without a place.
    fn secret(&self, from: &SecretFrom) -> Result<Content, Fault>;
}

/// For texts that may not hold a secret, since they are shown.
pub(super) struct NoSecrets;

impl Secrets for NoSecrets {
    fn secret(&self, from: &SecretFrom) -> Result<Content, Fault> {
        Err(Fault::new(format!("the secret `{from}` would show here"))
            .expected("`secret` in a file of the templates folder, or {secret: NAME} where a field takes it"))
    }
}

/// What a template gave.
pub(super) struct Filled {
    /// The text, wiped when it goes.
    pub(super) text: Zeroizing<Vec<u8>>,
    /// The secrets in it, and whether each was at hand.
    pub(super) secrets: Vec<(SecretFrom, bool)>,
}

/// Renders a template.
///
/// # Errors
/// A diagnostic at the tag that fails.
pub(super) fn fill(
    text: &str,
    place: &Place<'_>,
    scope: &Scope,
    secrets: &dyn Secrets,
) -> Result<Filled, Diagnostic> {
    depth::check(text).map_err(|(fault, line, column)| fault.at(&place.tag(line, column)))?;
    let mut template = Template::compile(text).map_err(|error| {
        let (line, column) = error.pos().unwrap_or((1, 1));
        match left_open(text).filter(|_| is_end(text, line, column)) {
            Some(open) => {
                let (line, column) = line_and_column(text, open.start());
                error::not_closed(open).at(&place.tag(line, column))
            }
            None => error::syntax(&error).at(&place.tag(line, column)),
        }
    })?;
    let mut names = BTreeSet::new();
    tighten::tighten(&mut template, &mut names)
        .map_err(|(fault, line, column)| fault.at(&place.tag(line, column)))?;
    let used = Mutex::new(Vec::new());
    let mut registry = Handlebars::new();
    registry.set_strict_mode(true);
    registry.register_escape_fn(handlebars::no_escape);
    helpers::register(&mut registry, scope, secrets, &used);
    let context = Context::wraps(scope.json(&names)).map_err(|error| whole(&error.to_string(), place))?;
    let mut buffer = Buffer::default();
    template.render(&registry, &context, &mut RenderContext::new(None), &mut buffer).map_err(|error| {
        let fault = error::of_render(&error, scope);
        let (line, column) = (error.line_no.unwrap_or(1), error.column_no.unwrap_or(1));
        let (line, column) = match fault.name() {
            Some(name) => mention(text, name, line, column),
            None => (line, column),
        };
        fault.at(&place.tag(line, column))
    })?;
    drop(registry);
    let secrets = used.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    Ok(Filled { text: buffer.into_bytes(), secrets })
}

fn whole(message: &str, place: &Place<'_>) -> Diagnostic {
    Fault::new(message).at(&place.tag(1, 1))
}

/// The name a text asks for when it is exactly one `{{ name }}` or `{{ name.part }}`.
pub(super) fn exactly_one_name(text: &str) -> Option<&str> {
    let name = text.strip_prefix("{{")?.strip_suffix("}}")?.trim();
    is_name(name).then_some(name)
}

/// Whether a text is a dotted name, and nothing else.
pub(super) fn is_name(text: &str) -> bool {
    text.split('.').all(|part| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    })
}
