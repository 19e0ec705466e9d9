//! `rclone-remote`: storages by name in rclone's configuration, which rclone itself writes to as well.

mod passwords;
mod read;
#[cfg(test)]
mod tests;

pub use passwords::is_password;
pub use read::read;

use zeroize::Zeroizing;

use crate::format::obscure;
use crate::model::{Diagnostic, Diagnostics, MachinePath, Secret, Span};
use crate::resource::directory::Directory;
use crate::resource::ini_keys::{IniKeys, IniValue};
use crate::resource::{Content, Declared, Origin};

/// The word of a role.
pub const KIND: &str = "rclone-remote";

/// A section of rclone's configuration.
#[derive(Clone, Debug)]
pub struct RcloneRemote {
    /// Its name: letters, digits, `-` and `_`.
    pub name: String,
    /// rclone's backend (`b2`, `sftp`, …).
    pub backend: String,
    /// The backend's options, plain; what rclone wants obscured is obscured here.
    pub options: Vec<RemoteOption>,
}

/// One option of a remote.
#[derive(Clone, Debug)]
pub struct RemoteOption {
    /// Its name in the configuration (`key_file`).
    pub name: String,
    /// Its value.
    pub value: Content,
    /// Where it was given.
    pub span: Span,
}

/// Remotes as owned keys of one configuration file, 0600, whose other keys may be secret or rclone's own
/// (it writes refreshed tokens there).
///
/// Several remotes of one owner make one resource, named `id`, so that the file is written once.
#[must_use]
pub fn declare(
    id: &str,
    remotes: &[RcloneRemote],
    config: &MachinePath,
    owner: &str,
    origin: &Origin,
    problems: &mut Diagnostics,
) -> Vec<Declared> {
    let mut values = Vec::new();
    for remote in remotes {
        let value = |key: &str, value: Content| IniValue {
            section: Some(remote.name.clone()),
            key: key.to_owned(),
            value,
        };
        values.push(value("type", Content::Bytes(remote.backend.as_bytes().into())));
        for option in &remote.options {
            match stored(remote, option) {
                Ok(content) => values.push(value(&option.name, content)),
                Err(problem) => problems.push(*problem),
            }
        }
    }
    let keys = IniKeys {
        path: config.clone(),
        id: id.to_owned(),
        values,
        owner: owner.to_owned(),
        group: None,
        mode: Some(0o600),
        sensitive: true,
    };
    let folder = Directory { path: config.parent(), owner: owner.to_owned(), group: None, mode: 0o700 };
    vec![Declared::new(folder, origin.clone()), Declared::new(keys, origin.clone())]
}

/// An option's value as the file holds it: one line, obscured when rclone wants that.
fn stored(remote: &RcloneRemote, option: &RemoteOption) -> Result<Content, Box<Diagnostic>> {
    let (bytes, secret) = match &option.value {
        Content::Bytes(bytes) => (bytes.as_ref(), false),
        Content::Secret(secret) => (secret.expose(), true),
        sealed => return Ok(sealed.clone()),
    };
    // A secret made with an editor or `echo` ends with a line end that is not part of it.
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    if std::str::from_utf8(bytes).is_err() || bytes.iter().any(u8::is_ascii_control) {
        let message = format!("the option `{}` of `{}` is not one line of text", option.name, remote.name);
        return Err(Box::new(
            Diagnostic::at(&option.span, message)
                .expected("one line: rclone keeps its options in an INI file"),
        ));
    }
    if is_password(&remote.backend, &option.name) {
        let place = format!("{}/{}", remote.name, option.name);
        let hidden = obscure::obscure(bytes, obscure::deterministic_iv(bytes, &place));
        let hidden = Zeroizing::new(hidden.into_bytes());
        // Obscured is not encrypted: rclone's key is public.
        return Ok(Content::Secret(Secret::new(hidden.to_vec())));
    }
    Ok(if secret { Content::Secret(Secret::new(bytes.to_vec())) } else { Content::Bytes(bytes.into()) })
}

/// Another machine over SFTP, host keys checked.
///
/// rclone checks host keys only with `known_hosts_file` (rclone's page on sftp), so it is always set.
/// The key is held to SFTP, so there is no shell (`shell_type = none`), and no checksum but what SFTP carries.
#[must_use]
pub fn sftp(name: &str, login: &SftpLogin<'_>, span: &Span) -> RcloneRemote {
    let options = [
        ("host", login.host.to_owned()),
        ("port", login.port.to_string()),
        ("user", login.user.to_owned()),
        ("key_file", login.key.to_owned()),
        ("known_hosts_file", login.known_hosts.to_owned()),
        ("shell_type", "none".to_owned()),
    ];
    RcloneRemote {
        name: name.to_owned(),
        backend: "sftp".to_owned(),
        options: options
            .into_iter()
            .map(|(name, value)| RemoteOption {
                name: name.to_owned(),
                value: Content::Bytes(value.into_bytes().into()),
                span: span.clone(),
            })
            .collect(),
    }
}

/// How one machine opens another.
#[derive(Clone, Copy, Debug)]
pub struct SftpLogin<'a> {
    /// Host name or address.
    pub host: &'a str,
    /// TCP port.
    pub port: u16,
    /// User there.
    pub user: &'a str,
    /// The private key, absolute.
    pub key: &'a str,
    /// The host keys, absolute.
    pub known_hosts: &'a str,
}

/// Whether a text can be the name of a remote: letters, digits, `-`, `_`, `.`, not starting with `-`, and
/// more than one character, since a single letter is a drive on Windows (rclone's page on names).
///
/// # Errors
/// A text that says what is wrong.
pub fn name_from(text: &str) -> Result<String, String> {
    let fits = text.len() > 1
        && !text.starts_with('-')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if fits { Ok(text.to_owned()) } else { Err(format!("`{text}` is not the name of a remote")) }
}
