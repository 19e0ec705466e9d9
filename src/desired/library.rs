//! The roles, templates, files and secrets that resolving draws on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use include_dir::{Dir, include_dir};

use super::links::{Link, LinkHalf};
use super::seats::SeatKeys;
use crate::model::{SealedValue, Secret, SecretFrom, Source};
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
    /// Opens what is sealed in place; without one it stays sealed.
    pub opener: Option<Arc<dyn Opener>>,
    /// Where it is noted which secrets are asked for, when somebody wants to know.
    pub asked: Option<Asked>,
    /// Who opens whom over SSH in the fleet, as [`super::links`] says.
    pub links: Vec<Link>,
    /// The public halves of the links' keys.
    pub halves: Vec<LinkHalf>,
    /// The lines of `known_hosts` that pin what links open, by host and port.
    pub hosts: BTreeMap<(String, u16), Vec<String>>,
}

/// Opens values that are sealed where they stand.
pub trait Opener: std::fmt::Debug + Send + Sync {
    /// The value; `None` when nothing at hand opens it.
    fn open(&self, sealed: &SealedValue) -> Option<Secret>;
}

/// The secrets that were asked for while resources were resolved.
#[derive(Clone, Debug, Default)]
pub struct Asked(Arc<Mutex<BTreeSet<SecretFrom>>>);

impl Asked {
    /// Takes what was asked for since the last time.
    #[must_use]
    pub fn take(&self) -> BTreeSet<SecretFrom> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
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

    /// A secret: [`Content::Secret`], or [`Content::Sealed`] when it is not at hand.
    #[must_use]
    pub fn secret(&self, from: &SecretFrom) -> Content {
        if let Some(Asked(asked)) = &self.asked {
            asked.lock().unwrap_or_else(PoisonError::into_inner).insert(from.clone());
        }
        let found = match from {
            SecretFrom::Name(name) => self.secrets.get(name).cloned(),
            SecretFrom::Sealed(value) => {
                self.opener.as_ref().and_then(|opener| opener.open(value)).map(Content::Secret)
            }
        };
        // One that is not there yet is no mistake of the inventory: what needs it is blocked, and
        // everything else goes on.
        found.unwrap_or_else(|| Content::Sealed(from.clone()))
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
