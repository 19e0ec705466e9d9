//! The words of `onboard`.

use std::path::PathBuf;

use clap::Args;

use super::super::arguments::Change;

/// `onboard`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Onboard {
    #[command(flatten)]
    pub(in crate::cli) change: Change,

    /// What the machine is to be called
    #[arg(value_name = "NAME")]
    pub(in crate::cli) name: String,

    /// How to get in now: USER@HOST or USER@HOST:PORT
    #[arg(value_name = "USER@HOST")]
    pub(in crate::cli) login: String,

    /// The machine's tier; not needed where there is only one
    #[arg(long, value_name = "TIER")]
    pub(in crate::cli) tier: Option<String>,

    /// A role of the machine, beside those of its tier; may be repeated
    #[arg(long = "role", value_name = "ROLE")]
    pub(in crate::cli) roles: Vec<String>,

    /// A private key that opens the machine now; the SSH agent and the usual keys in ~/.ssh are tried as well
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) key: Vec<PathBuf>,

    /// Read the password that opens the machine now from this file (`-` for standard input); without it, it is
    /// asked for when no key fits
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) password_file: Option<PathBuf>,

    /// The fingerprint the machine's host key has to have (SHA256:…), instead of a question
    #[arg(long, value_name = "FINGERPRINT")]
    pub(in crate::cli) host_key_fingerprint: Option<String>,

    /// Let nobody log in with a password from now on (role `keys-only`)
    #[arg(long)]
    pub(in crate::cli) keys_only: bool,

    /// This seat's name, when it is not enrolled yet
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) seat: Option<String>,

    /// Show all of it and change nothing
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
}
