//! systemd unit files: sections of `Key=value` lines, written and read.
//!
//! The syntax is that of systemd.syntax(7); what a value means depends on its key, so
//! a [`Value`] is made by the constructor that fits the key and is plain text afterwards.

mod name;
mod parse;
mod value;

#[cfg(test)]
mod systemd_tests;
#[cfg(test)]
mod tests;

pub use name::{escape_path, unescape_path};
pub use value::Value;

/// A unit file: its sections in order. A section may appear more than once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnitFile {
    /// The sections in the order of the file.
    pub sections: Vec<Section>,
}

/// One section, such as `[Service]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The name without brackets.
    pub name: String,
    /// The settings in the order of the file. A key may appear more than once; for
    /// lists each adds to the former, and an empty value empties the list.
    pub settings: Vec<Setting>,
}

/// One `Key=value` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The key: letters, digits, `-` and `_`.
    pub key: String,
    /// What stands after the equals sign.
    pub value: Value,
}

/// Why text cannot be written into a unit file or read from one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// A section name is empty or has brackets, control or non-ASCII characters.
    #[error("use {name:?} as the name of a unit section")]
    SectionName {
        /// The name.
        name: String,
    },
    /// A key has other characters than letters, digits, `-` and `_`.
    #[error("use {key:?} as the key of a unit setting")]
    Key {
        /// The key.
        key: String,
    },
    /// A character that ends a line for systemd, or that the setting cannot hold.
    #[error("write {character:?} into a unit file")]
    ForbiddenCharacter {
        /// A newline, carriage return or NUL; in environment variables and the paths
        /// of programs any control character.
        character: char,
    },
    /// systemd drops blanks at either end of a value.
    #[error("keep the blanks at the ends of the unit value {value:?}")]
    OuterBlanks {
        /// The value.
        value: String,
    },
    /// A backslash at the end of a line joins the next line to it.
    #[error("end the unit value {value:?} with a backslash")]
    TrailingBackslash {
        /// The value.
        value: String,
    },
    /// A line is longer than systemd reads.
    #[error("write a unit line of {bytes} bytes: systemd reads at most {limit}")]
    TooLong {
        /// The length of the line, its newline not counted.
        bytes: usize,
        /// The longest line.
        limit: usize,
    },
    /// A path is not absolute.
    #[error("use {path:?} in a unit: the path must begin with a slash")]
    RelativePath {
        /// The path.
        path: String,
    },
    /// A path has a component `..`, which systemd refuses in unit names.
    #[error("name a unit after {path:?}: the path must not contain `..`")]
    ParentComponent {
        /// The path.
        path: String,
    },
    /// The path of a program has a form that systemd refuses or would change.
    #[error(
        "run {program:?} from a unit: the path must not end with a slash or contain `$`, quotes or backslashes"
    )]
    Program {
        /// The path.
        program: String,
    },
    /// An environment variable's name is not a shell name.
    #[error("set the environment variable {name:?}: a name has letters, digits and `_`, and no digit first")]
    VariableName {
        /// The name.
        name: String,
    },
    /// A line that is neither section, setting nor comment.
    #[error("read line {line} of the unit file: expected {expected}")]
    Syntax {
        /// The line, counted from 1. Where lines are joined, the last of them.
        line: usize,
        /// What was expected.
        expected: &'static str,
    },
}

/// systemd's limit for one line (`LONG_LINE_MAX`), continuations included.
const LONGEST_LINE: usize = 1024 * 1024 - 1;

impl UnitFile {
    /// Reads a unit file: comments and blank lines are dropped, continued lines joined.
    ///
    /// # Errors
    /// At the first line that systemd would warn about and ignore.
    pub fn parse(text: &str) -> Result<Self, UnitError> {
        parse::unit_file(text)
    }

    /// Adds a section with these settings.
    #[must_use]
    pub fn with_section(
        mut self,
        name: &str,
        settings: impl IntoIterator<Item = (&'static str, Value)>,
    ) -> Self {
        let settings =
            settings.into_iter().map(|(key, value)| Setting { key: key.to_owned(), value }).collect();
        self.sections.push(Section { name: name.to_owned(), settings });
        self
    }

    /// Every value of `key` in the sections called `section`, in order.
    pub fn values<'a>(&'a self, section: &'a str, key: &'a str) -> impl Iterator<Item = &'a Value> {
        self.sections
            .iter()
            .filter(move |candidate| candidate.name == section)
            .flat_map(|section| &section.settings)
            .filter(move |setting| setting.key == key)
            .map(|setting| &setting.value)
    }

    /// The file's text: one line per setting, an empty line between sections.
    ///
    /// # Errors
    /// When a section or key has a name that does not survive, or a line is too long.
    pub fn emit(&self) -> Result<String, UnitError> {
        let mut text = String::new();
        for section in &self.sections {
            if !is_section_name(&section.name) {
                return Err(UnitError::SectionName { name: section.name.clone() });
            }
            let gap = if text.is_empty() { "" } else { "\n" };
            text.push_str(&format!("{gap}[{}]\n", section.name));
            for setting in &section.settings {
                text.push_str(&setting.line()?);
                text.push('\n');
            }
        }
        Ok(text)
    }
}

impl Setting {
    fn line(&self) -> Result<String, UnitError> {
        if !is_key(&self.key) {
            return Err(UnitError::Key { key: self.key.clone() });
        }
        let line = format!("{}={}", self.key, self.value);
        if line.len() > LONGEST_LINE {
            return Err(UnitError::TooLong { bytes: line.len(), limit: LONGEST_LINE });
        }
        Ok(line)
    }
}

fn is_section_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_graphic() && !b"[]".contains(&byte) || byte == b' ')
}

fn is_key(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}
