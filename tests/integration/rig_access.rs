//! The ways in and the rights there: root, sudo, doas, none at all, and what goes wrong with each.

use crate::project::Project;
use crate::rig::{Machine, Rig, RunningMachine};

const MOTD: &str = "- file: {path: /etc/motd, content: hello, mode: '0644'}";

fn owner(machine: &RunningMachine, path: &str) -> String {
    machine.check(&format!("stat -c '%U %a' {path}"))
}

#[test]
fn root_is_reached_by_every_way() {
    let rig = Rig::start(&[Machine::systemd("droplet")]);
    let droplet = rig.machine("droplet");
    for (user, privilege) in [
        ("root", ""),
        ("operator", "privilege: sudo"),
        ("doer", "privilege: doas"),
        ("sudoer", "privilege: {sudo: {password: {secret: sudo-password}}}"),
    ] {
        // A record is one login's.
        droplet.check("rm -rf /etc/motd /root/key /var/lib/fleetprov");
        let resources = format!("{MOTD}\n- file: {{path: /root/key, secret: marker}}");
        let project = Project::new(&rig).machine(droplet, user, privilege, &resources);
        project.secret("sudo-password", format!("{}\n", rig.password()).as_bytes());
        project.secret("marker", b"hush-hush\0\xff");
        project.plan(&[]).expect(2).says("/etc/motd");
        project.apply(&[]).expect(0).hides("hush-hush").hides(&rig.password());
        project.plan(&[]).expect(0).hides("hush-hush");
        assert_eq!(droplet.read("/etc/motd"), b"hello", "{user}");
        assert_eq!(droplet.read("/root/key"), b"hush-hush\0\xff", "{user}");
        assert_eq!(owner(droplet, "/root/key"), "root 600", "{user}");
    }
    // What sudo was called with is in the journal, for all to read: nothing of the plan is.
    let journal = droplet.check("journalctl --no-pager _COMM=sudo");
    assert!(journal.contains("COMMAND="), "{journal}");
    assert!(!journal.contains("motd") && !journal.contains("hush"), "{journal}");
}

#[test]
fn a_password_that_is_wrong_is_tried_once_and_nothing_else_is() {
    let rig = Rig::start(&[Machine::systemd("droplet")]);
    let droplet = rig.machine("droplet");
    let privilege = "privilege: {sudo: {password: {secret: sudo-password}}}";
    let project = Project::new(&rig).machine(droplet, "sudoer", privilege, MOTD);
    project.secret("sudo-password", b"not the password");
    project
        .apply(&[])
        .expect(5)
        .says("become root by sudo: the password was refused")
        .hides("not the password");
    let journal = droplet.check("journalctl --no-pager _COMM=sudo");
    assert!(journal.contains("1 incorrect password attempt ;"), "{journal}");
    assert!(!droplet.check("cat /etc/motd").contains("hello"));
}

#[test]
fn rights_that_are_not_to_be_had_are_refused_with_the_reason() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let machine = rig.machine("box");
    let with_password = "privilege: {sudo: {password: {secret: sudo-password}}}";
    let attempt = |user: &str, privilege: &str, reason: &str| {
        let project = Project::new(&rig).machine(machine, user, privilege, MOTD);
        project.secret("sudo-password", rig.password().as_bytes());
        project.plan(&[]).expect(5).says(reason);
    };
    attempt("sudoer", "privilege: sudo", "become root by sudo: it asks for a password; declare");
    attempt("alice", "privilege: doas", "become root by doas: the login user may not use it");
    let output = machine.run_with_input(&["chpasswd"], format!("alice:{}", rig.password()).as_bytes());
    assert!(output.success(), "{output:?}");
    attempt("alice", with_password, "become root by sudo: the login user may not use it");
    machine.check("echo 'Defaults requiretty' >/etc/sudoers.d/tty");
    attempt("operator", "privilege: sudo", "become root by sudo: it wants a terminal");
    machine.check(
        "rm /etc/sudoers.d/tty; mv /usr/bin/sudo /usr/bin/sudo.away; mv /usr/bin/doas /usr/bin/doas.away",
    );
    attempt("operator", "privilege: sudo", "become root by sudo: it is not installed");
    attempt("doer", "privilege: doas", "become root by doas: it is not installed");
    attempt("sudoer", with_password, "become root by sudo: it is not installed");
}

#[test]
fn a_user_without_rights_manages_what_is_theirs() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let machine = rig.machine("box");
    let resources = "\
- directory: {path: ~/deep/er, mode: '0700'}
- file: {path: ~/deep/er/file, content: mine}
- file: {path: ~/token, secret: token}
- link: {path: ~/link, target: ~/deep/er/file}";
    let project = Project::new(&rig).machine(machine, "alice", "", resources);
    project.secret("token", b"alice's");
    project.converge();
    assert_eq!(machine.read("/home/alice/link"), b"mine");
    assert_eq!(owner(machine, "/home/alice/deep/er/file"), "alice 644");
    assert_eq!(owner(machine, "/home/alice/token"), "alice 600");

    project.declare("box", &format!("{MOTD}\n- file: {{path: ~/deep/er/file, content: changed}}"));
    project.apply(&[]).expect(3).says("Permission denied");
    assert_eq!(machine.read("/home/alice/deep/er/file"), b"changed", "the rest is done");
    project.declare("box", "- file: {path: /root/hidden, content: x}");
    project.plan(&[]).expect(1).says("/root/hidden").says("Permission denied");
}

#[test]
fn noise_of_a_login_shell_is_not_listened_to() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let machine = rig.machine("box");
    machine.write(
        "/home/operator/.bashrc",
        b"echo 'n0 ready'; echo; printf '\\nm ready\\nbegin paths\\nd 0 x'; echo warning: noise >&2; printf unfinished\n",
    );
    machine.write("/root/.profile", b"echo noise of root; printf unfinished\n");
    machine.check("cp /home/operator/.bashrc /root/.bashrc");
    for (user, privilege) in [("operator", "privilege: sudo"), ("operator", ""), ("root", "")] {
        let resources = "- file: {path: ~/noisy, content: quiet}";
        machine.check("rm -rf /root/noisy /home/operator/noisy /var/lib/fleetprov /home/operator/.local");
        let project = Project::new(&rig).machine(machine, user, privilege, resources);
        project.converge();
    }
}

#[test]
fn login_shells_of_every_sort_start_a_session() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let machine = rig.machine("box");
    let project = Project::new(&rig).machine(machine, "root", "", "- file: {path: /root/it's, content: x}");
    for shell in ["/bin/dash", "/bin/bash", "/bin/sh"] {
        machine.check(&format!("chsh -s {shell} root; rm -f \"/root/it's\""));
        project.converge();
    }
    machine.check("chsh -s /usr/sbin/nologin root");
    project.plan(&[]).expect(1).says(
        "failed to keep the session: it ended early with status 1: This account is currently not available.",
    );
}
