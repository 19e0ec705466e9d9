//! Changes of one machine that wait for those of another, in one apply.

use crate::project::Project;
use crate::rig::{Fault, Machine, Rig, RunningMachine};

/// Lets `desk` log in to `nas`.
fn link(rig: &Rig, desk: &RunningMachine, nas: &RunningMachine) {
    let public = desk.check("ssh-keygen -q -t ed25519 -N '' -f /root/link && cat /root/link.pub");
    nas.check(&format!("printf '%s\\n' '{}' >>/root/.ssh/authorized_keys", public.trim()));
    desk.write("/root/hosts", &std::fs::read(rig.known_hosts()).unwrap());
}

#[test]
fn a_spoke_clones_what_its_hub_has_only_after_the_same_apply() {
    let rig = Rig::start(&[Machine::plain("desk"), Machine::plain("nas")]);
    let (desk, nas) = (rig.machine("desk"), rig.machine("nas"));
    link(&rig, desk, nas);
    nas.check(
        "git init -q --bare -b main /srv/origin.git && git clone -q /srv/origin.git /tmp/work 2>/dev/null &&
         cd /tmp/work && git checkout -q -b main && echo truth >truth && git add . &&
         git -c user.name=x -c user.email=x@x commit -q -m x && git push -q origin main",
    );
    let hub = "- checkout: {path: /srv/canonical, remote: /srv/origin.git}";
    let spoke = format!(
        "- file: {{path: /srv/own, content: own}}\n\
         - checkout: {{path: /srv/copy, remote: \"root@{}:/srv/canonical\", key: /root/link, known-hosts: /root/hosts}}\n\
         - link: {{path: /srv/after, target: /srv/copy}}\n  after: [checkout /srv/copy]",
        nas.address()
    );
    let project = Project::new(&rig).machine(nas, "root", "", hub).machine(desk, "root", "", &spoke);
    project.plan(&[]).expect(2).says("checkout /srv/copy (role desk, after nas)");
    // The spoke comes first in the inventory, and there is room for one machine at a time.
    project.apply(&["--parallel", "1"]).expect(0);
    project.plan(&[]).expect(0);
    assert_eq!(desk.read("/srv/copy/truth"), b"truth\n");

    // By itself, the spoke waits for a hub that is in order, and not for one that is not.
    desk.check("rm -r /srv/copy");
    project.apply(&["-m", "desk"]).expect(0);
    assert_eq!(desk.read("/srv/copy/truth"), b"truth\n");
    desk.check("rm -r /srv/copy /srv/own");
    nas.check("rm -r /srv/canonical");
    project
        .apply(&["-m", "desk"])
        .expect(3)
        .says("it waits for nas, which has changes to make and is not part of this run");
    assert!(desk.exists("/srv/own") && !desk.exists("/srv/copy") && !nas.exists("/srv/canonical"));
    project.converge();
}

#[test]
fn what_waits_for_a_hub_that_failed_is_not_made_and_the_rest_is() {
    let rig = Rig::start(&[Machine::plain("desk"), Machine::plain("nas").size("24m")]);
    let (desk, nas) = (rig.machine("desk"), rig.machine("nas"));
    let hub = |text: &str| format!("- file: {{path: /srv/export, content: \"{text}\"}}");
    let spoke = |text: &str| {
        format!(
            "- file: {{path: /srv/uses, content: {text}}}\n  awaits: [nas]\n  id: uses\n\
             - file: {{path: /srv/builds-on, content: {text}}}\n  after: [uses]\n\
             - file: {{path: /srv/own, content: {text}}}"
        )
    };
    let project =
        Project::new(&rig).machine(nas, "root", "", &hub("old")).machine(desk, "root", "", &spoke("old"));
    project.converge();
    project.declare("nas", &hub(&"x".repeat(300_000)));
    project.declare("desk", &spoke("new"));
    let is_held = |own: &[u8]| {
        assert_eq!(desk.read("/srv/uses"), b"old");
        assert_eq!(desk.read("/srv/builds-on"), b"old");
        assert_eq!(desk.read("/srv/own"), own);
        assert_eq!(nas.read("/srv/export"), b"old");
    };

    nas.fault(Fault::ReadOnly("/srv"));
    let ran = project.apply(&[]);
    ran.expect(3).says("waits file /srv/uses (role desk) it waits for nas, whose change failed");
    ran.says(
        "skipped file /srv/builds-on (role desk) it needs file /srv/uses, which waits for another machine",
    );
    is_held(b"new");
    nas.fault(Fault::Writable("/srv"));

    // Without room even the run cannot be written down.
    nas.fault(Fault::Fill);
    project.declare("desk", &spoke("other"));
    project.apply(&[]).expect(1).says("it waits for nas, which cannot be worked on");
    is_held(b"other");
    nas.fault(Fault::Unfill);

    nas.fault(Fault::Cut);
    project.declare("desk", &spoke("newer"));
    project.apply(&["--timeout", "5"]).expect(4).says("it waits for nas, which cannot be reached");
    is_held(b"newer");
    nas.fault(Fault::Join);

    project.converge();
    assert_eq!(desk.read("/srv/builds-on"), b"newer");
}

#[test]
fn machines_that_wait_for_each_other_are_named_and_left_alone() {
    let rig = Rig::start(&[Machine::plain("desk"), Machine::plain("nas")]);
    let (desk, nas) = (rig.machine("desk"), rig.machine("nas"));
    let of = |other: &str| {
        format!(
            "- file: {{path: /srv/own, content: x}}\n- link: {{path: /srv/link, target: x}}\n  awaits: [{other}]"
        )
    };
    let project =
        Project::new(&rig).machine(nas, "root", "", &of("desk")).machine(desk, "root", "", &of("nas"));
    for ran in [project.plan(&[]), project.apply(&[])] {
        ran.expect(5).says("desk's link /srv/link waits for nas, nas's link /srv/link waits for desk");
    }
    assert!(!desk.exists("/srv/own") && !nas.exists("/srv/own"));
}
