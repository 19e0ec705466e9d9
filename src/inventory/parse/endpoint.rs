//! One end of a leg: `/path`, `~/path`, `machine:/path`, `service:path`.

use super::names::Names;
use crate::inventory::fleet::{Endpoint, Member};
use crate::model::{Diagnostic, Diagnostics, MachinePath, Span, Spanned};

const EXPECTED: &str = "`/path`, `~/path`, `machine:/path` or `service:path`";

/// Reads an end of a leg that `run_on` runs. A path on `run_on` itself becomes a path here.
pub(super) fn parse(
    text: &Spanned<String>,
    run_on: Option<&str>,
    names: &Names<'_>,
    problems: &mut Diagnostics,
) -> Option<Spanned<Endpoint>> {
    let at = |value| Some(Spanned { value, span: text.span.clone() });
    if text.value.starts_with('/') {
        return at(Endpoint::Here(path(text, &text.value, problems)?));
    }
    if let Some(below) = text.value.strip_prefix("~/") {
        return at(Endpoint::Here(format!("~{}", path(text, &format!("/{below}"), problems)?)));
    }
    let Some((name, rest)) = text.value.split_once(':') else {
        problems.push(
            Diagnostic::at(&text.span, format!("`{}` is no end of a leg", text.value)).expected(EXPECTED),
        );
        return None;
    };
    if is_drive(name, rest) {
        problems.push(
            Diagnostic::at(&text.span, format!("`{}` is written with a drive letter", text.value))
                .expected(format!("`/{}`", text.value.replace('\\', "/"))),
        );
        return None;
    }
    if rest.is_empty() {
        problems
            .push(Diagnostic::at(&text.span, format!("`{}` names no path", text.value)).expected(EXPECTED));
        return None;
    }
    let place = Spanned { value: name.to_owned(), span: name_span(text, name) };
    match names.member(&place, problems)?.value {
        Member::Machine(machine) => {
            names.managed(&place, "be an end of a leg", problems)?;
            let path = path(text, rest, problems)?;
            let here = run_on == Some(name);
            if !here && !names.has_ssh(name) {
                problems.push(
                    Diagnostic::at(
                        &place.span,
                        format!("`{name}` has no SSH address for the leg to reach it"),
                    )
                    .expected("a machine whose `connect` has `ssh`, or `run-on` that machine itself"),
                );
                return None;
            }
            at(if here { Endpoint::Here(path) } else { Endpoint::Machine(machine, path) })
        }
        Member::Service(service) => {
            match names.kind_of(name) {
                Some("rclone") | None => {}
                Some(kind) => {
                    problems.push(
                        Diagnostic::at(
                            &place.span,
                            format!("`{name}` is a {kind} service and stores no files"),
                        )
                        .expected("an rclone service"),
                    );
                    return None;
                }
            }
            if rest.chars().any(char::is_control) || rest.split('/').any(|part| part == "..") {
                problems.push(
                    Diagnostic::at(&text.span, format!("`{rest}` is no path on a service"))
                        .expected("a path without `..` and control characters"),
                );
                return None;
            }
            at(Endpoint::Service(service, rest.to_owned()))
        }
    }
}

/// The place of the name inside the text, also when the text stands in quotes.
fn name_span(text: &Spanned<String>, name: &str) -> Span {
    let written = text.span.source().text().get(text.span.start()..text.span.end()).unwrap_or_default();
    match written.find(name) {
        Some(at) => text.span.within(at, at + name.len()),
        None => text.span.clone(),
    }
}

fn is_drive(name: &str, rest: &str) -> bool {
    name.len() == 1 && name.bytes().all(|byte| byte.is_ascii_uppercase()) && rest.starts_with(['/', '\\'])
}

fn path(text: &Spanned<String>, path: &str, problems: &mut Diagnostics) -> Option<String> {
    match MachinePath::new(path) {
        Ok(path) => Some(path.as_str().to_owned()),
        Err(error) => {
            problems.push(Diagnostic::at(&text.span, error.to_string()).expected("an absolute path"));
            None
        }
    }
}
