//! How a thing that a run touched was, was left, or is: a machine's words, understood as far as they are shown.

use crate::model::Digest;

/// How something is, in the words of `fp_thing_words` (`keep.sh`). Two are the same when their words are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition(String);

/// What the words say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State<'a> {
    /// Nothing is there.
    Absent,
    /// A regular file.
    File { shape: Shape<'a>, digest: &'a str },
    /// A folder, itself.
    Directory(Shape<'a>),
    /// A link; its target in base64.
    Link { user: &'a str, group: &'a str, target: &'a str },
    /// A systemd unit.
    Unit { enabled: &'a str, active: bool },
    /// A crontab with its digest; none.
    Crontab(Option<&'a str>),
    /// It is not known, or was not kept; why.
    Unkept(&'a str),
    /// Something that is no file, folder or link, or words that make no sense.
    Other,
}

/// Mode in octal digits, numbers of user and group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape<'a> {
    pub(super) mode: &'a str,
    pub(super) user: &'a str,
    pub(super) group: &'a str,
}

impl Condition {
    /// Takes a machine's words.
    pub(super) fn new(words: &str) -> Self {
        Self(words.to_owned())
    }

    /// The words.
    pub(super) fn words(&self) -> &str {
        &self.0
    }

    /// What they say.
    pub(super) fn state(&self) -> State<'_> {
        if let Some(reason) = self.0.strip_prefix("unkept ") {
            return State::Unkept(reason);
        }
        let words: Vec<&str> = self.0.split(' ').collect();
        match words.as_slice() {
            ["absent"] => State::Absent,
            ["file", mode, user, group, digest] => State::File { shape: Shape { mode, user, group }, digest },
            ["directory", mode, user, group] => State::Directory(Shape { mode, user, group }),
            ["link", user, group, target] => State::Link { user, group, target },
            ["unit", enabled, active] => State::Unit { enabled, active: *active == "active" },
            ["crontab", "absent"] => State::Crontab(None),
            ["crontab", digest] => State::Crontab(Some(digest)),
            _ => State::Other,
        }
    }

    /// The digest of a file's content or a crontab's.
    pub(super) fn digest(&self) -> Option<Digest> {
        match self.state() {
            State::File { digest, .. } | State::Crontab(Some(digest)) => Digest::parse(digest).ok(),
            _ => None,
        }
    }

    /// Whether nothing is there.
    pub(super) fn is_absent(&self) -> bool {
        matches!(self.state(), State::Absent | State::Crontab(None))
    }

    /// For a person: `a file with mode 0644`.
    pub(super) fn described(&self) -> String {
        match self.state() {
            State::Absent => "not there".to_owned(),
            State::File { shape, .. } => format!("a file with mode {}", octal(shape.mode)),
            State::Directory(shape) => format!("a folder with mode {}", octal(shape.mode)),
            State::Link { .. } => "a link".to_owned(),
            State::Unit { enabled, active } => {
                format!("{enabled} and {}", if active { "active" } else { "not active" })
            }
            State::Crontab(None) => "not there".to_owned(),
            State::Crontab(Some(_)) => "a crontab".to_owned(),
            State::Unkept(reason) => format!("not known: {reason}"),
            State::Other => "something else".to_owned(),
        }
    }

    /// How this differs from what a run left, for a person.
    pub(super) fn moved_from(&self, left: &Self) -> String {
        match (left.state(), self.state()) {
            (State::File { shape: one, digest }, State::File { shape: other, digest: now }) => {
                let parts = [
                    (digest != now).then_some("its content"),
                    (one.mode != other.mode).then_some("its mode"),
                    ((one.user, one.group) != (other.user, other.group)).then_some("its owner or group"),
                ];
                format!("{} changed since", parts.into_iter().flatten().collect::<Vec<_>>().join(" and "))
            }
            (State::Directory(_), State::Directory(_)) => "its mode or owner changed since".to_owned(),
            (State::Link { .. }, State::Link { .. }) => "it leads elsewhere since".to_owned(),
            (State::Crontab(Some(_)), State::Crontab(Some(_))) => "it changed since".to_owned(),
            _ => format!("the run left it {}, and it is {}", left.described(), self.described()),
        }
    }
}

/// A mode as four octal digits.
pub(super) fn octal(mode: &str) -> String {
    format!("{mode:0>4}")
}
