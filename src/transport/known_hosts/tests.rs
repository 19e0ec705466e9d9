use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use russh::keys::key::safe_rng;
use russh::keys::ssh_key::certificate::{Builder, CertType};
use russh::keys::{Algorithm, Certificate, EcdsaCurve, PrivateKey, PublicKey, PublicKeyOrCertificate};

use super::*;

const ECDSA: Algorithm = Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 };

fn key(algorithm: Algorithm) -> PrivateKey {
    PrivateKey::random(&mut safe_rng(), algorithm).unwrap()
}

fn text(key: &PrivateKey) -> String {
    key.public_key().to_openssh().unwrap()
}

fn parse(text: &str) -> KnownHosts {
    KnownHosts::parse("hosts", text).unwrap()
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn judge(known: &KnownHosts, host: &str, port: u16, key: &PrivateKey) -> Verdict {
    known.verdict(host, port, &key.public_key().clone().into(), at(1000))
}

#[test]
fn names_match_as_sshd_8_says() {
    let key = key(Algorithm::Ed25519);
    let cases: &[(&str, &str, u16, bool)] = &[
        ("host", "host", 22, true),
        ("host", "HOST", 22, true),
        ("Host", "host", 22, true),
        ("host", "host2", 22, false),
        ("host", "host", 2222, false),
        ("[host]:2222", "host", 2222, true),
        ("[host]:2222", "host", 22, false),
        ("[host]:22", "host", 22, true),
        ("[host]:22", "host", 2222, false),
        ("a,b,host", "host", 22, true),
        ("a,b,host", "c", 22, false),
        ("*.example", "host.example", 22, true),
        ("*.example", "example", 22, false),
        ("h?st", "host", 22, true),
        ("h?st", "hst", 22, false),
        ("*", "anything", 22, true),
        ("*", "anything", 2222, true),
        ("[*.example]:2222", "host.example", 2222, true),
        ("[*.example]:2222", "host.example", 2223, false),
        ("[host]:*", "host", 2223, true),
        ("*.example,!bad.example", "good.example", 22, true),
        ("*.example,!bad.example", "bad.example", 22, false),
        ("!bad.example,*.example", "bad.example", 22, false),
        ("192.168.1.30", "192.168.1.30", 22, true),
        ("192.168.1.30", "192.168.1.3", 22, false),
        ("2001:db8::1", "2001:db8::1", 22, true),
        ("[2001:db8::1]:2222", "2001:db8::1", 2222, true),
        // `ssh-keygen -H` made these of `host.example` and `[host.example]:2222`.
        ("|1|YEbvfaVizgo+q+wtF2RSt9h+Zxo=|GTME5j0HctguyONDDyyCc9tfKSY=", "host.example", 22, true),
        ("|1|YEbvfaVizgo+q+wtF2RSt9h+Zxo=|GTME5j0HctguyONDDyyCc9tfKSY=", "host.example", 2222, false),
        ("|1|YEbvfaVizgo+q+wtF2RSt9h+Zxo=|GTME5j0HctguyONDDyyCc9tfKSY=", "other.example", 22, false),
        ("|1|mOabPhDbYfwzYMflU50U/vrXnhw=|Kqk/yCllgywS9IJn5U2rK3R0KsE=", "host.example", 2222, true),
    ];
    for (names, host, port, pinned) in cases {
        let known = parse(&format!("{names} {}", text(&key)));
        let expected = if *pinned { Verdict::Pinned } else { Verdict::Unknown };
        assert_eq!(judge(&known, host, *port, &key), expected, "{names} for {host}:{port}");
    }
}

#[test]
fn a_host_may_have_several_keys() {
    let (first, second, other) = (key(Algorithm::Ed25519), key(ECDSA), key(Algorithm::Ed25519));
    let known = parse(&format!("host {}\nhost {}\n", text(&first), text(&second)));
    assert_eq!(judge(&known, "host", 22, &first), Verdict::Pinned);
    assert_eq!(judge(&known, "host", 22, &second), Verdict::Pinned);
    let pinned = vec![describe_key(first.public_key()), describe_key(second.public_key())];
    assert_eq!(judge(&known, "host", 22, &other), Verdict::Changed { pinned });
    assert_eq!(known.algorithms("host", 22), [Algorithm::Ed25519, ECDSA]);
    assert_eq!(known.algorithms("elsewhere", 22), []);
}

#[test]
fn a_key_of_another_kind_than_the_pinned_one_has_changed() {
    let (pinned, offered) = (key(ECDSA), key(Algorithm::Ed25519));
    let known = parse(&format!("host {}", text(&pinned)));
    assert!(matches!(judge(&known, "host", 22, &offered), Verdict::Changed { .. }));
}

#[test]
fn a_revoked_key_is_refused_even_if_it_is_pinned() {
    let (revoked, good) = (key(Algorithm::Ed25519), key(Algorithm::Ed25519));
    let known = parse(&format!(
        "host {revoked}\n@revoked * {revoked}\n@revoked elsewhere {good}\nhost {good}\n",
        revoked = text(&revoked),
        good = text(&good)
    ));
    assert_eq!(judge(&known, "host", 22, &revoked), Verdict::Revoked);
    assert_eq!(judge(&known, "never-seen", 22, &revoked), Verdict::Revoked);
    assert_eq!(judge(&known, "host", 22, &good), Verdict::Pinned);
    assert_eq!(judge(&known, "elsewhere", 22, &good), Verdict::Revoked);
}

#[test]
fn an_authority_is_not_a_host_key() {
    let authority = key(Algorithm::Ed25519);
    let known = parse(&format!("@cert-authority *.example {}", text(&authority)));
    assert_eq!(judge(&known, "host.example", 22, &authority), Verdict::Unknown);
    assert!(known.has_authority("host.example", 22));
    assert!(!known.has_authority("host.elsewhere", 22));
}

struct Issue<'a> {
    authority: &'a PrivateKey,
    kind: CertType,
    hosts: &'a [&'a str],
    option: bool,
}

fn issue(key: &PrivateKey, how: &Issue<'_>) -> Certificate {
    let mut builder = Builder::new_with_random_nonce(&mut safe_rng(), key.public_key(), 500, 2000).unwrap();
    builder.cert_type(how.kind).unwrap().key_id("test").unwrap();
    for host in how.hosts {
        builder.valid_principal(*host).unwrap();
    }
    if how.hosts.is_empty() {
        builder.all_principals_valid().unwrap();
    }
    if how.option {
        builder.critical_option("force-command", "true").unwrap();
    }
    builder.sign(how.authority).unwrap()
}

#[test]
fn certificates_of_a_pinned_authority_hold_within_their_limits() {
    let (authority, stranger, host) =
        (key(Algorithm::Ed25519), key(Algorithm::Ed25519), key(Algorithm::Ed25519));
    let known = parse(&format!("@cert-authority *.example,*.test {}", text(&authority)));
    let good = Issue { authority: &authority, kind: CertType::Host, hosts: &["a.example"], option: false };
    let bad = |reason: &str| Verdict::BadCertificate { reason: reason.to_owned() };
    let cases = [
        (issue(&host, &good), "a.example", 1000, Verdict::Pinned),
        (issue(&host, &good), "A.Example", 1000, Verdict::Pinned),
        (issue(&host, &good), "b.example", 1000, bad("it does not name the host `b.example`")),
        (issue(&host, &Issue { hosts: &["*.example"], ..good }), "b.example", 1000, Verdict::Pinned),
        (
            issue(&host, &Issue { hosts: &[], ..good }),
            "a.example",
            1000,
            bad("it does not name the host `a.example`"),
        ),
        (issue(&host, &good), "a.example", 499, bad("it is not valid yet")),
        (issue(&host, &good), "a.example", 500, Verdict::Pinned),
        (issue(&host, &good), "a.example", 1999, Verdict::Pinned),
        (issue(&host, &good), "a.example", 2000, bad("it has expired")),
        (
            issue(&host, &Issue { kind: CertType::User, ..good }),
            "a.example",
            1000,
            bad("it is a user's certificate, not a host's"),
        ),
        (
            issue(&host, &Issue { option: true, ..good }),
            "a.example",
            1000,
            bad("it has critical options, which are not defined for hosts"),
        ),
        (issue(&host, &Issue { authority: &stranger, ..good }), "a.example", 1000, Verdict::Unknown),
        (issue(&host, &good), "a.elsewhere", 1000, Verdict::Unknown),
    ];
    for (index, (certificate, name, now, expected)) in cases.into_iter().enumerate() {
        let offered = PublicKeyOrCertificate::from(certificate);
        assert_eq!(known.verdict(name, 22, &offered, at(now)), expected, "case {index}");
    }
}

#[test]
fn a_forged_certificate_is_refused() {
    let (authority, host) = (key(Algorithm::Ed25519), key(Algorithm::Ed25519));
    let known = parse(&format!("@cert-authority * {}", text(&authority)));
    let good = Issue { authority: &authority, kind: CertType::Host, hosts: &["a.example"], option: false };
    let mut bytes = issue(&host, &good).to_bytes().unwrap();
    let place = bytes.windows(9).position(|window| window == b"a.example").unwrap();
    bytes[place] = b'b';
    let forged = PublicKeyOrCertificate::from(Certificate::from_bytes(&bytes).unwrap());
    assert_eq!(
        known.verdict("b.example", 22, &forged, at(1000)),
        Verdict::BadCertificate { reason: "its signature does not hold".to_owned() }
    );
}

#[test]
fn a_certificate_falls_with_its_authority_or_its_key() {
    let (authority, host) = (key(Algorithm::Ed25519), key(Algorithm::Ed25519));
    let how = Issue { authority: &authority, kind: CertType::Host, hosts: &["a.example"], option: false };
    let offered = PublicKeyOrCertificate::from(issue(&host, &how));
    for revoked in [&authority, &host] {
        let known = parse(&format!("@cert-authority * {}\n@revoked * {}", text(&authority), text(revoked)));
        assert_eq!(known.verdict("a.example", 22, &offered, at(1000)), Verdict::Revoked);
    }
    // Of an authority that is not pinned only the key inside counts.
    let known = parse(&format!("a.example {}", text(&host)));
    assert_eq!(known.verdict("a.example", 22, &offered, at(1000)), Verdict::Pinned);
}

#[test]
fn the_line_that_pins_a_key_pins_it() {
    let key = key(Algorithm::Ed25519);
    for (host, port) in [("host", 22), ("host", 2222), ("2001:db8::1", 22), ("2001:db8::1", 2222)] {
        let line = KnownHosts::line(host, port, key.public_key());
        assert!(!line.contains('\n'), "{line:?}");
        let known = parse(&line);
        assert_eq!(judge(&known, host, port, &key), Verdict::Pinned, "{line}");
        assert_eq!(judge(&known, "other", port, &key), Verdict::Unknown, "{line}");
    }
}

#[test]
fn comments_blank_lines_tabs_and_line_ends_are_fine() {
    let key = key(Algorithm::Ed25519);
    let tabbed = text(&key).replace(' ', "\t");
    let known = parse(&format!("# comment\r\n\r\n  \t\n  host\t{tabbed} a comment # more\r\n"));
    assert_eq!(judge(&known, "host", 22, &key), Verdict::Pinned);
    assert_eq!(known.file(), "hosts");
}

#[test]
fn every_bad_line_is_named() {
    let good = text(&key(Algorithm::Ed25519));
    let (kind, body) = good.split_once(' ').unwrap();
    let cut = &body[..body.len() - 9];
    let cases = [
        ("host".to_owned(), "expected host names, a key type and a key"),
        (format!("host {body}"), "expected host names, a key type and a key"),
        (
            format!("@trusted host {good}"),
            "the marker `@trusted` is neither `@cert-authority` nor `@revoked`",
        ),
        ("@revoked".to_owned(), "expected host names, a key type and a key"),
        (format!("host,,other {good}"), "a host name is empty"),
        (format!("! {good}"), "a host name is empty"),
        (format!("!host {good}"), "every name is negated, so that no host is meant"),
        (format!("[host]2222 {good}"), "`[host]2222` is not of the form `[host]:port`"),
        (format!("[host]:99999 {good}"), "`[host]:99999` is not of the form `[host]:port`"),
        (format!("|1|no {good}"), "`|1|no` is no list of host names"),
        (format!("host,|1|a|b {good}"), "a hashed name must stand alone"),
        (format!("host {kind} {cut}"), "the ssh-ed25519 key cannot be read"),
        (format!("host ssh-rsa {body}"), "the ssh-rsa key cannot be read"),
        (format!("host {kind} not-base64"), "the ssh-ed25519 key cannot be read"),
    ];
    for (line, expected) in &cases {
        let error = KnownHosts::parse("hosts", &format!("# fine\n{line}\n")).unwrap_err();
        let [(2, reason)] = error.lines.as_slice() else { panic!("{line}: {error}") };
        assert!(reason.starts_with(expected), "{line}: {reason}");
    }
    let all: Vec<&str> = cases.iter().map(|(line, _)| line.as_str()).collect();
    let error = KnownHosts::parse("fleet/known_hosts", &all.join("\n")).unwrap_err();
    assert_eq!(error.lines.len(), cases.len());
    assert!(error.to_string().starts_with("read fleet/known_hosts: line 1: expected"), "{error}");
}

/// The plain definition of a pattern, slow and evident.
fn matches_by_definition(pattern: &[char], text: &[char]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some(('*', rest)), _) => {
            matches_by_definition(rest, text)
                || text.split_first().is_some_and(|(_, less)| matches_by_definition(pattern, less))
        }
        (Some((expected, rest)), Some((found, less))) => {
            (*expected == '?' || expected == found) && matches_by_definition(rest, less)
        }
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn patterns_match_by_definition(pattern in "[ab*?]{0,8}", text in "[ab]{0,8}") {
        let characters = |text: &str| text.chars().collect::<Vec<_>>();
        prop_assert_eq!(
            pattern::glob(&pattern, &text),
            matches_by_definition(&characters(&pattern), &characters(&text))
        );
    }

    #[test]
    fn any_text_is_judged_without_a_panic(text in "(?s).{0,200}") {
        // Either outcome is right; what counts is that there is one.
        let outcome = KnownHosts::parse("hosts", &text);
        prop_assert!(outcome.is_ok() || outcome.is_err_and(|error| !error.lines.is_empty()));
    }
}

#[test]
fn an_evil_pattern_is_matched_in_reasonable_time() {
    let pattern = "*a".repeat(200) + "b";
    let text = "a".repeat(2000);
    let start = std::time::Instant::now();
    assert!(!pattern::glob(&pattern, &text));
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[test]
fn a_public_key_is_described_as_ssh_keygen_does() {
    let key = PublicKey::from_openssh(
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFc76M5+Mr5yJFoLyONCwNQqCgkljfmQoM8vBv5n36xz",
    )
    .unwrap();
    assert!(describe_key(&key).starts_with("ssh-ed25519 SHA256:"), "{}", describe_key(&key));
}
