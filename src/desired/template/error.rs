//! What handlebars says, in our words.

use handlebars::{RenderError, RenderErrorReason, TemplateError, TemplateErrorReason};

use super::super::fault::Fault;
use super::super::scope::Scope;

/// What handlebars' parser says, in our words. Its own text repeats a snippet of the wrong line.
/// `at_end` says that it stumbled over the end of the text.
pub(super) fn syntax(error: &TemplateError, at_end: bool) -> Fault {
    match error.reason() {
        TemplateErrorReason::MismatchingClosedHelper(opened, closed) => {
            Fault::new(format!("`{{{{#{opened}}}}}` is closed by `{{{{/{closed}}}}}`"))
                .expected(format!("`{{{{/{opened}}}}}` first"))
        }
        TemplateErrorReason::InvalidParam(parameter) => {
            Fault::new(format!("`{parameter}` is not a value")).expected("a name or a text in quotes")
        }
        _ if at_end => Fault::new("the template ends inside a tag or a block")
            .expected("`}}` behind a tag, and `{{/if}}` or its like behind a block"),
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
