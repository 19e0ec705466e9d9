use proptest::prelude::*;

use super::*;

const ED25519: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ6w5RvKVPXJlJH1kKmmqgbP7ZrZ0vVuP4ozf5w5n5kR alice@pc";

fn key() -> PublicKey {
    PublicKey::parse(ED25519).unwrap()
}

fn bare() -> String {
    format!("ssh-ed25519 {}", key().encoded())
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

#[test]
fn keys_are_read_and_what_is_none_is_refused() {
    assert_eq!((key().sort(), key().comment()), ("ssh-ed25519", "alice@pc"));
    assert_eq!(PublicKey::parse(&bare()).unwrap().comment(), "");
    let wrong = |text: &str| PublicKey::parse(text).unwrap_err().to_string();
    assert_eq!(wrong("ssh-ed25519"), "read the key: it is not a type, base64 and a comment in one line");
    assert_eq!(
        wrong(&format!("{}\nx", bare())),
        "read the key: it is not a type, base64 and a comment in one line"
    );
    assert_eq!(wrong("ssh-dss AAAA"), "take a key of type ssh-dss: OpenSSH does not accept those any more");
    assert_eq!(wrong("ssh-ed255 AAAA"), "read the key: \"ssh-ed255\" is not a type of key");
    assert_eq!(wrong("ssh-ed25519 A*A"), "read the key: what follows ssh-ed25519 is not base64");
    let other = bare().replace("ssh-ed25519 ", "ssh-rsa ");
    assert_eq!(wrong(&other), "read the key: what follows ssh-rsa is no key of that type");
    let encoded = key().encoded();
    let cut = format!("ssh-ed25519 {}", &encoded[..encoded.len() - 4]);
    assert_eq!(wrong(&cut), "read the key: what follows ssh-ed25519 is no key of that type");
}

#[test]
fn a_fingerprint_is_that_of_ssh_keygen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.pub");
    std::fs::write(&path, format!("{ED25519}\n")).unwrap();
    let said = std::process::Command::new("ssh-keygen").arg("-lf").arg(&path).output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    assert_eq!(said.split(' ').nth(1), Some(key().fingerprint().as_str()), "{said}");
}

#[test]
fn options_are_one_word_in_which_quotes_end() {
    for right in ["", "restrict", "restrict,command=\"a b \\\" c\"", "from=\"10.0.0.0/8\",no-pty"] {
        assert_eq!(check_options(right), Ok(()), "{right}");
    }
    for wrong in ["a b", "command=\"a", "a\nb", "#a", "ssh-rsa", "ssh-dss"] {
        assert!(check_options(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_new_key_comes_last_and_the_rest_stays() {
    let wanted = format!("restrict {ED25519}\n");
    for (before, after) in [
        ("", wanted.clone()),
        ("# mine\n", format!("# mine\n{wanted}")),
        ("# mine", format!("# mine\n{wanted}")),
        ("# mine\r\n", format!("# mine\r\n{}", wanted.replace('\n', "\r\n"))),
    ] {
        assert_eq!(text(set(before.as_bytes(), &key(), "restrict", None).unwrap()), after);
    }
    assert_eq!(text(set(b"", &key(), "", Some("x")).unwrap()), format!("{} x\n", bare()));
}

#[test]
fn the_lines_of_a_key_become_one() {
    let bare = bare();
    let before = format!(
        "#{bare}\ncommand=\"x {bare}\" ssh-rsa AAAA\n  from=\"a b\" {bare} here\nother line\n{bare} twice\nlast"
    );
    let after = format!("#{bare}\ncommand=\"x {bare}\" ssh-rsa AAAA\nrestrict {bare} here\nother line\nlast");
    let found = get(before.as_bytes(), &key()).unwrap();
    let around =
        |options: &str, comment: &str| Around { options: options.to_owned(), comment: comment.to_owned() };
    assert_eq!(found, [around("from=\"a b\"", "here"), around("", "twice")]);
    assert_eq!(text(set(before.as_bytes(), &key(), "restrict", None).unwrap()), after);
    // What is right keeps its bytes, spaces included.
    assert_eq!(
        text(set(before.as_bytes(), &key(), "from=\"a b\"", None).unwrap()),
        before.replace(&format!("{bare} twice\n"), "")
    );
    assert_eq!(
        text(remove(before.as_bytes(), &key()).unwrap()),
        format!("#{bare}\ncommand=\"x {bare}\" ssh-rsa AAAA\nother line\nlast")
    );
    assert_eq!(remove(b"a\n", &key()).unwrap(), b"a\n");
}

proptest! {
    #[test]
    fn a_key_comes_and_goes_and_leaves_nothing(
        others in prop::collection::vec("[ -~]{0,30}", 0..6),
        options in prop::sample::select(vec!["", "restrict", "command=\"a \\\"b\\\" c\""]),
    ) {
        let before: String = others.iter().map(|line| format!("{line}\n")).collect();
        let there = set(before.as_bytes(), &key(), options, None).unwrap();
        let found = get(&there, &key()).unwrap();
        prop_assert_eq!(found.len(), 1);
        prop_assert_eq!(found[0].options.as_str(), options);
        prop_assert_eq!(&set(&there, &key(), options, None).unwrap(), &there);
        prop_assert_eq!(text(remove(&there, &key()).unwrap()), before);
    }
}
