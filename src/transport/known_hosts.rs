//! The fleet's pinned host keys: reads a `known_hosts` file and judges a key that a host shows.
//!
//! The format is that of sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT". Stricter than OpenSSH in one point:
//! a key pinned for a host on port 22 says nothing about another port of that host.

mod certificate;
mod edit;
#[cfg(test)]
mod edit_tests;
mod pattern;
#[cfg(test)]
mod tests;

use std::time::SystemTime;

use russh::keys::ssh_key::known_hosts::{HostPatterns, Marker};
use russh::keys::ssh_key::public::KeyData;
use russh::keys::{Algorithm, HashAlg, PublicKey, PublicKeyOrCertificate};

pub use edit::{Pinned, Revoked, Unpinned};

/// Why a `known_hosts` text is not usable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read {file}: {}", lines.iter().map(|(line, reason)| format!("line {line}: {reason}")).collect::<Vec<_>>().join("; "))]
pub struct KnownHostsError {
    /// The file's name.
    pub file: String,
    /// Every bad line: its number, from 1, and what is wrong with it.
    pub lines: Vec<(usize, String)>,
}

/// What the pinned keys say about a key that a host shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The key is pinned for this host, or a pinned authority vouches for it.
    Pinned,
    /// Nothing is pinned for this host.
    Unknown,
    /// Other keys are pinned for this host.
    Changed {
        /// Algorithm and SHA-256 fingerprint of each pinned key.
        pinned: Vec<String>,
    },
    /// The key, or the authority behind it, is marked `@revoked` for this host.
    Revoked,
    /// A pinned authority signed the certificate, but it is not good for this host now.
    BadCertificate {
        /// Why.
        reason: String,
    },
}

/// The content of a `known_hosts` file.
#[derive(Clone, Debug)]
pub struct KnownHosts {
    file: String,
    lines: Vec<Line>,
}

#[derive(Clone, Debug)]
struct Line {
    marker: Option<Marker>,
    hosts: HostPatterns,
    key: PublicKey,
}

impl KnownHosts {
    /// Reads the text of a `known_hosts` file. `file` names it in messages.
    ///
    /// # Errors
    /// [`KnownHostsError`] with every line that is neither empty, a comment nor an entry.
    pub fn parse(file: &str, text: &str) -> Result<Self, KnownHostsError> {
        let mut lines = Vec::new();
        let mut bad = Vec::new();
        for (index, text) in text.lines().enumerate() {
            match parse_line(text) {
                Ok(line) => lines.extend(line),
                Err(reason) => bad.push((index + 1, reason)),
            }
        }
        if bad.is_empty() {
            Ok(Self { file: file.to_owned(), lines })
        } else {
            Err(KnownHostsError { file: file.to_owned(), lines: bad })
        }
    }

    /// The file's name, as given to [`KnownHosts::parse`].
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Judges what a host shows. `now` decides whether a certificate is valid.
    #[must_use]
    pub fn verdict(
        &self,
        host: &str,
        port: u16,
        offered: &PublicKeyOrCertificate,
        now: SystemTime,
    ) -> Verdict {
        let key = offered.public_key();
        let revoked = |key: &KeyData| {
            self.matching(host, port)
                .any(|line| line.marker == Some(Marker::Revoked) && line.key.key_data() == key)
        };
        if revoked(key.key_data()) {
            return Verdict::Revoked;
        }
        if let Some(certificate) = offered.certificate() {
            if revoked(certificate.signature_key()) {
                return Verdict::Revoked;
            }
            if self.authorities(host, port).any(|authority| authority == certificate.signature_key()) {
                return match certificate::check(certificate, host, now) {
                    Ok(()) => Verdict::Pinned,
                    Err(reason) => Verdict::BadCertificate { reason },
                };
            }
        }
        let pinned: Vec<&PublicKey> = self.pinned(host, port).collect();
        if pinned.iter().any(|pinned| pinned.key_data() == key.key_data()) {
            Verdict::Pinned
        } else if pinned.is_empty() {
            Verdict::Unknown
        } else {
            Verdict::Changed { pinned: pinned.into_iter().map(describe_key).collect() }
        }
    }

    /// The algorithms of the keys pinned for a host, in the order of the file. A client asks for
    /// these first: a host with several keys would otherwise show one that is not pinned.
    #[must_use]
    pub fn algorithms(&self, host: &str, port: u16) -> Vec<Algorithm> {
        let mut algorithms = Vec::new();
        for key in self.pinned(host, port) {
            let algorithm = key.algorithm();
            if !algorithms.contains(&algorithm) {
                algorithms.push(algorithm);
            }
        }
        algorithms
    }

    /// Whether an authority is pinned for a host, so that its certificates are worth asking for.
    #[must_use]
    pub fn has_authority(&self, host: &str, port: u16) -> bool {
        self.authorities(host, port).next().is_some()
    }

    /// The line that pins a key for a host, without a line end.
    #[must_use]
    pub fn line(host: &str, port: u16, key: &PublicKey) -> String {
        let bare = PublicKey::new(key.key_data().clone(), "");
        let text = bare.to_openssh().unwrap_or_else(|error| format!("({error})"));
        format!("{} {text}", pattern::name(host, port))
    }

    /// The lines that a client needs which opens one host and nothing else: what is pinned for it, the
    /// authorities that vouch for it, and what is revoked. Under this host's name alone, without line ends. Empty
    /// when nothing vouches for it.
    #[must_use]
    pub fn lines_of(&self, host: &str, port: u16) -> Vec<String> {
        let is_known = |line: &&Line| line.marker != Some(Marker::Revoked);
        if !self.matching(host, port).any(|line| is_known(&line)) {
            return Vec::new();
        }
        let mut lines = Vec::new();
        for line in self.matching(host, port) {
            let bare = Self::line(host, port, &line.key);
            let line = match &line.marker {
                None => bare,
                Some(Marker::CertAuthority) => format!("@cert-authority {bare}"),
                Some(Marker::Revoked) => format!("@revoked {bare}"),
            };
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        lines
    }

    fn matching<'a>(&'a self, host: &'a str, port: u16) -> impl Iterator<Item = &'a Line> {
        self.lines.iter().filter(move |line| pattern::matches(&line.hosts, host, port))
    }

    fn pinned<'a>(&'a self, host: &'a str, port: u16) -> impl Iterator<Item = &'a PublicKey> {
        self.matching(host, port).filter(|line| line.marker.is_none()).map(|line| &line.key)
    }

    fn authorities<'a>(&'a self, host: &'a str, port: u16) -> impl Iterator<Item = &'a KeyData> {
        self.matching(host, port)
            .filter(|line| line.marker == Some(Marker::CertAuthority))
            .map(|line| line.key.key_data())
    }
}

/// Reads a public key as it stands in a line of `known_hosts`: `TYPE BASE64`.
///
/// # Errors
/// Why it is none.
pub fn host_key(text: &str) -> Result<PublicKey, String> {
    PublicKey::from_openssh(text).map_err(|error| error.to_string())
}

/// A key's algorithm and SHA-256 fingerprint, as `ssh-keygen -l` shows it.
pub(super) fn describe_key(key: &PublicKey) -> String {
    format!("{} {}", key.algorithm(), key.fingerprint(HashAlg::Sha256))
}

fn parse_line(text: &str) -> Result<Option<Line>, String> {
    let mut fields = text.split_ascii_whitespace().peekable();
    let marker = match fields.peek() {
        None => return Ok(None),
        Some(first) if first.starts_with('#') => return Ok(None),
        Some(first) if first.starts_with('@') => {
            let marker = first
                .parse::<Marker>()
                .map_err(|_| format!("the marker `{first}` is neither `@cert-authority` nor `@revoked`"))?;
            fields.next();
            Some(marker)
        }
        Some(_) => None,
    };
    let (Some(hosts), Some(algorithm), Some(key)) = (fields.next(), fields.next(), fields.next()) else {
        return Err("expected host names, a key type and a key".to_owned());
    };
    let hosts = hosts.parse::<HostPatterns>().map_err(|_| format!("`{hosts}` is no list of host names"))?;
    pattern::check(&hosts)?;
    let key = PublicKey::from_openssh(&format!("{algorithm} {key}"))
        .map_err(|error| format!("the {algorithm} key cannot be read: {error}"))?;
    Ok(Some(Line { marker, hosts, key }))
}
