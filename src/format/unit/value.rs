//! The right-hand sides of unit settings, and how each kind is quoted.

use std::fmt;

use super::UnitError;

/// What stands after the equals sign of a setting, on one line, ready to be written.
///
/// In every constructor but [`Value::verbatim`] a `%` is a percent sign and not one of
/// the specifiers of systemd.unit(5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value(String);

impl Value {
    /// Text that is already in systemd's own syntax, such as `network-online.target`,
    /// `*-*-* 03:10:00`, `%h/.cache` or nothing (which empties a list).
    ///
    /// # Errors
    /// When it does not survive on a line: line ends, outer blanks, a backslash at the end.
    pub fn verbatim(text: &str) -> Result<Self, UnitError> {
        if let Some(character) = text.chars().find(|character| "\n\r\0".contains(*character)) {
            return Err(UnitError::ForbiddenCharacter { character });
        }
        if text.trim_matches([' ', '\t']).len() != text.len() {
            return Err(UnitError::OuterBlanks { value: text.to_owned() });
        }
        if ends_in_open_escape(text) {
            return Err(UnitError::TrailingBackslash { value: text.to_owned() });
        }
        Ok(Self(text.to_owned()))
    }

    /// Free text that systemd takes as one string, such as `Description=`.
    ///
    /// # Errors
    /// As [`Value::verbatim`].
    pub fn text(text: &str) -> Result<Self, UnitError> {
        Self::verbatim(&text.replace('%', "%%"))
    }

    /// One absolute path where systemd removes no quotes: `What=`, `Where=`,
    /// `WorkingDirectory=`, `EnvironmentFile=`. Lists of paths are [`Value::words`].
    ///
    /// # Errors
    /// When the path is relative, and as [`Value::verbatim`].
    pub fn path(path: &str) -> Result<Self, UnitError> {
        if !path.starts_with('/') {
            return Err(UnitError::RelativePath { path: path.to_owned() });
        }
        Self::text(path)
    }

    /// A list of words where systemd removes quotes, such as `ReadWritePaths=`.
    ///
    /// # Errors
    /// When a word holds a line end or NUL.
    pub fn words(words: &[&str]) -> Result<Self, UnitError> {
        joined(words.iter().map(|word| quoted(&word.replace('%', "%%"))))
    }

    /// Variables for `Environment=`, each as one quoted assignment. `$` has no meaning
    /// there (systemd.exec(5)).
    ///
    /// # Errors
    /// When a name is not a shell name, or a value holds a control character other
    /// than a tab, which systemd rejects.
    pub fn environment(variables: &[(&str, &str)]) -> Result<Self, UnitError> {
        joined(variables.iter().map(|(name, value)| {
            if !is_variable_name(name) {
                return Err(UnitError::VariableName { name: (*name).to_owned() });
            }
            let control = |character: &char| character.is_control() && *character != '\t';
            if let Some(character) = value.chars().find(control) {
                return Err(UnitError::ForbiddenCharacter { character });
            }
            quoted(&format!("{name}={}", value.replace('%', "%%")))
        }))
    }

    /// A command line for `ExecStart=` and its like: the program gets exactly these
    /// arguments. No shell is involved; `$` and `%` are ordinary characters.
    ///
    /// `program` is an absolute path. systemd refuses quotes, backslashes and control
    /// characters in it (`string_is_safe`); it expands `$` in `argv[0]` but not in the
    /// path, so a `$` cannot be written in a way that suits both.
    ///
    /// # Errors
    /// When the program is relative or has a form systemd would change, or when a word
    /// holds a line end or NUL.
    pub fn command(program: &str, arguments: &[&str]) -> Result<Self, UnitError> {
        if !program.starts_with('/') {
            return Err(UnitError::RelativePath { path: program.to_owned() });
        }
        if program.ends_with('/') || program.contains(['$', '"', '\'', '\\']) {
            return Err(UnitError::Program { program: program.to_owned() });
        }
        if let Some(character) = program.chars().find(|character| character.is_control()) {
            return Err(UnitError::ForbiddenCharacter { character });
        }
        let program = quoted(&program.replace('%', "%%"));
        let arguments =
            arguments.iter().map(|argument| quoted(&argument.replace('%', "%%").replace('$', "$$")));
        joined(std::iter::once(program).chain(arguments))
    }

    /// A value as it stood in a file, already without outer blanks.
    pub(super) fn of_line(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text after the equals sign.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Whether a line that ends like this goes on in the next one. Backslashes pair up
/// from the left, so two at the end do not join lines.
pub(super) fn ends_in_open_escape(line: &str) -> bool {
    line.bytes().fold(false, |escaped, byte| !escaped && byte == b'\\')
}

fn joined(words: impl Iterator<Item = Result<String, UnitError>>) -> Result<Value, UnitError> {
    let words: Vec<String> = words.collect::<Result<_, _>>()?;
    Ok(Value(words.join(" ")))
}

/// A word that systemd.syntax(7), QUOTING, reads back as exactly `word`: bare if it
/// has only harmless characters, else in double quotes.
fn quoted(word: &str) -> Result<String, UnitError> {
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:=@,+%$".contains(&byte);
    if !word.is_empty() && word.bytes().all(harmless) {
        return Ok(word.to_owned());
    }
    let mut text = String::with_capacity(word.len() + 2);
    text.push('"');
    for character in word.chars() {
        match character {
            '\n' | '\r' | '\0' => return Err(UnitError::ForbiddenCharacter { character }),
            '"' | '\\' => text.extend(['\\', character]),
            other if other.is_ascii_control() => {
                text.push_str(&format!("\\x{:02x}", u32::from(other)));
            }
            other => text.push(other),
        }
    }
    text.push('"');
    Ok(text)
}

fn is_variable_name(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
