//! The SSH transport against a real `sshd` on the loopback interface.

mod agent;
mod bulk;
mod channels;
mod endings;
mod hosts;
mod identities;
mod jumps;
mod latency;
mod peculiar;
mod server;
mod waits;
