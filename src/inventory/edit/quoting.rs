//! Whether a text needs quotes in YAML, and the quotes.

use saphyr_parser::ScalarStyle;

/// Characters that begin something else than a plain text (YAML 1.2.2 section 5.3).
const INDICATORS: &[char] =
    &['-', '?', ':', ',', '[', ']', '{', '}', '#', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`'];

/// Words that other readers of YAML take for something else than a text.
const WORDS: &[&str] = &["null", "~", "true", "false", "yes", "no", "on", "off", "y", "n"];

/// A text in a style; in double quotes where that style cannot hold it.
pub(super) fn quoted(text: &str, style: ScalarStyle, in_flow: bool) -> String {
    match style {
        ScalarStyle::Plain if is_plain(text, in_flow) => text.to_owned(),
        ScalarStyle::SingleQuoted if text.chars().all(is_shown) => format!("'{}'", text.replace('\'', "''")),
        _ => double(text),
    }
}

/// Whether a text can stand without quotes and is a text then, also for other readers of YAML.
fn is_plain(text: &str, in_flow: bool) -> bool {
    let is_word = WORDS.contains(&text.to_ascii_lowercase().as_str());
    let like_number = text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '.'))
        && text.chars().all(|one| one.is_ascii_hexdigit() || "_.:+-xXoO".contains(one));
    let in_the_way = text.contains(": ") || text.contains(" #") || text.ends_with(':');
    let closes = in_flow && text.contains([',', '[', ']', '{', '}', ':']);
    let is_template = text.contains("{{");
    !text.is_empty()
        && text.trim() == text
        && !text.starts_with(INDICATORS)
        && text != "..."
        && text.chars().all(is_shown)
        && !(is_word || like_number || in_the_way || closes || is_template)
}

/// Whether a character stands for itself on one line, in any reader.
fn is_shown(one: char) -> bool {
    !one.is_control() && !matches!(one, '\u{feff}' | '\u{2028}' | '\u{2029}')
}

fn double(text: &str) -> String {
    let mut quoted = String::from('"');
    for one in text.chars() {
        match one {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            one if is_shown(one) => quoted.push(one),
            one => quoted.push_str(&format!("\\u{:04x}", u32::from(one))),
        }
    }
    quoted.push('"');
    quoted
}
