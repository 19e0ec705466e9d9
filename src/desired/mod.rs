//! Roles, templates and values, resolved into the resources of each machine. Pure.

mod expand;
mod fault;
mod input;
mod legs;
mod library;
mod links;
mod machine;
mod place;
mod references;
mod remotes;
mod render;
mod resolve;
mod role;
mod roles;
mod scope;
mod seats;
mod supply;
mod template;
mod troubles;
mod unique;

#[cfg(test)]
mod tests;

pub use library::{Asked, Library, Opener};
pub use links::{LINK_DOOR, Link, LinkHalf, address, missing_halves};
pub use machine::facts_of;
pub use resolve::{links, resolve, resolve_all};
pub use roles::check_roles;
pub use seats::{SeatKeys, seat_key_prefix};
