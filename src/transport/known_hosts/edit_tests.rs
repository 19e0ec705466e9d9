use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use proptest::prelude::*;
use russh::keys::key::safe_rng;
use russh::keys::{Algorithm, PrivateKey, PublicKey};

use super::*;

fn key() -> PublicKey {
    PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).unwrap().public_key().clone()
}

fn text(key: &PublicKey) -> String {
    key.to_openssh().unwrap()
}

fn verdict(known: &str, host: &str, port: u16, key: &PublicKey) -> Verdict {
    let now = SystemTime::UNIX_EPOCH;
    KnownHosts::parse("hosts", known).unwrap().verdict(host, port, &key.clone().into(), now)
}

fn added(outcome: Pinned) -> String {
    match outcome {
        Pinned::Added(text) => text,
        other => panic!("{other:?}"),
    }
}

fn keygen(arguments: &[&str], file: &Path) -> String {
    let output = Command::new("ssh-keygen").args(arguments).arg("-f").arg(file).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_pinned_key_has_a_line_at_the_end_once() {
    let (first, second) = (key(), key());
    for (before, end) in [("", "\n"), ("# ours\r\n", "\r\n"), ("# ours\n\n", "\n")] {
        let one = added(KnownHosts::pin("hosts", before, "Host", 2222, &first).unwrap());
        assert_eq!(one, format!("{before}[host]:2222 {}{end}", text(&first)));
        assert_eq!(KnownHosts::pin("hosts", &one, "host", 2222, &first).unwrap(), Pinned::Already);
        let two = added(KnownHosts::pin("hosts", &one, "host", 22, &second).unwrap());
        assert_eq!(two, format!("{one}host {}{end}", text(&second)));
        assert_eq!(KnownHosts::unpin("hosts", &two, "host", 22).unwrap().text, one);
    }
    let open = format!("other {}", text(&second));
    let one = added(KnownHosts::pin("hosts", &open, "host", 22, &first).unwrap());
    assert_eq!(one, format!("{open}\nhost {}", text(&first)), "no line end, before as after");
    assert_eq!(KnownHosts::unpin("hosts", &one, "host", 22).unwrap().text, open);
}

#[test]
fn a_key_that_is_known_by_another_name_or_revoked_is_not_added() {
    let key = key();
    let hashed = format!("|1|YEbvfaVizgo+q+wtF2RSt9h+Zxo=|GTME5j0HctguyONDDyyCc9tfKSY= {}\n", text(&key));
    for known in [
        hashed.clone(),
        format!("*.example {}\n", text(&key)),
        format!("a,[host.example]:22,b {}\n", text(&key)),
    ] {
        assert_eq!(KnownHosts::pin("hosts", &known, "host.example", 22, &key).unwrap(), Pinned::Already);
    }
    let authority = format!("@cert-authority *.example {}\n", text(&key));
    added(KnownHosts::pin("hosts", &authority, "host.example", 22, &key).unwrap());
    let revoked = format!("# lost\n@revoked * {}\n{hashed}", text(&key));
    assert_eq!(KnownHosts::pin("hosts", &revoked, "host.example", 22, &key).unwrap(), Pinned::Revoked(2));
}

#[test]
fn a_host_loses_its_names_and_nobody_else_does() {
    let (mine, shared, other) = (text(&key()), text(&key()), text(&key()));
    let hashed = "|1|YEbvfaVizgo+q+wtF2RSt9h+Zxo=|GTME5j0HctguyONDDyyCc9tfKSY=";
    let before = format!(
        "# the fleet's\r\n\
         host.example {mine} at home\r\n\
         a,HOST.example,[host.example]:22 {shared}\t# two\r\n\
         \r\n\
         {hashed} {mine}\r\n\
         [host.example]:2222 {mine}\r\n\
         host.example,!bad {mine}\r\n\
         *.example {other}\r\n\
         @cert-authority *.example {other}\r\n\
         @revoked host.example {other}\r\n\
         host.example {other}"
    );
    let after = KnownHosts::unpin("hosts", &before, "host.example", 22).unwrap();
    assert_eq!(
        after.text,
        format!(
            "# the fleet's\r\n\
             a {shared}\t# two\r\n\
             \r\n\
             [host.example]:2222 {mine}\r\n\
             *.example {other}\r\n\
             @cert-authority *.example {other}\r\n\
             @revoked host.example {other}"
        )
    );
    assert_eq!((after.lines, after.left), (5, vec![5, 6]));
    let again = KnownHosts::unpin("hosts", &after.text, "host.example", 22).unwrap();
    assert_eq!((again.text, again.lines), (after.text, 0));
}

#[test]
fn a_revoked_host_is_refused_under_any_name() {
    let (lost, second, shared, other) = (key(), key(), key(), key());
    let before = format!(
        "# the fleet's\n\
         host {} bought in May\n\
         host,10.0.0.7 {}\n\
         [host]:2222 {}\n\
         *,!web {}\n\
         web {}",
        text(&lost),
        text(&second),
        text(&lost),
        text(&shared),
        text(&other)
    );
    let revoked = KnownHosts::revoke("hosts", &before, "host", 22).unwrap();
    assert_eq!(
        revoked.text,
        format!(
            "# the fleet's\n\
             @revoked * {} bought in May\n\
             @revoked * {second}\n\
             10.0.0.7 {second}\n\
             [host]:2222 {}\n\
             *,!web {}\n\
             web {}",
            text(&lost),
            text(&lost),
            text(&shared),
            text(&other),
            second = text(&second),
        )
    );
    assert_eq!(revoked.keys, [describe_key(&lost), describe_key(&second)]);
    assert_eq!((revoked.others, revoked.left), (vec![4, 5], vec![6]));
    for (host, port) in
        [("host", 22), ("host", 2222), ("10.0.0.7", 22), ("thief.example", 22), ("9.9.9.9", 7)]
    {
        for key in [&lost, &second] {
            assert_eq!(verdict(&revoked.text, host, port, key), Verdict::Revoked, "{host}:{port}");
        }
    }
    assert_eq!(verdict(&revoked.text, "web", 22, &other), Verdict::Pinned);
    let again = KnownHosts::revoke("hosts", &revoked.text, "host", 22).unwrap();
    assert_eq!((again.text, again.keys.len()), (revoked.text.clone(), 0));
    // Known under another port as well: its mark is there already and is not made twice.
    let port = KnownHosts::revoke("hosts", &revoked.text, "host", 2222).unwrap();
    assert_eq!(port.text.matches("@revoked").count(), 2);
    assert_eq!((port.keys.len(), port.others), (1, vec![]), "nobody else has it");
}

#[test]
fn openssh_reads_what_was_edited_and_we_what_it_hashed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("known_hosts");
    let (mine, other) = (key(), key());
    let mut known = added(KnownHosts::pin("hosts", "# ours\n", "host.example", 2222, &mine).unwrap());
    known = added(KnownHosts::pin("hosts", &known, "other.example", 22, &other).unwrap());
    std::fs::write(&file, &known).unwrap();
    let name = "[host.example]:2222";
    assert!(keygen(&["-F", name], &file).contains(&text(&mine)));

    // What it hashes is known, and taken away by its hash.
    keygen(&["-H"], &file);
    let hashed = std::fs::read_to_string(&file).unwrap();
    assert!(hashed.contains("|1|") && !hashed.contains("host.example"), "{hashed}");
    assert_eq!(KnownHosts::pin("hosts", &hashed, "host.example", 2222, &mine).unwrap(), Pinned::Already);
    let ours = KnownHosts::unpin("hosts", &hashed, "host.example", 2222).unwrap();
    keygen(&["-R", name], &file);
    assert_eq!(ours.text, std::fs::read_to_string(&file).unwrap(), "as ssh-keygen -R does");
    assert_eq!(ours.lines, 1);

    let revoked = KnownHosts::revoke("hosts", &hashed, "host.example", 2222).unwrap();
    assert_eq!(revoked.keys, [describe_key(&mine)]);
    std::fs::write(&file, &revoked.text).unwrap();
    for anybody in ["host.example", name, "[thief.example]:7", "10.9.8.7"] {
        let found = keygen(&["-F", anybody], &file);
        assert!(found.contains("REVOKED") && found.contains(&text(&mine)), "{anybody}: {found}");
    }
    assert!(keygen(&["-F", "other.example"], &file).contains(&text(&other)));
}

#[test]
fn a_text_with_bad_lines_is_not_edited() {
    let good = key();
    let bad = "host not-a-key\n";
    assert!(KnownHosts::pin("hosts", bad, "host", 22, &good).is_err());
    assert!(KnownHosts::unpin("hosts", bad, "host", 22).is_err());
    assert!(KnownHosts::revoke("hosts", bad, "host", 22).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn only_the_host_that_is_meant_changes(
        lines in proptest::collection::vec((0_usize..8, 0_usize..3), 0..8),
        carriage: bool, last: bool, target in 0_usize..3,
    ) {
        let keys = [key(), key(), key()];
        let hosts = ["one", "two", "three"];
        let end = if carriage { "\r\n" } else { "\n" };
        let mut all: Vec<String> = Vec::new();
        for (kind, which) in lines {
            let (host, key) = (hosts[which], text(&keys[which]));
            all.push(match kind {
                0 => "# comment".to_owned(),
                1 => String::new(),
                2 => format!("{host},alias-{host} {key} note"),
                3 => format!("  [{host}]:22\t{key}"),
                4 => format!("[{host}]:2222 {key}"),
                5 => format!("@revoked gone {key}"),
                _ => format!("{host} {key}"),
            });
        }
        let mut before = all.join(end);
        if last && !before.is_empty() {
            before.push_str(end);
        }
        let after = KnownHosts::unpin("hosts", &before, hosts[target], 22).unwrap();
        let revoked = KnownHosts::revoke("hosts", &before, hosts[target], 22).unwrap();
        for (which, host) in hosts.iter().enumerate() {
            for port in [22, 2222] {
                let was = verdict(&before, host, port, &keys[which]);
                let is = verdict(&after.text, host, port, &keys[which]);
                if which == target && port == 22 {
                    prop_assert_eq!(is, Verdict::Unknown);
                    let expected = if was == Verdict::Pinned { Verdict::Revoked } else { was };
                    prop_assert_eq!(verdict(&revoked.text, host, port, &keys[which]), expected);
                } else {
                    prop_assert_eq!(&is, &was);
                    if which != target {
                        prop_assert_eq!(verdict(&revoked.text, host, port, &keys[which]), was);
                    }
                }
            }
        }
        // What was pinned by adding goes again, without a trace.
        if let Pinned::Added(with) = KnownHosts::pin("hosts", &before, "four", 22, &keys[0]).unwrap() {
            prop_assert_eq!(KnownHosts::unpin("hosts", &with, "four", 22).unwrap().text, before);
        }
    }
}
