//! The words behind `fleetprov secret`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::arguments::Inventory;

/// What to do with secrets.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Secret {
    /// Keep a value, sealed: from a hidden question, from standard input, or from a file
    Set(Set),
    /// Print a value to standard output
    Show(Show),
    /// Change a value with $VISUAL or $EDITOR
    Edit(Edit),
    /// Seal secrets anew, to those who are recipients now
    Rekey(Rekey),
    /// List the secrets: which of them open here, and who uses them
    List(List),
    /// Print a value sealed, to stand in an inventory or role instead of a name
    Seal(Seal),
}

/// `secret set`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Set {
    #[command(flatten)]
    pub(super) inventory: Inventory,

    /// The secret's name: it is kept in NAME.age
    pub(super) name: String,

    /// Take the value from this file, as it is
    #[arg(long, value_name = "FILE")]
    pub(super) file: Option<PathBuf>,

    /// Seal it to this age recipient or SSH public key alone, now and later; may be repeated
    #[arg(long, value_name = "KEY")]
    pub(super) recipient: Vec<String>,
}

/// `secret show`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Show {
    #[command(flatten)]
    pub(super) inventory: Inventory,

    /// The secret's name
    pub(super) name: String,
}

/// `secret edit`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Edit {
    #[command(flatten)]
    pub(super) inventory: Inventory,

    /// The secret's name; it may be a new one
    pub(super) name: String,
}

/// `secret rekey`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Rekey {
    #[command(flatten)]
    pub(super) inventory: Inventory,

    /// Only these secrets
    pub(super) names: Vec<String>,

    /// Print JSON (docs/secrets.md)
    #[arg(long)]
    pub(super) json: bool,
}

/// `secret list`.
#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    #[command(flatten)]
    pub(super) inventory: Inventory,

    /// Print JSON (docs/secrets.md)
    #[arg(long)]
    pub(super) json: bool,
}

/// `secret seal`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Seal {
    #[command(flatten)]
    pub(super) inventory: Inventory,

    /// Seal it to this age recipient or SSH public key alone; may be repeated
    #[arg(long, value_name = "KEY")]
    pub(super) recipient: Vec<String>,
}
