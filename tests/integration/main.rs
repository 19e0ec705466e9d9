//! Tests of whole parts: inventories as files, and peers that exist, which are started for real.

mod inventory;
mod ssh;
