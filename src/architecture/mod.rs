//! The patterns made real: which machine plays which part, who talks to whom, which networks stay apart.

mod frequency;
mod links;
mod networks;
mod parts;

pub use links::{DerivedLink, Origin, links};
pub use networks::check;
pub use parts::{part, roles};
