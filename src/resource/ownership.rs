//! Owner, group and mode: reading them, comparing them, showing them.

use super::answer::PathFacts;
use super::difference::Detail;
use crate::model::Fields;

/// Reads a mode as chmod takes it: three or four octal digits.
///
/// # Errors
/// A text that says what is wrong.
pub fn mode_from(text: &str) -> Result<u32, String> {
    let fits = (3..=4).contains(&text.len()) && text.bytes().all(|digit| (b'0'..=b'7').contains(&digit));
    if fits {
        u32::from_str_radix(text, 8).map_err(|error| error.to_string())
    } else {
        Err(format!("`{text}` is not a mode"))
    }
}

/// A mode as four octal digits.
#[must_use]
pub fn mode_text(mode: u32) -> String {
    format!("{mode:04o}")
}

/// Reads the `mode` field.
pub fn read_mode(fields: &mut Fields<'_>) -> Option<u32> {
    fields.parsed("mode", "three or four octal digits such as 0644", mode_from)
}

/// Reads a user's or group's name.
pub fn read_account(fields: &mut Fields<'_>, key: &'static str) -> Option<String> {
    fields.parsed(key, "a name such as www-data, or a number", account_from)
}

fn account_from(text: &str) -> Result<String, String> {
    let plain = !text.is_empty()
        && !text.starts_with('-')
        && text.chars().all(|character| character.is_ascii_alphanumeric() || "._-$".contains(character));
    if plain { Ok(text.to_owned()) } else { Err(format!("`{text}` is not the name of an account")) }
}

/// What of owner, group and mode differs from what is there; `None` desires nothing.
#[must_use]
pub fn differences(
    facts: &PathFacts,
    owner: Option<&str>,
    group: Option<&str>,
    mode: Option<u32>,
) -> Vec<Detail> {
    let mut details = Vec::new();
    let mut account = |name: &str, wanted: Option<&str>, found: &str, number: u32| {
        if let Some(wanted) = wanted
            && wanted != found
            && wanted != number.to_string()
        {
            details.push(Detail::Value {
                name: name.to_owned(),
                from: Some(found.to_owned()),
                to: wanted.to_owned(),
            });
        }
    };
    account("owner", owner, &facts.user, facts.uid);
    account("group", group, &facts.group, facts.gid);
    if let Some(wanted) = mode
        && wanted != facts.mode
    {
        details.push(Detail::Value {
            name: "mode".to_owned(),
            from: Some(mode_text(facts.mode)),
            to: mode_text(wanted),
        });
    }
    details
}

/// The owner, group and mode a new thing gets, as details.
#[must_use]
pub fn wanted(owner: &str, group: Option<&str>, mode: u32) -> Vec<Detail> {
    let value = |name: &str, to: String| Detail::Value { name: name.to_owned(), from: None, to };
    let mut details = vec![value("owner", owner.to_owned())];
    details.extend(group.map(|group| value("group", group.to_owned())));
    details.push(value("mode", mode_text(mode)));
    details
}

/// A group as an argument of the machine's functions: `-` leaves it alone.
#[must_use]
pub fn argument(value: Option<&str>) -> String {
    value.unwrap_or("-").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_octal_digits() {
        assert_eq!(mode_from("0644"), Ok(0o644));
        assert_eq!(mode_from("755"), Ok(0o755));
        assert_eq!(mode_from("2775"), Ok(0o2775));
        for bad in ["", "64", "0888", "00644", "u+x", "+644"] {
            assert!(mode_from(bad).is_err(), "{bad}");
        }
        assert_eq!(mode_text(0o644), "0644");
    }

    #[test]
    fn accounts_do_not_look_like_options() {
        assert!(account_from("www-data").is_ok());
        assert!(account_from("-R").is_err());
        assert!(account_from("a b").is_err());
        assert!(account_from("a:b").is_err());
    }

    #[test]
    fn numbers_and_names_both_match() {
        let mut facts = PathFacts::absent();
        facts.user = "root".to_owned();
        facts.group = "adm".to_owned();
        facts.gid = 4;
        facts.mode = 0o640;
        assert!(differences(&facts, Some("root"), Some("4"), Some(0o640)).is_empty());
        assert!(differences(&facts, Some("0"), Some("adm"), None).is_empty());
        assert_eq!(differences(&facts, Some("alice"), Some("root"), Some(0o600)).len(), 3);
    }
}
