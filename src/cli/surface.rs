//! The terminal, or what stands in for one.

use std::io::{IsTerminal as _, Write as _};

use super::arguments::Change;
use super::exit::Exit;
use crate::report::Style;

/// What this process may show and ask.
#[derive(Clone, Copy, Debug)]
pub(super) struct Surface {
    /// How standard output looks.
    pub(super) output: Style,
    /// How standard error looks.
    pub(super) errors: Style,
    /// Whether standard error is a terminal, so that progress may be drawn.
    pub(super) progress: bool,
    /// Whether a question can be asked: somebody reads and somebody answers.
    pub(super) can_ask: bool,
}

impl Surface {
    /// As the environment says: a terminal's width, `NO_COLOR`, the locale.
    pub(super) fn of_environment(no_color: bool) -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let unicode = ["LC_ALL", "LC_CTYPE", "LANG"]
            .iter()
            .filter_map(|name| std::env::var(name).ok())
            .find(|value| !value.is_empty())
            .is_some_and(|locale| {
                let locale = locale.to_ascii_lowercase();
                locale.contains("utf-8") || locale.contains("utf8")
            });
        let (out, err) = (std::io::stdout().is_terminal(), std::io::stderr().is_terminal());
        let width = if out || err {
            let (_, columns) = dialoguer::console::Term::stderr().size();
            usize::from(columns).clamp(40, 200)
        } else {
            set_width().unwrap_or(Style::PLAIN.width)
        };
        let colour = |terminal: bool| terminal && !no_color && !set("NO_COLOR") && !dumb;
        let style = |terminal: bool| Style { colour: colour(terminal), unicode, width };
        Self {
            output: style(out),
            errors: style(err),
            progress: err && !dumb,
            can_ask: std::io::stdin().is_terminal() && err,
        }
    }
}

/// The width that whoever reads the pipe asks for, as other programs take it.
fn set_width() -> Option<usize> {
    let columns: usize = std::env::var("COLUMNS").ok()?.parse().ok()?;
    Some(columns.clamp(40, 200))
}

/// Writes to standard output. A reader that has gone away is no error: it has seen enough.
pub(super) fn print(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

/// Ends a command of several runs for a program: one JSON document on standard output. What is wrong with the
/// input has been said in one already.
pub(super) fn ended(change: &Change, machine: &str, exit: Exit) {
    if change.look.json && exit != Exit::BadInput {
        let code = exit.code();
        print(&format!("{}\n", serde_json::json!({"version": 1, "machine": machine, "exit_code": code})));
    }
}

/// Writes to standard error.
pub(super) fn complain(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}
