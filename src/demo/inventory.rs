//! The demo's inventory: built into the binary, written to the temporary folder with an overlay
//! that puts the machines of this computer in the place of the real ones.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use super::error::DemoError;
use super::login::Login;
use super::stage::Member;
use crate::inventory::{Fleet, parse};
use crate::model::Source;

/// The inventory, its roles and its templates.
static FLEET: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/src/demo/fleet");

/// The inventory's file.
const INVENTORY: &str = "wholetech.yaml";

/// The overlay's file.
const OVERLAY: &str = "demo.yaml";

/// The pinned host keys.
const KNOWN_HOSTS: &str = "known_hosts";

/// The inventory as files.
#[derive(Clone, Debug)]
pub(super) struct Written {
    /// The inventory.
    pub(super) inventory: PathBuf,
    /// What takes the place of addresses, platforms and paths in it.
    pub(super) overlay: PathBuf,
}

/// The names of the machines to start.
///
/// # Errors
/// [`DemoError::Broken`] when the built-in inventory is not valid.
pub(super) fn machines() -> Result<Vec<String>, DemoError> {
    Ok(built_in()?.managed().map(|(machine, _)| machine.name.to_string()).collect())
}

fn built_in() -> Result<Fleet, DemoError> {
    let text = FLEET.get_file(INVENTORY).and_then(include_dir::File::contents_utf8).unwrap_or_default();
    parse(&Source::new(INVENTORY, text), None).map_err(|problems| {
        let first = problems.sorted().first().map(|problem| problem.message.clone());
        DemoError::Broken(format!("its inventory is not valid: {}", first.unwrap_or_default()))
    })
}

/// Writes the inventory, its roles and templates, the overlay and the pinned host keys into `folder`.
///
/// # Errors
/// [`DemoError::System`] when a file cannot be written.
pub(super) fn write(
    folder: &Path,
    members: &[(&str, &Member)],
    login: &Login,
    crontab: bool,
    keys: &str,
    pins: &str,
) -> Result<Written, DemoError> {
    let failed = |error: std::io::Error| DemoError::system(format!("write into {}", folder.display()), error);
    FLEET.extract(folder).map_err(failed)?;
    let mut overlay = format!(
        "# The machines of this demo.\nknown-hosts: {KNOWN_HOSTS}\nvars: {{crontab: {crontab}}}\nmachines:\n"
    );
    for (name, member) in members {
        let prefix = text_of(member.machine.prefix())?;
        let home = member.machine.home();
        let home = text_of(&home)?;
        // JSON texts are YAML texts, whatever characters a temporary folder has in its name.
        let _ = write!(
            overlay,
            "  {name}:\n    platform: debian\n    init: {init}\n    connect: {{ssh: {ssh}, key: {key}}}\n    \
             vars: {{root: {prefix}, home: {home}}}\n",
            init = login.init,
            ssh = quoted(&format!("{}@127.0.0.1:{}", login.user, member.port())),
            key = quoted(&format!("{keys}/{name}")),
            prefix = quoted(prefix),
            home = quoted(home),
        );
        if let Some(home) = &login.home {
            let _ = writeln!(overlay, "    home: {}", quoted(home));
        }
        // A machine that is a folder would else leave its record on this computer, among the others'.
        if member.machine.is_this_computer() {
            let _ = writeln!(overlay, "    state: {}", quoted(&format!("{prefix}/var/lib/fleetprov")));
        }
    }
    let written = Written { inventory: folder.join(INVENTORY), overlay: folder.join(OVERLAY) };
    std::fs::write(&written.overlay, overlay).map_err(failed)?;
    std::fs::write(folder.join(KNOWN_HOSTS), pins).map_err(failed)?;
    Ok(written)
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn text_of(path: &Path) -> Result<&str, DemoError> {
    path.to_str().ok_or_else(|| {
        DemoError::system(
            format!("use the temporary folder {}", path.display()),
            "its name is not UTF-8 text",
        )
    })
}
