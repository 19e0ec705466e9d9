//! What roles and legs say, expanded to primitives: a schedule is two unit files and an enabled
//! timer on systemd, and a crontab entry where there is only cron. Pure.

mod registry;

pub use registry::INTENTS;
