//! A path on a machine: absolute, in one line, without `.` and `..`.

use std::fmt;

/// An absolute path on a machine, kept as text because the controller may run another system.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MachinePath(String);

/// Why a text is not a path on a machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MachinePathError {
    /// It does not start with `/`.
    #[error("`{0}` is not an absolute path")]
    NotAbsolute(String),
    /// It holds a line break or another control character.
    #[error("{0:?} holds a control character")]
    Control(String),
    /// It holds a `.` or `..` component, so that two texts would name one place.
    #[error("`{0}` holds a `.` or `..` component")]
    Dots(String),
}

impl MachinePath {
    /// Takes a POSIX path: it starts with `/`, has no control character and no `.` or `..`;
    /// repeated and trailing slashes are dropped.
    ///
    /// # Errors
    /// [`MachinePathError`] with the reason. Line breaks are refused because `BusyBox`'s
    /// `sha256sum` does not escape them (measured, 1.35).
    pub fn new(text: &str) -> Result<Self, MachinePathError> {
        if !text.starts_with('/') {
            return Err(MachinePathError::NotAbsolute(text.to_owned()));
        }
        if text.chars().any(char::is_control) {
            return Err(MachinePathError::Control(text.to_owned()));
        }
        let components: Vec<&str> = text.split('/').filter(|part| !part.is_empty()).collect();
        if components.iter().any(|part| *part == "." || *part == "..") {
            return Err(MachinePathError::Dots(text.to_owned()));
        }
        Ok(Self(format!("/{}", components.join("/"))))
    }

    /// The path as text, always starting with `/`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The folder that holds this path; `/` holds itself.
    #[must_use]
    pub fn parent(&self) -> Self {
        match self.0.rsplit_once('/') {
            Some(("", _)) | None => Self("/".to_owned()),
            Some((parent, _)) => Self(parent.to_owned()),
        }
    }

    /// The last component; empty for `/`.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(_, name)| name)
    }

    /// This path with one more component, or several divided by `/`.
    ///
    /// # Errors
    /// As for [`MachinePath::new`].
    pub fn join(&self, below: &str) -> Result<Self, MachinePathError> {
        Self::new(&format!("{}/{below}", self.0))
    }

    /// Whether `self` is `folder` or lies below it.
    #[must_use]
    pub fn is_within(&self, folder: &Self) -> bool {
        folder.0 == "/"
            || self.0 == folder.0
            || self.0.strip_prefix(&folder.0).is_some_and(|rest| rest.starts_with('/'))
    }
}

impl fmt::Display for MachinePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl fmt::Debug for MachinePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_absolute_and_canonical() {
        assert_eq!(MachinePath::new("/a//b/").unwrap().as_str(), "/a/b");
        assert_eq!(MachinePath::new("/").unwrap().as_str(), "/");
        for bad in ["", "a", "~/a", "/a/../b", "/a/./b", "/a\nb", "/a\u{7f}"] {
            assert!(MachinePath::new(bad).is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn parents_and_nesting() {
        let path = MachinePath::new("/a/b").unwrap();
        assert_eq!(path.parent().as_str(), "/a");
        assert_eq!(path.parent().parent().as_str(), "/");
        assert_eq!(path.file_name(), "b");
        assert!(path.is_within(&MachinePath::new("/a").unwrap()));
        assert!(!MachinePath::new("/ab").unwrap().is_within(&MachinePath::new("/a").unwrap()));
        assert_eq!(path.join("c").unwrap().as_str(), "/a/b/c");
    }
}
