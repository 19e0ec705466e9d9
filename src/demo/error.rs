//! Why the demo ended before its end.

/// Why the demo ended before its end. The text fits after "failed to".
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// It was interrupted; everything it had made is gone.
    #[error("finish: the demo was interrupted")]
    Interrupted,
    /// The system refused something it needs.
    #[error("{action}: {reason}")]
    System {
        /// What was to be done.
        action: String,
        /// The system's word.
        reason: String,
    },
    /// Something did not turn out as it has to.
    #[error("hold what it promises: {0}")]
    Broken(String),
}

impl DemoError {
    /// Something the system refused.
    pub(super) fn system(action: impl Into<String>, reason: impl ToString) -> Self {
        Self::System { action: action.into(), reason: reason.to_string() }
    }
}
