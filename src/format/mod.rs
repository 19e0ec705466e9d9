//! Formats that machines and people already use: parse, emit, edit. Pure.

mod lines;

pub mod block;
pub mod ini;
pub mod json;
pub mod obscure;

pub use lines::NotText;
