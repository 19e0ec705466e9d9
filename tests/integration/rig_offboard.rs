//! A machine leaves the fleet: in order, or lost.

use crate::project::{Project, Ran};
use crate::rig::{Machine, Rig, RunningMachine};

const PULL: &str =
    "backups:\n  sites: {run-on: nas, from: \"web:/srv/sites\", to: /srv/backup, at: \"10 3 * * *\"}\n";

/// `nas` pulls from `web` with a link's key; both have a key of this seat, and `nas` is a seat as well.
fn fleet(rig: &Rig) -> Project {
    let (nas, web) = (rig.machine("nas"), rig.machine("web"));
    web.check("mkdir -p /srv/sites && echo one >/srv/sites/a");
    let file = "- file: {path: /etc/token, secret: token}";
    let mut project = Project::new(rig).machine(nas, "root", "", file).machine(web, "root", "", "  []");
    project.secret("token", b"hush");
    project.rest(PULL);
    // One that is not supported yet is in nobody's way.
    project.alter(
        "web",
        "roles: [web]}",
        "roles: [web]}\n  tower: {tier: all, platform: windows, connect: {ssh: \"a@192.0.2.9\"}}",
    );
    Ran::of(project.keys("enrol", &["--seat", "here"]).output().unwrap()).expect(0);
    std::fs::create_dir(project.path("keys/seats/nas")).unwrap();
    let half = crate::project::make_key(&project.path("of-nas"));
    project.file("keys/seats/nas/web.pub", half);
    project.apply(&["-m", "nas", "-m", "web"]).expect(0);
    project.plan(&["-m", "nas", "-m", "web"]).expect(0);
    project
}

/// Whether a key of `nas` opens `web` for anything.
fn opens(nas: &RunningMachine, web: &RunningMachine, key: &str) -> bool {
    let ran = nas.sh(&format!(
        "echo 'ls /srv/sites' | sftp -b - -i {key} -F none -o IdentitiesOnly=yes -o BatchMode=yes \
         -o ConnectTimeout=10 -o StrictHostKeyChecking=no root@{}",
        web.address()
    ));
    assert!(ran.success() || format!("{ran:?}").contains("Permission denied"), "{ran:?}");
    ran.success()
}

#[test]
fn the_keys_of_a_lost_machine_open_nothing_anywhere() {
    let rig = Rig::start(&[Machine::systemd("nas"), Machine::plain("web")]);
    let (nas, web) = (rig.machine("nas"), rig.machine("web"));
    let project = fleet(&rig);
    nas.write("/root/.ssh/seat", &std::fs::read(project.path("of-nas")).unwrap());
    nas.check("chmod 600 /root/.ssh/seat");
    assert!(opens(nas, web, "/root/.ssh/fleetprov-web") && opens(nas, web, "/root/.ssh/seat"));
    let inventory = std::fs::read_to_string(project.path("inventory.yaml")).unwrap();
    let lost = project.run("offboard", &["nas", "--lost", "--yes"]);
    // The leg still needs it: that is said, and the keys are revoked all the same.
    lost.expect(3)
        .says("is marked @revoked in")
        .says("nas is no seat any more")
        .says("nas stays in the inventory until this is taken out")
        .says("`backups.sites.run-on` needs nas")
        .says("give them new values: token")
        .hides("hush");
    assert_eq!(std::fs::read_to_string(project.path("inventory.yaml")).unwrap(), inventory);
    assert!(!opens(nas, web, "/root/.ssh/fleetprov-web") && !opens(nas, web, "/root/.ssh/seat"));
    let pinned = std::fs::read_to_string(project.path("known_hosts")).unwrap();
    assert!(pinned.lines().any(|line| line.starts_with("@revoked * ")), "{pinned}");
    // Nobody takes it for the machine it was.
    project.plan(&["-m", "nas"]).expect(5).says("revoked");
    project.plan(&["-m", "web"]).expect(0);
    assert!(!project.path("keys/links/nas").exists() && !project.path("keys/seats/here/nas.pub").exists());
    // What is on it was not touched.
    assert_eq!(nas.read("/etc/token"), b"hush");
}

#[test]
fn a_machine_that_leaves_takes_along_what_was_made_for_it() {
    let rig = Rig::start(&[Machine::systemd("nas"), Machine::plain("web")]);
    let (nas, web) = (rig.machine("nas"), rig.machine("web"));
    let mut project = fleet(&rig);
    project.forget_key("nas");
    project
        .run("offboard", &["nas", "--yes"])
        .expect(6)
        .says("nothing was changed: take out first")
        .says("`backups.sites.run-on` needs nas");
    assert!(nas.exists("/etc/token"));
    project.rest("");
    let left = project.run("offboard", &["nas", "--yes", "--json"]);
    left.expect(0).says("nas has left the fleet");
    assert_eq!(left.stdout, "{\"exit_code\":0,\"machine\":\"nas\",\"version\":1}\n");
    assert!(!nas.exists("/etc/token") && !nas.exists("/root/.ssh/fleetprov-web"));
    for machine in [nas, web] {
        let lines =
            machine.sh("grep -e fleetprov:lab:nas: -e fleetprov:lab:here:nas /root/.ssh/authorized_keys");
        assert_eq!(lines.text(), "");
    }
    let inventory = std::fs::read_to_string(project.path("inventory.yaml")).unwrap();
    assert!(!inventory.contains("  nas:"), "{inventory}");
    let pinned = std::fs::read_to_string(project.path("known_hosts")).unwrap();
    assert!(!pinned.contains(&nas.address().to_string()), "{pinned}");
    project.plan(&["-m", "web"]).expect(0);
    project.run("offboard", &["nas", "--yes"]).expect(6).says("no managed machine is called `nas`");
}
