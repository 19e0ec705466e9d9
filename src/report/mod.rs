//! What happened and what is wrong, as bytes for a person or a program. Pure: nothing is printed here.

mod appearance;
mod diagnostics;
mod draft;
pub use draft::*;
mod visible;

pub use appearance::Appearance;
pub use diagnostics::diagnostics;
pub use visible::{columns, neutralised};
