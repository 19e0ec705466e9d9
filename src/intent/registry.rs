//! The intents by the word a role uses. A new intent is its file and one line here.

use super::{mount, schedule, service};
use crate::resource::Read;

/// Every intent that can be written in a role.
pub const INTENTS: &[(&str, Read)] =
    &[(mount::KIND, mount::read), (schedule::KIND, schedule::read), (service::KIND, service::read)];
