//! SSH addresses: `USER@HOST`, `USER@HOST:PORT`, `USER@[V6]:PORT`, `ssh://USER@HOST:PORT`.

use crate::model::{Diagnostic, Diagnostics, Spanned};

/// The SSH port when none is given (RFC 4253 section 4).
pub(super) const PORT: u16 = 22;

const EXPECTED: &str = "`USER@HOST`, `USER@HOST:PORT` or `ssh://USER@HOST:PORT`";

/// A login at a host.
pub(super) struct Login {
    pub(super) user: String,
    pub(super) host: Spanned<String>,
    pub(super) port: u16,
}

pub(super) fn parse(text: &Spanned<String>, problems: &mut Diagnostics) -> Option<Login> {
    match split(&text.value) {
        Ok((user, host, port)) => Some(Login {
            user: user.to_owned(),
            host: Spanned { value: host.to_owned(), span: text.span.clone() },
            port,
        }),
        Err(reason) => {
            problems.push(
                Diagnostic::at(&text.span, format!("`{}` is not an SSH address: {reason}", text.value))
                    .expected(EXPECTED),
            );
            None
        }
    }
}

/// Takes `USER@HOST`, `USER@HOST:PORT` or `ssh://USER@HOST:PORT` apart: user, host without brackets, port.
///
/// # Errors
/// Why it is no such address.
pub fn split(text: &str) -> Result<(&str, &str, u16), &'static str> {
    let bare = match text.strip_prefix("ssh://") {
        Some(rest) => rest.strip_suffix('/').unwrap_or(rest),
        None => text,
    };
    let (user, place) = bare.rsplit_once('@').ok_or("it has no login name")?;
    let (host, port) = match place.strip_prefix('[') {
        Some(bracketed) => {
            let (host, rest) = bracketed.split_once(']').ok_or("the bracket is not closed")?;
            let port = match rest {
                "" => None,
                rest => Some(rest.strip_prefix(':').ok_or("something stands behind the bracket")?),
            };
            (host, port)
        }
        None => match place.split_once(':') {
            Some((_, rest)) if rest.contains(':') => return Err("an IPv6 address needs brackets"),
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        },
    };
    if user.contains(':') {
        return Err("a password does not belong here");
    }
    // A login or host that starts with `-` could be taken for an option by a program it is given to.
    let user_fits = |character: char| {
        character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-' | '\\' | '$')
    };
    if user.is_empty() || user.starts_with('-') || !user.chars().all(user_fits) {
        return Err("the login name is not one");
    }
    let host_fits = |character: char| {
        character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '_' | ':' | '%')
    };
    if host.is_empty() || host.starts_with('-') || !host.chars().all(host_fits) {
        return Err("the host is not one");
    }
    let port = match port {
        None => PORT,
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().ok().filter(|port| *port != 0).ok_or("the port is not between 1 and 65535")?
        }
        Some(_) => return Err("the port is not between 1 and 65535"),
    };
    Ok((user, host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        for (text, expected) in [
            ("root@10.0.0.1", ("root", "10.0.0.1", 22)),
            ("a.b@host.example:2222", ("a.b", "host.example", 2222)),
            ("ssh://root@host", ("root", "host", 22)),
            ("ssh://root@host:2201/", ("root", "host", 2201)),
            ("root@[fe80::1%eth0]", ("root", "fe80::1%eth0", 22)),
            ("root@[::1]:2201", ("root", "::1", 2201)),
            ("DESK\\walhus@cc-pc", ("DESK\\walhus", "cc-pc", 22)),
        ] {
            assert_eq!(split(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_its_reason() {
        for (text, reason) in [
            ("host", "it has no login name"),
            ("@host", "the login name is not one"),
            ("-o@host", "the login name is not one"),
            ("root@", "the host is not one"),
            ("root@-oProxyCommand", "the host is not one"),
            ("root@a b", "the host is not one"),
            ("root@::1", "an IPv6 address needs brackets"),
            ("root@[::1", "the bracket is not closed"),
            ("root@[::1]22", "something stands behind the bracket"),
            ("root@host:0", "the port is not between 1 and 65535"),
            ("root@host:+22", "the port is not between 1 and 65535"),
            ("root@host:65536", "the port is not between 1 and 65535"),
            ("root@host:", "the port is not between 1 and 65535"),
            ("ssh://root:pass@host", "a password does not belong here"),
        ] {
            assert_eq!(split(text), Err(reason), "{text}");
        }
    }
}
