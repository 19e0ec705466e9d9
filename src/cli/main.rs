//! From words to an exit code.

use std::process::ExitCode;

use clap::Parser as _;

use super::arguments::{Arguments, Command, Keys};
use super::exit::Exit;
use super::surface::{Surface, complain};

/// Runs the command line of this process and gives its exit code.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no errors; clap prints them to standard output.
            let exit = if error.use_stderr() { Exit::BadInput } else { Exit::Done };
            let _ = error.print();
            return ExitCode::from(exit.code());
        }
    };
    let mut surface = Surface::of_environment(arguments.no_color);
    // A log and a display that redraws itself would write over each other.
    surface.progress &= arguments.verbose == 0;
    listen(arguments.verbose);
    let exit = match &arguments.command {
        Command::Validate(validate) => super::check::validate(validate, surface),
        Command::Render(render) => super::render::render(render, surface),
        Command::Plan(plan) => in_runtime(super::runs::plan(plan, surface)),
        Command::Apply(apply) => in_runtime(super::runs::apply(apply, surface)),
        Command::Drift(look) => in_runtime(super::runs::drift(look, surface)),
        Command::History(look) => in_runtime(super::history::history(look, surface)),
        Command::Undo(undo) => in_runtime(super::runs::undo(undo, surface)),
        Command::Secret(command) => super::secret::secret(command, surface),
        Command::Onboard(onboard) => in_runtime(super::onboard::onboard(onboard, surface)),
        Command::Offboard(offboard) => in_runtime(super::offboard::offboard(offboard, surface)),
        Command::Keys(Keys::List(list)) => super::keys::list(list, surface),
        Command::Keys(Keys::Enrol(enrol)) => super::keys::enrol(enrol, surface),
        Command::Keys(Keys::Rotate(rotate)) => in_runtime(super::keys::rotate(rotate, surface)),
        Command::Keys(Keys::Audit(look)) => in_runtime(super::keys::audit(look, surface)),
        Command::Demo(_) => in_runtime(super::demo::demo(surface)),
    };
    ExitCode::from(exit.code())
}

/// Runs a command that talks to machines.
pub(super) fn in_runtime(work: impl Future<Output = Exit>) -> Exit {
    match tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(4).build() {
        Ok(runtime) => {
            let exit = runtime.block_on(work);
            // What hangs in the background is not waited for: every session has been let go of.
            runtime.shutdown_timeout(std::time::Duration::from_millis(300));
            exit
        }
        Err(error) => {
            complain(&format!("error: failed to start: {error}\n"));
            Exit::Error
        }
    }
}

/// Sends the log to standard error: warnings always, more on `-v` and `-vv`. Foreign libraries stay
/// at warnings below `-vvv`.
fn listen(verbose: u8) {
    let filter = match verbose {
        0 => "warn,russh=error",
        1 => "warn,fleetprov=info",
        2 => "warn,fleetprov=debug",
        _ => "debug",
    };
    // A second call in one process keeps the first listener.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        // The crate's `ansi` feature is not built; asking for colours without it panics.
        .with_ansi(false)
        .with_target(false)
        .without_time()
        .try_init();
}
