//! How a session is started and what is sent first.

use crate::model::{Privilege, Target};
use crate::shell::program;

/// How the session is started and what is sent first.
pub(super) struct Opening {
    pub(super) command: String,
    pub(super) orders: Vec<u8>,
}

impl Opening {
    pub(super) fn new(
        target: &Target,
        script: &str,
        command_limit: usize,
        nonce: &str,
        key: &str,
        secret: bool,
    ) -> Self {
        let prefix = match &target.privilege {
            Privilege::Login => {
                let command = program::start(nonce, script);
                if !secret && command.len() < command_limit {
                    return Self { command, orders: Vec::new() };
                }
                String::new()
            }
            Privilege::Sudo { password: None } => "sudo -n".to_owned(),
            Privilege::Sudo { password: Some(_) } => format!("sudo -S -p {}", prompt(nonce)),
            Privilege::Doas => "doas -n".to_owned(),
        };
        let mut orders = if secret { program::key(key) } else { Vec::new() };
        orders.extend(program::run(script));
        Self { command: program::start_through(&prefix, nonce), orders }
    }
}

pub(super) fn prompt(nonce: &str) -> String {
    format!("password-{nonce}")
}
