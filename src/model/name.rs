//! Names of the members of a fleet: short, visible, safe in a path and in a unit name.

use std::fmt;

/// Why a text is not a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a name")]
pub struct NameError {
    text: String,
}

/// What a name looks like, for messages.
pub const NAME_SHAPE: &str = "a name: lower-case letters, digits and `-`, at most 63, the first not `-`";

impl NameError {
    /// The name that was probably meant: in lower case, with `-` for what divides words.
    #[must_use]
    pub fn suggestion(&self) -> Option<String> {
        let likely = self.text.to_lowercase().replace(['_', ' ', '.'], "-");
        check(&likely).is_ok().then_some(likely)
    }
}

fn check(text: &str) -> Result<(), NameError> {
    let starts_well =
        text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let holds_well =
        text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if starts_well && holds_well && text.len() <= 63 {
        Ok(())
    } else {
        Err(NameError { text: text.to_owned() })
    }
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Takes a text as a name: 1 to 63 of `a-z 0-9 -`, not starting with `-`.
            ///
            /// # Errors
            /// [`NameError`] when the text is anything else.
            pub fn new(text: &str) -> Result<Self, NameError> {
                check(text).map(|()| Self(text.to_owned()))
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "{:?}", self.0)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    )+};
}

names! {
    /// The name of a fleet.
    FleetName;
    /// The name of a machine, unique in its fleet.
    MachineName;
    /// The name of a tier.
    TierName;
    /// The name of a role, which is also its file's stem.
    RoleName;
    /// The name of an outside service (a git host, a bucket, a cloud account).
    ServiceName;
    /// The name of a surface.
    SurfaceName;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_plain() {
        for good in ["cc-pc", "b2", "1", "hs-nas"] {
            assert_eq!(MachineName::new(good).unwrap().as_str(), good);
        }
        for bad in ["", "-a", "A", "a b", "a/b", "a.b", "ä", &"a".repeat(64)] {
            assert!(MachineName::new(bad).is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn a_wrong_name_has_a_right_one_near_it() {
        let suggestion = |text| MachineName::new(text).unwrap_err().suggestion();
        assert_eq!(suggestion("CC_PC").as_deref(), Some("cc-pc"));
        assert_eq!(suggestion("my fleet.2").as_deref(), Some("my-fleet-2"));
        for hopeless in ["", "_a", "ä", "../a"] {
            assert_eq!(suggestion(hopeless), None, "{hopeless}");
        }
    }
}
