//! Live progress on a terminal: hears events, draws the board, and takes it away again.

mod board;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use self::board::Board;
use crate::event::Event;
use crate::report::Style;

/// How often the spinner turns, which shows that the run is alive while machines are silent.
const TURN: Duration = Duration::from_millis(120);

/// Progress on standard error, or none when that is not a terminal.
pub(super) struct Progress {
    target: Option<fn() -> ProgressDrawTarget>,
    style: Style,
    state: Mutex<State>,
}

struct State {
    board: Board,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Progress of so many machines. Nothing is ever drawn when `terminal` is false.
    pub(super) fn new(terminal: bool, style: Style, machines: usize) -> Self {
        let target: Option<fn() -> ProgressDrawTarget> =
            if terminal { Some(ProgressDrawTarget::stderr) } else { None };
        Self { target, style, state: Mutex::new(State { board: Board::new(machines), bar: None }) }
    }

    /// Takes in what happened and draws it.
    pub(super) fn hear(&self, event: &Event) {
        let Some(target) = self.target else { return };
        let mut state = self.state();
        state.board.hear(event);
        let rows = state.board.rows(self.style).join("\n");
        state.bar.get_or_insert_with(|| self.bar(target())).set_message(rows);
    }

    /// Takes everything off the terminal. What is heard afterwards is the next part of the run and
    /// is counted from the start.
    pub(super) fn clear(&self) {
        let mut state = self.state();
        if let Some(bar) = state.bar.take() {
            bar.finish_and_clear();
        }
        state.board.begin_again();
    }

    fn bar(&self, target: ProgressDrawTarget) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(None, target);
        let turns = if self.style.unicode { "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ " } else { "-\\|/ " };
        bar.set_style(ProgressStyle::default_spinner().tick_chars(turns));
        bar.enable_steady_tick(TURN);
        bar
    }

    /// A thread that panicked while it drew has left nothing that another could not draw over.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests;
