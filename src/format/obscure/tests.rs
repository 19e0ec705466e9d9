//! Cases for rclone's obscured passwords, against the real rclone.

use std::process::Command;

use proptest::prelude::*;

use super::{RevealError, deterministic_iv, obscure, reveal};

/// Runs the installed rclone without any configuration file and returns what it prints.
fn rclone(arguments: &[&str]) -> String {
    let output = Command::new("rclone")
        .args(["--config", ""])
        .args(arguments)
        .output()
        .expect("these tests need rclone in the path");
    assert!(output.status.success(), "rclone {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Texts of one block, several blocks, an uneven end, and beyond ASCII.
const SAMPLES: [&str; 5] = [
    "x",
    "sixteen bytes ok",
    "seventeen bytes k",
    "-starts like an option",
    "a longer text with ümlauts, 密码 and \"quotes\" that runs over several blocks of the cipher",
];

#[test]
fn rclone_reveals_what_is_obscured_here() {
    for plain in SAMPLES {
        for context in ["hub.pass", "b2.key", "c", "d", "e", "f"] {
            let stored = obscure(plain.as_bytes(), deterministic_iv(plain.as_bytes(), context));
            assert_eq!(rclone(&["reveal", "--", &stored]).strip_suffix('\n'), Some(plain));
        }
    }
}

#[test]
fn rclone_obscures_what_is_revealed_here() {
    for plain in SAMPLES {
        let stored = rclone(&["obscure", "--", plain]);
        assert_eq!(reveal(stored.trim_end()).unwrap().as_slice(), plain.as_bytes());
    }
}

#[test]
fn rclone_reveals_a_counter_that_overflows() {
    let plain = "more than one block, so that the counter has to carry over";
    let stored = obscure(plain.as_bytes(), [0xff; 16]);
    assert_eq!(rclone(&["reveal", "--", &stored]).strip_suffix('\n'), Some(plain));
}

#[test]
fn the_vector_depends_on_text_and_context_and_nothing_else() {
    let vector = deterministic_iv(b"secret", "hub.pass");
    assert_eq!(vector, deterministic_iv(b"secret", "hub.pass"));
    assert_ne!(vector, deterministic_iv(b"secret", "hub.pass2"));
    assert_ne!(vector, deterministic_iv(b"2secret", "hub.pass"));
    assert_ne!(deterministic_iv(b"bc", "a"), deterministic_iv(b"c", "ab"), "the parts must not run together");
    // A stored text must not change with a new version of fleetprov.
    assert_eq!(obscure(b"secret", vector), "2mswkUlZoKaNNockEU4F6X3stWoDag");
}

#[test]
fn what_is_not_in_the_form_is_refused() {
    for stored in ["not base64!", "AAAA=", "a+b/", "A"] {
        assert_eq!(reveal(stored), Err(RevealError::Encoding), "{stored}");
    }
    assert_eq!(reveal(""), Err(RevealError::TooShort { length: 0 }));
    assert_eq!(reveal("AAAAAAAAAAAAAAAAAAAA"), Err(RevealError::TooShort { length: 15 }));
    assert_eq!(
        reveal("AAAAAAAAAAAAAAAAAAAAAA").unwrap().as_slice(),
        b"",
        "an empty password is a vector alone"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn reveal_undoes_obscure(
        plain in prop::collection::vec(any::<u8>(), 0..100),
        vector in any::<[u8; 16]>(),
    ) {
        let revealed = reveal(&obscure(&plain, vector)).unwrap();
        prop_assert_eq!(revealed.as_slice(), plain.as_slice());
    }

    #[test]
    fn arbitrary_texts_never_panic(stored in ".{0,60}", base64 in "[A-Za-z0-9_-]{0,60}") {
        let _ = reveal(&stored);
        if let Ok(plain) = reveal(&base64) {
            prop_assert_eq!(plain.len(), base64.len() * 3 / 4 - 16);
        }
    }
}
