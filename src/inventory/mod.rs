//! The inventory: from text with places to a fleet.

mod fleet;

pub use fleet::{
    Backup, BackupMode, Connect, Endpoint, Fleet, Link, Machine, Managed, Member, Membership, Pattern,
    PrivilegeKind, RoleUse, SecretReference, Service, ServiceKind, Setting, Surface, Tier, When,
};
