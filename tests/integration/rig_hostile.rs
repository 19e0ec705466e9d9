//! A user of a machine who wants root, or somebody else, to write where they should not.

use fleetprov::shell::posix::FILES;
use fleetprov::shell::program::definitions;

use crate::project::Project;
use crate::rig::{Machine, Rig, RunningMachine};

fn facts(machine: &RunningMachine, path: &str) -> String {
    machine.check(&format!("stat -c '%U %G %a' -- {path}"))
}

#[test]
fn what_is_in_a_users_folder_is_written_as_that_user() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let machine = rig.machine("box");
    let resources = "\
- directory: {path: /home/alice/conf, owner: alice, mode: '0750'}
- file: {path: /home/alice/conf/file, owner: alice, content: hello, mode: '0640'}
- file: {path: /home/alice/conf/token, owner: alice, secret: token}
- link: {path: /home/alice/link, owner: alice, target: conf/file}";
    let project = Project::new(&rig).machine(machine, "root", "", resources);
    project.secret("token", &[0xff; 200_000]);
    project.converge();
    assert_eq!(facts(machine, "/home/alice/conf"), "alice alice 750");
    assert_eq!(facts(machine, "/home/alice/conf/file"), "alice alice 640");
    assert_eq!(facts(machine, "/home/alice/conf/token"), "alice alice 600");
    assert_eq!(machine.read("/home/alice/conf/token").len(), 200_000);

    // She cannot give files away, and so cannot fleetprov on her behalf: that root owned it would
    // have meant that root wrote it. The plan says so.
    project.declare("box", "- file: {path: /home/alice/roots, owner: root, content: x}");
    project.apply(&["--allow-prune"]).expect(3).says("who cannot give it owner root");
    assert!(!machine.exists("/home/alice/roots"));
    assert_eq!(machine.check("find /home/alice -name '.fleetprov-*'"), "");
}

/// Applies a file with root's content below a folder, and tells what became of it.
fn attempt(project: &Project, path: &str, owner: &str) -> i32 {
    project.declare("box", &format!("- file: {{path: {path}, owner: {owner}, content: 'by fleetprov'}}"));
    project.apply(&[]).code.unwrap()
}

#[test]
fn links_of_a_user_lead_root_nowhere() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let machine = rig.machine("box");
    let project = Project::new(&rig).machine(machine, "root", "", "");
    machine.check(
        "mkdir -p /srv/safe /etc/target /home/alice/inside; chown alice: /home/alice/inside
        su alice -c 'ln -s /etc/target /home/alice/away; ln -s /etc/target /tmp/away; ln -s /srv/safe /home/alice/harmless'
        ln -s /home/alice/away /srv/two-hops; ln -s /home/alice/inside /srv/hers; ln -s /srv/safe /srv/roots
        mkdir /home/alice/roots-own; ln -s /home/alice/roots-own /srv/in-hers",
    );
    // Through her link root would write to /etc; she herself may not. What would be root's there is blocked
    // in the plan already, since she would have to give it away.
    for path in ["/home/alice/away/x", "/srv/two-hops/x", "/tmp/away/x", "/srv/in-hers/x"] {
        assert_eq!(attempt(&project, path, "alice"), 3, "{path}");
        assert_eq!(attempt(&project, path, "root"), 1, "{path}");
    }
    assert_eq!(machine.check("ls -A /etc/target /home/alice/roots-own | grep x || true"), "");
    // What root has linked is root's word, and what is hers is written as her.
    assert_eq!(attempt(&project, "/srv/roots/x", "root"), 0);
    assert_eq!(facts(machine, "/srv/safe/x"), "root root 644");
    // With the next one it has left the inventory, and goes.
    assert_eq!(attempt(&project, "/srv/hers/x", "alice"), 0);
    assert!(!machine.exists("/srv/safe/x"));
    assert_eq!(facts(machine, "/home/alice/inside/x"), "alice alice 644");
    // A link in the file's own place is replaced, not followed.
    machine.check("su alice -c 'ln -s /etc/shadow /home/alice/inside/y'; ln -s /etc/hostname /srv/safe/y; ln -s /etc/target /srv/safe/z");
    let before = machine.read("/etc/hostname");
    assert_eq!(attempt(&project, "/home/alice/inside/y", "alice"), 0);
    assert_eq!(attempt(&project, "/srv/safe/y", "root"), 0);
    assert_eq!(attempt(&project, "/srv/safe/z", "root"), 0);
    assert_eq!(machine.read("/etc/hostname"), before);
    assert_eq!(machine.read("/srv/safe/z"), b"by fleetprov");
    assert_eq!(machine.check("ls -A /etc/target"), "");
}

#[test]
fn a_folder_that_others_may_exchange_is_refused_on_the_way() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let machine = rig.machine("box");
    let project = Project::new(&rig).machine(machine, "root", "", "");
    machine.check(
        "mkdir -p /srv/team/sub /srv/open/sub /srv/sticky/sub /srv/staff/sub /home/alice/team/sub /home/alice/sub
        chgrp users /srv/team; chmod 2775 /srv/team; chmod 777 /srv/open; chmod 1777 /srv/sticky
        chgrp staff /srv/staff; chmod 2775 /srv/staff
        chown -R alice: /home/alice/team /home/alice/sub; chgrp users /home/alice/team; chmod 775 /home/alice/team",
    );
    for (path, owner, group) in [
        ("/srv/team/sub/x", "root", "group users"),
        ("/srv/open/sub/x", "root", "everybody"),
        // She would be led by those of her group.
        ("/home/alice/team/sub/x", "alice", "group users"),
    ] {
        project.declare("box", &format!("- file: {{path: {path}, owner: {owner}, content: x}}"));
        project.apply(&[]).expect(5).says(&format!("can be written by {group}"));
        assert!(!machine.exists(path));
    }
    for (path, owner) in [
        ("/srv/sticky/sub/x", "root"),
        ("/srv/staff/sub/x", "root"),
        ("/home/alice/sub/x", "alice"),
        // In the last folder there is nothing left to be led astray by.
        ("/srv/team/x", "root"),
        ("/srv/open/x", "root"),
    ] {
        assert_eq!(attempt(&project, path, owner), 0, "{path}");
        assert_eq!(machine.check(&format!("stat -c %U {path}")), owner, "{path}");
    }
}

/// Runs a program of alice's on a machine while `during` runs, and ends it.
fn while_alice_runs(machine: &RunningMachine, script: &str, during: impl FnOnce()) {
    machine.write("/home/alice/attack", script.as_bytes());
    machine.check(
        "setsid su alice -c 'echo $$ >/tmp/attack; exec sh /home/alice/attack' >/dev/null 2>&1 </dev/null &",
    );
    during();
    machine.check("kill $(cat /tmp/attack); rm -f /tmp/attack");
}

#[test]
fn races_in_a_shared_folder_give_nothing_away() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let machine = rig.machine("box");
    machine.check(
        "mkdir -p /srv/team; chgrp users /srv/team; chmod 775 /srv/team; usermod -aG users alice
        echo precious >/etc/precious; chmod 600 /etc/precious",
    );
    let mut resources = String::new();
    for number in 0..25 {
        resources.push_str(&format!("- file: {{path: /srv/team/secret-{number}, secret: marker}}\n"));
        resources.push_str(&format!("- file: {{path: /srv/team/open-{number}, content: x, mode: '0666'}}\n"));
        resources.push_str(&format!("- directory: {{path: /srv/team/folder-{number}, mode: '0777'}}\n"));
    }
    let project = Project::new(&rig).machine(machine, "root", "", &resources);
    project.secret("marker", b"the marker secret");
    // She copies what she can read of every temporary file, and puts links to what she wants opened
    // in the place of temporary files, files and folders.
    let attack = "\
cd /srv/team || exit
while :; do
    for file in .fleetprov-*; do
        cat \"$file\" >>/home/alice/loot 2>/dev/null
        mv -f \"$file\" /srv/team/.taken 2>/dev/null && ln -s /etc/precious \"$file\" 2>/dev/null
    done
    for file in open-* folder-*; do
        [ -h \"$file\" ] || { mv \"$file\" /srv/team/.taken-$$ 2>/dev/null && ln -s /etc/precious \"$file\"; }
    done
    rm -rf /srv/team/.taken-$$
done 2>/dev/null
";
    while_alice_runs(machine, attack, || {
        for _ in 0..2 {
            project.apply(&[]);
        }
    });
    let loot = machine.sh("cat /home/alice/loot").text();
    assert!(!loot.contains("the marker secret"), "a temporary file was readable");
    assert_eq!(facts(machine, "/etc/precious"), "root root 600");
    assert_eq!(machine.read("/etc/precious"), b"precious\n");
    // Left alone, it converges.
    machine.check("rm -rf /srv/team/* /srv/team/.taken* /srv/team/.fleetprov-*");
    project.converge();
}

#[test]
fn attributes_are_given_to_what_was_looked_at_and_nothing_else() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let machine = rig.machine("box");
    machine.check(
        "mkdir -p /srv/team; chgrp users /srv/team; chmod 775 /srv/team; usermod -aG users alice
        echo precious >/etc/precious; chmod 600 /etc/precious; mkdir -m 700 /etc/private
        cd /srv/team; echo x >file; mkdir folder",
    );
    let attack = r#"
exec perl -e '
    chdir "/srv/team";
    while (1) {
        for (["file", "/etc/precious"], ["folder", "/etc/private"]) {
            my ($name, $wanted) = @$_;
            rename $name, "$name-kept"; symlink $wanted, $name; unlink $name; rename "$name-kept", $name;
        }
    }'
"#;
    // The functions themselves, many times: each time they are told that all is as it was.
    let script = format!(
        "fp_nonce=n\n{}
        tries=0
        while [ $tries -lt 150 ]; do
            tries=$((tries + 1))
            for path in /srv/team/file /srv/team/folder; do
                fp_state $path none
                case $fp_now in
                file* | directory*) fp_attributes $path \"$fp_now\" none alice - 0777 2>/dev/null && echo given ;;
                esac
            done
            rmdir /srv/team/new 2>/dev/null
            fp_directory /srv/team/new absent - - 0777 2>/dev/null
        done",
        definitions(&[FILES])
    );
    while_alice_runs(machine, attack, || {
        let output = machine.run_with_input(&["sh"], script.as_bytes());
        assert!(output.text().contains("given"), "she lets some through: {output:?}");
    });
    assert_eq!(facts(machine, "/etc/precious"), "root root 600");
    assert_eq!(facts(machine, "/etc/private"), "root root 700");
    assert_eq!(machine.read("/etc/precious"), b"precious\n");
}

#[test]
fn a_user_does_not_get_to_read_with_roots_eyes_or_hold_the_machine_up() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let machine = rig.machine("box");
    machine.check(
        "mkdir -m 700 -p /root/app && echo '{\"password\": \"root-knows-this\"}' >/root/app/settings.json
        echo root-knows-this >/root/app/text; cp /root/app/text /root/app/app.ini; chmod 600 /root/app/*
        su alice -c 'ln -s /root/app /home/alice/app; mkdir /home/alice/large; truncate -s 4T /home/alice/large/file'",
    );
    let project = Project::new(&rig).machine(machine, "root", "", "");
    let led = "\
- json-keys: {path: /home/alice/app/settings.json, owner: alice, values: {theme: dark}}
- ini-keys: {path: /home/alice/app/app.ini, owner: alice, sections: {main: {a: '1'}}}
- block: {path: /home/alice/app/text, id: lab, owner: alice, content: line}
- file: {path: /home/alice/app/app.ini, owner: alice, content: mine}
- file: {path: /etc/motd, content: hello}";
    for resource in led.lines().take(4) {
        project.declare("box", &format!("{resource}\n- file: {{path: /etc/motd, content: hello}}"));
        project.plan(&["--json"]).hides("root-knows-this").says("/etc/motd");
        project.apply(&["--json"]).hides("root-knows-this");
        assert_eq!(machine.read("/etc/motd"), b"hello");
        machine.check("rm /etc/motd");
    }
    assert_eq!(machine.check("cat /root/app/text /root/app/app.ini"), "root-knows-this\nroot-knows-this");

    // A file that takes for ever to read costs itself, not the machine; and nothing goes on reading.
    project.declare("box", "- file: {path: /home/alice/large/file, owner: alice, content: x}\n- file: {path: /etc/motd, content: hello}");
    project
        .plan(&[])
        .says("/home/alice/large/file could not be looked at in time as alice")
        .says("create file /etc/motd");
    assert_eq!(machine.sh("pgrep sha256sum").text(), "");
}
