//! What an audit finds.

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::format::authorized_keys::PublicKey;
use crate::model::MachineName;

fn key(kind: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let made = Command::new("ssh-keygen")
        .args(["-q", "-N", "", "-C", "somebody"])
        .args(kind)
        .arg("-f")
        .arg(&path)
        .status()
        .unwrap();
    assert!(made.success());
    std::fs::read_to_string(path.with_extension("pub")).unwrap().trim().to_owned()
}

fn fingerprint(line: &str) -> String {
    PublicKey::parse(line).unwrap().fingerprint()
}

fn name(text: &str) -> MachineName {
    MachineName::new(text).unwrap()
}

fn said(authorized: &str, held: &[&str]) -> MachineKeys {
    let encode = |text: &str| STANDARD.encode(text);
    let mut lines = vec![
        format!("user {} {}", encode("root"), encode("/root")),
        format!("authorized {} {}", encode("/root/.ssh/authorized_keys"), encode(authorized)),
    ];
    for fingerprint in held {
        let line = format!("256 {fingerprint} somebody (ED25519)");
        lines.push(format!("private {} {}", encode("/root/.ssh/id"), encode(&line)));
    }
    lines.push("nonsense".to_owned());
    lines.push("private !!! !!!".to_owned());
    read_keys(&lines)
}

fn known(machine: &str, keys: &[&str]) -> Known {
    let declared = keys.iter().map(|key| fingerprint(key)).collect();
    Known { declared: [(name(machine), declared)].into(), ..Known::default() }
}

#[test]
fn what_is_declared_and_alone_is_in_order() {
    let mine = key(&["-t", "ed25519"]);
    let text = format!("# mine\nrestrict,command=\"a b\" {mine}\n\n");
    assert_eq!(findings(&[(name("box"), said(&text, &[]))], &known("box", &[&mine])), []);
}

#[test]
fn a_key_that_opens_two_machines_is_named_with_both() {
    let mine = key(&["-t", "ed25519"]);
    let mut knows = known("box", &[&mine]);
    knows.declared.insert(name("nas"), [fingerprint(&mine)].into());
    let machines = [(name("box"), said(&mine, &[])), (name("nas"), said(&mine, &[]))];
    let found = findings(&machines, &knows);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].word(), "opens-several");
    let words = found[0].to_string();
    assert!(words.contains("box (root, /root/.ssh/authorized_keys), nas (root,"), "{words}");
}

#[test]
fn a_private_key_in_two_places_or_of_a_seat_is_named() {
    let (mine, link) = (fingerprint(&key(&["-t", "ed25519"])), fingerprint(&key(&["-t", "ed25519"])));
    let here = |held: &[&str]| said("", held);
    let machines = [(name("box"), here(&[&mine, &link])), (name("nas"), here(&[&mine]))];
    let found = findings(&machines, &Known::default());
    assert_eq!(found.iter().map(Finding::word).collect::<Vec<_>>(), ["copied"]);
    assert_eq!(found[0].places().len(), 2);
    let of_a_seat = Known {
        access: [(mine.clone(), ("cc-pc".to_owned(), "droplet".to_owned()))].into(),
        links: [(link.clone(), name("box"))].into(),
        ..Known::default()
    };
    let found = findings(&machines[1..], &of_a_seat);
    assert!(found[0].to_string().starts_with("the private key of seat cc-pc for droplet lies on nas"));
    // A link's key belongs to its machine, and to no other.
    assert_eq!(findings(&[(name("box"), here(&[&link]))], &of_a_seat), []);
    assert_eq!(findings(&[(name("nas"), here(&[&link]))], &of_a_seat).len(), 1);
}

#[test]
fn weak_unknown_and_unreadable_lines_are_named() {
    let short = key(&["-t", "rsa", "-b", "1024"]);
    let fine = key(&["-t", "rsa", "-b", "2048"]);
    let dsa = "ssh-dss AAAAB3NzaC1kc3MAAACBAP old";
    let text = format!("{short}\n{fine}\n{dsa}\nssh-ed25519 broken\n");
    let found = findings(&[(name("box"), said(&text, &[]))], &known("box", &[&short]));
    let words: Vec<_> = found.iter().map(Finding::word).collect();
    assert_eq!(words, ["weak", "unknown", "weak", "unreadable"]);
    assert!(found[0].to_string().contains("is RSA of 1024 bits"), "{}", found[0]);
    assert!(found[1].to_string().ends_with(" somebody"), "{}", found[1]);
    assert!(found[3].to_string().contains("line 4 of box"), "{}", found[3]);
}
