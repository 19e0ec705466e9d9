//! fleetprov brings a small mixed fleet of machines to the state its inventory declares.
//!
//! The modules stand in the order in which data flows; each imports only what
//! `docs/architecture.md` lists for it.

pub mod model;

pub mod format;
pub mod shell;
pub mod transport;

pub mod inventory;

pub mod resource;

pub mod intent;

pub mod architecture;

pub mod desired;

pub mod state;

pub mod plan;

pub mod event;

pub mod history;

pub mod audit;

pub mod probe;

pub mod apply;

pub mod fleet;

pub mod flow;

pub mod report;

pub mod store;

pub mod cli;

#[cfg(target_os = "linux")]
pub mod demo;
