//! `secret edit`: a value in an editor.

use std::process::ExitStatus;

use super::arguments::Edit;
use super::place::Place;
use super::value::{counted, from};
use super::{failed, folder, recipients as recipients_of};
use crate::cli::exit::Exit;
use crate::cli::identities::{Need, identities};
use crate::cli::main::in_runtime;
use crate::cli::surface::{Surface, complain};

/// Lets somebody change a value; when it is changed, seals it in the place of the old one.
pub(super) fn edit(arguments: &Edit, surface: Surface) -> Exit {
    in_runtime(async { changed(arguments, surface).await.err().unwrap_or(Exit::Done) })
}

async fn changed(arguments: &Edit, surface: Surface) -> Result<(), Exit> {
    let name = &arguments.name;
    let folder = folder(&arguments.inventory, false, surface)?;
    let told = |error| failed(error, false, surface);
    let sealed = folder.read_if_there(name).map_err(told)?;
    let identities = identities(&arguments.inventory, Need::Values, surface)?;
    let recipients = recipients_of(&folder, Some(name), &arguments.inventory, &identities, surface)?;
    let before = match &sealed {
        Some(sealed) => Some(identities.open(name, sealed).map_err(|error| told(error.into()))?),
        None => None,
    };
    let old = before.as_ref().map_or(&b""[..], |secret| secret.expose());
    let place = Place::new(name, old).map_err(|error| {
        complain(&format!("error: failed to make a place for the editor: {error}\n"));
        Exit::Error
    })?;
    let status = in_editor(&place).await?;
    if !status.success() {
        complain(&format!("error: the editor failed ({status}); nothing is changed\n"));
        return Err(Exit::Error);
    }
    let shown = "what the editor left";
    let file = std::fs::File::open(place.file()).map_err(|error| {
        complain(&format!("error: failed to read {shown}: {error}; nothing is changed\n"));
        Exit::Error
    })?;
    let after = from(file, shown)?;
    if after.expose() == old {
        complain(&format!("{name}: unchanged\n"));
        return Ok(());
    }
    if folder.read_if_there(name).map_err(told)? != sealed {
        complain(&format!(
            "error: {name} was changed by somebody else in the meantime; nothing is changed\n"
        ));
        return Err(Exit::Refused);
    }
    let path = folder.write(name, &after, &recipients).map_err(told)?;
    let what = if sealed.is_some() { "changed" } else { "new" };
    complain(&format!("{}: {what}, sealed to {}\n", path.display(), counted(&recipients)));
    Ok(())
}

/// Runs the editor and waits for its end. While it runs, the keys of the terminal are its own; when this
/// process is to end, the editor ends first, so that what it works on is wiped.
async fn in_editor(place: &Place) -> Result<ExitStatus, Exit> {
    let editor = ["VISUAL", "EDITOR"]
        .iter()
        .filter_map(std::env::var_os)
        .find(|value| !value.is_empty())
        .unwrap_or_else(|| if cfg!(windows) { "notepad" } else { "vi" }.into());
    let failed = |error: std::io::Error| {
        complain(&format!("error: failed to start the editor {}: {error}\n", editor.display()));
        Exit::Error
    };
    let mut ending = ending().map_err(failed)?;
    let mut child = command(&editor, place).spawn().map_err(failed)?;
    tokio::select! {
        status = child.wait() => status.map_err(failed),
        () = ending.wait() => {
            ask_to_end(&child);
            let patience = std::time::Duration::from_secs(5);
            if tokio::time::timeout(patience, child.wait()).await.is_err() {
                let _ = child.kill().await;
            }
            complain("error: interrupted; nothing is changed\n");
            Err(Exit::Interrupted)
        }
    }
}

/// The editor's command line is a shell's, as with git: `code --wait`.
#[cfg(unix)]
fn command(editor: &std::ffi::OsStr, place: &Place) -> tokio::process::Command {
    // A plain command takes the shell's place, so that it is the editor that is asked to end.
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-+./ ".contains(byte);
    let is_plain = editor.as_encoded_bytes().iter().all(plain);
    let mut script = std::ffi::OsString::from(if is_plain { "exec " } else { "" });
    script.push(editor);
    script.push(" \"$@\"");
    let mut command = tokio::process::Command::new("sh");
    command.arg("-c").arg(script).arg("editor").arg(place.file());
    // Its own temporary files hold the value, too.
    command.env("TMPDIR", place.folder());
    command
}

#[cfg(not(unix))]
fn command(editor: &std::ffi::OsStr, place: &Place) -> tokio::process::Command {
    let editor = editor.to_string_lossy();
    let mut words = editor.split_whitespace();
    let mut command = tokio::process::Command::new(words.next().unwrap_or_default());
    command.args(words).arg(place.file()).env("TEMP", place.folder()).env("TMP", place.folder());
    command
}

#[cfg(unix)]
struct Ending {
    terminate: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
    _deaf: [tokio::signal::unix::Signal; 2],
}

#[cfg(unix)]
fn ending() -> std::io::Result<Ending> {
    use tokio::signal::unix::{SignalKind, signal};
    Ok(Ending {
        terminate: signal(SignalKind::terminate())?,
        hang_up: signal(SignalKind::hangup())?,
        // Ctrl-C and Ctrl-\ go to everybody at the terminal; they are meant for the editor.
        _deaf: [signal(SignalKind::interrupt())?, signal(SignalKind::quit())?],
    })
}

#[cfg(unix)]
impl Ending {
    async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }
}

#[cfg(unix)]
fn ask_to_end(child: &tokio::process::Child) {
    let process = child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
    if let Some(process) = process {
        // It may have ended by itself.
        let _ = rustix::process::kill_process(process, rustix::process::Signal::TERM);
    }
}

#[cfg(not(unix))]
struct Ending;

#[cfg(not(unix))]
fn ending() -> std::io::Result<Ending> {
    Ok(Ending)
}

#[cfg(not(unix))]
impl Ending {
    async fn wait(&mut self) {
        // A Ctrl-C is the editor's; the window that closes ends everything anyhow.
        loop {
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

#[cfg(not(unix))]
fn ask_to_end(_: &tokio::process::Child) {}
