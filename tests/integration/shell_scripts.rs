//! Every shell script that is sent to a machine is POSIX sh: dash and `BusyBox` read it, `shellcheck` is content.

use std::path::{Path, PathBuf};
use std::process::Command;

fn scripts_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            scripts_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "sh") {
            found.push(path);
        }
    }
}

#[test]
fn scripts_are_posix_sh() {
    let mut scripts = Vec::new();
    scripts_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut scripts);
    assert!(scripts.len() >= 10, "only {} scripts were found", scripts.len());
    let mut complaints = String::new();
    // The libraries set variables for each other (SC2034, SC2154).
    let shellcheck = &["shellcheck", "-s", "sh", "-e", "SC2034,SC2154"];
    for reader in [&["dash", "-n"][..], &["busybox", "ash", "-n"], shellcheck] {
        for script in &scripts {
            let output = Command::new(reader[0])
                .args(&reader[1..])
                .arg(script)
                .output()
                .unwrap_or_else(|error| panic!("this test needs {}: {error}", reader[0]));
            if !output.status.success() {
                complaints.push_str(&format!("{} {}\n", reader.join(" "), script.display()));
                complaints.push_str(&String::from_utf8_lossy(&output.stdout));
                complaints.push_str(&String::from_utf8_lossy(&output.stderr));
            }
        }
    }
    assert!(complaints.is_empty(), "{complaints}");
}
