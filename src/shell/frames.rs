//! Reads what a session sends back: lines, of which those that start with the run's nonce are frames.
//!
//! Everything a machine sends is bounded here, in the length of a line and in sum.

/// The most lines between two calls of [`Frames::forgive`]; a resource needs about five.
const MOST_LINES: usize = 200_000;

/// One line from a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A frame: its words without the nonce.
    Frame(Vec<String>),
    /// Any other line, without its line break; bytes that are not UTF-8 are replaced.
    Text(String),
}

/// The machine sent more than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// One line without end.
    #[error("it sent a line of more than {0} bytes")]
    LongLine(usize),
    /// Lines without end: each costs more to keep than to send.
    #[error("it sent more than {0} lines")]
    TooManyLines(usize),
    /// Too much in sum.
    #[error("it sent more than {0} bytes")]
    TooMuch(usize),
}

/// Splits bytes into lines as they come.
#[derive(Debug)]
pub struct Frames {
    nonce: Vec<u8>,
    pending: Vec<u8>,
    received: usize,
    lines: usize,
    longest_line: usize,
    most: usize,
}

impl Frames {
    /// A reader for one session.
    ///
    /// `longest_line` bounds a line and `most` all lines since the last [`Frames::forgive`], in bytes.
    #[must_use]
    pub fn new(nonce: &str, longest_line: usize, most: usize) -> Self {
        Self {
            nonce: format!("{nonce} ").into_bytes(),
            pending: Vec::new(),
            received: 0,
            lines: 0,
            longest_line,
            most,
        }
    }

    /// Starts counting anew: another exchange begins.
    pub fn forgive(&mut self) {
        self.received = 0;
        self.lines = 0;
    }

    /// Takes some bytes and gives the lines they complete.
    ///
    /// # Errors
    /// [`FrameError`] when a bound is passed; the session is of no use then.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Line>, FrameError> {
        self.received = self.received.saturating_add(bytes.len());
        if self.received > self.most {
            return Err(FrameError::TooMuch(self.most));
        }
        let mut lines = Vec::new();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.pending.extend_from_slice(part);
            if self.pending.len() > self.longest_line {
                return Err(FrameError::LongLine(self.longest_line));
            }
            if self.pending.last() == Some(&b'\n') {
                self.lines += 1;
                if self.lines > MOST_LINES {
                    return Err(FrameError::TooManyLines(MOST_LINES));
                }
                self.pending.pop();
                lines.push(self.line());
                self.pending.clear();
            }
        }
        Ok(lines)
    }

    fn line(&self) -> Line {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match self.pending.strip_prefix(self.nonce.as_slice()) {
            Some(words) => Line::Frame(text(words).split_ascii_whitespace().map(str::to_owned).collect()),
            None => Line::Text(text(&self.pending)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_whole_however_they_are_cut() {
        let mut frames = Frames::new("N", 100, 1000);
        let mut lines = Vec::new();
        for byte in b"noise\r\nN begin x\na b\nN end 0\nrest" {
            lines.extend(frames.push(&[*byte]).unwrap());
        }
        assert_eq!(
            lines,
            [
                Line::Text("noise\r".to_owned()),
                Line::Frame(vec!["begin".to_owned(), "x".to_owned()]),
                Line::Text("a b".to_owned()),
                Line::Frame(vec!["end".to_owned(), "0".to_owned()]),
            ]
        );
    }

    #[test]
    fn a_machine_cannot_send_without_end() {
        assert_eq!(Frames::new("N", 10, 1000).push(&[b'x'; 11]), Err(FrameError::LongLine(10)));
        let lines = vec![b'\n'; MOST_LINES];
        let mut frames = Frames::new("N", 10, 2 * MOST_LINES);
        assert_eq!(frames.push(&lines).map(|lines| lines.len()), Ok(MOST_LINES));
        assert_eq!(frames.push(b"\n"), Err(FrameError::TooManyLines(MOST_LINES)));
        assert_eq!(Frames::new("N", 100, 10).push(b"x\ny\nz\nx\ny\nz\n"), Err(FrameError::TooMuch(10)));
    }
}
