//! Roles, templates and values, resolved into the resources of each machine. Pure.

mod expand;
mod fault;
mod input;
mod legs;
mod library;
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
pub use machine::facts_of;
pub use resolve::{resolve, resolve_all};
pub use roles::check_roles;
pub use seats::{SeatKeys, seat_key_prefix};
