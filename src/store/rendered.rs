//! Writes what `render` shows into a folder.

use std::path::{Path, PathBuf};

use crate::resource::{Content, Rendered};

/// Why a rendered file cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("write {path}: {reason}")]
pub struct WriteError {
    path: String,
    reason: String,
}

/// Writes one machine's files below `folder`, each at its path on the machine. A secret's place is
/// taken by a line that names it. Returns the files written.
///
/// # Errors
/// [`WriteError`] with the first file that cannot be written.
pub fn write_rendered(folder: &Path, rendered: &[Rendered]) -> Result<Vec<PathBuf>, WriteError> {
    let mut written = Vec::new();
    for one in rendered {
        // Only plain components: a path from an inventory stays below the folder whatever it says.
        let below: PathBuf = Path::new(&one.path)
            .components()
            .filter(|component| matches!(component, std::path::Component::Normal(_)))
            .collect();
        let path = folder.join(below);
        let failed = |error: std::io::Error| WriteError {
            path: path.display().to_string(),
            reason: error.to_string(),
        };
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(failed)?;
        }
        match &one.content {
            Content::Bytes(bytes) => std::fs::write(&path, bytes).map_err(failed)?,
            Content::Local { path: source, .. } => {
                std::fs::copy(source, &path).map_err(failed)?;
            }
            Content::Secret(_) => std::fs::write(&path, "<secret>\n").map_err(failed)?,
            Content::Sealed(name) => {
                std::fs::write(&path, format!("<secret {name}>\n")).map_err(failed)?;
            }
        }
        written.push(path);
    }
    Ok(written)
}
