//! Cases for owned keys in an INI file.

use std::process::Command;

use proptest::prelude::*;

use super::{IniError, SectionRemoval, get, remove, remove_section, set};
use crate::format::NotText;

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_value_is_found_in_its_section() {
    let file = b"top = 1\n[a]\nkey=  two words # no comment  \n[ b ] ; note\nkey = \n\tx=y=z\n";
    let cases = [
        (None, "top", Some(&b"1"[..])),
        (None, "key", None),
        (Some("a"), "key", Some(b"two words # no comment")),
        (Some("b"), "key", Some(b"")),
        (Some("b"), "x", Some(b"y=z")),
        (Some("B"), "x", None),
        (Some("c"), "x", None),
    ];
    for (section, key, expected) in cases {
        assert_eq!(get(file, section, key).unwrap(), expected, "{section:?} {key}");
    }
}

#[test]
fn edits_keep_everything_else() {
    let cases: [(&str, Option<&str>, &str, &str, &str); 17] = [
        // A value that is there.
        ("[a]\nk=1 \n", Some("a"), "k", "2", "[a]\nk=2 \n"),
        ("[a]\n\tk\t=  1\r\nl=2", Some("a"), "k", "x", "[a]\n\tk\t=  x\r\nl=2"),
        ("k=\n", None, "k", "v", "k=v\n"),
        ("k =\n", None, "k", "v", "k = v\n"),
        ("k = \n", None, "k", "v", "k = v\n"),
        ("k = v\n", None, "k", "", "k = \n"),
        // A new key follows the spacing of its section, else of the file.
        (
            "[a]\nk=1\n\n# about b\n[b]\nx : y\n",
            Some("a"),
            "l",
            "2",
            "[a]\nk=1\nl=2\n\n# about b\n[b]\nx : y\n",
        ),
        ("[a]\n\tk = 1\n[b]\n# c\n", Some("b"), "l", "2", "[a]\n\tk = 1\n[b]\n\tl = 2\n# c\n"),
        ("[a]\r\n[b]\r\n", Some("a"), "l", "", "[a]\r\nl =\r\n[b]\r\n"),
        ("[a]\nk=1", Some("a"), "l", "2", "[a]\nk=1\nl=2"),
        // Sections with one name are one section.
        ("[a]\nk=1\n[b]\n[a]\nl=2\n\n", Some("a"), "m", "3", "[a]\nk=1\n[b]\n[a]\nl=2\nm=3\n\n"),
        // Keys above the first section.
        ("\u{feff}# head\n[a]\nk=1\n", None, "t", "2", "\u{feff}t=2\n# head\n[a]\nk=1\n"),
        ("# head\n", None, "t", "2", "# head\nt = 2\n"),
        ("t = 1\n\n[a]\n", None, "u", "2", "t = 1\nu = 2\n\n[a]\n"),
        // A new section.
        ("", Some("a"), "k", "1", "[a]\nk = 1\n"),
        ("[a]\nk=1\n", Some("b"), "k", "2", "[a]\nk=1\n\n[b]\nk=2\n"),
        ("[a]\r\nk = 1\r\n\r\n", Some("b"), "k", "2", "[a]\r\nk = 1\r\n\r\n[b]\r\nk = 2\r\n\r\n"),
    ];
    for (before, section, key, value, after) in cases {
        let edited = set(before.as_bytes(), section, key, value).unwrap();
        assert_eq!(text(edited), after, "from {before:?}");
    }
}

#[test]
fn a_removed_key_takes_its_line_with_it() {
    let cases = [
        ("[a]\nk=1\nl=2\n", "[a]\nl=2\n"),
        ("[a]\r\nl=2\r\nk=1", "[a]\r\nl=2"),
        ("[a]\nl=2\n", "[a]\nl=2\n"),
        ("k=1\n[a]\n", "k=1\n[a]\n"),
        ("[a]\n# about k\nk=1 # note\n\n", "[a]\n# about k\n\n"),
    ];
    for (before, after) in cases {
        let edited = remove(before.as_bytes(), Some("a"), "k").unwrap();
        assert_eq!(text(edited), after, "from {before:?}");
    }
}

#[test]
fn a_section_goes_with_one_blank_line() {
    use SectionRemoval::{Always, IfEmpty};
    let cases = [
        (Always, "[b]\nx=1\n\n[a]\nk=1\n\n[c]\n", "[b]\nx=1\n\n[c]\n"),
        (Always, "[b]\nx=1\n\n[a]\nk=1\n", "[b]\nx=1\n"),
        (Always, "[a]\nk=1\n# inside\nl=2\n# about c\n[c]\n", "# about c\n[c]\n"),
        (Always, "[a]\nk=1\n[b]\n[a]\nl=1\n", "[b]\n"),
        (Always, "x=1\n\n[a]\nk=1", "x=1"),
        (Always, "[a]\nrubbish\n", ""),
        (IfEmpty, "[a]\nk=1\n", "[a]\nk=1\n"),
        (IfEmpty, "[a]\nrubbish\n", "[a]\nrubbish\n"),
        (IfEmpty, "[a]\n# mine\n", "[a]\n# mine\n"),
        (IfEmpty, "[a]\n\n# about b\n[b]\n", "# about b\n[b]\n"),
        (IfEmpty, "[a]\nk=1\n[a]\n[b]\n[a]\n", "[a]\nk=1\n[b]\n"),
        (Always, "[b]\n", "[b]\n"),
    ];
    for (removal, before, after) in cases {
        let edited = remove_section(before.as_bytes(), "a", removal).unwrap();
        assert_eq!(text(edited), after, "{removal:?} from {before:?}");
    }
}

#[test]
fn what_cannot_be_read_one_way_is_refused_with_its_line() {
    assert_eq!(
        get(b"[a]\nk=1\n[b]\nk=2\n[a]\nk = 3\n", Some("a"), "k"),
        Err(IniError::DuplicateKey { key: "k".to_owned(), first: 2, second: 6 })
    );
    assert_eq!(
        get(b"[a]\nk=1\nk=2\nl=3\n", Some("a"), "l").unwrap(),
        Some(&b"3"[..]),
        "a doubled key that nobody asks for is left alone"
    );
    for header in ["[a", "[]", "[ ]", "[a] b", "[a]]b"] {
        assert_eq!(
            set(format!("\n{header}\n").as_bytes(), None, "k", "v"),
            Err(IniError::Header { line: 2 }),
            "{header}"
        );
    }
    assert_eq!(get(b"[remote \"a]b\"]\nk=1\n", Some("remote \"a]b\""), "k").unwrap(), Some(&b"1"[..]));
    assert_eq!(
        get(b"\xff\xfe[\0a\0]\0", Some("a"), "k"),
        Err(IniError::NotText(NotText::ZeroByte { line: 1 }))
    );
}

#[test]
fn what_would_not_be_read_back_is_refused() {
    for value in ["a\nb", "a\r", " a", "a\t", "\0"] {
        let error = set(b"", Some("a"), "k", value).unwrap_err();
        assert_eq!(error, IniError::Value { key: "k".to_owned() });
    }
    for key in ["", " k", "k=", "[k", "#k", ";k", "k\n", "\u{feff}k"] {
        assert_eq!(set(b"", None, key, "v"), Err(IniError::KeyName { name: key.to_owned() }));
    }
    for section in ["", " a", "a\n", "a] ;b"] {
        assert_eq!(
            remove_section(b"", section, SectionRemoval::Always),
            Err(IniError::SectionName { name: section.to_owned() })
        );
    }
}

/// Asks the installed rclone what it reads in a configuration file.
fn rclone_reads(file: &[u8]) -> serde_json::Value {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rclone.conf");
    std::fs::write(&path, file).unwrap();
    let output = Command::new("rclone")
        .arg("--config")
        .arg(&path)
        .args(["config", "dump"])
        .output()
        .expect("these tests need rclone in the path");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn rclone_reads_what_was_set() {
    let mut file = b"# mine\n[hub]\ntype = sftp\nhost = old\n\n[b2]\ntype = b2\n\n".to_vec();
    for (section, key, value) in [
        ("hub", "host", "192.0.2.1"),
        ("hub", "known_hosts_file", "C:\\keys\\hosts # not a comment\\"),
        ("b2", "hard_delete", "false"),
        ("new", "type", "alias"),
        ("new", "remote", "hub:/srv; a = b"),
        ("new", "empty", ""),
    ] {
        file = set(&file, Some(section), key, value).unwrap();
    }
    assert_eq!(
        rclone_reads(&file),
        serde_json::json!({
            "hub": {
                "type": "sftp",
                "host": "192.0.2.1",
                "known_hosts_file": "C:\\keys\\hosts # not a comment\\",
            },
            "b2": {"type": "b2", "hard_delete": "false"},
            "new": {"type": "alias", "remote": "hub:/srv; a = b", "empty": ""},
        })
    );
    file = remove(&file, Some("b2"), "hard_delete").unwrap();
    file = remove_section(&file, "new", SectionRemoval::Always).unwrap();
    assert_eq!(
        text(file),
        "# mine\n[hub]\ntype = sftp\nhost = 192.0.2.1\n\
         known_hosts_file = C:\\keys\\hosts # not a comment\\\n\n[b2]\ntype = b2\n\n"
    );
}

/// Files made of the pieces that matter, valid or not.
fn files() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "\n",
        "\n",
        "\r\n",
        "\r\n",
        "[a]",
        "[b]",
        "[ a ] ; c",
        "k=1",
        "k = 2",
        "\tl\t=\tx ",
        "m =",
        "# c",
        "; c",
        " ",
        "rubbish",
        "é = ü",
        "=",
        "[",
        "\r",
    ]);
    let mark = prop::sample::select(vec!["", "\u{feff}"]);
    let lines = (mark, prop::collection::vec(piece, 0..16))
        .prop_map(|(mark, parts)| format!("{mark}{}", parts.concat()).into_bytes());
    prop_oneof![4 => lines, 1 => prop::collection::vec(any::<u8>(), 0..60)]
}

fn sections() -> impl Strategy<Value = Option<&'static str>> {
    prop::sample::select(vec![None, Some("a"), Some("b"), Some("new")])
}

fn keys() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["k", "l", "m", "new", "two words"])
}

fn values() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[!-~ü]{1,3}( [!-~]{1,3})?"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn set_then_get_set_again_and_remove(
        file in files(),
        section in sections(),
        key in keys(),
        value in values(),
        other in values(),
    ) {
        let Ok(before) = get(&file, section, key) else {
            prop_assert_eq!(
                set(&file, section, key, &value).unwrap_err(),
                get(&file, section, key).unwrap_err()
            );
            return Ok(());
        };
        let had_section = section.is_none_or(|name| {
            remove_section(&file, name, SectionRemoval::Always).unwrap() != file
        });
        let once = set(&file, section, key, &value).unwrap();
        prop_assert_eq!(get(&once, section, key).unwrap(), Some(value.as_bytes()));
        prop_assert_eq!(&set(&once, section, key, &value).unwrap(), &once);
        if let Some(before) = before {
            prop_assert!(before != value.as_bytes() || once == file, "the same value changed a byte");
            let before = std::str::from_utf8(before).unwrap_or_default();
            // An empty value cannot tell how it was spaced, and a carriage return is not written.
            if !before.is_empty() && !value.is_empty() && !before.contains('\r') {
                prop_assert_eq!(set(&once, section, key, before).unwrap(), file);
            }
        } else {
            let changed = set(&once, section, key, &other).unwrap();
            let mut restored = remove(&changed, section, key).unwrap();
            if let (false, Some(name)) = (had_section, section) {
                restored = remove_section(&restored, name, SectionRemoval::IfEmpty).unwrap();
            }
            prop_assert_eq!(restored, file);
        }
    }

    #[test]
    fn other_keys_keep_their_values(
        file in files(),
        section in sections(),
        key in keys(),
        value in values(),
        other_section in sections(),
        other_key in keys(),
    ) {
        if (section, key) == (other_section, other_key) {
            return Ok(());
        }
        let Ok(expected) = get(&file, other_section, other_key) else {
            return Ok(());
        };
        if let Ok(edited) = set(&file, section, key, &value) {
            prop_assert_eq!(get(&edited, other_section, other_key).unwrap(), expected);
        }
        if let Ok(edited) = remove(&file, section, key) {
            prop_assert_eq!(get(&edited, section, key).unwrap(), None);
            prop_assert_eq!(get(&edited, other_section, other_key).unwrap(), expected);
        }
    }

    #[test]
    fn a_removed_section_is_gone_and_the_rest_is_not(file in files()) {
        if let Ok(edited) = remove_section(&file, "a", SectionRemoval::Always) {
            for key in ["k", "l", "m"] {
                prop_assert_eq!(get(&edited, Some("a"), key).unwrap(), None);
                prop_assert_eq!(get(&edited, Some("b"), key), get_moved(&file, key, &edited));
            }
        }
    }
}

/// What `get` says of a key in `[b]`; a duplicate is reported with the lines of the edited file.
fn get_moved<'a>(file: &'a [u8], key: &str, edited: &'a [u8]) -> Result<Option<&'a [u8]>, IniError> {
    match get(file, Some("b"), key) {
        Err(IniError::DuplicateKey { .. }) => get(edited, Some("b"), key),
        other => other,
    }
}
