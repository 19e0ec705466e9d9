//! The integration tests: one binary, so that it is linked once. They start real servers and
//! real machines and talk to them.
//!
//! Tests that need the rig's machines have `rig_` in their path (`rig_self::…`, or a function
//! `rig_…`). The rig needs root; `tests/run` counts those tests where there is none.

#[cfg(test)]
mod cli;
#[cfg(test)]
mod desired;
#[cfg(test)]
mod house;
#[cfg(test)]
mod inventory;
#[cfg(test)]
mod rig;
#[cfg(test)]
mod rig_self;
#[cfg(test)]
mod scripts;
#[cfg(test)]
mod ssh;
#[cfg(test)]
mod units;
