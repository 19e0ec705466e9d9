//! What a stranger reads who made a mistake: through the program, at 80 columns.
//!
//! Each folder `tests/cases/project/NAME` is a project as a person would have it: `fleet.yaml`,
//! `roles/`, `templates/`, and `overlay.yaml` where it matters. `fleetprov validate` looks at it;
//! what it says and its exit code are compared with `expected.txt`. `UPDATE_CASES=1` writes those
//! anew; the difference is then for the author to read.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn said(folder: &Path) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fleetprov"));
    command.args(["validate", "fleet.yaml"]).current_dir(folder).stdin(Stdio::null());
    if folder.join("overlay.yaml").exists() {
        command.args(["--overlay", "overlay.yaml"]);
    }
    for variable in ["FLEETPROV_IDENTITY", "LANG", "LC_CTYPE"] {
        command.env_remove(variable);
    }
    let output = command.env("LC_ALL", "C").env("COLUMNS", "80").output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert!(out.is_empty() || err.is_empty(), "{}: both {out:?} and {err:?}", folder.display());
    format!("{out}{err}exit code {}\n", output.status.code().unwrap())
}

#[test]
fn every_mistake_is_explained_as_it_should_be() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cases/project");
    let mut cases: Vec<PathBuf> =
        std::fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    let update = std::env::var_os("UPDATE_CASES").is_some();
    let mut wrong = Vec::new();
    for case in &cases {
        let said = said(case);
        let expected = case.join("expected.txt");
        if update {
            std::fs::write(&expected, &said).unwrap();
        }
        if std::fs::read_to_string(&expected).ok().as_ref() != Some(&said) {
            wrong.push(format!("== {}\n{said}", case.display()));
        }
        if case.ends_with("right") {
            assert!(said.ends_with("exit code 0\n"), "{said}");
            continue;
        }
        assert!(said.ends_with("exit code 6\n"), "{}: {said}", case.display());
        for line in said.lines() {
            assert!(line.chars().count() <= 80, "{}: wider than 80 columns: {line}", case.display());
        }
        for problem in said.split("error: ").skip(1) {
            assert!(problem.contains(" --> "), "{}: points nowhere: {problem}", case.display());
            assert!(problem.contains(" = expected: "), "{}: asks nothing: {problem}", case.display());
        }
    }
    assert!(wrong.is_empty(), "not as expected:\n{}", wrong.join("\n"));
    assert!(cases.len() >= 30, "only {} cases were found", cases.len());
}
