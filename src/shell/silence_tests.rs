//! A session that holds the lock ends when its stream falls silent in the middle of a payload, and only then.

use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::posix::{APPLY, JOURNAL};
use super::program::definitions;

/// A session with the lock of a folder, that looks every second and waits for two, and then reads 100,000
/// bytes as a step does: into a pipe.
fn session(shell: &[&str], folder: &std::path::Path) -> Child {
    let script = format!(
        "fp_nonce=n\n{}\nfp_watch_pause=1 fp_watch_most=2\nfp_lock {folder} && fp_watch\n\
         fp_take 100000 | {{ cat >{folder}/taken; printf 'end\\n'; }}\n\
         read -r order\nprintf 'took %s as an order\\n' \"$order\"\n",
        definitions(&[JOURNAL]),
        folder = folder.display(),
    );
    let mut command = Command::new(shell[0]);
    command.args(&shell[1..]).args(["-c", &script]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}

/// Whether somebody else gets the lock of a folder.
fn is_free(shell: &[&str], folder: &std::path::Path) -> bool {
    let script = format!("fp_nonce=n\n{}\nfp_lock {}", definitions(&[JOURNAL]), folder.display());
    Command::new(shell[0]).args(&shell[1..]).args(["-c", &script]).status().unwrap().success()
}

#[test]
fn a_stream_that_falls_silent_in_a_payload_gives_up_the_lock() {
    for shell in [&["dash"][..], &["bash"], &["busybox", "ash"]] {
        let folder = tempfile::tempdir().unwrap();
        let mut child = session(shell, folder.path());
        let mut input = child.stdin.take().unwrap();
        // Slow, but not silent.
        for _ in 0..4 {
            input.write_all(&[b'x'; 20_000]).unwrap();
            std::thread::sleep(Duration::from_millis(1100));
            assert!(!is_free(shell, folder.path()), "{shell:?}");
            assert!(child.try_wait().unwrap().is_none(), "{shell:?}");
        }
        let silent = Instant::now();
        while child.try_wait().unwrap().is_none() {
            assert!(silent.elapsed() < Duration::from_secs(10), "{shell:?} waits for ever");
            std::thread::sleep(Duration::from_millis(50));
        }
        while !is_free(shell, folder.path()) {
            // What the session had started goes with the watch's next looks.
            assert!(silent.elapsed() < Duration::from_secs(15), "{shell:?} keeps the lock");
            std::thread::sleep(Duration::from_millis(50));
        }
        // What comes later is nobody's order: there is nobody left.
        std::thread::sleep(Duration::from_secs(4));
        assert!(input.write_all(&[b'x'; 20_000]).is_err(), "{shell:?}: somebody reads on");
    }
}

#[test]
fn a_session_that_waits_for_others_ends_when_nobody_says_that_it_is_waited_for() {
    for shell in [&["dash"][..], &["bash"], &["busybox", "ash"]] {
        let folder = tempfile::tempdir().unwrap();
        let script = format!(
            "fp_nonce=n\n{}\nfp_watch_pause=1 fp_watch_most=2\nfp_lock {} && fp_watch\nfp_hold\n\
             printf 'barred %s\\n' \"$fp_barred\"\nfp_hold\n",
            definitions(&[APPLY]),
            folder.path().display(),
        );
        let mut command = Command::new(shell[0]);
        command.args(&shell[1..]).args(["-c", &script]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        for _ in 0..4 {
            std::thread::sleep(Duration::from_millis(1100));
            input.write_all(b"wait           \n").unwrap();
        }
        input.write_all(b"go             \n 3 5\n").unwrap();
        std::thread::sleep(Duration::from_millis(300));
        assert!(!is_free(shell, folder.path()), "{shell:?}");
        let silent = Instant::now();
        while child.try_wait().unwrap().is_none() {
            assert!(silent.elapsed() < Duration::from_secs(10), "{shell:?} waits for ever");
            std::thread::sleep(Duration::from_millis(50));
        }
        while !is_free(shell, folder.path()) {
            // What the session had started goes with the watch's next looks.
            assert!(silent.elapsed() < Duration::from_secs(15), "{shell:?} keeps the lock");
            std::thread::sleep(Duration::from_millis(50));
        }
        let said = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
        assert!(said.contains("barred  3 5 "), "{shell:?}: {said}");
    }
}
