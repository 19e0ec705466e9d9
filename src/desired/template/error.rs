//! What handlebars says, in our words.

use handlebars::{RenderError, RenderErrorReason, TemplateError, TemplateErrorReason};

use super::super::fault::Fault;
use super::super::scope::Scope;
use super::open::Open;

/// What is open where the text ends.
pub(super) fn not_closed(open: Open<'_>) -> Fault {
    match open {
        Open::Tag(_) => Fault::new("the tag is not closed").expected("`}}` where it ends"),
        Open::Block(name, _) => Fault::new(format!("`{{{{#{name}}}}}` is not closed"))
            .expected(format!("`{{{{/{name}}}}}` where it ends")),
    }
}

/// What handlebars' parser says, in our words. Its own text repeats a snippet of the wrong line.
pub(super) fn syntax(error: &TemplateError) -> Fault {
    match error.reason() {
        TemplateErrorReason::MismatchingClosedHelper(opened, closed) => {
            Fault::new(format!("`{{{{#{opened}}}}}` is closed by `{{{{/{closed}}}}}`"))
                .expected(format!("`{{{{/{opened}}}}}` first"))
        }
        TemplateErrorReason::InvalidParam(parameter) => {
            Fault::new(format!("`{parameter}` is not a value")).expected("a name or a text in quotes")
        }
        _ => Fault::new("the template cannot be read from here on").expected(
            "a tag such as {{ name }}, {{#if name}} ... {{/if}} or {{helper \"argument\"}}, closed where it ends",
        ),
    }
}

/// What went wrong while a template was rendered.
pub(super) fn of_render(error: &RenderError, scope: &Scope) -> Fault {
    match error.reason() {
        RenderErrorReason::NestedError(nested) => {
            nested.downcast_ref::<Fault>().cloned().unwrap_or_else(|| Fault::new(nested.to_string()))
        }
        RenderErrorReason::MissingVariable(Some(name)) => scope.missing(name),
        reason => Fault::new(format!("the template fails: {reason}")),
    }
}
