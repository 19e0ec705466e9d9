//! One call of a shell function with its arguments, before it is text in any dialect.

/// Shell functions that calls rely on. Sent once per connection, in the order of first use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Library {
    /// Its name, so that it is sent once.
    pub name: &'static str,
    /// The functions in POSIX sh, on systems with the tools of `BusyBox` or coreutils.
    pub posix: &'static str,
    /// Libraries that its functions call, beside those that every session has.
    pub needs: &'static [Library],
}

/// A call of a shell function. Arguments are data: they reach the function byte for byte.
///
/// A function is called inside the machine's shell, so arguments do not show in its process list
/// unless the function passes them on to a program. Even so, a secret is never an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The function.
    pub function: &'static str,
    /// Its arguments, without NUL.
    pub arguments: Vec<String>,
}

impl Call {
    /// A call.
    #[must_use]
    pub fn new(function: &'static str, arguments: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { function, arguments: arguments.into_iter().map(Into::into).collect() }
    }
}
