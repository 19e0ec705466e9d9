//! The integration tests: one binary, so that it is linked once. They start real servers and
//! real machines and talk to them.
//!
//! Tests that need the rig's machines have `rig_` in their path (`rig_self::…`, or a function
//! `rig_…`). The rig needs root; `tests/run` counts those tests where there is none.

#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod boundary;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod desired;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod edit;
#[cfg(test)]
mod house;
#[cfg(test)]
mod inventory;
#[cfg(test)]
mod killed;
#[cfg(test)]
mod listing;
#[cfg(test)]
mod project;
#[cfg(test)]
mod rig;
#[cfg(test)]
mod rig_access;
#[cfg(test)]
mod rig_bounds;
#[cfg(test)]
mod rig_consent;
#[cfg(test)]
mod rig_departed;
#[cfg(test)]
mod rig_disk;
#[cfg(test)]
mod rig_drift;
#[cfg(test)]
mod rig_faults;
#[cfg(test)]
mod rig_force;
#[cfg(test)]
mod rig_guard;
#[cfg(test)]
mod rig_histories;
#[cfg(test)]
mod rig_hostile;
#[cfg(test)]
mod rig_hung;
#[cfg(test)]
mod rig_interrupted;
#[cfg(test)]
mod rig_keys;
#[cfg(test)]
mod rig_leaving;
#[cfg(test)]
mod rig_links;
#[cfg(test)]
mod rig_lock;
#[cfg(test)]
mod rig_many;
#[cfg(test)]
mod rig_mounts;
#[cfg(test)]
mod rig_offboard;
#[cfg(test)]
mod rig_onboard;
#[cfg(test)]
mod rig_one_record;
#[cfg(test)]
mod rig_prune;
#[cfg(test)]
mod rig_random;
#[cfg(test)]
mod rig_saved;
#[cfg(test)]
mod rig_secret;
#[cfg(test)]
mod rig_self;
#[cfg(test)]
mod rig_shells;
#[cfg(test)]
mod rig_stages;
#[cfg(test)]
mod rig_undo;
#[cfg(test)]
mod rig_wholetech;
#[cfg(test)]
mod scripts;
#[cfg(test)]
mod secret;
#[cfg(test)]
mod shell_scripts;
#[cfg(test)]
mod ssh;
#[cfg(test)]
mod units;
