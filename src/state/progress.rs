//! How far a run came: the file a machine appends to as it goes.

use std::collections::BTreeMap;

/// How a step ended, in the machine's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StepEnd {
    /// The change is made.
    Changed,
    /// The change failed, perhaps in the middle.
    Failed,
    /// The machine had moved; nothing was done.
    Refused,
    /// A step it needs had not succeeded; nothing was done.
    Skipped,
    /// The change was made and has been put back.
    Reverted,
}

impl StepEnd {
    /// All, with the word the machine writes.
    pub const ALL: &'static [(&'static str, Self)] = &[
        ("changed", Self::Changed),
        ("failed", Self::Failed),
        ("refused", Self::Refused),
        ("skipped", Self::Skipped),
        ("reverted", Self::Reverted),
    ];
}

/// How far a step came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepState {
    /// Nothing is said of it.
    Untouched,
    /// It was begun; how it ended is not known.
    Started,
    /// It ended.
    Ended(StepEnd),
}

/// How far a run came.
///
/// The first line is `boot BOOT-ID`; then come lines `INDEX started`, `INDEX changed` and so on, of which
/// the last of a step counts; `end` says that the run came to its end. Lines are appended without being
/// flushed, so after a crash the last ones may be missing or torn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    boot: String,
    steps: BTreeMap<usize, StepState>,
    is_ended: bool,
    is_damaged: bool,
}

impl Progress {
    /// Reads the file; `steps` is how many the run has. Whatever cannot be understood makes the whole
    /// less certain, and is no error: it is what a crash leaves.
    #[must_use]
    pub fn read(bytes: &[u8], steps: usize) -> Self {
        let mut progress = Self::default();
        for (number, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            let words: Vec<&str> = std::str::from_utf8(line).unwrap_or("\0").split(' ').take(3).collect();
            match words.as_slice() {
                ["boot", boot] if number == 0 && !boot.is_empty() => progress.boot = (*boot).to_owned(),
                ["end"] => progress.is_ended = true,
                [""] if number > 0 => {}
                [index, word] if number > 0 => match (step_index(index, steps), state(word)) {
                    (Some(index), Some(state)) => {
                        progress.steps.insert(index, state);
                    }
                    _ => progress.is_damaged = true,
                },
                _ => progress.is_damaged = true,
            }
        }
        progress
    }

    /// A run that came to its end, with the ends that were heard of.
    #[must_use]
    pub fn heard(ended: &[(usize, StepEnd)]) -> Self {
        let steps = ended.iter().map(|(index, end)| (*index, StepState::Ended(*end))).collect();
        Self { steps, is_ended: true, ..Self::default() }
    }

    /// How far a step came.
    #[must_use]
    pub fn step(&self, index: usize) -> StepState {
        self.steps.get(&index).copied().unwrap_or(StepState::Untouched)
    }

    /// Whether the run came to its end.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.is_ended
    }

    /// Whether a step was put back.
    #[must_use]
    pub fn is_reverted(&self) -> bool {
        self.steps.values().any(|state| *state == StepState::Ended(StepEnd::Reverted))
    }

    /// Whether nothing can have happened that it does not say: the run came to its end, or the machine
    /// has not booted since, so that no line is lost. `boot` is the present one.
    #[must_use]
    pub fn is_certain(&self, boot: &str) -> bool {
        !self.is_damaged && (self.is_ended || (!boot.is_empty() && self.boot == boot))
    }
}

fn step_index(text: &str, steps: usize) -> Option<usize> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten().filter(|index| *index < steps)
}

fn state(word: &str) -> Option<StepState> {
    if word == "started" {
        return Some(StepState::Started);
    }
    StepEnd::ALL.iter().find(|(name, _)| *name == word).map(|(_, end)| StepState::Ended(*end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_a_step_counts() {
        let text = b"boot b\n0 started\n0 changed\n1 refused\n2 skipped\n3 started\n3 failed\n4 started\n";
        let progress = Progress::read(text, 6);
        let ended = StepState::Ended;
        let states: Vec<StepState> = (0..7).map(|index| progress.step(index)).collect();
        assert_eq!(
            states,
            [
                ended(StepEnd::Changed),
                ended(StepEnd::Refused),
                ended(StepEnd::Skipped),
                ended(StepEnd::Failed),
                StepState::Started,
                StepState::Untouched,
                StepState::Untouched,
            ]
        );
        assert!(!progress.is_ended() && !progress.is_reverted());
        assert!(progress.is_certain("b") && !progress.is_certain("c") && !progress.is_certain(""));
        let late = Progress::read(b"boot b\n0 changed\nend\n0 reverted\n", 1);
        assert!(late.is_ended() && late.is_reverted() && late.is_certain("c"));
        assert_eq!(late.step(0), ended(StepEnd::Reverted));
    }

    #[test]
    fn what_a_crash_leaves_is_not_certain() {
        for torn in [
            &b""[..],
            b"boot",
            b"boot ",
            b"0 changed\n",
            b"boot b\n0 chan",
            b"boot b\n\0\0\0\0",
            b"boot b\n1 changed\nend\n",
            b"boot b\n-0 changed\nend",
            b"boot b\n+0 changed\nend",
            b"boot b\n0 changed x\nend",
            b"boot b\n99999999999999999999999 changed\nend",
            b"boot b\n\xff\nend",
            b"boot b\nboot b\nend",
            b"end\nboot b\n",
        ] {
            assert!(!Progress::read(torn, 1).is_certain("b"), "{}", String::from_utf8_lossy(torn));
        }
        assert!(Progress::read(b"boot b\n0 changed", 1).is_certain("b"));
        assert!(Progress::read(b"boot b\n", 0).is_certain("b"));
    }
}
