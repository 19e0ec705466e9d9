//! Nothing of a rig is left, however it ends.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::wait_until;
use crate::rig::{Fault, Machine, Rig};

/// Traces that only this test's machine leaves: everything of a machine carries its name.
fn traces_of(machine: &str) -> Vec<String> {
    let mut traces = Vec::new();
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").expect("the mounts");
    traces.extend(mounts.lines().filter(|line| line.contains(machine)).map(str::to_owned));
    for entry in std::fs::read_dir("/proc").expect("the processes").flatten() {
        // One that has ended waits only for this computer's init to notice.
        let status = std::fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        if status.contains("State:\tZ") {
            continue;
        }
        for file in ["cmdline", "cgroup"] {
            // A process that ends while we look has no trace to show.
            let contents = std::fs::read(entry.path().join(file)).unwrap_or_default();
            if String::from_utf8_lossy(&contents).contains(machine) {
                traces.push(format!("{}: {}", entry.path().display(), String::from_utf8_lossy(&contents)));
            }
        }
    }
    for folder in ["/run/fleetprov-rig", "/sys/fs/cgroup"] {
        let found = Command::new("find")
            .args([folder, "-name"])
            .arg(format!("*{machine}*"))
            .output()
            .expect("find runs");
        traces.extend(String::from_utf8_lossy(&found.stdout).lines().map(str::to_owned));
    }
    traces
}

/// Waits until a machine has no trace. Panics when some are still there after ten seconds.
fn wait_until_nothing_is_left_of(machine: &str) {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let traces = traces_of(machine);
        if traces.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "left behind: {traces:#?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The cables and bridges of the rig, by the kernel's index, which is not used twice.
fn links(number: &str) -> BTreeSet<String> {
    std::fs::read_dir("/sys/class/net")
        .expect("the network's links")
        .flatten()
        .filter(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            name == format!("rig{number}") || name.starts_with(&format!("rig{number}-"))
        })
        .filter_map(|entry| std::fs::read_to_string(entry.path().join("ifindex")).ok())
        .collect()
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rig/rig")
}

#[test]
fn nothing_is_left() {
    let names = ["a", "b"].map(|name| format!("left-{name}-{}", std::process::id()));
    let rig = Rig::start(&[Machine::systemd(&names[0]), Machine::plain(&names[1])]);
    // The worst moment: one machine restarted, one frozen, with a disk that is full.
    rig.machine(&names[0]).fault(Fault::Crash);
    rig.machine(&names[0]).fault(Fault::ReadOnly("/usr"));
    rig.machine(&names[1]).fault(Fault::Fill);
    rig.machine(&names[1]).fault(Fault::Freeze);
    for name in &names {
        assert!(traces_of(name).len() > 5, "{:?}", traces_of(name));
    }
    let number = std::fs::read_to_string(rig.directory().join("instance")).expect("the number");
    let before = links(number.trim());
    assert_eq!(before.len(), 3, "a bridge and two cables");

    let directory = rig.directory().to_owned();
    drop(rig);
    assert!(!directory.exists());
    for name in &names {
        assert_eq!(traces_of(name), Vec::<String>::new());
    }
    assert!(links(number.trim()).is_disjoint(&before));
}

#[test]
fn a_rig_that_cannot_start_leaves_nothing_and_says_why() {
    let name = format!("small-{}", std::process::id());
    let directory = tempfile::tempdir().expect("a temporary folder");
    let output = Command::new(script())
        .arg("up")
        .arg(directory.path())
        .args([format!("{name}:systemd"), format!("{name}-too:plain:4k")])
        .output()
        .expect("tests/rig/rig runs");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("No space left on device"), "{said}");
    assert_eq!(traces_of(&name), Vec::<String>::new());
    assert_eq!(std::fs::read_dir(directory.path()).expect("the folder").count(), 0);
}

#[test]
fn a_rig_ends_with_its_owner() {
    let name = format!("owned-{}", std::process::id());
    let directory = tempfile::tempdir().expect("a temporary folder");
    let mut owner = Command::new("sleep").arg("1000").spawn().expect("sleep runs");
    let status = Command::new(script())
        .args(["up", "--owner", &owner.id().to_string()])
        .arg(directory.path())
        .arg(format!("{name}:plain"))
        .status()
        .expect("tests/rig/rig runs");
    assert!(status.success());
    assert!(!traces_of(&name).is_empty());
    owner.kill().expect("the owner can be killed");
    owner.wait().expect("the owner is dead");
    wait_until_nothing_is_left_of(&name);
}

#[test]
fn a_rig_whose_start_was_killed_is_cleaned_up() {
    let names = ["a", "b", "c"].map(|name| format!("killed-{name}-{}", std::process::id()));
    let directory = tempfile::tempdir().expect("a temporary folder");
    let mut starting = Command::new(script())
        .arg("up")
        .arg(directory.path())
        .args(names.iter().map(|name| format!("{name}:systemd")))
        .spawn()
        .expect("tests/rig/rig runs");
    wait_until("its number is known", || directory.path().join("instance").exists());
    let number = std::fs::read_to_string(directory.path().join("instance")).expect("the number");
    let disk = format!("/run/fleetprov-rig/{}/machines/{}/disk/upper", number.trim(), names[0]);
    wait_until("a machine is half made", || Path::new(&disk).exists());
    starting.kill().expect("the start can be killed");
    starting.wait().expect("the start is dead");
    assert!(!directory.path().join("machines.tsv").exists(), "it was killed too late");

    let status = Command::new(script()).args(["down", "--all"]).status().expect("tests/rig/rig runs");
    assert!(status.success());
    for name in &names {
        // The start of another test's rig may be cleaning up at the same time.
        wait_until_nothing_is_left_of(name);
    }
}

#[test]
fn a_rig_can_be_left_standing_to_play_with() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = Command::new(script())
        .arg("play")
        .env("TMPDIR", folder.path())
        .stdin(Stdio::null())
        .output()
        .expect("tests/rig/rig runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let line = |word: &str| said.lines().find(|line| line.contains(word)).expect(word).trim();
    let down = line(" down ");

    let login =
        Command::new("sh").args(["-c", &format!("{} hostname", line("ssh -F"))]).output().expect("ssh");
    assert_eq!(String::from_utf8_lossy(&login.stdout), "droplet\n");
    assert_eq!(said.matches("10.77.").count(), 5, "{said}");

    let status = Command::new("sh").args(["-c", down]).status().expect("the command to take it down");
    assert!(status.success());
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 0);
}
