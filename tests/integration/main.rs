//! Tests against peers that exist: they start real servers and talk to them.

mod ssh;
