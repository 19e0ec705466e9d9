//! Login shells that are not like sh hand a session's program on unchanged. The rig installs them.

use std::process::{Command, Stdio};

use fleetprov::shell::program;

/// What a login shell prints that starts a session.
fn session(shell: &str, first: &str) -> String {
    let command = program::start("n0nce", first);
    assert!(command.len() > first.len());
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(shell)
        .args(["-c", &command])
        .env_clear()
        .env("PATH", std::env::var("PATH").unwrap())
        .env("HOME", home.path())
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("this test needs {shell}: {error}"));
    String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn a_session_starts_through_every_login_shell() {
    let hard = "a'b\"c\\d $HOME `id` !! !$ ^x^y^ %s \\n {a,b} ~ * ? [x] # ü ; & | < > (x)";
    let first = format!(
        "{}printf '%s\\n' {}\nprintf '%s\\n' \"line 1\nline 2\"\n",
        program::definitions(&[]),
        fleetprov::shell::posix::quote(hard)
    );
    // As much as a probe of some hundred resources, and with the marks that take most room.
    let padding = format!(": '{}'\n", "$!`^".repeat(2_000));
    for shell in ["sh", "dash", "bash", "zsh", "mksh", "fish", "tcsh"] {
        for first in [first.clone(), format!("{padding}{first}")] {
            let expected = format!("\nn0nce ready\n{hard}\nline 1\nline 2\n");
            assert_eq!(session(shell, &first), expected, "{shell}, {} bytes", first.len());
        }
    }
}
