//! Undo plans from what machines say.
