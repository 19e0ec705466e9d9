//! The programs a session on a POSIX machine consists of: how it starts, and the orders it takes.
//!
//! A session is one `sh` that answers the probe and then reads orders from its stream: `key HEX`,
//! `run BYTES` followed by that much script, `quit`. The same shell takes the operations, so that an
//! apply costs one round trip more than a plan (measured: 1.02).

use super::call::Library;
use super::posix::{ELSEWHERE, LOOP, PROBE, SESSION, STATE, WAYS, quote, through_login_shell};

/// The libraries every session is given, in their order: what it takes to look at a machine.
const STANDARD: [Library; 5] = [SESSION, WAYS, PROBE, STATE, ELSEWHERE];

/// A script that defines the functions of the standard libraries and of some others with what they need.
///
/// Their text is kept in variables too, with that of the loop, for the processes that act as another
/// user.
#[must_use]
pub fn definitions(kinds: &[Library]) -> String {
    let mut text = String::new();
    for library in STANDARD.into_iter().chain(with_needs(kinds.iter().copied())) {
        text.push_str(&without_comments(library.posix));
    }
    let order_loop = quote(&minimal_loop());
    format!("fp_loop={order_loop}\nfp_libraries={}\neval \"$fp_libraries\"\n", quote(&text))
}

/// Libraries with those that they need, each once and behind what it needs; without the standard ones.
#[must_use]
pub fn with_needs(libraries: impl IntoIterator<Item = Library>) -> Vec<Library> {
    fn add(library: Library, all: &mut Vec<Library>) {
        if !STANDARD.contains(&library) && !all.contains(&library) {
            library.needs.iter().for_each(|need| add(*need, all));
            all.push(library);
        }
    }
    let mut all = Vec::new();
    libraries.into_iter().for_each(|library| add(library, &mut all));
    all
}

/// A script that adds the functions of more libraries to a session.
#[must_use]
pub fn more_definitions(kinds: &[Library]) -> String {
    let text: String = kinds.iter().map(|library| without_comments(library.posix)).collect();
    if text.is_empty() {
        return text;
    }
    let text = quote(&text);
    format!("fp_more={text}\nfp_libraries=\"$fp_libraries$fp_more\"\neval \"$fp_more\"\n")
}

/// The command that starts a session when the login already has the rights it needs: its first
/// script travels with it.
#[must_use]
pub fn start(nonce: &str, first: &str) -> String {
    let program =
        format!("fp_nonce=$2\n{}\nprintf '\\n%s ready\\n' \"$2\"\n{first}\nfp_orders\n", minimal_loop());
    through_login_shell("", &program, &[nonce])
}

/// The command that starts a session through `sudo` or `doas` (`prefix`): a constant program, since
/// both log their arguments. The first script travels as an order.
#[must_use]
pub fn start_through(prefix: &str, nonce: &str) -> String {
    let program = format!("fp_nonce=$2\n{}\nprintf '\\n%s ready\\n' \"$2\"\nfp_orders\n", minimal_loop());
    through_login_shell(prefix, &program, &[nonce])
}

/// An order to run a script.
#[must_use]
pub fn run(script: &str) -> Vec<u8> {
    let mut order = format!("run {}\n", script.len()).into_bytes();
    order.extend_from_slice(script.as_bytes());
    order
}

/// An order to remember the run's key.
#[must_use]
pub fn key(key: &str) -> Vec<u8> {
    format!("key {key}\n").into_bytes()
}

fn minimal_loop() -> String {
    without_comments(LOOP.posix)
}

/// The text without whole-line comments and indentation, which only a reader of the source needs.
/// Lines of a here-document keep their leading tabs dropped by `<<-` anyway.
fn without_comments(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for line in text.lines() {
        let line = line.trim_start_matches('\t');
        if !line.is_empty() && !line.starts_with('#') {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(command: &str, input: &[u8]) -> String {
        use std::io::Write as _;
        use std::process::{Command, Stdio};
        let mut child = Command::new("/bin/sh")
            .args(["-c", command])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
    }

    #[test]
    fn a_session_runs_its_first_script_and_then_orders() {
        let mut input = run("printf 'second %s\\n' \"$fp_key\"\n");
        input.splice(0..0, key("k1"));
        input.extend_from_slice(b"quit\n");
        let output = sh(&start("n1", "printf 'first\\n'"), &input);
        assert_eq!(output, "\nn1 ready\nfirst\nsecond k1\n");
    }

    #[test]
    fn the_standard_libraries_define_themselves() {
        let mut input = run(&definitions(&[]));
        input.extend(run("fp_frame hello; fp_state / none; printf '%s\\n' \"$fp_now\"\n"));
        let output = sh(&start_through("", "n2"), &input);
        assert!(output.starts_with("\nn2 ready\nn2 hello\ndirectory "), "{output}");
    }

    #[test]
    fn files_come_back_up_to_their_limit_and_unless_they_are_as_expected() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| quote(folder.path().join(name).to_str().unwrap());
        for (name, text) in
            [("a file", "four"), ("large", "more than four"), ("same", "same"), ("last", "last")]
        {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let same = crate::model::Digest::of(b"same").to_string();
        let asked = [("a file", "-"), ("large", "-"), ("none", "-"), ("same", &same), ("last", &same)];
        let mut input = run(&definitions(&[]));
        let mut probe = "fp_probe_begin\n".to_owned();
        for (number, (name, digest)) in asked.into_iter().enumerate() {
            let want = if digest == "-" { "bytes" } else { "unless" };
            probe.push_str(&format!(
                "fp_path {number} {want} {digest} 4 {} {}\n",
                at(name),
                quote(&at(name))
            ));
        }
        input.extend(run(&format!("{probe}fp_paths\n")));
        let output = sh(&start_through("", "n4"), &input);
        let contents: Vec<&str> = output.lines().filter(|line| line.starts_with("b ")).collect();
        assert_eq!(contents, ["b 0 Zm91cg==", "b 4 bGFzdA=="], "{output}");
        assert_eq!(output.lines().filter(|line| line.starts_with("d ")).count(), 4, "{output}");
    }

    #[test]
    fn orders_hold_any_bytes_of_script() {
        let input = run("printf '%s\\n' 'ü $x `y` \"z\" %b \\0'\n");
        let output = sh(&start_through("env", "n3"), &input);
        assert_eq!(output, "\nn3 ready\nü $x `y` \"z\" %b \\0\n");
    }
}
