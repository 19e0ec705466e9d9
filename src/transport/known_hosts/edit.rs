//! Edits of a `known_hosts` text that keep every other byte: comments, order, line ends.

use std::ops::Range;

use russh::keys::PublicKey;
use russh::keys::ssh_key::known_hosts::{HostPatterns, Marker};

use super::{KnownHosts, KnownHostsError, Line, describe_key, parse_line, pattern};

/// What became of a key that was to be pinned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pinned {
    /// It is pinned for this host already, by whatever name.
    Already,
    /// The new text; the key has a line at its end.
    Added(String),
    /// It is marked `@revoked` for this host, in the line of this number, from 1. Nothing was added: the
    /// mark would go before it.
    Revoked(usize),
}

/// A text without the keys that were pinned for a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpinned {
    /// The new text; the old one, when the host had no line.
    pub text: String,
    /// How many lines lost the host.
    pub lines: usize,
    /// Lines of the new text, from 1, that still speak for the host: by a wildcard, or as an authority.
    pub left: Vec<usize>,
}

/// A text in which the keys of a host are revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// The new text.
    pub text: String,
    /// Algorithm and SHA-256 fingerprint of each key that nobody may show any more.
    pub keys: Vec<String>,
    /// Lines of the new text, from 1, that pin one of these keys under other names. These names are refused
    /// now: they are the same machine, or share its key.
    pub others: Vec<usize>,
    /// Lines of the new text, from 1, that still speak for the host with keys that were not revoked, since
    /// other hosts live by them: by a wildcard, or as an authority.
    pub left: Vec<usize>,
}

impl KnownHosts {
    /// Pins a key for a host: a line at the end of the text.
    ///
    /// # Errors
    /// [`KnownHostsError`] for a text that [`KnownHosts::parse`] refuses.
    pub fn pin(
        file: &str,
        text: &str,
        host: &str,
        port: u16,
        key: &PublicKey,
    ) -> Result<Pinned, KnownHostsError> {
        let rows = rows(file, text)?;
        let speaks = |row: &&Row| {
            row.line.as_ref().is_some_and(|line| {
                line.key.key_data() == key.key_data() && pattern::matches(&line.hosts, host, port)
            })
        };
        let marked =
            |row: &Row, marker: Option<Marker>| row.line.as_ref().is_some_and(|line| line.marker == marker);
        let mut speaking = rows.iter().enumerate().filter(|(_, row)| speaks(row));
        if let Some((index, _)) = speaking.clone().find(|(_, row)| marked(row, Some(Marker::Revoked))) {
            return Ok(Pinned::Revoked(index + 1));
        }
        if speaking.any(|(_, row)| marked(row, None)) {
            return Ok(Pinned::Already);
        }
        let end = line_end(text);
        let line = Self::line(host, port, key);
        Ok(Pinned::Added(if text.is_empty() || text.ends_with('\n') {
            format!("{text}{line}{end}")
        } else {
            format!("{text}{end}{line}")
        }))
    }

    /// Takes away what pins keys for a host. A line that names several hosts loses this name alone; a hashed
    /// name is found by its hash. Wildcards and lines with a marker stay.
    ///
    /// # Errors
    /// [`KnownHostsError`] for a text that [`KnownHosts::parse`] refuses.
    pub fn unpin(file: &str, text: &str, host: &str, port: u16) -> Result<Unpinned, KnownHostsError> {
        let mut lines = 0;
        let mut edited = String::with_capacity(text.len());
        for row in rows(file, text)? {
            match row.without(host, port) {
                None => edited.push_str(row.text),
                Some(rest) => {
                    lines += 1;
                    edited.push_str(&rest.unwrap_or_default());
                }
            }
        }
        let edited = keep_last_end(text, edited);
        let left = numbers(file, &edited, |line| {
            line.marker != Some(Marker::Revoked) && pattern::matches(&line.hosts, host, port)
        })?;
        Ok(Unpinned { text: edited, lines, left })
    }

    /// Revokes the keys that are pinned for a host by its name: each becomes `@revoked * KEY`, in the place of
    /// its first line.
    ///
    /// For every host, not for this one alone: whoever holds the machine can show its key under any name and
    /// address, and a mark that names the old address would not be asked there. `*` stands for hosts on any
    /// port, for OpenSSH as well (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT").
    ///
    /// # Errors
    /// [`KnownHostsError`] for a text that [`KnownHosts::parse`] refuses.
    pub fn revoke(file: &str, text: &str, host: &str, port: u16) -> Result<Revoked, KnownHostsError> {
        let rows = rows(file, text)?;
        let everywhere: Vec<&PublicKey> = rows
            .iter()
            .filter_map(|row| row.line.as_ref())
            .filter(|line| line.marker == Some(Marker::Revoked) && is_everybody(&line.hosts))
            .map(|line| &line.key)
            .collect();
        let mut keys: Vec<&PublicKey> = Vec::new();
        let mut edited = String::with_capacity(text.len());
        for row in &rows {
            let (Some(rest), Some(line)) = (row.without(host, port), &row.line) else {
                edited.push_str(row.text);
                continue;
            };
            let is_same = |other: &&PublicKey| other.key_data() == line.key.key_data();
            if !keys.iter().any(is_same) {
                keys.push(&line.key);
                if !everywhere.iter().any(is_same) {
                    let end = if row.end.is_empty() && rest.is_some() { line_end(text) } else { row.end };
                    let tail =
                        row.text.get(row.hosts.end..row.text.len() - row.end.len()).unwrap_or_default();
                    edited.push_str(&format!("@revoked *{tail}{end}"));
                }
            }
            edited.push_str(&rest.unwrap_or_default());
        }
        let edited = keep_last_end(text, edited);
        let is_revoked = |line: &Line| keys.iter().any(|key| key.key_data() == line.key.key_data());
        let others = numbers(file, &edited, |line| line.marker.is_none() && is_revoked(line))?;
        let left = numbers(file, &edited, |line| {
            line.marker != Some(Marker::Revoked)
                && !is_revoked(line)
                && pattern::matches(&line.hosts, host, port)
        })?;
        let keys = keys.into_iter().map(describe_key).collect();
        Ok(Revoked { text: edited, keys, others, left })
    }
}

/// One line of the text, with its line end.
struct Row<'a> {
    text: &'a str,
    end: &'a str,
    /// Where the host names stand in it; empty for a line that is no entry.
    hosts: Range<usize>,
    line: Option<Line>,
}

impl Row<'_> {
    /// The line without a host: `None` when it does not pin a key for this name, `Some(None)` when nothing of
    /// it is left.
    fn without(&self, host: &str, port: u16) -> Option<Option<String>> {
        let line = self.line.as_ref().filter(|line| line.marker.is_none())?;
        let is_meant = |name: &str| pattern::is_name(name, host, port);
        match &line.hosts {
            HostPatterns::HashedName { .. } => pattern::matches(&line.hosts, host, port).then_some(None),
            HostPatterns::Patterns(names) => {
                if !names.iter().any(|name| is_meant(name)) {
                    return None;
                }
                let rest: Vec<&str> =
                    names.iter().map(String::as_str).filter(|name| !is_meant(name)).collect();
                if rest.iter().all(|name| name.starts_with('!')) {
                    return Some(None);
                }
                let before = self.text.get(..self.hosts.start).unwrap_or_default();
                let behind = self.text.get(self.hosts.end..).unwrap_or_default();
                Some(Some(format!("{before}{}{behind}", rest.join(","))))
            }
        }
    }
}

/// The lines of a text, parsed.
fn rows<'a>(file: &str, text: &'a str) -> Result<Vec<Row<'a>>, KnownHostsError> {
    KnownHosts::parse(file, text)?;
    Ok(text
        .split_inclusive('\n')
        .map(|whole| {
            let content =
                whole.strip_suffix('\n').map_or(whole, |line| line.strip_suffix('\r').unwrap_or(line));
            let line = parse_line(content).ok().flatten();
            let hosts = line.as_ref().map_or(0..0, |line| hosts_of(content, line.marker.is_some()));
            Row { text: whole, end: whole.get(content.len()..).unwrap_or_default(), hosts, line }
        })
        .collect())
}

/// Where the host names stand in a line that is an entry.
fn hosts_of(content: &str, has_marker: bool) -> Range<usize> {
    let mut start = content.len() - content.trim_ascii_start().len();
    let word = |from: usize| {
        let rest = content.get(from..).unwrap_or_default();
        from + rest.find(|one: char| one.is_ascii_whitespace()).unwrap_or(rest.len())
    };
    if has_marker {
        let end = word(start);
        let rest = content.get(end..).unwrap_or_default();
        start = end + rest.len() - rest.trim_ascii_start().len();
    }
    start..word(start)
}

/// The numbers, from 1, of the entries of which something holds.
fn numbers(file: &str, text: &str, holds: impl Fn(&Line) -> bool) -> Result<Vec<usize>, KnownHostsError> {
    let rows = rows(file, text)?;
    let speaking = rows.iter().enumerate().filter(|(_, row)| row.line.as_ref().is_some_and(&holds));
    Ok(speaking.map(|(index, _)| index + 1).collect())
}

/// Whether a list of names means every host on every port.
fn is_everybody(hosts: &HostPatterns) -> bool {
    matches!(hosts, HostPatterns::Patterns(names) if names.as_slice() == ["*"])
}

/// The line end of a text: that of its first line.
fn line_end(text: &str) -> &'static str {
    match text.find('\n') {
        Some(feed) if text.get(..feed).is_some_and(|line| line.ends_with('\r')) => "\r\n",
        _ => "\n",
    }
}

/// A text whose last line had no line end keeps it so, also when that line is gone.
fn keep_last_end(before: &str, edited: String) -> String {
    if before.ends_with('\n') || before.is_empty() {
        return edited;
    }
    let end = line_end(before);
    edited.strip_suffix(end).map_or_else(|| edited.clone(), str::to_owned)
}
