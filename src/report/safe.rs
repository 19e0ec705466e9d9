//! Makes what a machine or a file said harmless for a terminal (contract C9), and measures it.
//!
//! What steers a terminal or hides in a text becomes a visible escape, so that a reader sees that
//! it is there: `\x1b` for ESC, `\u{202e}` for a character that turns the writing direction, `\xff`
//! for a byte that is not UTF-8.

use unicode_width::UnicodeWidthChar as _;

use super::style::Style;

/// Distance of tab stops.
const TAB: usize = 4;

/// A text as one line: line breaks become `\n`, tabs become spaces.
#[must_use]
pub fn line(text: &str, style: Style) -> String {
    let mut made = String::with_capacity(text.len());
    let mut at = 0;
    for character in text.chars() {
        let from = made.len();
        match character {
            '\t' => made.push_str(&" ".repeat(TAB - at % TAB)),
            '\n' => made.push_str("\\n"),
            _ => push(&mut made, character, style.unicode),
        }
        at += columns(made.get(from..).unwrap_or_default());
    }
    made
}

/// A text as lines: each harmless by itself, without the line breaks. What follows the last line
/// break counts as a line only when it is not empty.
#[must_use]
pub fn lines(text: &str, style: Style) -> Vec<String> {
    text.lines().map(|one| line(one, style)).collect()
}

/// One line of a file, without its line break: bytes that are not UTF-8 become `\x..`.
#[must_use]
pub fn bytes(bytes: &[u8], style: Style) -> String {
    let mut made = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        made.push_str(chunk.valid());
        // The marks stay what they are: `line` does not touch a backslash.
        chunk.invalid().iter().for_each(|byte| made.push_str(&format!("\\x{byte:02x}")));
    }
    line(&made, style)
}

/// One line of a file with nothing left to guess: everything but printable ASCII, also tabs and
/// spaces at the end, as escapes. For two lines that look the same and are not.
#[must_use]
pub fn exact(bytes: &[u8]) -> String {
    let spaces = bytes.iter().rev().take_while(|byte| **byte == b' ').count();
    let body = bytes.get(..bytes.len() - spaces).unwrap_or_default();
    let mut made = String::with_capacity(bytes.len());
    for byte in body {
        match byte {
            b'\t' => made.push_str("\\t"),
            b'\\' => made.push_str("\\\\"),
            b' '..=b'~' => made.push(char::from(*byte)),
            _ => made.push_str(&format!("\\x{byte:02x}")),
        }
    }
    made + &"\\x20".repeat(spaces)
}

/// A harmless text cut to so many columns, the last of them an ellipsis when something is left out.
#[must_use]
pub fn bounded(text: &str, most: usize, style: Style) -> String {
    if columns(text) <= most {
        return text.to_owned();
    }
    let ellipsis = if columns(style.ellipsis()) <= most { style.ellipsis() } else { "" };
    let mut left = most - columns(ellipsis);
    let mut made = String::new();
    for character in text.chars() {
        let Some(rest) = left.checked_sub(width(character)) else { break };
        left = rest;
        made.push(character);
    }
    made + ellipsis
}

/// How many columns a harmless text takes on a terminal.
#[must_use]
pub fn columns(text: &str) -> usize {
    text.chars().map(width).sum()
}

/// Columns of one character: 0 for combining marks, 2 for East Asian wide ones and emoji
/// (Unicode Standard Annex 11).
#[must_use]
pub fn width(character: char) -> usize {
    character.width().unwrap_or(0)
}

/// Whether a character steers a terminal, changes the writing direction, or draws nothing.
#[must_use]
pub fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(character,
            // Format characters (category Cf) and those Unicode calls default ignorable.
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

fn push(made: &mut String, character: char, unicode: bool) {
    if character.is_ascii_control() {
        made.push_str(&format!("\\x{:02x}", u32::from(character)));
    } else if is_harmful(character) || !(unicode || character.is_ascii()) {
        made.push_str(&format!("\\u{{{:x}}}", u32::from(character)));
    } else {
        made.push(character);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ASCII: Style = Style { unicode: false, ..Style::PLAIN };

    #[test]
    fn what_steers_a_terminal_becomes_visible() {
        let cases = [
            ("\u{1b}[2J\u{7}\u{7f}", "\\x1b[2J\\x07\\x7f"),
            ("a\u{9b}31m", "a\\u{9b}31m"),
            ("access\u{202e}txt.exe\u{2066}\u{2069}", "access\\u{202e}txt.exe\\u{2066}\\u{2069}"),
            ("a\u{200d}b\u{feff}", "a\\u{200d}b\\u{feff}"),
            ("one\r\ntwo", "one\\x0d\\ntwo"),
            ("a\tb\u{1b}\tc", "a   b\\x1b   c"),
            ("größe 機械", "größe 機械"),
        ];
        for (said, shown) in cases {
            assert_eq!(line(said, Style::PLAIN), shown, "{said:?}");
        }
        assert_eq!(line("größe", ASCII), "gr\\u{f6}\\u{df}e");
        assert_eq!(bytes(b"a\xff\xfe\x00", Style::PLAIN), "a\\xff\\xfe\\x00");
        assert_eq!(lines("a\n\tb\n", Style::PLAIN), ["a", "    b"]);
    }

    #[test]
    fn an_exact_line_leaves_nothing_to_guess() {
        assert_eq!(exact("\ta\\ü b  ".as_bytes()), "\\ta\\\\\\xc3\\xbc b\\x20\\x20");
        assert_eq!(exact(b"   "), "\\x20\\x20\\x20");
    }

    #[test]
    fn texts_are_cut_by_columns() {
        assert_eq!(bounded("abcdef", 6, Style::PLAIN), "abcdef");
        assert_eq!(bounded("abcdef", 5, Style::PLAIN), "abcd…");
        assert_eq!(bounded("abcdef", 5, ASCII), "ab...");
        assert_eq!(bounded("機械機械", 6, Style::PLAIN), "機械…", "a wide character is not halved");
        assert_eq!(bounded("abcdef", 0, Style::PLAIN), "");
    }

    fn foreign() -> impl Strategy<Value = String> {
        let nasty = prop::char::ranges(std::borrow::Cow::Borrowed(&[
            '\0'..='\u{a0}',
            '\u{2000}'..='\u{2070}',
            '\u{fe00}'..='\u{feff}',
            '\u{e0000}'..='\u{e0080}',
        ]));
        prop::collection::vec(prop_oneof![nasty, any::<char>()], 0..80)
            .prop_map(|characters| characters.into_iter().collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn nothing_harmful_comes_through(text in foreign()) {
            for style in [Style::PLAIN, ASCII] {
                let mut shown = lines(&text, style);
                shown.extend([line(&text, style), bytes(text.as_bytes(), style), exact(text.as_bytes())]);
                for one in shown {
                    prop_assert!(!one.chars().any(is_harmful), "{one:?}");
                    prop_assert!(!one.chars().any(char::is_control), "{one:?}");
                    prop_assert!(style.unicode || one.is_ascii(), "{one:?}");
                }
            }
        }

        #[test]
        fn nothing_harmful_comes_through_in_bytes(raw in prop::collection::vec(any::<u8>(), 0..80)) {
            let shown = bytes(&raw, Style::PLAIN);
            prop_assert!(!shown.chars().any(is_harmful), "{shown:?}");
            prop_assert!(exact(&raw).bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        }

        #[test]
        fn a_bounded_text_fits(text in foreign(), most in 0_usize..40) {
            for style in [Style::PLAIN, ASCII] {
                let cut = bounded(&line(&text, style), most, style);
                prop_assert!(columns(&cut) <= most, "{cut:?} takes more than {most} columns");
            }
        }
    }
}
