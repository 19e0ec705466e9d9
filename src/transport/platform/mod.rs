//! What differs between the systems a controller can run on.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(super) use unix::{COMMAND_LIMIT, check_private, kill_group, open_agent, shell};
#[cfg(windows)]
pub(super) use windows::{COMMAND_LIMIT, check_private, kill_group, open_agent, shell};
