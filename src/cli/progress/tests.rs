use std::sync::Arc;

use indicatif::TermLike;

use super::*;
use crate::event::{Failure, FailureKind, Happening, StepOutcome};
use crate::model::{MachineName, ResourceId, Source, Span};
use crate::plan::{Plan, Step};
use crate::resource::{Action, Difference, Origin};

const STYLE: Style = Style { colour: false, width: 60, unicode: true };

fn event(machine: &str, what: Happening) -> Event {
    Event { machine: MachineName::new(machine).unwrap(), what }
}

fn plan(targets: &[&str]) -> Arc<Plan> {
    let origin = Origin { from: "role x".to_owned(), span: Span::new(&Source::new("x", "x"), 0, 1) };
    let step = |target: &&str| {
        let difference = Difference { action: Action::Create, details: Vec::new(), operations: Vec::new() };
        Step::new(ResourceId::new("file", *target), origin.clone(), difference, Vec::new())
    };
    Arc::new(Plan { steps: targets.iter().map(step).collect(), ..Plan::default() })
}

fn rows(board: &Board) -> String {
    board.rows(STYLE).join("\n")
}

#[test]
fn the_board_follows_a_run() {
    let mut board = Board::new(4);
    let failure = Failure { kind: FailureKind::Unreachable, message: "reach it".to_owned() };
    board.hear(&event("droplet", Happening::Connecting));
    board.hear(&event("hs-nas", Happening::Connected));
    board.hear(&event("cc-nas", Happening::FactsDiffer { differences: Vec::new() }));
    board.hear(&event("hs-pc", Happening::Failed(failure)));
    let expected = "1 of 4 machines\n  cc-nas   asking again\n  droplet  connecting\n  hs-nas   asking";
    assert_eq!(rows(&board), expected);
    let long = format!("/etc/{}", "x".repeat(80));
    board.hear(&event("droplet", Happening::Planned(plan(&["/a", &long]))));
    board.hear(&event("hs-nas", Happening::Planned(plan(&[]))));
    board.hear(&event("cc-nas", Happening::Planned(plan(&["/\u{1b}[2J"]))));
    assert_eq!(rows(&board), "4 of 4 machines");

    board.begin_again();
    board.hear(&event("droplet", Happening::StepStarted { index: 0 }));
    assert_eq!(rows(&board), "0 of 2 machines\n  droplet  step 1 of 2: file /a");
    board.hear(&event("droplet", Happening::StepEnded { index: 0, outcome: StepOutcome::Changed }));
    board.hear(&event("droplet", Happening::StepStarted { index: 1 }));
    board.hear(&event("cc-nas", Happening::StepStarted { index: 0 }));
    let cut = "step 2 of 2: file /etc/xxxxxxxxxxxxxxxxxxxxxxxx…";
    let expected = format!("0 of 2 machines\n  cc-nas   step 1 of 1: file /\\x1b[2J\n  droplet  {cut}");
    assert_eq!(rows(&board), expected);
    board.hear(&event("droplet", Happening::StepEnded { index: 1, outcome: StepOutcome::Changed }));
    board.hear(&event("cc-nas", Happening::Verified(plan(&[]))));
    assert_eq!(rows(&board), "1 of 2 machines\n  droplet  checking");
}

#[test]
fn a_dozen_machines_are_shown_and_the_rest_counted() {
    let mut board = Board::new(50);
    for number in 0..50 {
        board.hear(&event(&format!("m{number:02}"), Happening::Connecting));
    }
    let rows = board.rows(STYLE);
    assert_eq!(rows.len(), 14);
    assert_eq!(rows[12], "  m11  connecting");
    assert_eq!(rows[13], "  … and 38 more");
}

/// A terminal in memory: its rows and the place of the cursor.
#[derive(Debug, Default)]
struct Screen(Mutex<(Vec<String>, usize)>);

impl Screen {
    fn text(&self) -> String {
        self.0.lock().unwrap().0.join("\n")
    }

    fn change(&self, change: impl FnOnce(&mut Vec<String>, &mut usize)) -> std::io::Result<()> {
        let mut screen = self.0.lock().unwrap();
        let (rows, at) = &mut *screen;
        change(rows, at);
        while rows.len() <= *at {
            rows.push(String::new());
        }
        Ok(())
    }
}

static SCREEN: Screen = Screen(Mutex::new((Vec::new(), 0)));

/// Draws on [`SCREEN`].
#[derive(Debug)]
struct OnScreen;

impl TermLike for OnScreen {
    fn width(&self) -> u16 {
        60
    }

    fn move_cursor_up(&self, n: usize) -> std::io::Result<()> {
        SCREEN.change(|_, at| *at = at.saturating_sub(n))
    }

    fn move_cursor_down(&self, n: usize) -> std::io::Result<()> {
        SCREEN.change(|_, at| *at += n)
    }

    fn move_cursor_right(&self, _: usize) -> std::io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> std::io::Result<()> {
        Ok(())
    }

    fn write_line(&self, text: &str) -> std::io::Result<()> {
        self.write_str(text)?;
        SCREEN.change(|_, at| *at += 1)
    }

    fn write_str(&self, text: &str) -> std::io::Result<()> {
        SCREEN.change(|rows, at| {
            for (index, part) in text.split('\n').enumerate() {
                *at += usize::from(index > 0);
                while rows.len() <= *at {
                    rows.push(String::new());
                }
                rows[*at].push_str(part);
            }
        })
    }

    fn clear_line(&self) -> std::io::Result<()> {
        SCREEN.change(|rows, at| {
            if let Some(row) = rows.get_mut(*at) {
                row.clear();
            }
        })
    }

    fn flush(&self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn it_is_drawn_and_leaves_nothing_behind() {
    let mut progress = Progress::new(false, STYLE, 3);
    progress.target = Some(|| ProgressDrawTarget::term_like(Box::new(OnScreen)));
    for part in ["droplet", "hs-nas"] {
        progress.hear(&event(part, Happening::Connecting));
        progress.hear(&event(part, Happening::Connected));
        // Not every change is drawn at once; the spinner's next turn shows it.
        let until = std::time::Instant::now() + Duration::from_secs(10);
        while !SCREEN.text().contains(&format!("  {part}  asking")) && std::time::Instant::now() < until {
            std::thread::sleep(Duration::from_millis(10));
        }
        let text = SCREEN.text();
        assert!(text.contains(&format!("  {part}  asking")), "{text}");
        progress.clear();
        assert_eq!(SCREEN.text().trim(), "");
    }
}

#[test]
fn without_a_terminal_nothing_is_drawn() {
    let progress = Progress::new(false, STYLE, 3);
    progress.hear(&event("droplet", Happening::Connecting));
    assert!(progress.state().bar.is_none());
}
