//! The intents by the word a role uses. A new intent is its file and one line here.

use crate::resource::Read;

/// Every intent that can be written in a role.
pub const INTENTS: &[(&str, Read)] = &[];
