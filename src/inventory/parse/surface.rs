//! A surface: where it is, who owns it, who uses it.

use super::names::Names;
use super::scalar::declared;
use crate::inventory::fleet::Surface;
use crate::model::{Diagnostic, Diagnostics, Entry, Fields, MachinePath, Spanned, SurfaceName};

pub(super) fn read(entry: &Entry, names: &Names<'_>, problems: &mut Diagnostics) -> Option<Surface> {
    let name = declared(&entry.key, SurfaceName::new, problems);
    let title = format!("surface `{}`", entry.key.text);
    let mut fields = Fields::open(&entry.value, title, problems)?;
    let tier = fields.required_text("tier").and_then(|tier| names.tier(&tier, fields.problems()));
    let home = fields.text("home").and_then(|home| names.member(&home, fields.problems()));
    let via = fields.text("via").and_then(|via| names.service(&via, fields.problems()));
    let path = fields.text("path").and_then(|path| absolute(path, fields.problems()));
    let paths = fields.texts("paths");
    let paths = paths.into_iter().filter_map(|path| relative(path, fields.problems())).collect();
    let used_by = fields.texts("used-by");
    let used_by = used_by.iter().filter_map(|tier| names.tier(tier, fields.problems())).collect();
    let purpose = fields.text("for");
    fields.close();
    Some(Surface {
        name: name?,
        span: entry.key.span.clone(),
        tier: tier?,
        home,
        via,
        path,
        paths,
        used_by,
        purpose,
    })
}

/// An absolute path, or one below the home of the login user.
fn absolute(text: Spanned<String>, problems: &mut Diagnostics) -> Option<Spanned<String>> {
    let below_home = text.value.strip_prefix("~/").map(|rest| format!("/{rest}"));
    match MachinePath::new(below_home.as_deref().unwrap_or(&text.value)) {
        Ok(path) if below_home.is_some() => Some(Spanned { value: format!("~{path}"), span: text.span }),
        Ok(path) => Some(Spanned { value: path.as_str().to_owned(), span: text.span }),
        Err(error) => {
            problems.push(
                Diagnostic::at(&text.span, format!("`path`: {error}"))
                    .expected("an absolute path, or `~/...`"),
            );
            None
        }
    }
}

/// A part of `~/.claude`; a `/` at its end says that it is a folder.
fn relative(text: Spanned<String>, problems: &mut Diagnostics) -> Option<Spanned<String>> {
    let fits = !text.value.is_empty()
        && !text.value.starts_with(['/', '~'])
        && MachinePath::new(&format!("/{}", text.value)).is_ok_and(|path| path.as_str() != "/");
    if fits {
        return Some(text);
    }
    problems.push(
        Diagnostic::at(&text.span, format!("`{}` is not a part of ~/.claude", text.value))
            .expected("a path relative to ~/.claude, without `..`"),
    );
    None
}
