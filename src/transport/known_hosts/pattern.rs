//! Which hosts a `known_hosts` line speaks about.

use hmac::{Hmac, KeyInit, Mac};
use russh::keys::ssh_key::known_hosts::HostPatterns;
use sha1::Sha1;

const DEFAULT_PORT: u16 = 22;

/// The name a host has in `known_hosts`: bare on port 22, `[host]:port` elsewhere. Lower case, since
/// host names do not tell case apart.
pub(super) fn name(host: &str, port: u16) -> String {
    let host = host.to_ascii_lowercase();
    if port == DEFAULT_PORT { host } else { format!("[{host}]:{port}") }
}

/// Says what is wrong with a list that can never match as it is meant.
pub(super) fn check(hosts: &HostPatterns) -> Result<(), String> {
    let HostPatterns::Patterns(patterns) = hosts else { return Ok(()) };
    for pattern in patterns {
        let body = pattern.strip_prefix('!').unwrap_or(pattern);
        if body.is_empty() {
            return Err("a host name is empty".to_owned());
        }
        if body.starts_with("|1|") {
            return Err("a hashed name must stand alone".to_owned());
        }
        if let Some(rest) = body.strip_prefix('[') {
            let port = rest.rsplit_once("]:").map(|(_, port)| port);
            let good = port.is_some_and(|port| port == "*" || port.parse::<u16>().is_ok());
            if !good {
                return Err(format!("`{body}` is not of the form `[host]:port`"));
            }
        }
    }
    let all_negated = patterns.iter().all(|pattern| pattern.starts_with('!'));
    if all_negated { Err("every name is negated, so that no host is meant".to_owned()) } else { Ok(()) }
}

/// Whether a line's list of names holds for a host. A negated name that matches rules the line out.
pub(super) fn matches(hosts: &HostPatterns, host: &str, port: u16) -> bool {
    let name = name(host, port);
    match hosts {
        HostPatterns::HashedName { salt, hash } => hashes_to(&name, salt, hash),
        HostPatterns::Patterns(patterns) => {
            let holds = |pattern: &str| {
                let pattern = pattern.to_ascii_lowercase();
                // Port 22 may be written out.
                glob(&pattern, &name) || (port == DEFAULT_PORT && pattern == format!("[{name}]:22"))
            };
            let (negated, plain): (Vec<&String>, Vec<&String>) =
                patterns.iter().partition(|pattern| pattern.starts_with('!'));
            plain.into_iter().any(|pattern| holds(pattern))
                && !negated.into_iter().filter_map(|pattern| pattern.strip_prefix('!')).any(holds)
        }
    }
}

/// Whether a name of a list is exactly this host, without wildcards.
pub(super) fn is_name(pattern: &str, host: &str, port: u16) -> bool {
    let (pattern, name) = (pattern.to_ascii_lowercase(), name(host, port));
    // Port 22 may be written out.
    pattern == name || (port == DEFAULT_PORT && pattern == format!("[{name}]:22"))
}

/// Whether a text matches a pattern of `*` (any run) and `?` (one character). Takes at most
/// pattern times text steps: after a mismatch only the last `*` is tried further on.
pub(super) fn glob(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut at_pattern, mut at_text) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(character) = text.get(at_text) {
        match pattern.get(at_pattern) {
            Some('*') => {
                star = Some((at_pattern + 1, at_text));
                at_pattern += 1;
            }
            Some(expected) if *expected == '?' || expected == character => {
                at_pattern += 1;
                at_text += 1;
            }
            _ => {
                let Some((after_star, swallowed)) = star else { return false };
                star = Some((after_star, swallowed + 1));
                at_pattern = after_star;
                at_text = swallowed + 1;
            }
        }
    }
    pattern.iter().skip(at_pattern).all(|rest| *rest == '*')
}

fn hashes_to(name: &str, salt: &[u8], hash: &[u8; 20]) -> bool {
    Hmac::<Sha1>::new_from_slice(salt)
        .is_ok_and(|hasher| hasher.chain_update(name.as_bytes()).verify_slice(hash).is_ok())
}
