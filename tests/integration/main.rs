//! The integration tests: one binary, so that it is linked once.
//!
//! Tests that need real machines have `rig_` in their path (`rig_self::…`, or a
//! function `rig_…`). They need root; `tests/run` counts them where there is
//! none.

#[cfg(test)]
mod rig;
#[cfg(test)]
mod rig_self;
