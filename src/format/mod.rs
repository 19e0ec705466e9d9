//! Formats that machines and people already use: parse, emit, edit. Pure.

mod lines;

pub mod authorized_keys;
pub mod block;
pub mod calendar;
pub mod cron;
pub mod crontab;
pub mod ini;
pub mod json;
pub mod obscure;
pub mod unit;

pub use lines::NotText;
