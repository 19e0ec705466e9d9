//! `secret set`, `secret show` and `secret seal`: a value goes in, or comes out.

use std::io::{IsTerminal as _, Read as _, Write as _};

use zeroize::Zeroizing;

use super::arguments::{Seal, Set, Show};
use super::{failed, folder, given, recipients as recipients_of};
use crate::cli::exit::Exit;
use crate::cli::hidden::{Typed, ask};
use crate::cli::identities::{Need, identities};
use crate::cli::surface::{Surface, complain, print};
use crate::model::Secret;
use crate::report::safe;
use crate::store::Recipients;

/// A secret has at most so many bytes, as where it is opened.
const LARGEST: u64 = 4 * 1024 * 1024;

/// `secret set`.
pub(super) fn set(arguments: &Set, surface: Surface) -> Exit {
    run(|| {
        let folder = folder(&arguments.inventory, false, surface)?;
        let told = |error| failed(error, false, surface);
        // Before anybody is asked for a value that could not be kept.
        let existed = folder.read_if_there(&arguments.name).map_err(told)?.is_some();
        let alone = given(&arguments.recipient)?;
        let recipients = match &alone {
            Some(recipients) => recipients.clone(),
            None => {
                let own = identities(&arguments.inventory, Need::Values, surface)?;
                recipients_of(&folder, Some(&arguments.name), &arguments.inventory, &own, surface)?
            }
        };
        let value = match &arguments.file {
            Some(path) => match std::fs::File::open(path) {
                Ok(file) => from(file, &path.display().to_string())?,
                Err(error) => return Err(unread(&path.display().to_string(), &error)),
            },
            None => asked_or_read(&format!("the secret {}", arguments.name), surface)?,
        };
        let path = match alone {
            Some(_) => folder.write_alone(&arguments.name, &value, &recipients),
            None => folder.write(&arguments.name, &value, &recipients),
        }
        .map_err(told)?;
        complain(&format!(
            "{}: {}, sealed to {}\n",
            path.display(),
            if existed { "changed" } else { "new" },
            counted(&recipients)
        ));
        Ok(())
    })
}

/// `secret show`.
pub(super) fn show(arguments: &Show, surface: Surface) -> Exit {
    run(|| {
        let folder = folder(&arguments.inventory, false, surface)?;
        let told = |error| failed(error, false, surface);
        let sealed = folder.read(&arguments.name).map_err(told)?;
        let identities = identities(&arguments.inventory, Need::Values, surface)?;
        let value = identities.open(&arguments.name, &sealed).map_err(|error| told(error.into()))?;
        let bytes = value.expose();
        let mut output = std::io::stdout().lock();
        let written = if output.is_terminal() {
            let Ok(text) = std::str::from_utf8(bytes) else {
                complain(&format!(
                    "error: failed to show {} on a terminal: its {} bytes are no text; send them to a file\n",
                    arguments.name,
                    bytes.len()
                ));
                return Err(Exit::Error);
            };
            let mut shown = Zeroizing::new(String::new());
            for line in safe::lines(text, surface.output) {
                shown.push_str(&Zeroizing::new(line));
                shown.push('\n');
            }
            output.write_all(shown.as_bytes())
        } else {
            output.write_all(bytes)
        };
        match written.and_then(|()| output.flush()) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                complain(&format!("error: failed to write to standard output: {error}\n"));
                Err(Exit::Error)
            }
            _ => Ok(()),
        }
    })
}

/// `secret seal`.
pub(super) fn seal(arguments: &Seal, surface: Surface) -> Exit {
    run(|| {
        let folder = folder(&arguments.inventory, false, surface)?;
        let told = |error| failed(error, false, surface);
        let recipients = match given(&arguments.recipient)? {
            Some(recipients) => recipients,
            None => {
                let own = identities(&arguments.inventory, Need::Values, surface)?;
                recipients_of(&folder, None, &arguments.inventory, &own, surface)?
            }
        };
        let value = asked_or_read("the value", surface)?;
        let sealed = recipients.seal(&value).map_err(|error| told(error.into()))?;
        let indented: String = sealed.lines().map(|line| format!("  {line}\n")).collect();
        print(&format!("sealed: |\n{indented}"));
        complain(&format!("sealed to {}\n", counted(&recipients)));
        Ok(())
    })
}

/// Runs a command that stops at its first trouble.
fn run(command: impl FnOnce() -> Result<(), Exit>) -> Exit {
    command().err().unwrap_or(Exit::Done)
}

pub(super) fn counted(recipients: &Recipients) -> String {
    crate::report::counted(recipients.iter().count(), "recipient")
}

/// A value from the person at the terminal, who types it twice, or from standard input as it is.
fn asked_or_read(what: &str, surface: Surface) -> Result<Secret, Exit> {
    if !std::io::stdin().is_terminal() {
        return from(std::io::stdin().lock(), "standard input");
    }
    if !surface.can_ask {
        complain("error: there is no terminal to ask on; give the value on standard input\n");
        return Err(Exit::BadInput);
    }
    let once = typed(&format!("Type {}, which is not shown: ", safe::line(what, surface.errors)))?;
    let twice = typed("Once more: ")?;
    if once.expose() != twice.expose() {
        complain("error: what was typed differs; nothing is changed\n");
        return Err(Exit::BadInput);
    }
    not_empty(once, "what was typed")
}

fn typed(question: &str) -> Result<Secret, Exit> {
    match ask(question) {
        Typed::Line(line) => Ok(line),
        Typed::Interrupted => Err(Exit::Interrupted),
        Typed::Nothing => {
            complain("error: nothing was typed; nothing is changed\n");
            Err(Exit::BadInput)
        }
    }
}

/// All of a stream, within the bounds of a secret.
pub(super) fn from(stream: impl std::io::Read, name: &str) -> Result<Secret, Exit> {
    // Doubled by hand: what a growing vector leaves behind is not wiped.
    let mut whole = Zeroizing::new(Vec::with_capacity(64 * 1024));
    let mut stream = stream.take(LARGEST + 1);
    loop {
        if whole.len() == whole.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(whole.capacity() * 2));
            larger.extend_from_slice(&whole);
            whole = larger;
        }
        let room = (whole.capacity() - whole.len()) as u64;
        match stream.by_ref().take(room).read_to_end(&mut whole) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => return Err(unread(name, &error)),
        }
    }
    if whole.len() as u64 > LARGEST {
        complain(&format!("error: {name} holds more than {LARGEST} bytes, the most a secret may have\n"));
        return Err(Exit::BadInput);
    }
    not_empty(Secret::new(std::mem::take(&mut *whole)), name)
}

/// An empty value is what a command before the pipe leaves that has failed.
fn not_empty(value: Secret, name: &str) -> Result<Secret, Exit> {
    if value.expose().is_empty() {
        complain(&format!("error: {name} is empty; nothing is changed\n"));
        return Err(Exit::BadInput);
    }
    Ok(value)
}

fn unread(name: &str, error: &std::io::Error) -> Exit {
    complain(&format!("error: failed to read {name}: {error}\n"));
    Exit::BadInput
}
