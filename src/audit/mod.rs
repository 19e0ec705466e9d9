//! Which keys open which machines, as they say it, against what the inventory knows. Pure.

mod findings;
mod said;

pub use findings::{Finding, Known, Place, findings};
pub use said::{Authorized, Held, MachineKeys, keys_question, read_keys};

#[cfg(test)]
mod tests;
