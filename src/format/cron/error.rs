//! What can be wrong with a cron expression, and where.

use std::ops::Range;

use super::field::Field;

/// What is wrong with an expression, where, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("parse the cron expression: {problem}; expected {expected}")]
pub struct CronError {
    /// The bytes of the expression that are wrong. Both ends lie on character
    /// boundaries; empty only when something is missing at that place.
    pub span: Range<usize>,
    /// What is wrong.
    pub problem: CronProblem,
    /// What would be accepted in its place.
    pub expected: String,
    /// A text that could stand in the place of the span, when one is likely meant.
    pub suggestion: Option<String>,
}

/// The ways in which an expression can be wrong. Texts name the offending part.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CronProblem {
    /// There is nothing but blanks.
    #[error("empty cron expression")]
    Empty,
    /// There are fewer than five fields.
    #[error("only {found} of five fields")]
    TooFewFields {
        /// How many there are.
        found: usize,
    },
    /// There are more than five fields.
    #[error("{found} fields instead of five")]
    TooManyFields {
        /// How many there are.
        found: usize,
    },
    /// A name with `@` that does not exist.
    #[error("unknown schedule name `{name}`")]
    UnknownNickname {
        /// The name as written.
        name: String,
    },
    /// A list with nothing between its commas, or a range or step cut short.
    #[error("missing value in the {field} field")]
    MissingValue {
        /// The field it stands in.
        field: Field,
    },
    /// Text that is no number, or no name of this field.
    #[error("`{text}` is not a value of the {field} field")]
    NotAValue {
        /// The field it stands in.
        field: Field,
        /// The text as written.
        text: String,
    },
    /// A number that the field does not have.
    #[error("{field} {value} does not exist")]
    OutOfRange {
        /// The field it stands in.
        field: Field,
        /// The digits as written.
        value: String,
    },
    /// A range whose end lies before its start. Debian's cron would never run it.
    #[error("the {field} range runs backwards")]
    ReversedRange {
        /// The field it stands in.
        field: Field,
    },
    /// A range that begins at `*`.
    #[error("`*` cannot begin a range in the {field} field")]
    StarInRange {
        /// The field it stands in.
        field: Field,
    },
    /// A step that is 0 or no number.
    #[error("`{text}` is not a step")]
    BadStep {
        /// The text as written.
        text: String,
    },
    /// `a/n` for weekdays, where counting on to 6 or to 7 gives different days.
    #[error("`{text}` could end on Saturday or on Sunday")]
    AmbiguousStep {
        /// The text as written.
        text: String,
    },
    /// No month of the expression has any of its days.
    #[error("never fires: no month it names has a day {first_day}")]
    NeverFires {
        /// The lowest day of the month that is asked for.
        first_day: u8,
    },
}

impl CronError {
    /// The same error with a text that was likely meant, if there is one.
    pub(super) fn suggesting(mut self, suggestion: impl Into<Option<String>>) -> Self {
        self.suggestion = suggestion.into();
        self
    }
}
