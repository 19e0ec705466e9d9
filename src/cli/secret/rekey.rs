//! `secret rekey`: seals secrets anew, and says what it could not.

use super::arguments::Rekey;
use super::{failed, folder};
use crate::cli::exit::Exit;
use crate::cli::identities::{Need, identities};
use crate::cli::surface::{Surface, complain, print};
use crate::model::Span;
use crate::report::{counted, safe};
use crate::store::{Rekeyed, SecretError, rekey as seal_anew, sealed_values};

/// Seals the named secrets anew, or all of them.
pub(super) fn rekey(arguments: &Rekey, surface: Surface) -> Exit {
    match anew(arguments, surface) {
        Ok((rekeyed, inline)) => shown(&rekeyed, &inline, arguments.json, surface),
        Err(exit) => exit,
    }
}

fn anew(arguments: &Rekey, surface: Surface) -> Result<(Rekeyed, Vec<Span>), Exit> {
    let inventory = &arguments.inventory;
    let folder = folder(inventory, arguments.json, surface)?;
    let told = |error| failed(error, arguments.json, surface);
    let names =
        if arguments.names.is_empty() { folder.names().map_err(told)? } else { arguments.names.clone() };
    let identities = identities(inventory, Need::Values, surface)?;
    let rekeyed = seal_anew(&folder, &names, &identities).map_err(told)?;
    let inline = sealed_values(&inventory.inventory, inventory.overlay.as_deref())
        .map_err(|error| told(SecretError::Load(error)))?;
    Ok((rekeyed, inline))
}

fn shown(rekeyed: &Rekeyed, inline: &[Span], json: bool, surface: Surface) -> Exit {
    let exit = match (rekeyed.closed.is_empty(), rekeyed.done.is_empty()) {
        (true, _) => Exit::Done,
        (false, false) => Exit::Partly,
        (false, true) => Exit::Error,
    };
    for (name, error) in &rekeyed.closed {
        let name = safe::line(name, surface.errors);
        complain(&format!("error: {name}: failed to {error}; it stays as it is\n"));
    }
    if json {
        let closed: Vec<_> = rekeyed
            .closed
            .iter()
            .map(|(name, error)| serde_json::json!({"name": name, "reason": error.to_string()}))
            .collect();
        let value = serde_json::json!({
            "version": 1,
            "rekeyed": rekeyed.done,
            "closed": closed,
            "in_place": inline.iter().map(place_json).collect::<Vec<_>>(),
            "exit_code": exit.code(),
        });
        print(&format!("{value}\n"));
        return exit;
    }
    for name in &rekeyed.done {
        print(&format!("{}: sealed anew\n", safe::line(name, surface.output)));
    }
    if rekeyed.done.is_empty() && rekeyed.closed.is_empty() {
        print("there are no secrets\n");
    }
    if !inline.is_empty() {
        let mut text = format!(
            "{} in the inventory and its roles stay as they are; `secret seal` makes new ones:\n",
            counted(inline.len(), "sealed value")
        );
        for span in inline {
            text.push_str(&format!("  {}\n", place(span)));
        }
        print(&text);
    }
    exit
}

/// `FILE:LINE:COLUMN`.
pub(super) fn place(span: &Span) -> String {
    let (line, column) = span.line_and_column();
    format!("{}:{line}:{column}", span.source().name())
}

pub(super) fn place_json(span: &Span) -> serde_json::Value {
    let (line, column) = span.line_and_column();
    serde_json::json!({"file": span.source().name(), "line": line, "column": column})
}
