//! The SSH transport against a real `sshd` on the loopback interface.

mod channels;
mod login;
mod server;
