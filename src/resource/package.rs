//! A package of the machine's distribution, installed by apt. Its version is the distribution's choice.

mod left;

use serde_json::{Value as Json, json};

use super::answer::{Answers, ObserveError};
use super::declared::{Declared, Origin, Resource};
use super::difference::{Action, Comparison, Detail, Difference};
use super::operation::Operation;
use super::question::Question;
use super::reading::Reading;
use super::remnant::Touched;
use super::{aspects, way_in};
use crate::model::{Aspects, Diagnostic, Diagnostics, Fields, Node, ResourceId, Value};
use crate::shell::{Call, Library};

pub(super) use left::recall;

/// The kind's word.
pub const KIND: &str = "package";

const LIBRARY: Library = Library { name: KIND, posix: include_str!("package.sh"), needs: &[] };

/// A package that has to be installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its name, as [`is_name`] takes it.
    pub name: String,
}

/// Whether a text is a package's name: at least two of `a-z 0-9 + . -`, starting with a letter or
/// digit (Debian Policy 5.6.7), and an architecture after a `:` if need be. A name that ends with
/// `-` is not taken, since apt-get reads that as "remove".
#[must_use]
pub fn is_name(text: &str) -> bool {
    let (name, architecture) = text.split_once(':').unwrap_or((text, "any"));
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.len() >= 2
        && name.bytes().next().is_some_and(plain)
        && name.bytes().all(|byte| plain(byte) || b"+.-".contains(&byte))
        && !name.ends_with('-')
        && !architecture.is_empty()
        && architecture.bytes().all(|byte| plain(byte) || byte == b'-')
}

impl Resource for Package {
    fn id(&self) -> ResourceId {
        ResourceId::new(KIND, &self.name)
    }

    fn questions(&self) -> Vec<Question> {
        vec![Question::Package(self.name.clone())]
    }

    fn compare(&self, answers: Answers<'_>) -> Result<Comparison, ObserveError> {
        if answers.package(0)?.is_some() {
            return Ok(Comparison::InOrder);
        }
        Ok(Comparison::Differs(Difference {
            action: Action::Create,
            details: vec![Detail::flag("installed", true)],
            operations: vec![Operation {
                library: LIBRARY,
                call: Call::new("fp_package_install", [&self.name]),
                payload: None,
                within: None,
            }],
        }))
    }

    fn guards(&self) -> bool {
        way_in::needs_package(&self.name)
    }

    fn wanted(&self) -> Aspects {
        Aspects::from([("installed".to_owned(), aspects::flag(true))])
    }

    fn observed(&self, answers: Answers<'_>) -> Result<Aspects, ObserveError> {
        Ok(if answers.package(0)?.is_some() { self.wanted() } else { Aspects::new() })
    }

    fn remains(&self) -> Json {
        json!({})
    }

    fn touches(&self) -> Vec<Touched> {
        vec![Touched::Other(format!("package {}", self.name))]
    }
}

/// Reads `package: NAME` or `package: {name: NAME}`.
pub fn read(
    node: &Node,
    origin: &Origin,
    _reading: &Reading<'_>,
    problems: &mut Diagnostics,
) -> Vec<Declared> {
    let expected = "a Debian package's name such as rclone";
    let name = if let Value::Scalar { text, .. } = &node.value {
        if is_name(text) {
            Some(text.clone())
        } else {
            problems.push(
                Diagnostic::at(&node.span, format!("`{text}` is not a package's name")).expected(expected),
            );
            None
        }
    } else {
        Fields::open(node, KIND, problems).and_then(|mut fields| {
            let name = fields.required("name", expected, |text| {
                if is_name(text) {
                    Ok(text.to_owned())
                } else {
                    Err(format!("`{text}` is not a package's name"))
                }
            });
            fields.close();
            name
        })
    };
    name.map(|name| Declared::new(Package { name }, origin.clone())).into_iter().collect()
}

#[cfg(test)]
mod tests;
