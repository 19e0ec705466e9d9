//! `demo`: shows it all on a small fleet inside this computer.

use super::exit::Exit;
use super::surface::{Surface, complain};

/// Runs the demo.
#[cfg(target_os = "linux")]
pub(super) async fn demo(surface: Surface) -> Exit {
    use crate::demo::{DemoError, DemoOptions, run};

    let cancel = match cancel_on_signals() {
        Ok(cancel) => cancel,
        Err(error) => {
            complain(&format!("error: failed to listen for signals: {error}\n"));
            return Exit::Error;
        }
    };
    let options = DemoOptions { style: surface.output, temporary: std::env::temp_dir(), cancel };
    match run(&options, &mut super::surface::print).await {
        Ok(()) => Exit::Done,
        Err(error) => {
            complain(&format!("error: failed to {error}\n"));
            if matches!(error, DemoError::Interrupted) { Exit::Interrupted } else { Exit::Error }
        }
    }
}

/// Says where the demo runs.
#[cfg(not(target_os = "linux"))]
pub(super) async fn demo(_surface: Surface) -> Exit {
    complain("error: failed to start a fleet inside this computer: that needs Linux\n");
    Exit::Error
}

/// A token that every signal cancels by which a terminal or a system ends a program. Later ones are
/// taken and do nothing: the demo takes down what it has made, which is a matter of moments.
#[cfg(target_os = "linux")]
fn cancel_on_signals() -> std::io::Result<tokio_util::sync::CancellationToken> {
    use tokio::signal::unix::{SignalKind, signal};

    let cancel = tokio_util::sync::CancellationToken::new();
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup(), SignalKind::quit()] {
        let mut signals = signal(kind)?;
        let cancel = cancel.clone();
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                cancel.cancel();
            }
        });
    }
    Ok(cancel)
}
