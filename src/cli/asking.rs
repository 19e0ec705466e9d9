//! Asking the person at the terminal, and hearing when they have had enough.

use tokio_util::sync::CancellationToken;

use super::exit::Exit;
use super::surface::complain;

/// The answer to a question.
pub(super) enum Answer {
    /// Go on.
    Yes,
    /// Do not.
    No,
    /// Stop everything.
    Interrupted,
}

/// Asks once. Anything but a yes is a no, and what was typed before the question is no answer to it.
/// `warnings` stand before the question, a line each.
pub(super) async fn ask(machines: usize, warnings: &[String], cancel: &CancellationToken) -> Answer {
    let plural = if machines == 1 { "" } else { "s" };
    let warnings: String = warnings.iter().map(|sentence| format!("\n{sentence}")).collect();
    forget_what_was_typed();
    complain(&format!(
        "{warnings}\nApply these changes to {machines} machine{plural}? Only `yes` is taken: "
    ));
    tokio::select! {
        () = cancel.cancelled() => Answer::Interrupted,
        line = typed() => match line {
            Some(line) if line.trim() == "yes" => Answer::Yes,
            _ => Answer::No,
        },
    }
}

/// Asks whether something is so. Only `yes` is one.
pub(super) async fn ask_yes(question: &str) -> Result<bool, Exit> {
    forget_what_was_typed();
    complain(&format!("{question} Only `yes` is taken: "));
    typed().await.map(|line| line.trim() == "yes").ok_or(Exit::Interrupted)
}

/// The next line that is typed, read without holding up the rest.
async fn typed() -> Option<String> {
    let line = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map(|_| line)
    });
    line.await.ok()?.ok()
}

#[cfg(unix)]
fn forget_what_was_typed() {
    // Whoever typed `yes` early did not see the plan. No terminal, nothing to forget.
    let _ = rustix::termios::tcflush(std::io::stdin(), rustix::termios::QueueSelector::IFlush);
}

#[cfg(not(unix))]
fn forget_what_was_typed() {}

/// A token that the first Ctrl-C, or a request to terminate, cancels; the second one ends the process at once.
pub(super) fn cancel_on_signal() -> CancellationToken {
    let cancel = CancellationToken::new();
    let cancelled = cancel.clone();
    tokio::spawn(async move {
        signalled().await;
        cancelled.cancel();
        signalled().await;
        std::process::exit(i32::from(Exit::Interrupted.code()));
    });
    cancel
}

#[cfg(unix)]
async fn signalled() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut stream) => {
                stream.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}

#[cfg(not(unix))]
async fn signalled() {
    let _ = tokio::signal::ctrl_c().await;
}
