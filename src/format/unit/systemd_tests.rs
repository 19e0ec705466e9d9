//! What systemd's own tools say of random names and values.

use std::process::Command;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::tests::word;
use super::{UnitFile, Value, escape_path};

/// Random values of a strategy, for tests that hand many to one process.
fn samples<T>(strategy: &impl Strategy<Value = T>, count: usize) -> Vec<T> {
    let mut runner = TestRunner::default();
    std::iter::repeat_with(|| strategy.new_tree(&mut runner).expect("nothing is rejected").current())
        .take(count)
        .collect()
}

fn path() -> impl Strategy<Value = String> {
    let component = prop_oneof![
        3 => "[a-zA-Z0-9:_.-]{0,6}",
        2 => "[^/\0]{1,4}",
        1 => Just(".".to_owned()),
        1 => "\\PC{1,4}".prop_map(|text| text.replace('/', "")),
    ];
    prop::collection::vec(component, 0..5).prop_map(|components| format!("/{}", components.join("/")))
}

#[test]
fn systemd_escapes_paths_alike() {
    let paths: Vec<String> = samples(&path(), 2_000)
        .into_iter()
        .filter(|path| !path.split('/').any(|component| component == ".."))
        .collect();
    assert!(paths.len() > 1_000, "too few paths without `..`");
    let output = Command::new("systemd-escape")
        .args(["--path", "--"])
        .args(&paths)
        .output()
        .expect("systemd-escape must be installed: it is the reference for unit names");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("ASCII");
    let theirs: Vec<&str> = text.trim_end_matches('\n').split(' ').collect();
    assert_eq!(theirs.len(), paths.len());
    for (path, name) in paths.iter().zip(theirs) {
        assert_eq!(escape_path(path).as_deref(), Ok(name), "{path:?}");
    }
}

/// Runs `systemd-analyze verify` on one unit and gives what it complains about.
fn verify(name: &str, unit: &UnitFile) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join(name);
    std::fs::write(&file, unit.emit().expect("an emitted unit")).expect("a written unit");
    let output = Command::new("systemd-analyze")
        .env("SYSTEMD_LOG_COLOR", "0")
        .args(["verify", "--man=no", "--recursive-errors=no"])
        .arg(&file)
        .output()
        .expect("systemd-analyze must be installed: it is the reference for unit files");
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    if complaint.is_empty() && !output.status.success() {
        return format!("{}", output.status);
    }
    complaint
}

fn service(settings: Vec<(&'static str, Value)>) -> UnitFile {
    let kind = ("Type", Value::verbatim("oneshot").unwrap());
    UnitFile::default()
        .with_section("Unit", [("Description", Value::text("proof").unwrap())])
        .with_section("Service", std::iter::once(kind).chain(settings))
}

#[test]
fn systemd_accepts_quoted_values() {
    let words = prop::collection::vec(word(), 0..5);
    let mut settings = Vec::new();
    for words in samples(&words, 300) {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        settings.push(("ExecStart", Value::command("/bin/true", &words).unwrap()));
        for word in words {
            let variable = Value::environment(&[("NAME_1", word)]);
            settings.extend(variable.ok().map(|variable| ("Environment", variable)));
            let folder = Value::words(&[&format!("/{word}")]);
            settings.extend(folder.ok().map(|folder| ("ReadWritePaths", folder)));
        }
    }
    assert_eq!(verify("proof.service", &service(settings)), "");
}

#[test]
fn systemd_verification_would_notice() {
    let bad = [("ExecStart", "/bin/true \"a"), ("ExecStart", "relative/path"), ("Environment", "1A=b")];
    for (key, value) in bad {
        let run = ("ExecStart", Value::command("/bin/true", &[]).unwrap());
        let complaint = verify("proof.service", &service(vec![run, (key, Value::verbatim(value).unwrap())]));
        assert!(complaint.contains("proof.service"), "{value}: {complaint}");
    }
}
