//! The words of the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::onboard::Onboard;

/// Brings a fleet of machines to the state its inventory declares, over SSH, with nothing installed
/// on them.
#[derive(Debug, Parser)]
#[command(name = "fleetprov", version, about, max_term_width = 100, after_help = EXIT_CODES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,

    /// Says more of what happens, on standard error; twice for all of it
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub(super) verbose: u8,

    /// No colour, whatever the terminal can do (NO_COLOR does the same)
    #[arg(long, global = true)]
    pub(super) no_color: bool,
}

const EXIT_CODES: &str = "\
Exit codes, the worst one wins:
  0    nothing to do, or all done
  2    changes pending, or drift found
  3    partly applied
  4    machines unreachable
  5    refused: host key, login, rights, a lock, a stale plan, or want of consent
  6    bad input, a wrong command line included
  1    any other error
  130  interrupted";

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check an inventory with its roles and templates; nothing is contacted
    Validate(Validate),
    /// Show every file the inventory would write; nothing is contacted
    Render(Render),
    /// Show what would change
    Plan(Plan),
    /// Show what would change, ask, and change it
    Apply(Apply),
    /// Show what was changed on the machines since it was applied
    Drift(Look),
    /// List past runs as the machines' journals have them
    History(Look),
    /// Put a run back: show how, ask, and do it where nothing has moved since
    Undo(Undo),
    /// Keep, show and change the secrets, sealed with age
    #[command(subcommand)]
    Secret(super::secret::arguments::Secret),
    /// Bring a new machine in with one command: pin its host key, make it a key, write it into the inventory, apply
    Onboard(Onboard),
    /// Let a machine go: remove what is owned, its links' keys on the others, and its entry
    Offboard(Offboard),
    /// The keys by which this seat opens the machines
    #[command(subcommand)]
    Keys(Keys),
    /// Show it all on a small fleet inside this computer, which leaves nothing behind
    Demo(Demo),
}

/// An inventory and what goes with it.
#[derive(Clone, Debug, Args)]
pub(super) struct Inventory {
    /// The inventory file
    pub(super) inventory: PathBuf,

    /// A file that replaces addresses, platforms and services of the inventory
    #[arg(long, value_name = "FILE")]
    pub(super) overlay: Option<PathBuf>,

    /// What opens the secrets: an age identity or an SSH private key; may be repeated. Without it, the
    /// identity in this seat's folder, when there is one
    #[arg(long, value_name = "FILE", env = "FLEETPROV_IDENTITY", value_delimiter = ':')]
    pub(super) identity: Vec<PathBuf>,
}

/// `validate`.
#[derive(Debug, Args)]
pub(super) struct Validate {
    #[command(flatten)]
    pub(super) inventory: Inventory,

    /// Print JSON (docs/json.md)
    #[arg(long)]
    pub(super) json: bool,
}

/// `render`.
#[derive(Debug, Args)]
pub(super) struct Render {
    #[command(flatten)]
    pub(super) inventory: Inventory,

    /// Only this machine
    pub(super) machine: Option<String>,

    /// Write the files below this folder, a folder for each machine, instead of printing them
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,

    /// Print JSON (docs/json.md)
    #[arg(long)]
    pub(super) json: bool,
}

/// What `plan` and `apply` share.
#[derive(Clone, Debug, Args)]
pub(super) struct Look {
    #[command(flatten)]
    pub(super) inventory: Inventory,

    /// Only this machine; may be repeated
    #[arg(long = "machine", short = 'm', value_name = "NAME")]
    pub(super) machines: Vec<String>,

    /// How many machines at once
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(super) parallel: u16,

    /// Seconds to wait for a machine's answer to the probe
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(super) timeout: u64,

    /// The pinned host keys; by default `known_hosts` beside the inventory
    #[arg(long, value_name = "FILE")]
    pub(super) known_hosts: Option<PathBuf>,

    /// Print JSON (docs/json.md)
    #[arg(long)]
    pub(super) json: bool,
}

/// `plan`.
#[derive(Debug, Args)]
pub(super) struct Plan {
    #[command(flatten)]
    pub(super) look: Look,

    /// Keep the plan in this file, for `apply --plan`
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
}

/// What `apply` and `undo` share.
#[derive(Clone, Debug, Args)]
pub(super) struct Change {
    #[command(flatten)]
    pub(super) look: Look,

    /// Seconds to wait for a machine that another run is at work on
    #[arg(long, value_name = "SECONDS", default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=3600))]
    pub(super) lock_timeout: u64,

    /// Seconds a machine waits for the proof that it can still be logged in to, before it puts back what
    /// can cut the way in
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(10..=3600))]
    pub(super) guard_timeout: u64,

    /// Change without a question
    #[arg(long, short)]
    pub(super) yes: bool,
}

/// `apply`.
#[derive(Debug, Args)]
pub(super) struct Apply {
    #[command(flatten)]
    pub(super) change: Change,

    /// Apply what this file of `plan --out` holds, as far as it still holds, and nothing else
    #[arg(long, value_name = "FILE")]
    pub(super) plan: Option<PathBuf>,

    /// With --yes: remove many resources of a machine, more than 10 or more than half
    #[arg(long)]
    pub(super) allow_prune: bool,

    /// With --yes: apply an inventory, roles, templates or files older than the last applied to a machine
    #[arg(long)]
    pub(super) allow_older: bool,
}

/// `undo`.
#[derive(Debug, Args)]
pub(super) struct Undo {
    #[command(flatten)]
    pub(super) change: Change,

    /// The run, as `history` names it
    pub(super) run: String,
}

/// `offboard`.
#[derive(Debug, Args)]
pub(super) struct Offboard {
    #[command(flatten)]
    pub(super) change: Change,

    /// The machine that leaves
    #[arg(value_name = "NAME")]
    pub(super) name: String,

    /// It is stolen or dead and is not contacted: every key it held is revoked on the others
    #[arg(long)]
    pub(super) lost: bool,
}

/// `keys`.
#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// List what opens each machine, from here and from the other seats; nothing is contacted
    List(KeysList),
    /// Give this seat a key of its own for each machine; the next apply lets them in
    Enrol(KeysEnrol),
    /// Exchange this seat's key for a machine: the new one is proven before the old one goes
    Rotate(KeysRotate),
    /// Ask the machines which keys open them and which they hold, and name what is wrong
    Audit(Look),
}

/// `keys list`.
#[derive(Debug, Args)]
pub(super) struct KeysList {
    #[command(flatten)]
    pub(super) inventory: Inventory,

    /// Print JSON (docs/json.md)
    #[arg(long)]
    pub(super) json: bool,
}

/// `keys enrol`.
#[derive(Debug, Args)]
pub(super) struct KeysEnrol {
    #[command(flatten)]
    pub(super) inventory: Inventory,

    /// The seat's name: the machine it is in the inventory, or else its host name, unless given
    #[arg(long, value_name = "NAME")]
    pub(super) seat: Option<String>,

    /// Only for this machine; may be repeated
    #[arg(long = "machine", short = 'm', value_name = "NAME")]
    pub(super) machines: Vec<String>,
}

/// `keys rotate`.
#[derive(Debug, Args)]
pub(super) struct KeysRotate {
    #[command(flatten)]
    pub(super) change: Change,

    /// The machine whose key is exchanged
    #[arg(value_name = "MACHINE")]
    pub(super) name: String,
}

/// `demo`.
#[derive(Debug, Args)]
pub(super) struct Demo {}
