//! Finds what a template leaves open: its parser only says that the end came too early.

/// What is still open where a template ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Open<'a> {
    /// A tag that begins at this byte.
    Tag(usize),
    /// A block of this name whose tag begins at this byte.
    Block(&'a str, usize),
}

impl Open<'_> {
    /// The byte where it begins.
    pub(super) fn start(self) -> usize {
        match self {
            Self::Tag(at) | Self::Block(_, at) => at,
        }
    }
}

/// The tag or the innermost block that is open at the end of a text.
pub(super) fn left_open(text: &str) -> Option<Open<'_>> {
    let mut blocks: Vec<(&str, usize)> = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..) {
        let Some(start) = rest.find("{{").map(|found| at + found) else { break };
        let tag = text.get(start + 2..)?;
        let end = if tag.trim_start_matches('~').starts_with("!--") { "--}}" } else { "}}" };
        let Some(length) = tag.find(end) else { return Some(Open::Tag(start)) };
        at = start + 2 + length + end.len();
        if text.get(..start)?.ends_with('\\') {
            continue;
        }
        let inside = tag.get(..length)?.trim_matches('~').trim();
        let name = |rest: &'_ str| rest.split_whitespace().next().map_or(0, str::len);
        if let Some(block) = inside.strip_prefix('#') {
            let block = block.trim_start();
            blocks.push((block.get(..name(block))?, start));
        } else if inside.starts_with('/') {
            blocks.pop();
        }
    }
    blocks.pop().map(|(name, at)| Open::Block(name, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_open_block_is_found() {
        for (text, found) in [
            ("a {{#if x}}b", Some(Open::Block("if", 2))),
            ("{{#each y}}{{#if x}}b{{/if}}", Some(Open::Block("each", 0))),
            ("{{#each y}}{{~# if x ~}}b", Some(Open::Block("if", 11))),
            ("{{#if x}}{{else if y}}{{/if}}", None),
            ("a {{ b", Some(Open::Tag(2))),
            ("{{a}} ü {{!-- }} --}} {{b", Some(Open::Tag(23))),
            ("\\{{#if x}}", None),
            ("", None),
        ] {
            assert_eq!(left_open(text), found, "{text}");
        }
    }
}
