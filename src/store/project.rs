//! Loads an inventory with everything that belongs to it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::access_keys::{AccessKeys, Which};
use super::library;
use super::link_keys::{LinkKeys, link_hosts};
use super::secrets::{Identities, IdentityError, SecretFolder};
use crate::desired::{Library, check_roles, links, resolve_all};
use crate::inventory::{Fleet, parse_partly};
use crate::model::{Diagnostics, Digest, Identity, MachineName, Source, Spanned};

/// What to load.
#[derive(Debug, Default)]
pub struct ProjectOptions {
    /// The inventory.
    pub inventory: PathBuf,
    /// A file that replaces parts of it.
    pub overlay: Option<PathBuf>,
    /// The pinned host keys, when not those the inventory names.
    pub known_hosts: Option<PathBuf>,
    /// What opens the secrets; without any they stay sealed.
    pub identities: Arc<Identities>,
    /// The folder of this seat, where its access keys are; without it there are none.
    pub seat: Option<PathBuf>,
}

/// An inventory and what belongs to it.
#[derive(Clone, Debug)]
pub struct Project {
    /// The fleet.
    pub fleet: Arc<Fleet>,
    /// Roles, templates, files and secrets.
    pub library: Arc<Library>,
    /// The folder of the inventory.
    pub folder: PathBuf,
    /// The inventory's file name as it was given, and the digest of its text and the overlay's.
    pub inventory: (String, Digest),
    /// The digest of the roles, templates and files beside it.
    pub beside: Digest,
    /// Path and text of the pinned host keys; the text is empty when there is no such file.
    pub known_hosts: (String, String),
    /// The public halves of the links' keys.
    pub link_keys: LinkKeys,
    /// This seat's keys for the fleet, and what opens them.
    pub keys: Option<(AccessKeys, Arc<Identities>)>,
    /// This seat's access keys, as they are shown to their machines.
    pub access: BTreeMap<MachineName, Access>,
}

/// The keys of this seat for a machine: those that could be opened, or why one could not.
pub type Access = Result<Vec<Identity>, String>;

/// Why a project cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file or folder cannot be read.
    #[error("read {path}: {reason}")]
    Read {
        /// Which.
        path: String,
        /// The system's word.
        reason: String,
    },
    /// The inventory says something that makes no sense.
    #[error("{} problems in the inventory", .0.len())]
    Invalid(Diagnostics),
    /// An identity that secrets may need cannot be unlocked.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// Loads a project. Nothing is contacted.
///
/// Roles, templates and files are looked for in `roles/`, `templates/` and `files/` beside the
/// inventory, and one folder up when the inventory lies in a folder `inventories`; they go before
/// the built-in ones of the same name.
///
/// # Errors
/// [`LoadError`].
pub fn load(options: &ProjectOptions) -> Result<Project, LoadError> {
    let source = read_source(&options.inventory)?;
    let overlay = options.overlay.as_deref().map(read_source).transpose()?;
    let folder = folder_of(&options.inventory);
    let texts = [Some(&source), overlay.as_ref()].map(|text| text.map_or("", |text| text.text()));
    let digest = Digest::of(texts.join("\0").as_bytes());
    let fleet = match parse_partly(&source, overlay.as_ref()) {
        (Some(fleet), problems) if problems.is_empty() => fleet,
        (partly, mut problems) => {
            // Mistakes elsewhere are shown with it, not only once the inventory is right.
            if let Ok((library, _)) = library::load(&folder, None, &Arc::default()) {
                problems.append(check_roles(&library));
                if let Some(Err(more)) = partly.map(|fleet| resolve_all(&fleet, &library)) {
                    problems.append(more);
                }
            }
            return Err(LoadError::Invalid(problems));
        }
    };
    let secrets = secrets_of(&fleet, &folder);
    let (mut library, digest_beside) = library::load(&folder, Some(&secrets), &options.identities)?;
    // An overlay puts other machines in the place of these, which have other keys.
    let link_keys = LinkKeys::new(&options.overlay.as_deref().map_or_else(|| folder.clone(), folder_of));
    let known_hosts = options
        .known_hosts
        .clone()
        .unwrap_or_else(|| fleet.known_hosts.as_ref().map_or_else(|| folder.join("known_hosts"), beside));
    let text = match std::fs::read_to_string(&known_hosts) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(unreadable(&known_hosts, &error)),
    };
    library.links = links(&fleet, &library);
    library.halves = link_keys.halves()?;
    library.hosts = link_hosts(&fleet, &library.links, &known_hosts.display().to_string(), &text);
    let keys = match options.seat.as_deref() {
        None => None,
        Some(seat) => {
            let keys = AccessKeys::new(seat, &fleet.name);
            let own = keys
                .identities()
                .map_err(|error| LoadError::Read { path: shown(seat), reason: error.to_string() })?;
            Some((keys, Arc::new(own)))
        }
    };
    let access = keys.as_ref().map(|(keys, own)| opened(keys, own)).unwrap_or_default();
    Ok(Project {
        fleet: Arc::new(fleet),
        library: Arc::new(library),
        folder,
        inventory: (options.inventory.display().to_string(), digest),
        beside: digest_beside,
        known_hosts: (known_hosts.display().to_string(), text),
        link_keys,
        keys,
        access,
    })
}

/// The sealed secrets of an inventory, whatever its roles and templates are like.
///
/// # Errors
/// [`LoadError`].
pub fn secret_folder(inventory: &Path, overlay: Option<&Path>) -> Result<SecretFolder, LoadError> {
    let source = read_source(inventory)?;
    let overlay = overlay.map(read_source).transpose()?;
    let folder = folder_of(inventory);
    match parse_partly(&source, overlay.as_ref()) {
        (Some(fleet), problems) if problems.is_empty() => {
            Ok(SecretFolder::new(secrets_of(&fleet, &folder), &folder))
        }
        (_, problems) => Err(LoadError::Invalid(problems)),
    }
}

/// A path as the inventory has it: from the folder of the file it is written in.
fn beside(written: &Spanned<String>) -> PathBuf {
    folder_of(Path::new(written.span.source().name())).join(&written.value)
}

fn secrets_of(fleet: &Fleet, folder: &Path) -> PathBuf {
    fleet.secrets.as_ref().map_or_else(|| folder.join("secrets"), beside)
}

/// Opens all access keys of this seat.
fn opened(keys: &AccessKeys, identities: &Identities) -> BTreeMap<MachineName, Access> {
    let open = |machine: &MachineName| -> Access {
        let there = Which::ALL.into_iter().filter(|which| keys.has(machine, *which));
        there
            .map(|which| {
                let key = keys.open(machine, which, identities).map_err(|error| error.to_string())?;
                Ok(Identity::Key { name: keys.path(machine, which).display().to_string(), key })
            })
            .collect()
    };
    keys.machines().into_iter().map(|machine| (machine.clone(), open(&machine))).collect()
}

/// The folder a file lies in; the current one for a bare name.
pub(super) fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// Reads a text that people write.
pub(super) fn read_source(path: &Path) -> Result<Arc<Source>, LoadError> {
    let bytes = std::fs::read(path).map_err(|error| unreadable(path, &error))?;
    let text = String::from_utf8(bytes).map_err(|error| LoadError::Read {
        path: shown(path),
        reason: format!("it is not UTF-8 text (byte {})", error.utf8_error().valid_up_to()),
    })?;
    Ok(Source::new(shown(path), text))
}

/// A path as a person would write it: `roles/web.yaml`, not `./roles/web.yaml`.
fn shown(path: &Path) -> String {
    path.strip_prefix(".").unwrap_or(path).display().to_string()
}

pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> LoadError {
    LoadError::Read { path: shown(path), reason: error.to_string() }
}
