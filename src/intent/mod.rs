//! What roles and legs say, expanded to primitives: a schedule is two unit files and an enabled
//! timer on systemd, and a crontab entry where there is only cron. Pure.

pub mod folders;
pub mod leg;
pub mod mount;
pub mod rclone_remote;
pub mod schedule;
pub mod service;

mod registry;
mod systemd;

pub use registry::INTENTS;
