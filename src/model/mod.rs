//! The words every other module speaks: names, paths, platforms, digests, secrets, source text.

mod aspect;
mod diagnostic;
mod digest;
mod duration;
mod fields;
mod name;
mod node;
mod path;
mod platform;
mod resource_id;
mod sealed;
mod secret;
mod source;
mod target;
mod word;

pub use aspect::{Aspect, Aspects};
pub use diagnostic::{Diagnostic, Diagnostics, nearest, one_of};
pub use digest::{Digest, DigestParseError};
pub use duration::{DurationError, parse_duration};
pub use fields::Fields;
pub use name::{FleetName, MachineName, NAME_SHAPE, NameError, RoleName, ServiceName, SurfaceName, TierName};
pub use node::{Entry, Key, Node, NodeKind, Value};
pub use path::{MachinePath, MachinePathError};
pub use platform::{Facts, Init, MachineFacts, Platform};
pub use resource_id::ResourceId;
pub use sealed::{SealedError, SealedValue, SecretFrom, SecretReference};
pub use secret::Secret;
pub use source::{Source, Span, Spanned};
pub use target::{Hop, Identity, Method, Privilege, SshTarget, Target};
pub use word::quote;
