//! Durations: `90s`, `10m`, `2h`, `1d`.

/// The text is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a duration")]
pub struct DurationError(String);

/// Reads a whole number with a unit `s`, `m`, `h` or `d`, and gives seconds.
///
/// # Errors
/// [`DurationError`] for anything else, a number without a unit and one beyond 2^64 seconds included.
pub fn parse_duration(text: &str) -> Result<u64, DurationError> {
    let wrong = || DurationError(text.to_owned());
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let seconds: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return Err(wrong()),
    };
    let digits = text.strip_suffix(unit).unwrap_or_default();
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    digits.parse::<u64>().ok().and_then(|count| count.checked_mul(seconds)).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_numbers_with_a_unit() {
        for (text, seconds) in [("90s", 90), ("10m", 600), ("2h", 7200), ("1d", 86_400), ("0s", 0)] {
            assert_eq!(parse_duration(text), Ok(seconds), "{text}");
        }
        for wrong in [
            "",
            "m",
            "10",
            "+1m",
            "-1m",
            "1.5h",
            "10 m",
            "1w",
            "1hé",
            "99999999999999999999s",
            "213503982334602d",
        ] {
            assert_eq!(parse_duration(wrong), Err(DurationError(wrong.to_owned())), "{wrong}");
        }
    }
}
