//! A question whose answer is not shown.

use crate::model::Secret;

/// What came of it.
pub(super) enum Typed {
    /// A line, without its end; it may be empty.
    Line(Secret),
    /// The input ended, or cannot be read.
    Nothing,
    /// Somebody wants to stop.
    Interrupted,
}

/// The longest answer, in bytes; memory for it is taken at once, so that growing leaves no copies.
#[cfg(unix)]
const LONGEST: usize = 16 * 1024;

/// Asks on the terminal. Only for a process that can ask.
#[cfg(unix)]
pub(super) fn ask(question: &str) -> Typed {
    use super::surface::complain;
    use zeroize::Zeroizing;

    let Ok(_quiet) = unix::Quiet::new() else { return Typed::Nothing };
    complain(question);
    let mut line = Zeroizing::new(Vec::with_capacity(LONGEST));
    let typed = loop {
        // Not through the buffer of std, which is never wiped.
        let mut byte = [0_u8; 1];
        match rustix::io::read(std::io::stdin(), &mut byte) {
            Ok(0) => break Typed::Nothing,
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => break Typed::Nothing,
            Ok(_) => {}
        }
        match byte[0] {
            b'\n' | b'\r' => break Typed::Line(Secret::new(std::mem::take(&mut *line))),
            0x03 | 0x1c => break Typed::Interrupted,
            0x04 if line.is_empty() => break Typed::Nothing,
            0x08 | 0x7f => erase(&mut line),
            0x15 => line.clear(),
            byte if line.len() < LONGEST => line.push(byte),
            _ => {}
        }
    };
    complain("\n");
    typed
}

/// Takes the last character away, with all of its bytes.
#[cfg(unix)]
fn erase(line: &mut Vec<u8>) {
    while line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
}

#[cfg(unix)]
mod unix {
    use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

    /// A terminal that shows nothing and hands on every key, until this goes. Ctrl-C is a key, too: as a
    /// signal it would end the process and leave the terminal mute.
    pub(super) struct Quiet(Termios);

    impl Quiet {
        pub(super) fn new() -> rustix::io::Result<Self> {
            let before = tcgetattr(std::io::stdin())?;
            let mut quiet = before.clone();
            quiet.local_modes -= LocalModes::ECHO
                | LocalModes::ECHONL
                | LocalModes::ICANON
                | LocalModes::ISIG
                | LocalModes::IEXTEN;
            quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
            quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
            // What was typed before the question was shown on the terminal.
            tcsetattr(std::io::stdin(), OptionalActions::Flush, &quiet)?;
            Ok(Self(before))
        }
    }

    impl Drop for Quiet {
        fn drop(&mut self) {
            // Nothing can be done about a terminal that has gone away.
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, &self.0);
        }
    }
}

/// Asks on the terminal. Only for a process that can ask.
#[cfg(not(unix))]
pub(super) fn ask(question: &str) -> Typed {
    super::surface::complain(question);
    match dialoguer::console::Term::stderr().read_secure_line() {
        Ok(line) => Typed::Line(Secret::new(line.into_bytes())),
        Err(error) if error.kind() == std::io::ErrorKind::Interrupted => Typed::Interrupted,
        Err(_) => Typed::Nothing,
    }
}

#[cfg(all(test, unix))]
mod tests {
    #[test]
    fn a_character_is_erased_with_all_its_bytes() {
        let mut line = "aä€".as_bytes().to_vec();
        for left in ["aä", "a", "", ""] {
            super::erase(&mut line);
            assert_eq!(line, left.as_bytes());
        }
    }
}
