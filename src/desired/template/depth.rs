//! Keeps templates flat enough for handlebars, which calls itself for every block in a block.

use super::super::fault::Fault;

/// Blocks, branches and parentheses that may stand inside each other. 300 blocks fit a stack of two
/// megabytes (measured, an unoptimised build), 1000 do not.
const DEPTH: usize = 100;

/// Refuses a template that is nested too deep.
///
/// # Errors
/// The fault, and the line and column (from 1, in characters) of the tag that is too much.
pub(super) fn check(text: &str) -> Result<(), (Fault, usize, usize)> {
    // Of each open block, how many levels it takes: one, and one for each `else if`.
    let mut open: Vec<usize> = Vec::new();
    let mut levels = 0;
    for (at, _) in text.match_indices("{{") {
        let tag = text.get(at + 2..).unwrap_or_default();
        let tag = tag.get(..tag.find("}}").unwrap_or(tag.len())).unwrap_or_default();
        let inside = tag.trim_start_matches(['~', ' ', '\t', '\n', '\r']);
        if inside.starts_with('#') {
            open.push(1);
            levels += 1;
        } else if inside.starts_with("else") || inside.starts_with('^') {
            if let Some(block) = open.last_mut() {
                *block += 1;
                levels += 1;
            }
        } else if inside.starts_with('/') {
            levels -= open.pop().unwrap_or(0);
        }
        let what = if levels > DEPTH {
            "blocks are"
        } else if tag.matches('(').count() > DEPTH {
            "parentheses are"
        } else {
            continue;
        };
        let before = text.get(..at).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        let fault = Fault::new(format!("{what} nested too deep")).expected(format!("at most {DEPTH} levels"));
        return Err((fault, before.matches('\n').count() + 1, column));
    }
    Ok(())
}
