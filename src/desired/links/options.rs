//! What stands before a link's key in `authorized_keys`: from where it is taken, and which program it is held to.
//!
//! `sshd(8)`, AUTHORIZED_KEYS FILE FORMAT. `restrict` takes away everything but the one program: no terminal, no
//! forwarding of ports, agents and displays, no `~/.ssh/rc`.

use std::net::IpAddr;

use super::{Link, span};
use crate::inventory::Managed;
use crate::model::{Diagnostic, Diagnostics};
use crate::resource::Program;
use crate::shell::posix;

/// The options for all uses of one key at one login.
pub(super) fn options(
    uses: &[&Link],
    from: Option<&Managed>,
    here: &Managed,
    problems: &mut Diagnostics,
) -> Option<String> {
    let first = uses.first()?;
    let command = match first.opens.program {
        Program::Sftp => sftp(uses),
        Program::Rsync => rsync(uses, problems)?,
        Program::Git => git(uses, problems)?,
    };
    let address = from.and_then(|from| address(from, here));
    let from = address.map(|address| format!("from=\"{address}\",")).unwrap_or_default();
    // Only a quote is escaped there; a backslash before anything else stands for itself.
    Some(format!("{from}restrict,command=\"{}\"", command.replace('"', "\\\"")))
}

/// sshd's own SFTP server, which reads only (`-R`) when nobody writes. It starts in the folder, and is not held to
/// it: that takes root's settings of sshd.
fn sftp(uses: &[&Link]) -> String {
    let mut command = "internal-sftp".to_owned();
    if uses.iter().all(|link| !link.opens.writes) {
        command.push_str(" -R");
    }
    let folder = uses.first().and_then(|link| link.opens.path.as_deref());
    if let Some(folder) = folder.filter(|folder| is_plain(folder))
        && uses.iter().all(|link| link.opens.path.as_deref() == Some(folder))
    {
        command.push_str(&format!(" -d {folder}"));
    }
    command
}

/// `rrsync`, which comes with rsync and holds it to one folder.
fn rsync(uses: &[&Link], problems: &mut Diagnostics) -> Option<String> {
    let first = uses.first()?;
    let folder = first.opens.path.as_deref()?;
    if let Some(other) = uses.iter().find(|link| link.opens.path.as_deref() != Some(folder)) {
        problems.push(
            Diagnostic::at(span(other), "one key for rsync would be held to two folders")
                .expected("one folder for each pair of machines, which may be the one above both")
                .related(span(first), format!("{} names {folder} here", first.origin.from)),
        );
        return None;
    }
    let reads = uses.iter().all(|link| !link.opens.writes);
    Some(format!("rrsync {}{}", if reads { "-ro " } else { "" }, posix::quote(folder)))
}

/// git for the repositories that are named, as git's client asks for them, and reading alone where nobody writes.
fn git(uses: &[&Link], problems: &mut Diagnostics) -> Option<String> {
    let mut allowed: Vec<String> = Vec::new();
    for link in uses {
        let path = link.opens.path.as_deref()?;
        if !is_plain(path) {
            problems.push(
                Diagnostic::at(span(link), format!("a key cannot be held to the repository `{path}`"))
                    .expected("a path of letters, digits and . _ ~ / + -, or a `key` of its own"),
            );
            return None;
        }
        let programs: &[&str] =
            if link.opens.writes { &["git-upload-pack", "git-receive-pack"] } else { &["git-upload-pack"] };
        for program in programs {
            let word = format!("\"{program} '{path}'\"");
            if !allowed.contains(&word) {
                allowed.push(word);
            }
        }
    }
    Some(format!(
        "case $SSH_ORIGINAL_COMMAND in {}) exec git-shell -c \"$SSH_ORIGINAL_COMMAND\" ;; esac; exit 1",
        allowed.join("|")
    ))
}

/// Whether a path means the same in a shell's pattern and between quotes, and to whoever splits at blanks.
fn is_plain(path: &str) -> bool {
    !path.is_empty() && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._~/+-".contains(&byte))
}

/// The address a machine comes from, when that is fixed: a literal one, behind no jump. An address of a private
/// network is seen only within such networks, and a public one only from public ones: elsewhere a router's own
/// stands in its place.
fn address(from: &Managed, here: &Managed) -> Option<IpAddr> {
    let literal = |managed: &Managed| managed.connect.host.as_ref()?.value.parse::<IpAddr>().ok();
    let (from_address, here_address) = (literal(from)?, literal(here)?);
    let is_fixed = from.connect.jumps.is_empty() && is_private(from_address) == is_private(here_address);
    is_fixed.then_some(from_address)
}

/// Private networks and the computer itself (RFC 1918, RFC 6598, RFC 4193, link-local).
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || (first == 100 && (64..128).contains(&second))
        }
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
    }
}
