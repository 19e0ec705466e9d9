//! Unit names made from paths.

use std::fmt::Write as _;

use super::UnitError;

/// A path as the first part of a unit name, as `systemd-escape --path` gives it:
/// `/mnt/hs nas/backup-1` is `mnt-hs\x20nas-backup\x2d1`.
///
/// systemd.unit(5), STRING ESCAPING: outer and doubled slashes and components `.` go,
/// other slashes become `-`, ASCII letters, digits and `:_.` stay, a leading dot and
/// every other byte become `\x` and two hexadecimal digits; `/` alone is `-`.
///
/// # Errors
/// When the path is relative, contains `..` or a NUL.
pub fn escape_path(path: &str) -> Result<String, UnitError> {
    if !path.starts_with('/') {
        return Err(UnitError::RelativePath { path: path.to_owned() });
    }
    if path.contains('\0') {
        return Err(UnitError::ForbiddenCharacter { character: '\0' });
    }
    let components: Vec<&str> = path.split('/').filter(|component| !matches!(*component, "" | ".")).collect();
    if components.contains(&"..") {
        return Err(UnitError::ParentComponent { path: path.to_owned() });
    }
    if components.is_empty() {
        return Ok("-".to_owned());
    }
    let mut name = String::new();
    for byte in components.join("/").bytes() {
        match byte {
            b'/' => name.push('-'),
            b'.' if !name.is_empty() => name.push('.'),
            b':' | b'_' => name.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => name.push(char::from(byte)),
            // Writing into a string cannot fail.
            _ => drop(write!(name, "\\x{byte:02x}")),
        }
    }
    Ok(name)
}

/// The path that [`escape_path`] made a name of; `None` when it is no such name.
#[must_use]
pub fn unescape_path(name: &str) -> Option<String> {
    if name == "-" {
        return Some("/".to_owned());
    }
    let mut bytes = vec![b'/'];
    let mut rest = name;
    while let Some(byte) = rest.bytes().next() {
        if let Some(escaped) = rest.strip_prefix("\\x") {
            bytes.push(u8::from_str_radix(escaped.get(..2)?, 16).ok()?);
            rest = escaped.get(2..)?;
        } else {
            bytes.push(if byte == b'-' { b'/' } else { byte });
            rest = rest.get(1..)?;
        }
    }
    let path = String::from_utf8(bytes).ok()?;
    (escape_path(&path).ok()? == name).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_paths_go_both_ways() {
        for path in ["/", "/mnt/hs nas/backup-1", "/.hidden/a.b", "/a/\u{fc}", "/a:b_c"] {
            assert_eq!(unescape_path(&escape_path(path).unwrap()).as_deref(), Some(path));
        }
        for name in ["", "-a", "a--b", "a\\x2", "a\\x61", "\u{fc}", "a\\xzz"] {
            assert_eq!(unescape_path(name), None, "{name:?}");
        }
    }
}
