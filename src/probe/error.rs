//! What can go wrong while a machine is asked or changed, in words a person can act on.

use std::time::Duration;

use crate::model::{Privilege, Target};
use crate::shell::frames::FrameError;
use crate::transport::TransportError;

/// Why a machine could not be asked, or not be changed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ProbeError {
    /// The connection failed.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The machine sent too much.
    #[error("read the machine's answer: {0}")]
    Frame(#[from] FrameError),
    /// The session ended before it was through.
    #[error("keep the session: it ended early{}{}", status.map(|status| format!(" with status {status}")).unwrap_or_default(), said(said_last))]
    Ended {
        /// The exit status, when there was one.
        status: Option<u32>,
        /// The end of its standard error.
        said_last: String,
    },
    /// Root's rights were not to be had.
    #[error("become root by {by}: {reason}")]
    Privilege {
        /// `sudo` or `doas`.
        by: &'static str,
        /// Why not.
        reason: String,
    },
    /// The machine did not answer in time.
    #[error("{waiting_for}: no answer within {} s", limit.as_secs())]
    TimedOut {
        /// What was being waited for.
        waiting_for: &'static str,
        /// The time allowed.
        limit: Duration,
    },
    /// Another run is at work on the machine, or was since it was looked at; nothing was changed.
    #[error("begin: {reason}")]
    Busy {
        /// Which.
        reason: String,
    },
    /// The run could not be written down on the machine; nothing was changed.
    #[error("begin, so nothing was changed: {reason}")]
    NotBegun {
        /// Why.
        reason: String,
    },
    /// The answer makes no sense.
    #[error("understand the machine's answer: {0}")]
    Nonsense(String),
    /// A file on the controller could not be read while it was being sent.
    #[error("read {path}: {reason}")]
    Local {
        /// The file.
        path: String,
        /// The system's word.
        reason: String,
    },
}

fn said(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() { String::new() } else { format!(": {text}") }
}

/// Turns what sudo and doas say into what it means.
pub(super) fn explained(target: &Target, error: ProbeError) -> ProbeError {
    let by = match &target.privilege {
        Privilege::Login => return error,
        Privilege::Sudo { .. } => "sudo",
        Privilege::Doas => "doas",
    };
    let ProbeError::Ended { status, said_last } = &error else { return error };
    let reason = if said_last.contains("password is required") || said_last.contains("Authorization required")
    {
        match target.privilege {
            Privilege::Doas => "it asks for a password, which doas reads from a terminal only; \
                                let doas.conf say `permit nopass`"
                .to_owned(),
            _ => "it asks for a password; declare `privilege: {sudo: {password: {secret: NAME}}}`, \
                  or let sudoers say NOPASSWD"
                .to_owned(),
        }
    } else if said_last.contains("not in the sudoers file") || said_last.contains("Operation not permitted") {
        "the login user may not use it".to_owned()
    } else if *status == Some(127) || said_last.contains("not found") {
        "it is not installed".to_owned()
    } else if said_last.contains("must have a tty") {
        "it wants a terminal (`requiretty`), which would also echo the password; take that out of sudoers"
            .to_owned()
    } else {
        return error;
    };
    ProbeError::Privilege { by, reason }
}
