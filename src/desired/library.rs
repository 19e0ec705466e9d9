//! The roles, templates, files and secrets that resolving draws on.

use std::collections::BTreeMap;
use std::sync::Arc;

use include_dir::{Dir, include_dir};

use super::links::{Link, LinkHalf};
use super::seats::SeatKeys;
use crate::model::Source;
use crate::resource::Content;

static ROLES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/roles");
static TEMPLATES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates");

/// Everything that is not the inventory itself, by name. Whoever has a disk puts the user's own over
/// what is built in.
#[derive(Clone, Debug, Default)]
pub struct Library {
    /// Role files, by the role's name: the file's name without `.yaml`.
    pub roles: BTreeMap<String, Arc<Source>>,
    /// Templates, by their path below the templates folder (`leg.sh.hbs`).
    pub templates: BTreeMap<String, Arc<Source>>,
    /// Files that go to machines as they are, by their path below the files folder.
    pub files: BTreeMap<String, Content>,
    /// Secrets by name: [`Content::Secret`], or [`Content::Sealed`] when none could be opened.
    pub secrets: BTreeMap<String, Content>,
    /// The public halves of the seats' access keys.
    pub seats: Vec<SeatKeys>,
    /// Who opens whom over SSH in the fleet, as [`super::links`] says.
    pub links: Vec<Link>,
    /// The public halves of the links' keys.
    pub halves: Vec<LinkHalf>,
    /// The lines of `known_hosts` that pin what links open, by host and port.
    pub hosts: BTreeMap<(String, u16), Vec<String>>,
}

impl Library {
    /// The roles and templates inside the program, known as `built-in roles/NAME.yaml` and
    /// `built-in templates/NAME`.
    #[must_use]
    pub fn built_in() -> Self {
        let mut library = Self::default();
        for (name, source) in sources(&ROLES, "roles") {
            if let Some(role) = name.strip_suffix(".yaml") {
                library.roles.insert(role.to_owned(), source);
            }
        }
        library.templates.extend(sources(&TEMPLATES, "templates"));
        library
    }
}

fn sources(folder: &Dir<'_>, kind: &str) -> Vec<(String, Arc<Source>)> {
    folder
        .files()
        .filter_map(|file| {
            let name = file.path().to_str()?.to_owned();
            let source = Source::new(format!("built-in {kind}/{name}"), file.contents_utf8()?);
            Some((name, source))
        })
        .collect()
}
