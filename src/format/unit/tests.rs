//! Values, files and names as tables, and values read back by the manual's rules.

use proptest::prelude::*;

use super::{UnitError, UnitFile, Value, escape_path};

fn forbidden<T>(character: char) -> Result<T, UnitError> {
    Err(UnitError::ForbiddenCharacter { character })
}

#[test]
fn an_emitted_file() {
    let unit = UnitFile::default()
        .with_section("Unit", [("Description", Value::text("backup, 100% of it").unwrap())])
        .with_section(
            "Service",
            [
                ("Type", Value::verbatim("oneshot").unwrap()),
                ("Environment", Value::environment(&[("A", "1"), ("B", "x $y \"z\" 5%")]).unwrap()),
                ("WorkingDirectory", Value::path("/srv/my sites").unwrap()),
                ("ExecStart", Value::command("/usr/bin/rclone", &["sync", "a b", "$HOME", ""]).unwrap()),
                ("ExecStart", Value::verbatim("").unwrap()),
            ],
        );
    let text = "\
[Unit]
Description=backup, 100%% of it

[Service]
Type=oneshot
Environment=A=1 \"B=x $y \\\"z\\\" 5%%\"
WorkingDirectory=/srv/my sites
ExecStart=/usr/bin/rclone sync \"a b\" $$HOME \"\"
ExecStart=
";
    assert_eq!(unit.emit().as_deref(), Ok(text));
    assert_eq!(UnitFile::parse(text), Ok(unit));
}

#[test]
fn read_files() {
    let text = "\u{feff}# comment\n; another\n\n  [Unit]  \nDescription = a = b \n\
        [Service]\r\nExecStart=/bin/a \\\n  # inside\n\n\
        ExecStart=/bin/b \\\n\t; inside\n   one\\\n two\\\\\n\
        Key_1=\nX-My=\"q\"\n[Service]\nExecStart=/bin/c";
    let unit = UnitFile::parse(text).unwrap();
    let values = |section, key| -> Vec<&str> { unit.values(section, key).map(Value::as_str).collect() };
    assert_eq!(values("Unit", "Description"), ["a = b"]);
    assert_eq!(values("Service", "ExecStart"), ["/bin/a", "/bin/b     one  two\\\\", "/bin/c"]);
    assert_eq!(values("Service", "Key_1"), [""]);
    assert_eq!(values("Service", "X-My"), ["\"q\""]);
    assert_eq!(values("Service", "None"), [""; 0]);
    let names: Vec<&str> = unit.sections.iter().map(|section| section.name.as_str()).collect();
    assert_eq!(names, ["Unit", "Service", "Service"]);
}

#[test]
fn files_with_faults() {
    let cases = [
        ("A=b\n", 1, "a section before the first setting"),
        ("\n[Unit\n", 2, "a section name in brackets"),
        ("[]\n", 1, "a section name in brackets"),
        ("[Unit]\nDescription\n", 2, "Key=value"),
        ("[Unit]\n=x\n", 2, "Key=value"),
        ("[Unit]\nA b=x\n", 2, "Key=value"),
        ("[Unit]\nA\\\n\nB=x y\n=\n", 3, "Key=value"),
    ];
    for (text, line, expected) in cases {
        assert_eq!(UnitFile::parse(text), Err(UnitError::Syntax { line, expected }), "{text:?}");
    }
}

#[test]
fn refused_values() {
    for character in ['\n', '\r', '\0'] {
        let text = format!("a{character}b");
        assert_eq!(Value::verbatim(&text), forbidden(character));
        assert_eq!(Value::text(&text), forbidden(character));
        assert_eq!(Value::words(&["ok", &text]), forbidden(character));
        assert_eq!(Value::command("/bin/a", &[&text]), forbidden(character));
        assert_eq!(Value::command(&format!("/{text}"), &[]), forbidden(character));
        assert_eq!(Value::environment(&[("A", &text)]), forbidden(character));
        assert_eq!(Value::path(&format!("/{text}")), forbidden(character));
    }
    let value = |text: &str| text.to_owned();
    assert_eq!(Value::text(" a"), Err(UnitError::OuterBlanks { value: value(" a") }));
    assert_eq!(Value::path("/a\t"), Err(UnitError::OuterBlanks { value: value("/a\t") }));
    assert_eq!(Value::path("/a\\"), Err(UnitError::TrailingBackslash { value: value("/a\\") }));
    assert!(Value::path("/a\\\\").is_ok());
    assert_eq!(Value::path("a"), Err(UnitError::RelativePath { path: value("a") }));
    assert_eq!(Value::command("a", &[]), Err(UnitError::RelativePath { path: value("a") }));
    for program in ["/bin/", "/opt/$x/run", "/a\"b", "/a'b", "/a\\b"] {
        assert_eq!(Value::command(program, &[]), Err(UnitError::Program { program: value(program) }));
    }
    for name in ["", "1A", "A-B", "A=B", "É"] {
        assert_eq!(Value::environment(&[(name, "x")]), Err(UnitError::VariableName { name: value(name) }));
    }
    assert_eq!(Value::environment(&[("A", "\u{1b}[0m")]), forbidden('\u{1b}'));
}

#[test]
fn refused_files() {
    let with = |section: &str, key: &'static str, value: Value| {
        UnitFile::default().with_section(section, [(key, value)]).emit()
    };
    let value = Value::verbatim("x").unwrap();
    for name in ["", "a]", "a\nb", "É"] {
        let refused = Err(UnitError::SectionName { name: name.to_owned() });
        assert_eq!(with(name, "A", value.clone()), refused);
    }
    for key in ["", "a b", "a=b", "#a", "[a", "a\nb"] {
        assert_eq!(with("Unit", key, value.clone()), Err(UnitError::Key { key: key.to_owned() }));
    }
    let long = Value::verbatim(&"x".repeat(1024 * 1024 - 3)).unwrap();
    assert!(with("Unit", "A", long.clone()).is_ok());
    assert_eq!(
        with("Unit", "AB", long),
        Err(UnitError::TooLong { bytes: 1024 * 1024, limit: 1024 * 1024 - 1 })
    );
}

#[test]
fn escaped_paths() {
    let cases = [
        ("/", "-"),
        ("///", "-"),
        ("/.", "-"),
        ("/mnt/hs nas/backup-1", r"mnt-hs\x20nas-backup\x2d1"),
        ("//tmp//./waldi/foobar/", "tmp-waldi-foobar"),
        ("/.hidden/.x", r"\x2ehidden-.x"),
        ("/a:b_c.D9", "a:b_c.D9"),
        ("/-a", r"\x2da"),
        ("/Größe", r"Gr\xc3\xb6\xc3\x9fe"),
        ("/a\\b\n", r"a\x5cb\x0a"),
        ("/..a/b..", r"\x2e.a-b.."),
    ];
    for (path, name) in cases {
        assert_eq!(escape_path(path).as_deref(), Ok(name), "{path}");
    }
    for path in ["", "a/b", "./a"] {
        assert_eq!(escape_path(path), Err(UnitError::RelativePath { path: path.to_owned() }));
    }
    assert_eq!(escape_path("/a/../b"), Err(UnitError::ParentComponent { path: "/a/../b".to_owned() }));
    assert_eq!(escape_path("/a\0"), forbidden('\0'));
}

/// Words that hurt: quotes, backslashes, specifiers, variables, separators, controls.
pub(super) fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => "[a-z%$\"'\\\\; #{}\t]{0,8}",
        1 => "[^\n\r\0]{0,6}",
        1 => prop::sample::select(vec![";", "%n", "%%", "$HOME", "${HOME}", "$$", "\\", "\\;", "'", "\"", "", "a\\x41", "\\s", "-x", "#", "@a"])
            .prop_map(str::to_owned),
    ]
}

/// The words of a command line by the rules of systemd.syntax(7) and the substitutions
/// of systemd.service(5), written from the manual and not from the quoting code.
/// `None` where the manual would call the line wrong or something would be substituted.
fn words_by_the_manual(line: &str, variables: bool) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut rest = line.chars().peekable();
    loop {
        while rest.next_if(|next| " \t".contains(*next)).is_some() {}
        let Some(first) = rest.peek().copied() else {
            return Some(words);
        };
        let quote = rest.next_if(|next| "\"'".contains(*next));
        let mut word = String::new();
        loop {
            let Some(next) = rest.next() else {
                if quote.is_some() {
                    return None;
                }
                break;
            };
            if Some(next) == quote {
                if rest.peek().is_some_and(|after| !" \t".contains(*after)) {
                    return None;
                }
                break;
            }
            match next {
                ' ' | '\t' if quote.is_none() => break,
                '"' | '\'' if quote.is_none() => return None,
                '\\' => match rest.next()? {
                    escaped @ ('\\' | '"' | '\'') => word.push(escaped),
                    's' => word.push(' '),
                    't' => word.push('\t'),
                    'x' => {
                        let digits: String = rest.by_ref().take(2).collect();
                        word.push(char::from(u8::from_str_radix(&digits, 16).ok()?));
                    }
                    _ => return None,
                },
                '%' => word.push(rest.next_if_eq(&'%')?),
                '$' if variables => word.push(rest.next_if_eq(&'$')?),
                other => word.push(other),
            }
        }
        if word == ";" && first == ';' {
            return None;
        }
        words.push(word);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_command_line_reads_back(words in prop::collection::vec(word(), 0..6)) {
        let arguments: Vec<&str> = words.iter().map(String::as_str).collect();
        let value = Value::command("/opt/my tools/100%", &arguments).unwrap();
        let mut expected = vec!["/opt/my tools/100%".to_owned()];
        expected.extend(words.iter().cloned());
        prop_assert_eq!(words_by_the_manual(value.as_str(), true), Some(expected));
    }

    #[test]
    fn variables_and_lists_read_back(word in word()) {
        let list = Value::words(&[&word, "x"]).unwrap();
        prop_assert_eq!(words_by_the_manual(list.as_str(), false), Some(vec![word.clone(), "x".to_owned()]));
        if let Ok(variable) = Value::environment(&[("A", &word)]) {
            prop_assert_eq!(words_by_the_manual(variable.as_str(), false), Some(vec![format!("A={word}")]));
        }
    }

    #[test]
    fn a_file_reads_back(values in prop::collection::vec(("[A-Za-z0-9_-]{1,5}", "[a-c\\\\ =#;\\[\\]\"]{0,8}"), 0..6)) {
        let settings: Vec<super::Setting> = values
            .into_iter()
            .filter_map(|(key, value)| Value::verbatim(&value).ok().map(|value| super::Setting { key, value }))
            .collect();
        let section = |name: &str| super::Section { name: name.to_owned(), settings: settings.clone() };
        let unit = UnitFile { sections: vec![section("Unit"), section("X-Own Part")] };
        prop_assert_eq!(UnitFile::parse(&unit.emit().unwrap()), Ok(unit));
    }

    #[test]
    fn what_was_read_can_be_written(text in "([A=\\[\\]\\\\ \t\r\n#;]|\\PC){0,60}") {
        if let Ok(unit) = UnitFile::parse(&format!("[Unit]\n{text}")) {
            let again = UnitFile::parse(&unit.emit().unwrap());
            prop_assert_eq!(again, Ok(unit));
        }
    }
}
