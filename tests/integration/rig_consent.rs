//! What a mistake in the inventory does as well needs a word of its own: many removals, an older
//! inventory.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use crate::project::{Project, Ran};
use crate::rig::{Machine, Rig};

fn files(numbers: std::ops::Range<usize>) -> String {
    numbers.map(|number| format!("- file: {{path: /srv/f{number}, content: x}}\n")).collect()
}

/// Runs `apply --yes`, with more arguments and nothing agreed to beforehand.
fn unattended(project: &Project, more: &[&str]) -> Ran {
    project.run("apply", &[&["--yes"], more].concat())
}

/// Runs `apply` on a terminal, answers its question, and gives all that was shown.
fn asked(project: &Project, answer: &str) -> Ran {
    let words = |path| project.path(path).display().to_string();
    let command = format!(
        "{} apply {} --identity {}",
        env!("CARGO_BIN_EXE_fleetprov"),
        words("inventory.yaml"),
        words("identity")
    );
    let mut child = Command::new("script")
        .args(["-qefc", &command, "/dev/null"])
        .env("LC_ALL", "C.UTF-8")
        .env_remove("SSH_AUTH_SOCK")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this test needs script(1)");
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut shown = Vec::new();
    let mut answered = false;
    let mut buffer = [0; 4096];
    loop {
        let count = stdout.read(&mut buffer).unwrap();
        if count == 0 {
            break;
        }
        shown.extend_from_slice(&buffer[..count]);
        if !answered && String::from_utf8_lossy(&shown).contains("is taken: ") {
            answered = true;
            writeln!(stdin, "{answer}").unwrap();
        }
    }
    assert!(answered, "nothing was asked: {}", String::from_utf8_lossy(&shown));
    let status = child.wait().unwrap();
    Ran::of(std::process::Output { status, stdout: shown, stderr: Vec::new() })
}

#[test]
fn an_older_inventory_is_applied_only_when_that_is_meant() {
    let rig = Rig::start(&[Machine::plain("box"), Machine::plain("other")]);
    let (machine, other) = (rig.machine("box"), rig.machine("other"));
    let project = Project::new(&rig).machine(machine, "root", "", &files(0..1));
    let old = std::fs::read(project.path("inventory.yaml")).unwrap();
    project.converge();
    let project = project.machine(other, "root", "", "- file: {path: /srv/x, content: x}");
    project.declare("box", "- file: {path: /srv/f0, content: newer}");
    project.converge();

    project.file("inventory.yaml", old);
    project.declare("box", &files(0..1));
    let why = "goes back to an inventory, roles, templates or files older than the last applied there";
    project.plan(&[]).expect(2).says(&format!("this {why}; with --yes it needs --allow-older"));
    let ran = unattended(&project, &[]);
    ran.expect(5).says(&format!("failed to go on without consent: it {why} (--allow-older)"));
    assert_eq!(machine.read("/srv/f0"), b"newer");
    asked(&project, "no").expect(2).says(&format!("On box this {why}. Apply these changes to 1 machine?"));
    assert_eq!(machine.read("/srv/f0"), b"newer");
    asked(&project, "yes").expect(0);
    assert_eq!(machine.read("/srv/f0"), b"x");
    // Now it is the newest again.
    machine.check("rm /srv/f0");
    unattended(&project, &[]).expect(0).hides("older");
}

#[test]
fn older_roles_with_the_same_inventory_are_applied_only_when_that_is_meant() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let machine = rig.machine("box");
    let project = Project::new(&rig).machine(machine, "root", "", "- file: {path: /srv/f, source: f}");
    project.file("files/f", "one");
    unattended(&project, &[]).expect(0);
    project.file("files/f", "two");
    unattended(&project, &[]).expect(0);
    project.declare("box", "- file: {path: /srv/f, source: f, mode: '0600'}");
    unattended(&project, &[]).expect(0);
    // What is not known from before is newer, whatever else is in it.
    project.file("files/f", "one");
    unattended(&project, &[]).expect(0);
    // All of it as it was: a file, a role.
    let role = std::fs::read(project.path("roles/box.yaml")).unwrap();
    project.declare("box", "- file: {path: /srv/f, source: f}");
    unattended(&project, &[]).expect(5).says("--allow-older");
    assert_eq!(machine.read("/srv/f"), b"one");
    unattended(&project, &["--allow-older"]).expect(0);
    project.file("roles/box.yaml", role);
    project.file("files/f", "two");
    unattended(&project, &[]).expect(5).says("--allow-older");
    // A saved plan is bound to the inventory's text and to its steps: a file beside them does not matter.
    let plan = project.path("saved.plan").display().to_string();
    project.plan(&["--out", &plan]).expect(2);
    project.file("files/unrelated", "x");
    project.run("apply", &["--yes", "--plan", &plan]).expect(0);
    project
        .plan(&["--out", &project.path("no/such/p").display().to_string()])
        .expect(6)
        .hides(".fleetprov-plan");
}

#[test]
fn many_removals_are_made_only_when_they_are_meant() {
    let rig = Rig::start(&[Machine::plain("box"), Machine::plain("other")]);
    let (machine, other) = (rig.machine("box"), rig.machine("other"));
    let project = Project::new(&rig).machine(machine, "root", "", &files(0..8)).machine(
        other,
        "root",
        "",
        "- file: {path: /srv/x, content: x}",
    );
    project.converge();
    project.declare("box", &files(0..5));
    project.declare("other", "- file: {path: /srv/x, content: y}");
    unattended(&project, &[]).expect(0);
    assert!(!machine.exists("/srv/f5") && machine.exists("/srv/f4"));

    project.declare("box", &files(0..2));
    project.declare("other", "- file: {path: /srv/x, content: z}");
    let why = "removes 3 of the 5 resources that fleetprov owns there";
    project.plan(&[]).expect(2).says(&format!("this {why}; with --yes it needs --allow-prune"));
    unattended(&project, &[])
        .expect(5)
        .says(&format!("failed to go on without consent: it {why} (--allow-prune)"));
    assert!(machine.exists("/srv/f4"));
    assert_eq!(other.read("/srv/x"), b"z", "the others go on");
    unattended(&project, &["--allow-older"]).expect(5);
    unattended(&project, &["--allow-prune"]).expect(0);
    assert!(!machine.exists("/srv/f4") && machine.exists("/srv/f1"));
}
