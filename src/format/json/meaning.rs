//! What a JSON value means: reading it, and comparing it whatever way it is written.

use jsonc_parser::ast;
use jsonc_parser::common::Ranged;
use serde_json::{Map, Number, Value};

use super::JsonError;
use super::document::Document;

/// The value as data. The document has been checked, so the recursion is bounded.
pub(super) fn to_value(document: &Document<'_>, value: &ast::Value<'_>) -> Result<Value, JsonError> {
    Ok(match value {
        ast::Value::NullKeyword(_) => Value::Null,
        ast::Value::BooleanLit(boolean) => Value::Bool(boolean.value),
        ast::Value::StringLit(string) => Value::String(string.value.to_string()),
        ast::Value::NumberLit(number) => Value::Number(number.value.parse::<Number>().map_err(|_| {
            let (line, column) = document.place(number.start());
            JsonError::NumberOutOfRange { line, column }
        })?),
        ast::Value::Array(array) => Value::Array(
            array.elements.iter().map(|element| to_value(document, element)).collect::<Result<_, _>>()?,
        ),
        ast::Value::Object(object) => Value::Object(
            object
                .properties
                .iter()
                .map(|member| {
                    let value = to_value(document, &member.value)?;
                    Ok((member.name.as_str().to_owned(), value))
                })
                .collect::<Result<Map<_, _>, _>>()?,
        ),
    })
}

/// Whether a written value means this value.
pub(super) fn is_equal(written: &ast::Value<'_>, value: &Value) -> bool {
    match (written, value) {
        (ast::Value::NullKeyword(_), Value::Null) => true,
        (ast::Value::BooleanLit(written), Value::Bool(boolean)) => written.value == *boolean,
        (ast::Value::StringLit(written), Value::String(string)) => written.value == *string,
        (ast::Value::NumberLit(written), Value::Number(number)) => {
            is_same_number(written.value, &number.to_string())
        }
        (ast::Value::Array(written), Value::Array(array)) => {
            written.elements.len() == array.len()
                && written.elements.iter().zip(array).all(|(written, value)| is_equal(written, value))
        }
        // No key stands twice in a checked document, so equal counts and found keys are enough.
        (ast::Value::Object(written), Value::Object(object)) => {
            written.properties.len() == object.len()
                && written.properties.iter().all(|member| {
                    object.get(member.name.as_str()).is_some_and(|value| is_equal(&member.value, value))
                })
        }
        _ => false,
    }
}

/// Whether two JSON numbers are the same number. The text is compared, not a rounded value, so
/// numbers of any length are told apart.
fn is_same_number(left: &str, right: &str) -> bool {
    match (Decimal::read(left), Decimal::read(right)) {
        (Some(left), Some(right)) => left == right,
        _ => left == right,
    }
}

/// A decimal number: `digits` × 10^`exponent`, without zeros at either end of the digits.
#[derive(PartialEq, Eq)]
struct Decimal {
    is_negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    /// Reads a number of the JSON grammar; `None` when its exponent is beyond 64 bits.
    fn read(text: &str) -> Option<Self> {
        let (is_negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let shortened = all.trim_end_matches('0');
        let dropped = i64::try_from(all.len() - shortened.len()).ok()?;
        let exponent = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?.checked_add(dropped)?;
        let digits = shortened.trim_start_matches('0').to_owned();
        // Zero is zero, whatever its sign and exponent.
        if digits.is_empty() {
            return Some(Self { is_negative: false, digits, exponent: 0 });
        }
        Some(Self { is_negative, digits, exponent })
    }
}

/// Whether a value is nested no deeper than this; a value that is no object or array has depth 0.
pub(super) fn is_within_depth(value: &Value, room: usize) -> bool {
    match value {
        Value::Array(array) => room > 0 && array.iter().all(|element| is_within_depth(element, room - 1)),
        Value::Object(object) => room > 0 && object.values().all(|value| is_within_depth(value, room - 1)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::is_same_number;

    #[test]
    fn numbers_are_compared_by_what_they_mean() {
        for (left, right) in [
            ("1", "1.0"),
            ("1", "10e-1"),
            ("1E+2", "100"),
            ("-0", "0.00e7"),
            ("0.00120", "12E-4"),
            ("123456789012345678901234567890", "1.2345678901234567890123456789e29"),
            ("1e99999999999999999999", "1e99999999999999999999"),
            ("0e99999999999999999", "0"),
        ] {
            assert!(is_same_number(left, right), "{left} {right}");
        }
        for (left, right) in [
            ("1", "-1"),
            ("1", "10"),
            ("0.1", "0.10000000000000001"),
            ("9007199254740993", "9007199254740992"),
            ("1e99999999999999999999", "1e99999999999999999998"),
        ] {
            assert!(!is_same_number(left, right), "{left} {right}");
        }
    }
}
