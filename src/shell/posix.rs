//! POSIX sh: quoting, and carrying a program through whatever login shell a machine has.

use std::fmt::Write as _;

use super::call::{Call, Library};

pub use crate::model::quote;

/// The loop that takes orders.
pub const LOOP: Library = Library { name: "loop", posix: include_str!("library/loop.sh"), needs: &[] };

/// The functions every session has.
pub const SESSION: Library =
    Library { name: "session", posix: include_str!("library/session.sh"), needs: &[] };

/// The functions that know which way a path takes.
pub const WAYS: Library = Library { name: "ways", posix: include_str!("library/ways.sh"), needs: &[] };

/// The functions that answer questions.
pub const PROBE: Library = Library { name: "probe", posix: include_str!("library/probe.sh"), needs: &[] };

/// The functions that read what fleetprov remembers on the machine.
pub const STATE: Library = Library { name: "state", posix: include_str!("library/state.sh"), needs: &[] };

/// The functions that look for records in other places.
pub const ELSEWHERE: Library =
    Library { name: "elsewhere", posix: include_str!("library/elsewhere.sh"), needs: &[] };

/// The functions that change files, folders and links. This library and those below come with the first
/// change: a session that only looks does not carry them.
pub const FILES: Library = Library { name: "files", posix: include_str!("library/files.sh"), needs: &[] };

/// The functions that call the crontab program.
pub const CRONTAB: Library =
    Library { name: "crontab", posix: include_str!("library/crontab.sh"), needs: &[] };

/// The functions that keep what a step changes, and put it back.
pub const KEEP: Library =
    Library { name: "keep", posix: include_str!("library/keep.sh"), needs: &[FILES, CRONTAB] };

/// The functions that note where a record is.
pub const NOTICE: Library = Library { name: "notice", posix: include_str!("library/notice.sh"), needs: &[] };

/// The functions that let one run change the machine at a time, and write down what it does.
pub const JOURNAL: Library =
    Library { name: "journal", posix: include_str!("library/journal.sh"), needs: &[KEEP, NOTICE] };

/// The functions that walk a plan.
pub const APPLY: Library =
    Library { name: "apply", posix: include_str!("library/apply.sh"), needs: &[JOURNAL] };

/// The functions that bring into force what was written, so that it is tried before it is confirmed.
pub const FORCE: Library =
    Library { name: "force", posix: include_str!("library/force.sh"), needs: &[JOURNAL] };

/// The functions that arm a revert of what can cut the way in, confirm it or put it back.
pub const GUARD: Library =
    Library { name: "guard", posix: include_str!("library/guard.sh"), needs: &[FORCE] };

/// A call as one command of POSIX sh.
#[must_use]
pub fn command(call: &Call) -> String {
    let mut text = call.function.to_owned();
    for argument in &call.arguments {
        text.push(' ');
        text.push_str(&quote(argument));
    }
    text
}

/// Wraps a program so that any login shell hands it to `sh` unchanged.
///
/// The program is escaped to letters, digits and a few safe marks, everything else as `\0ooo`, and
/// unescaped by `printf %b`. Measured through dash, bash, mksh, zsh, fish and tcsh with 60 KB; plain
/// sh quoting breaks in fish, tcsh and csh. `prefix` is put in front of `sh` (`sudo -n`, or empty);
/// `arguments` follow as `$2`, `$3`, … and must hold nothing but letters, digits, `-`, `_`, `.` and `/`.
#[must_use]
pub fn through_login_shell(prefix: &str, program: &str, arguments: &[&str]) -> String {
    let mut text = String::with_capacity(program.len() * 2);
    text.push_str("exec ");
    if !prefix.is_empty() {
        text.push_str(prefix);
        text.push(' ');
    }
    text.push_str("sh -c 'eval \"$(printf %b \"$1\")\"' sh '");
    for byte in program.bytes() {
        if byte.is_ascii_alphanumeric() || b" _./=:,;-+()[]{}<>|&@#%\"*?~".contains(&byte) {
            text.push(char::from(byte));
        } else if byte == b'\n' {
            text.push_str("\\n");
        } else {
            // Writing to a String cannot fail.
            let _ = write!(text, "\\0{byte:03o}");
        }
    }
    text.push('\'');
    for argument in arguments {
        text.push(' ');
        text.push_str(argument);
    }
    text
}
