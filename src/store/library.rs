//! The user's roles, templates, files and secrets, over the built-in ones.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::enrolment;
use super::in_place::InPlace;
use super::project::{LoadError, read_source, unreadable};
use super::secrets::{Identities, IdentityError};
use crate::desired::Library;
use crate::model::{Digest, SecretFrom};
use crate::resource::Content;

/// How deep folders of templates and files may be nested.
const DEEPEST: usize = 16;

/// Reads what lies beside an inventory; the secrets only when their folder is known. Gives the digest of what
/// of it people write and keep under versions, too: the roles, templates and files, not the built-in ones.
pub(super) fn load(
    folder: &Path,
    secrets: Option<&Path>,
    identities: &Arc<Identities>,
) -> Result<(Library, Digest), LoadError> {
    let mut library = Library { seats: enrolment::seat_keys(folder)?, ..Library::built_in() };
    library.opener = Some(Arc::new(InPlace::new(Arc::clone(identities))));
    let mut places = Vec::new();
    let mut written: BTreeMap<String, Digest> = BTreeMap::new();
    let whole = folder.canonicalize().map_err(|error| unreadable(folder, &error))?;
    if whole.file_name().is_some_and(|name| name == "inventories") {
        places.push(folder.join(".."));
    }
    places.push(folder.to_path_buf());
    for place in &places {
        for (name, path) in files_below(&place.join("roles"))? {
            if let Some(role) = name.strip_suffix(".yaml") {
                let source = read_source(&path)?;
                written.insert(format!("roles/{name}"), Digest::of(source.text().as_bytes()));
                library.roles.insert(role.to_owned(), source);
            }
        }
        for (name, path) in files_below(&place.join("templates"))? {
            let source = read_source(&path)?;
            written.insert(format!("templates/{name}"), Digest::of(source.text().as_bytes()));
            library.templates.insert(name, source);
        }
        for (name, path) in files_below(&place.join("files"))? {
            let mut file = std::fs::File::open(&path).map_err(|error| unreadable(&path, &error))?;
            let (digest, length) = Digest::of_reader(&mut file).map_err(|error| unreadable(&path, &error))?;
            written.insert(format!("files/{name}"), digest);
            library.files.insert(name, Content::Local { path, length, digest });
        }
    }
    for (name, path) in secrets.map_or_else(|| Ok(Vec::new()), files_below)? {
        if let Some(secret) = name.strip_suffix(".age") {
            let sealed = std::fs::read(&path).map_err(|error| unreadable(&path, &error))?;
            let content = match identities.open(secret, &sealed) {
                Ok(opened) => Content::Secret(opened),
                Err(error @ IdentityError::Locked { .. }) => return Err(error.into()),
                Err(_) => Content::Sealed(SecretFrom::Name(secret.to_owned())),
            };
            library.secrets.insert(secret.to_owned(), content);
        }
    }
    let list: String = written.iter().map(|(name, digest)| format!("{digest} {name}\0")).collect();
    Ok((library, Digest::of(list.as_bytes())))
}

/// Every file below a folder by its path from there, with `/` between; none when there is no such folder.
pub(super) fn files_below(folder: &Path) -> Result<Vec<(String, PathBuf)>, LoadError> {
    let mut found = Vec::new();
    if folder.is_dir() {
        walk(folder, "", DEEPEST, &mut found)?;
        found.sort();
    }
    Ok(found)
}

fn walk(
    folder: &Path,
    prefix: &str,
    deeper: usize,
    found: &mut Vec<(String, PathBuf)>,
) -> Result<(), LoadError> {
    let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(folder, &error))?;
        let path = entry.path();
        let Some(name) = entry.file_name().to_str().map(|name| format!("{prefix}{name}")) else {
            return Err(LoadError::Read {
                path: path.display().to_string(),
                reason: "its name is not UTF-8 text".to_owned(),
            });
        };
        if path.is_dir() {
            if deeper > 0 {
                walk(&path, &format!("{name}/"), deeper - 1, found)?;
            }
        } else {
            found.push((name, path));
        }
    }
    Ok(())
}
