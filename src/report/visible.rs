//! Makes foreign text harmless for a terminal and counts its columns.

/// A text without anything that could steer a terminal or hide: control characters, and those that
/// turn the writing direction or have no width, each become one visible mark.
///
/// The mark is U+FFFD, or `?` when `unicode` is false. Every character gives exactly one character.
#[must_use]
pub fn neutralised(text: &str, unicode: bool) -> String {
    let mark = if unicode { '\u{fffd}' } else { '?' };
    text.chars().map(|character| if steers(character) { mark } else { character }).collect()
}

/// Control characters (Unicode category Cc), and the invisible ones of Unicode's bidirectional
/// algorithm (UAX 9), zero-width ones, line and paragraph separators, tags.
fn steers(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// How many columns a neutralised text takes.
#[must_use]
pub fn columns(text: &str) -> usize {
    text.chars().map(width).sum()
}

/// Columns of one character: none for the common combining marks, two for East Asian wide
/// characters and emoji (the ranges of UAX 11's table that terminals agree on), else one.
pub(super) fn width(character: char) -> usize {
    match character {
        '\u{300}'..='\u{36f}'
        | '\u{1ab0}'..='\u{1aff}'
        | '\u{20d0}'..='\u{20ff}'
        | '\u{fe00}'..='\u{fe0f}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{303e}'
        | '\u{3041}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1f64f}'
        | '\u{1f680}'..='\u{1f6ff}'
        | '\u{1f900}'..='\u{1f9ff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_is_left() {
        assert_eq!(
            neutralised("a\u{1b}[31mb\u{202e}c\u{9b}\n", true),
            "a\u{fffd}[31mb\u{fffd}c\u{fffd}\u{fffd}"
        );
        assert_eq!(neutralised("a\u{7}\u{200b}ü", false), "a??ü");
    }

    #[test]
    fn columns_are_what_a_terminal_takes() {
        assert_eq!(columns("abc"), 3);
        assert_eq!(columns("ü"), 1);
        assert_eq!(columns("u\u{308}"), 1);
        assert_eq!(columns("機械"), 4);
    }
}
