//! The keys and the host keys of links between machines, by name. This is the only place that knows where
//! they are.

/// The private key of this name of the user whose home this is. What is used for backups and mounts is
/// called like the machine that it opens.
#[must_use]
pub fn key(home: &str, name: &str) -> String {
    format!("{home}/.ssh/fleetprov-{name}")
}

/// The pinned host keys of what a user of a machine opens.
#[must_use]
pub fn known_hosts(home: &str) -> String {
    format!("{home}/.ssh/fleetprov-known_hosts")
}

/// The name of a key by its file, when that is one of [`key`] for this home.
#[must_use]
pub fn name_of<'a>(home: &str, path: &'a str) -> Option<&'a str> {
    let name = path.strip_prefix(home)?.strip_prefix("/.ssh/fleetprov-")?;
    (!name.is_empty() && name != "known_hosts" && !name.contains('/')).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_by_its_file() {
        assert_eq!(name_of("/root", &key("/root", "nas")), Some("nas"));
        assert_eq!(name_of("/root", &known_hosts("/root")), None);
        for other in ["/root/.ssh/id_ed25519", "/home/a/.ssh/fleetprov-nas", "/root/.ssh/fleetprov-a/b"] {
            assert_eq!(name_of("/root", other), None, "{other}");
        }
    }
}
