//! The intents by the word a role uses. A new intent is its file and one line here.

use super::{leg, mount, rclone_remote, schedule, service};
use crate::resource::Read;

/// Every intent that can be written in a role.
pub const INTENTS: &[(&str, Read)] = &[
    (leg::KIND, leg::read),
    (mount::KIND, mount::read),
    (rclone_remote::KIND, rclone_remote::read),
    (schedule::KIND, schedule::read),
    (service::KIND, service::read),
];
