//! The programs of util-linux that make and enter namespaces, and where they are.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Folders that hold system programs and may be missing from a user's search path.
const USUAL: [&str; 4] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// Where the programs are.
#[derive(Clone, Debug)]
pub(in crate::demo) struct Programs {
    /// unshare(1).
    pub(in crate::demo) unshare: PathBuf,
    /// nsenter(1).
    pub(in crate::demo) nsenter: PathBuf,
    /// The search path for machines that are folders.
    pub(in crate::demo) path: OsString,
}

impl Programs {
    /// Looks for them along a search path. Those that are not found keep their bare name; the
    /// second value names them.
    pub(in crate::demo) fn along(path: &std::ffi::OsStr) -> (Self, Vec<&'static str>) {
        let mut missing = Vec::new();
        let folders: Vec<PathBuf> = std::env::split_paths(path).collect();
        let mut find = |name: &'static str| {
            let found = folders.iter().map(|folder| folder.join(name)).find(|file| is_program(file));
            found.unwrap_or_else(|| {
                missing.push(name);
                PathBuf::from(name)
            })
        };
        let programs = Self { unshare: find("unshare"), nsenter: find("nsenter"), path: path.to_owned() };
        (programs, missing)
    }

    /// The search path of this process with the system's folders behind it.
    pub(in crate::demo) fn usual_path() -> OsString {
        let own = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::env::split_paths(&own).filter(|folder| folder.is_absolute());
        let all = folders.chain(USUAL.iter().map(PathBuf::from));
        std::env::join_paths(all).unwrap_or(own)
    }
}

fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}
