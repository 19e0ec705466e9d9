//! Unit files as resources.

use crate::format::unit::{UnitError, UnitFile};
use crate::model::{Diagnostic, Diagnostics, MachinePath, ResourceId, Span};
use crate::resource::file::File;
use crate::resource::unit::Unit;
use crate::resource::{Content, Declared, Origin};

/// A unit's file in `/etc/systemd/system`, root's, 0644. Says in its first line where it comes from.
///
/// What a unit file cannot hold is a problem at `span`.
pub(super) fn file(
    name: &str,
    unit: Result<UnitFile, UnitError>,
    origin: &Origin,
    span: &Span,
    problems: &mut Diagnostics,
) -> Option<Declared> {
    let text = match unit.and_then(|unit| unit.emit()) {
        Ok(text) => text,
        Err(error) => {
            problems.push(
                Diagnostic::at(span, format!("failed to {error}"))
                    .expected("what a line of a systemd unit file can hold"),
            );
            return None;
        }
    };
    // A unit's name has no slash and no dots beside each other, so this always is a path.
    let path = MachinePath::new(&format!("/etc/systemd/system/{name}")).ok()?;
    let text = format!("# From {}, by fleetprov, which puts changes back.\n{text}", origin.from);
    let content = Content::Bytes(text.into_bytes().into());
    let file = File { path, content, owner: "root".to_owned(), group: None, mode: 0o644 };
    Some(Declared::new(file, origin.clone()))
}

/// A unit that follows its files and those of its related units.
pub(super) fn unit(unit: Unit, origin: &Origin) -> Declared {
    let files: Vec<ResourceId> = unit.files();
    Declared::new(unit, origin.clone()).follows(files)
}

/// Says why a machine without root rights cannot have a unit.
pub(super) fn needs_root(what: &str, span: &Span) -> Diagnostic {
    Diagnostic::at(span, format!("{what} is a unit of the whole system, and nothing runs as root here"))
        .expected("a root login, or `privilege: sudo` or `doas` for the machine")
}
