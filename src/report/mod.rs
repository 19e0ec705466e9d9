//! What would change, what happened and what is wrong, as text or JSON. Pure: nothing is printed here.

mod diagnostics;
mod difference;
mod history;
mod json;
mod keys;
mod layout;
mod links;
mod machine;
mod outcome;
mod plan;
pub mod safe;
mod step;
mod style;
mod summary;
mod words;

pub use diagnostics::diagnostics;
pub use difference::text_difference;
pub use history::{history, history_json};
pub use json::{JSON_VERSION, json};
pub use keys::{KeyRow, audit, audit_json, keys, keys_json};
pub use links::{LinkRow, deploy_keys, links};
pub use machine::{MachineReport, Status};
pub use outcome::outcomes;
pub use plan::plans;
pub use style::{Paint, Style};
pub use summary::{closing, summary};
pub use words::counted;

#[cfg(test)]
mod samples;
