use std::process::Command;

use super::*;
use crate::model::{SecretFrom, Source};

fn option(name: &str, value: Content) -> RemoteOption {
    let source = Source::new("t", "x");
    RemoteOption { name: name.to_owned(), value, span: Span::new(&source, 0, 1) }
}

fn remote(backend: &str) -> RcloneRemote {
    RcloneRemote { name: "near".to_owned(), backend: backend.to_owned(), options: Vec::new() }
}

fn secret(text: &str) -> Content {
    Content::Secret(Secret::new(text.as_bytes().to_vec()))
}

fn exposed(content: &Content) -> String {
    match content {
        Content::Secret(secret) => String::from_utf8(secret.expose().to_vec()).unwrap(),
        other => panic!("{other:?} is no secret"),
    }
}

#[test]
fn the_table_holds_every_password_the_installed_rclone_knows() {
    let output = Command::new("rclone").args(["config", "providers"]).output().unwrap();
    let providers: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut seen = 0;
    for provider in providers.as_array().unwrap() {
        let backend = provider["Name"].as_str().unwrap();
        for option in provider["Options"].as_array().unwrap() {
            let name = option["Name"].as_str().unwrap();
            let wanted = option["IsPassword"].as_bool().unwrap();
            seen += usize::from(wanted);
            assert_eq!(is_password(backend, name), wanted, "{backend} {name}");
        }
    }
    assert!(seen >= 15, "only {seen} passwords");
}

#[test]
fn passwords_are_obscured_for_rclone_and_keys_are_not() {
    let stored = |backend, name, value| stored(&remote(backend), &option(name, value)).unwrap();
    let hidden = exposed(&stored("sftp", "pass", secret("a word\n")));
    let output = Command::new("rclone").args(["reveal", "--", &hidden]).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "a word\n", "rclone adds the line end");
    let again = exposed(&stored("sftp", "pass", secret("a word")));
    assert_eq!(hidden, again, "the same every time, or every plan would differ");
    assert_eq!(exposed(&stored("b2", "key", secret("K001\n"))), "K001");
    let open = stored("sftp", "host", Content::Bytes(b"192.0.2.1".as_slice().into()));
    assert!(matches!(open, Content::Bytes(bytes) if &*bytes == b"192.0.2.1"));
    assert!(matches!(stored("sftp", "pass", Content::Bytes(b"open".as_slice().into())), Content::Secret(_)));
    assert!(matches!(
        stored("b2", "key", Content::Sealed(SecretFrom::Name("x".to_owned()))),
        Content::Sealed(_)
    ));
}

#[test]
fn what_an_ini_file_cannot_hold_is_refused_without_showing_it() {
    for value in ["two\nlines", "bell\u{7}"] {
        let problem = stored(&remote("b2"), &option("key", secret(value))).unwrap_err();
        assert_eq!(problem.message, "the option `key` of `near` is not one line of text");
    }
}
