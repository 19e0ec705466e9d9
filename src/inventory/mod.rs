//! The inventory: from text with places to a fleet.

pub mod edit;
mod fleet;
mod overlay;
mod parse;
mod yaml;

pub use fleet::{
    Allow, AllowedProgram, Backup, BackupMode, Connect, Endpoint, Fleet, Former, Link, Machine, Managed,
    Member, Membership, Part, Pattern, PrivilegeKind, RoleUse, Service, ServiceKind, Setting, Surface, Tier,
    When,
};
pub use parse::{login, parse, parse_partly};
pub use yaml::read as read_yaml;
