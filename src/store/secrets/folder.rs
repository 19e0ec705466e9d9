//! The folder of the sealed secrets: `NAME.age`, and to whom each is sealed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::NamedTempFile;

use super::super::library::files_below;
use super::super::project::{LoadError, folder_of, read_source};
use super::{Identities, IdentityError, Recipients, SealError};
use crate::model::{
    Diagnostic, Diagnostics, MachineName, NAME_SHAPE, NameError, Secret, Source, Span, nearest,
};

/// Why something cannot be done with the sealed secrets.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The name cannot be a secret's.
    #[error("use `{name}` as the name of a secret: expected {NAME_SHAPE}; `/` stands between folders{}", meant(.nearest.as_ref()))]
    Name {
        /// What was given.
        name: String,
        /// What may have been meant.
        nearest: Option<String>,
    },
    /// There is no such secret.
    #[error("find the secret `{name}`: there is no {path}{}", meant(.nearest.as_ref()))]
    Unknown {
        /// What was given.
        name: String,
        /// Where it would be.
        path: String,
        /// What may have been meant.
        nearest: Option<String>,
    },
    /// A file or folder cannot be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A file cannot be written.
    #[error("write {path}: {reason}")]
    Write {
        /// Which.
        path: String,
        /// The system's word.
        reason: String,
    },
    /// Nobody is named, and this seat has no identity.
    #[error(
        "find somebody to seal to: there is neither {0} nor an enrolled seat, and this seat has no identity; \
         give --recipient or --identity"
    )]
    Nobody(String),
    /// The identities of this seat cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// It cannot be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
}

fn meant(nearest: Option<&String>) -> String {
    nearest.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}

/// The folder of an inventory's sealed secrets.
#[derive(Clone, Debug)]
pub struct SecretFolder {
    secrets: PathBuf,
    /// `keys/` beside the inventory.
    keys: PathBuf,
}

impl SecretFolder {
    /// `secrets` is the folder itself, `beside` that of the inventory.
    #[must_use]
    pub fn new(secrets: PathBuf, beside: &Path) -> Self {
        // As a person would write it: `secrets/x.age`, not `./secrets/x.age`.
        let plain = |path: PathBuf| path.strip_prefix(".").map(Path::to_path_buf).unwrap_or(path);
        Self { secrets: plain(secrets), keys: plain(beside.join("keys/seats")) }
    }

    /// The names of all secrets, sorted: the path below the folder without `.age`.
    ///
    /// # Errors
    /// [`SecretError::Load`].
    pub fn names(&self) -> Result<Vec<String>, SecretError> {
        let files = files_below(&self.secrets)?;
        Ok(files.iter().filter_map(|(name, _)| name.strip_suffix(".age").map(str::to_owned)).collect())
    }

    /// Where a secret is, or would be.
    ///
    /// # Errors
    /// [`SecretError::Name`] for a name that no secret can have and none has.
    pub fn path(&self, name: &str) -> Result<PathBuf, SecretError> {
        self.beside(name, "age")
    }

    fn beside(&self, name: &str, extension: &str) -> Result<PathBuf, SecretError> {
        let wrong = name.split('/').find_map(|part| MachineName::new(part).err());
        if let Some(error) = wrong
            && !self.names()?.iter().any(|known| known == name)
        {
            let nearest = if name.contains('/') { None } else { NameError::suggestion(&error) };
            return Err(SecretError::Name { name: name.to_owned(), nearest });
        }
        Ok(self.secrets.join(format!("{name}.{extension}")))
    }

    /// The sealed bytes of a secret.
    ///
    /// # Errors
    /// [`SecretError::Unknown`] with the nearest one, [`SecretError::Name`], [`SecretError::Load`].
    pub fn read(&self, name: &str) -> Result<Vec<u8>, SecretError> {
        self.read_if_there(name)?.ok_or_else(|| self.unknown(name))
    }

    /// The sealed bytes of a secret that may not be there yet.
    ///
    /// # Errors
    /// [`SecretError::Name`], [`SecretError::Load`].
    pub fn read_if_there(&self, name: &str) -> Result<Option<Vec<u8>>, SecretError> {
        let path = self.path(name)?;
        match std::fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(super::super::project::unreadable(&path, &error).into()),
        }
    }

    fn unknown(&self, name: &str) -> SecretError {
        let names = self.names().unwrap_or_default();
        SecretError::Unknown {
            name: name.to_owned(),
            path: self.secrets.join(format!("{name}.age")).display().to_string(),
            nearest: nearest(name, names.iter().map(String::as_str)),
        }
    }

    /// To whom a secret is sealed: `NAME.recipients` beside it says so, else `recipients` in the folder,
    /// else it is every enrolled seat (`keys/seats/SEAT/recipient` beside the inventory) and `own`. Without a
    /// name, as for a secret that has no file of its own.
    ///
    /// # Errors
    /// [`SecretError`].
    pub fn recipients(&self, name: Option<&str>, own: &Identities) -> Result<Recipients, SecretError> {
        let shared = self.secrets.join("recipients");
        let alone = name.map(|name| self.beside(name, "recipients")).transpose()?;
        for path in alone.iter().chain([&shared]) {
            if path.is_file() {
                return listed(path);
            }
        }
        let mut found = Recipients::default();
        for path in seats(&self.keys)? {
            found.add(listed(&path)?.iter().cloned());
        }
        found.add(own.recipients()?);
        if found.is_empty() { Err(SecretError::Nobody(shared.display().to_string())) } else { Ok(found) }
    }

    /// Seals a value and puts it in the place of what was there, whole or not at all.
    ///
    /// # Errors
    /// [`SecretError`].
    pub fn write(&self, name: &str, value: &Secret, recipients: &Recipients) -> Result<PathBuf, SecretError> {
        let prepared = self.prepare(name, value, recipients)?;
        let path = prepared.path.clone();
        prepared.finish()?;
        Ok(path)
    }

    /// As [`SecretFolder::write`], up to the point where only the file's name is left to be changed.
    pub(super) fn prepare(
        &self,
        name: &str,
        value: &Secret,
        recipients: &Recipients,
    ) -> Result<Prepared, SecretError> {
        Prepared::new(self.path(name)?, recipients.seal(value)?.as_bytes())
    }

    /// As [`SecretFolder::write`], to these alone, now and when it is sealed anew.
    ///
    /// # Errors
    /// [`SecretError`].
    pub fn write_alone(
        &self,
        name: &str,
        value: &Secret,
        recipients: &Recipients,
    ) -> Result<PathBuf, SecretError> {
        let prepared = self.prepare(name, value, recipients)?;
        // The list first: were only the secret there, the next rekey would seal it to everybody.
        Prepared::new(self.beside(name, "recipients")?, recipients.text().as_bytes())?.finish()?;
        let path = prepared.path.clone();
        prepared.finish()?;
        Ok(path)
    }
}

/// A list that has to name somebody.
fn listed(path: &Path) -> Result<Recipients, SecretError> {
    let source = read_source(path)?;
    let recipients = Recipients::read(&source).map_err(LoadError::Invalid)?;
    if recipients.is_empty() {
        return Err(LoadError::Invalid(nobody(&source)).into());
    }
    Ok(recipients)
}

fn nobody(source: &Arc<Source>) -> Diagnostics {
    let mut problems = Diagnostics::new();
    problems.push(
        Diagnostic::at(&Span::new(source, 0, 0), "nobody is named here")
            .expected("one age or SSH recipient a line, or no such file"),
    );
    problems
}

/// The recipients of the enrolled seats.
fn seats(keys: &Path) -> Result<Vec<PathBuf>, SecretError> {
    let entries = match std::fs::read_dir(keys) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(super::super::project::unreadable(keys, &error).into()),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| super::super::project::unreadable(keys, &error))?;
        found.push(entry.path().join("recipient"));
    }
    found.retain(|path| path.is_file());
    found.sort();
    Ok(found)
}

/// A file that is written and lies beside the one it is to replace.
pub(super) struct Prepared {
    file: NamedTempFile,
    path: PathBuf,
}

impl Prepared {
    fn new(path: PathBuf, bytes: &[u8]) -> Result<Self, SecretError> {
        let failed = |error: std::io::Error| write_error(&path, &error);
        let folder = folder_of(&path);
        std::fs::create_dir_all(&folder).map_err(failed)?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(".fleetprov-");
        // What is sealed is no secret: it is as readable as what it replaces, or as other new files.
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::symlink_metadata(&path).ok().filter(std::fs::Metadata::is_file);
            let mode = mode.map_or(0o666, |data| data.permissions().mode() & 0o777);
            builder.permissions(std::fs::Permissions::from_mode(mode));
        }
        let mut file = builder.tempfile_in(&folder).map_err(failed)?;
        std::io::Write::write_all(&mut file, bytes)
            .and_then(|()| file.as_file().sync_all())
            .map_err(failed)?;
        Ok(Self { file, path })
    }

    pub(super) fn finish(self) -> Result<(), SecretError> {
        let Self { file, path } = self;
        file.persist(&path).map(drop).map_err(|error| write_error(&path, &error.error))
    }
}

fn write_error(path: &Path, error: &std::io::Error) -> SecretError {
    SecretError::Write { path: path.display().to_string(), reason: error.to_string() }
}
