//! Formats that machines and people already use: parse, emit, edit. Pure.

pub mod calendar;
pub mod cron;
pub mod crontab;
pub mod unit;
