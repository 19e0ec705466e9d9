//! The keys of links between machines: made where they are used, let in where they lead, for what they are used
//! for and nothing else.

use crate::killed::{Killed, killed_at};
use crate::project::Project;
use crate::rig::{Machine, Output, Rig, RunningMachine};

/// A leg by which `nas` pulls from `web`.
const PULL: &str =
    "backups:\n  sites: {run-on: nas, from: \"web:/srv/sites\", to: /srv/backup, at: \"10 3 * * *\"}\n";

/// A leg by which `nas` pushes to `web`.
const PUSH: &str =
    "backups:\n  sites: {run-on: nas, from: /srv/sites, to: \"web:/srv/backup\", at: \"10 3 * * *\"}\n";

fn pulls(rig: &Rig) -> Project {
    rig.machine("web").check("mkdir -p /srv/sites && echo one >/srv/sites/a");
    let mut project = Project::new(rig).machine(rig.machine("nas"), "root", "", "  []").machine(
        rig.machine("web"),
        "root",
        "",
        "  []",
    );
    project.rest(PULL);
    project
}

/// OpenSSH's client on a machine, with the link's key for `web` and nothing else.
fn client(on: &RunningMachine, program: &str, arguments: &str) -> Output {
    on.sh(&format!(
        "{program} -i /root/.ssh/fleetprov-web -F none -o IdentitiesOnly=yes -o BatchMode=yes -o ConnectTimeout=10 \
         -o StrictHostKeyChecking=yes -o UserKnownHostsFile=/root/.ssh/fleetprov-known_hosts {arguments}"
    ))
}

/// Starts the leg and says how it ended.
fn run_leg(nas: &RunningMachine) -> Output {
    nas.sh(
        "/usr/local/lib/fleetprov/legs/sites.sh; code=$?; cat /var/log/fleetprov/legs/sites.log; exit $code",
    )
}

/// The lines of links' keys that open a machine.
fn doors(machine: &RunningMachine) -> Vec<String> {
    let text = machine.check("cat /root/.ssh/authorized_keys");
    text.lines().filter(|line| line.contains("fleetprov:lab:")).map(str::to_owned).collect()
}

#[test]
fn a_leg_pulls_over_a_key_of_its_own_that_is_good_for_nothing_else() {
    let rig = Rig::start(&[Machine::systemd("nas"), Machine::plain("web"), Machine::plain("thief")]);
    let (nas, web, thief) = (rig.machine("nas"), rig.machine("web"), rig.machine("thief"));
    let mut project = pulls(&rig);
    project
        .plan(&[])
        .expect(2)
        .says("link-key web (leg sites)")
        .says("nas makes a key for it in the same apply, which then lets it in here");
    assert!(!nas.exists("/root/.ssh/fleetprov-web") && !project.path("keys/links").exists());
    project.apply(&[]).expect(0).says("2 machines changed");
    project.plan(&[]).expect(0);
    project.apply(&[]).expect(0).says("nothing to do");

    nas.check("systemctl start fleetprov-leg-sites.service");
    assert_eq!(nas.read("/srv/backup/a"), b"one\n");
    assert_eq!(nas.check("stat -c '%a %U' /root/.ssh/fleetprov-web"), "600 root");
    let address = web.address();
    let line = doors(web);
    assert_eq!(line.len(), 1, "{line:?}");
    let options = format!("from=\"{}\",restrict,command=\"internal-sftp -R\" ssh-ed25519 ", nas.address());
    assert!(line[0].starts_with(&options) && line[0].ends_with(" fleetprov:lab:nas:web"), "{line:?}");
    let half = std::fs::read_to_string(project.path("keys/links/nas/web.pub")).unwrap();
    assert!(line[0].ends_with(half.trim()), "{half}");

    // The same key, by hand.
    let listed = client(nas, "echo ls /srv/sites | sftp -b -", &format!("root@{address}"));
    assert!(listed.success() && listed.text().contains("/srv/sites/a"), "{listed:?}");
    for command in ["id", ""] {
        let shell = client(nas, "ssh", &format!("root@{address} {command} </dev/null"));
        assert!(!shell.success() && !shell.text().contains("uid="), "{shell:?}");
    }
    for forward in ["-W 127.0.0.1:22", "-N -o ExitOnForwardFailure=yes -R 2999:127.0.0.1:22"] {
        let forward = client(nas, "timeout 20 ssh", &format!("{forward} root@{address} </dev/null"));
        assert!(![Some(0), Some(124)].contains(&forward.code), "{forward:?}");
        assert!(!forward.text().contains("SSH-2.0"), "{forward:?}");
    }
    for batch in ["put /etc/hostname /srv/sites/evil", "rm /srv/sites/a", "mkdir /srv/sites/evil"] {
        let write = client(nas, &format!("echo {batch} | sftp -b -"), &format!("root@{address}"));
        assert!(!write.success(), "{batch}: {write:?}");
    }
    let write =
        nas.sh("rclone --config /root/.config/rclone/rclone.conf copyto /etc/hostname web:/srv/sites/evil");
    assert!(!write.success(), "{write:?}");
    assert_eq!(web.check("ls /srv/sites && cat /srv/sites/a"), "a\none");

    // From another address.
    thief.check("mkdir -p -m 700 /root/.ssh");
    for file in ["fleetprov-web", "fleetprov-known_hosts"] {
        thief.write(&format!("/root/.ssh/{file}"), &nas.read(&format!("/root/.ssh/{file}")));
    }
    thief.check("chmod 600 /root/.ssh/fleetprov-web");
    let stolen = client(thief, "echo ls /srv/sites | sftp -b -", &format!("root@{address}"));
    assert!(!stolen.success() && format!("{stolen:?}").contains("Permission denied"), "{stolen:?}");

    // The leg turns round: the same key may write now.
    project.rest(PUSH);
    nas.check("mkdir -p /srv/sites && echo two >/srv/sites/b");
    project.apply(&[]).expect(0);
    project.plan(&[]).expect(0);
    let ran = run_leg(nas);
    assert!(ran.success(), "{ran:?}");
    assert_eq!(web.read("/srv/backup/b"), b"two\n");
    assert!(doors(web)[0].contains("command=\"internal-sftp\""), "{:?}", doors(web));

    // It leaves: line, key and files.
    project.rest("");
    project.converge();
    assert_eq!(doors(web), Vec::<String>::new());
    assert_eq!(nas.check("ls -A /root/.ssh"), "authorized_keys");
    assert!(!project.path("keys/links/nas").exists());
}

#[test]
fn an_apply_that_is_cut_between_its_rounds_is_finished_by_the_next() {
    let rig = Rig::start(&[Machine::plain("nas"), Machine::plain("web")]);
    let (nas, web) = (rig.machine("nas"), rig.machine("web"));
    let mut project = pulls(&rig);
    // The first file of its own that it puts in place is the public half.
    let command = project.command("apply", &["--yes"]);
    let killed = killed_at(&command, "rename,renameat,renameat2", 1);
    assert!(matches!(killed, Killed::Yes), "it ended by itself");
    assert!(nas.exists("/root/.ssh/fleetprov-web"), "the key was made");
    assert!(doors(web).is_empty() && !project.path("keys/links/nas/web.pub").exists());
    // A plan knows the key from its machine, and writes nothing.
    project.plan(&[]).expect(2).says("authorized-key root#link/nas");
    assert!(!project.path("keys/links/nas/web.pub").exists());
    project.apply(&[]).expect(0);
    project.plan(&[]).expect(0);
    assert!(run_leg(nas).success());
    assert_eq!(nas.read("/srv/backup/a"), b"one\n");

    // A key that was made anew takes the place of the former one.
    let before = doors(web);
    nas.check("rm /root/.ssh/fleetprov-web*");
    project.apply(&[]).expect(0);
    project.plan(&[]).expect(0);
    assert_ne!(doors(web), before);
    assert_eq!(doors(web).len(), 1);
    assert!(run_leg(nas).success());

    // A leg of another name goes on with it.
    let before = doors(web);
    project.rest(&PULL.replace("sites:", "pages:"));
    project.converge();
    assert_eq!(doors(web), before);
}

#[test]
fn a_machine_that_tells_somebody_elses_key_is_not_believed() {
    let rig = Rig::start(&[Machine::plain("nas"), Machine::plain("web")]);
    let (nas, web) = (rig.machine("nas"), rig.machine("web"));
    let mut project = pulls(&rig);
    project.apply(&[]).expect(0);
    // As if it were the key with which web opens nas.
    web.write("/root/.ssh/fleetprov-nas", &nas.read("/root/.ssh/fleetprov-web"));
    web.check("chmod 600 /root/.ssh/fleetprov-nas");
    project.rest(&format!(
        "{PULL}  back: {{run-on: web, from: \"nas:/srv/backup\", to: /srv/copy, at: \"10 4 * * *\"}}\n"
    ));
    project.apply(&[]).expect(0).says("web tells the key of nas for web as its own for nas; it is not taken");
    assert!(doors(nas).is_empty(), "{:?}", doors(nas));
    assert!(!project.path("keys/links/web").exists());
    // With one of its own it gets in.
    web.check("rm /root/.ssh/fleetprov-nas");
    project.apply(&[]).expect(0);
    project.plan(&[]).expect(0);
    assert_eq!(doors(nas).len(), 1);
}

#[test]
fn a_repository_outside_of_the_fleet_is_opened_once_its_key_was_let_in_by_hand() {
    let rig = Rig::start(&[Machine::plain("nas"), Machine::plain("forge")]);
    let (nas, forge) = (rig.machine("nas"), rig.machine("forge"));
    forge.check(
        "git init -q --bare -b main /srv/a.git && git init -q -b main /tmp/seed && cd /tmp/seed && echo x >x && \
         git add . && git -c user.name=x -c user.email=x@x commit -qm x && git push -q /srv/a.git main",
    );
    let remote = format!("ssh://root@{}/srv/a.git", forge.address());
    let role = format!("  - checkout: {{path: /srv/a, remote: \"{remote}\", push-url: disabled}}");
    let mut project = Project::new(&rig).machine(nas, "root", "", &role);
    project.rest(&format!("services:\n  notes: {{kind: git, remote: \"{remote}\"}}\n"));
    project
        .apply(&[])
        .expect(3)
        .says(&format!("nas opens {remote} with a key of its own, and it only reads. Let it in there:"))
        .says("fleetprov:lab:nas:notes where that host keeps the keys of its repositories");
    let half = std::fs::read_to_string(project.path("keys/links/nas/notes.pub")).unwrap();
    // Said once, and again when it is asked for.
    project.apply(&[]).expect(3).hides("Let it in there:");
    let listed = project.keys("list", &[]).output().unwrap();
    assert!(String::from_utf8_lossy(&listed.stdout).contains(half.trim()), "{listed:?}");
    forge.check(&format!("echo '{}' >>/root/.ssh/authorized_keys", half.trim()));
    project.apply(&[]).expect(0);
    project.plan(&[]).expect(0);
    assert_eq!(nas.read("/srv/a/x"), b"x\n");
}

#[test]
fn a_host_that_is_not_pinned_is_named_before_anything_is_made() {
    let rig = Rig::start(&[Machine::plain("nas"), Machine::plain("web")]);
    let (nas, web) = (rig.machine("nas"), rig.machine("web"));
    let project = pulls(&rig);
    project.apply(&[]).expect(0);
    let pinned = std::fs::read_to_string(project.path("known_hosts")).unwrap();
    let of_web = |line: &&str| line.starts_with(&format!("{} ", web.address()));
    let others: Vec<&str> = pinned.lines().filter(|line| !of_web(line)).collect();
    project.file("known_hosts", others.join("\n") + "\n");
    let ran = project.plan(&["-m", "nas"]);
    ran.expect(1).says(&format!("the host key of web ({}) is not pinned; compare", web.address()));
    assert!(nas.exists("/root/.ssh/fleetprov-web"));
}

#[test]
fn a_copied_link_key_is_named_by_the_audit() {
    let rig = Rig::start(&[Machine::plain("nas"), Machine::plain("web")]);
    let (nas, web) = (rig.machine("nas"), rig.machine("web"));
    let project = pulls(&rig);
    project.apply(&[]).expect(0);
    let audit = || crate::project::Ran::of(project.keys("audit", &[]).output().unwrap());
    audit().hides("a link of nas");
    web.write("/root/.ssh/mine", &nas.read("/root/.ssh/fleetprov-web"));
    web.check("chmod 600 /root/.ssh/mine");
    audit().expect(2).says("the private key of a link of nas lies on web");
}

#[test]
fn a_machine_that_was_refused_stays_as_it_is_when_a_key_for_it_was_made() {
    let rig = Rig::start(&[Machine::plain("nas"), Machine::plain("web")]);
    let (nas, web) = (rig.machine("nas"), rig.machine("web"));
    let mut project = pulls(&rig);
    project.rest("");
    let files: String =
        (1..6).map(|number| format!("- file: {{path: /srv/f{number}, content: x}}\n")).collect();
    project.declare("web", &files);
    project.converge();
    project.declare("web", "  []");
    project.rest(PULL);
    project.apply(&[]).expect(5).says("--allow-prune");
    assert!(nas.exists("/root/.ssh/fleetprov-web"));
    assert!(web.exists("/srv/f1") && doors(web).is_empty(), "it was changed without consent");
    project.converge();
    assert!(!web.exists("/srv/f1"));
    assert_eq!(doors(web).len(), 1);
}
