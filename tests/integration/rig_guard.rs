//! The lockout guard on real machines: what cuts the way in is put back by the machine itself, whatever
//! becomes of the controller; what does not is confirmed over a new connection, and leaves nothing behind.

use std::time::{Duration, Instant};

use crate::project::{Project, Ran};
use crate::rig::{Fault, Machine, Rig, RunningMachine};

/// What every test waits for at most: the guard's time, which is ten seconds, and what it takes to put
/// everything back.
const BACK: Duration = Duration::from_secs(25);

pub(crate) const SOON: &[&str] = &["--guard-timeout", "10"];

/// Waits until nothing of the guard is on a machine any more, in files, tables, units or processes.
fn wait_until_clean(machine: &RunningMachine, limit: Duration) {
    let deadline = Instant::now() + limit;
    loop {
        let left = machine.check(
            "ls /etc/systemd/system | grep fleetprov-revert; ls /etc/systemd/system/*.wants | grep fleetprov-revert; \
             ls /etc/cron.d | grep fleetprov; grep -l fleetprov-revert /var/spool/cron/crontabs/* 2>/dev/null; \
             find / -xdev -path '*fleetprov/guard*' 2>/dev/null; pgrep -af 'guard/[r]evert'; \
             if [ -d /run/systemd/system ]; then \
             systemctl list-units --all --plain --no-legend 'fleetprov-revert*'; fi",
        );
        if left.is_empty() {
            return;
        }
        let journal =
            || machine.sh("cat /var/lib/fleetprov/runs/*/progress; journalctl -n 50 --no-pager").text();
        assert!(Instant::now() < deadline, "something of the guard is left:\n{left}\n{}", journal());
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Nothing of the guard is on a machine, or what there is is just being removed.
pub(crate) fn assert_clean(machine: &RunningMachine) {
    wait_until_clean(machine, Duration::from_secs(3));
}

/// Applies what locks us out, and asserts that the machine is as before and says so.
pub(crate) fn locked_out(project: &Project, machine: &RunningMachine) -> Ran {
    let begun = Instant::now();
    let ran = project.apply(SOON);
    ran.expect(5).says("prove the new way in").says("the machine has put back what could cut it off");
    assert!(begun.elapsed() < BACK, "{:?}", begun.elapsed());
    assert_clean(machine);
    // It can be logged in to, and what was put back is planned again, with a word on why.
    project.plan(&[]).expect(2).says("was put back by the machine in run");
    ran
}

#[test]
fn a_key_that_is_taken_away_comes_back() {
    let rig = Rig::start(&[Machine::systemd("droplet"), Machine::plain("box")]);
    for machine in rig.machines() {
        let project = Project::new(&rig).machine(machine, "root", "", "");
        let before = machine.read("/root/.ssh/authorized_keys");
        project.declare(
            machine.name(),
            "- file: {path: /root/.ssh/authorized_keys, mode: '0600', content: \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGmqGoNLTB3LBvZXzRqgVlBzgbBWXpYw6VZbmWUCbd0J other\\n\"}\n- file: {path: /etc/harmless, content: made}",
        );
        locked_out(&project, machine).says("put back").says("/root/.ssh/authorized_keys");
        assert_eq!(machine.read("/root/.ssh/authorized_keys"), before);
        assert_eq!(machine.read("/etc/harmless"), b"made", "the rest is done");
    }
}

/// The ways to be locked out of a machine with systemd: a name, the login, its privilege, and the role.
fn lockouts() -> [(&'static str, &'static str, &'static str, &'static str); 5] {
    let file = |path, content| -> &'static str {
        Box::leak(
            format!("- file: {{path: {path}, mode: '0440', content: \"{content}\"}}\n").into_boxed_str(),
        )
    };
    let with_ssh = |content| -> &'static str {
        let file = file("/etc/ssh/sshd_config.d/test.conf", content);
        Box::leak(
            format!("{file}  id: config\n- unit: {{name: ssh.service, active: true}}\n  follows: [config]\n")
                .into_boxed_str(),
        )
    };
    let drop = "table inet test {\\n chain input {\\n  type filter hook input priority 0;\\n  tcp dport 22 drop\\n }\\n}\\n";
    let firewall = Box::leak(
        format!(
            "{}  id: rules\n- unit: {{name: nftables.service, active: true, enabled: true}}\n  follows: [rules]\n",
            file("/etc/nftables.conf", drop)
        )
        .into_boxed_str(),
    );
    [
        ("port", "root", "", with_ssh("Port 2222\\n")),
        ("users", "root", "", with_ssh("AllowUsers alice\\n")),
        ("root", "root", "", with_ssh("PermitRootLogin no\\n")),
        (
            "sudo",
            "operator",
            "privilege: sudo",
            file("/etc/sudoers.d/operator", "operator ALL=(ALL:ALL) ALL\\n"),
        ),
        ("firewall", "root", "", firewall),
    ]
}

#[test]
fn whatever_cuts_the_way_in_is_put_back() {
    let rig = Rig::start(&[Machine::systemd("droplet")]);
    let machine = rig.machine("droplet");
    let state = "sha256sum /etc/ssh/sshd_config.d/* /etc/sudoers.d/* /etc/nftables.conf; nft list ruleset; \
                 systemctl is-enabled ssh nftables; systemctl is-active ssh nftables; true";
    for (name, user, privilege, role) in lockouts() {
        eprintln!("lockout: {name}");
        machine.check("rm -rf /var/lib/fleetprov");
        let before = machine.check(state);
        let project = Project::new(&rig).machine(machine, user, privilege, role);
        locked_out(&project, machine);
        assert_eq!(machine.check(state), before, "{name}");
    }
}

/// Starts an apply that locks us out, and kills the controller once everything is made.
fn abandoned(project: &Project, machine: &RunningMachine) {
    let running = project.start("apply", &["--yes", "--guard-timeout", "10"]);
    let deadline = Instant::now() + Duration::from_secs(20);
    while !machine.sh("ls /var/lib/fleetprov/guard/made").success() {
        assert!(Instant::now() < deadline, "{:?}", machine.sh("find /var/lib/fleetprov"));
        std::thread::sleep(Duration::from_millis(20));
    }
    running.signal("KILL");
    running.finish();
}

#[test]
fn a_machine_whose_controller_is_killed_puts_it_back() {
    let rig = Rig::start(&[Machine::systemd("droplet"), Machine::plain("box")]);
    for machine in rig.machines() {
        let project = Project::new(&rig).machine(machine, "root", "", "");
        let before = machine.read("/root/.ssh/authorized_keys");
        project.declare(
            machine.name(),
            "- file: {path: /root/.ssh/authorized_keys, mode: '0600', content: none}",
        );
        abandoned(&project, machine);
        assert_eq!(machine.read("/root/.ssh/authorized_keys"), b"none");
        // Nobody else changes anything meanwhile.
        wait_until_clean(machine, BACK);
        assert_eq!(machine.read("/root/.ssh/authorized_keys"), before);
        project.plan(&[]).expect(2).says("was put back by the machine in run");
    }
}

#[test]
fn a_machine_that_crashes_before_it_is_confirmed_puts_it_back() {
    let rig = Rig::start(&[Machine::systemd("droplet"), Machine::plain("box")]);
    for (machine, fault) in [("droplet", Fault::Crash), ("droplet", Fault::Reboot), ("box", Fault::Crash)] {
        let machine = rig.machine(machine);
        machine.check("rm -rf /var/lib/fleetprov");
        let project = Project::new(&rig).machine(machine, "root", "", "");
        let before = machine.read("/root/.ssh/authorized_keys");
        let mut role = "- file: {path: /root/.ssh/authorized_keys, mode: '0600', content: none}\n".to_owned();
        if machine.name() == "droplet" {
            role.push_str(
                "- file: {path: /etc/ssh/sshd_config.d/test.conf, content: \"Port 2222\\n\"}\n  id: config\n\
                 - unit: {name: ssh.service, active: true}\n  follows: [config]\n",
            );
        }
        project.declare(machine.name(), &role);
        abandoned(&project, machine);
        // It answers at its old port only once it has put everything back.
        machine.fault(fault);
        // cron looks each minute.
        wait_until_clean(machine, Duration::from_secs(75));
        assert_eq!(machine.read("/root/.ssh/authorized_keys"), before);
        assert!(!machine.exists("/etc/ssh/sshd_config.d/test.conf"));
        project.plan(&[]).expect(2).says("was put back by the machine in run");
    }
}

#[test]
fn a_correct_change_of_port_user_and_key_is_confirmed_and_stays() {
    let rig = Rig::start(&[Machine::systemd("droplet")]);
    let machine = rig.machine("droplet");
    let project = Project::new(&rig).machine(machine, "root", "", "");
    let public = crate::project::make_key(&project.path("keys/new"));
    let public = public.trim_end();
    let role = format!(
        "- file: {{path: /home/operator/.ssh/authorized_keys, owner: operator, mode: '0600', content: \"{public}\\n\"}}\n\
         - file: {{path: /etc/ssh/sshd_config.d/test.conf, content: \"Port 2222\\nPermitRootLogin no\\n\"}}\n  id: config\n\
         - unit: {{name: ssh.service, active: true}}\n  follows: [config]\n"
    );
    project.declare("droplet", &role);
    let address = machine.address();
    let inventory = |connect: &str, more: &str| {
        project.file(
            "inventory.yaml",
            format!(
                "fleet: lab\ntiers: {{all: {{pattern: mesh}}}}\nmachines:\n  droplet: {{tier: all, platform: debian, \
                 connect: {{{connect}}}, roles: [droplet]{more}}}\n"
            ),
        );
    };
    let old = format!("ssh: \"root@{address}\", key: keys/droplet");
    let new = format!("ssh: \"operator@{address}:2222\", key: keys/new");
    let change = format!("{new}, was: \"root@{address}\", was-key: keys/droplet");
    // First it is managed by the old way, so that there is a record of that.
    project.declare("droplet", "- file: {path: /etc/harmless, content: x}");
    inventory(&old, "");
    project.apply(&[]).expect(0);
    project.declare("droplet", &format!("{role}- file: {{path: /etc/harmless, content: y}}"));
    // Another login is refused as long as nothing says that it is the same machine's new one.
    inventory(&format!("ssh: \"operator@{address}\", key: keys/new"), ", privilege: sudo");
    machine.check(&format!("echo '{public}' >>/home/operator/.ssh/authorized_keys"));
    project.plan(&[]).expect(5).says("the machine is managed as root, not as operator");
    // Without a word of the old way nobody is found.
    inventory(&new, ", privilege: sudo");
    project.plan(&[]).expect(4);
    inventory(&change, ", privilege: sudo");
    project.plan(&[]).expect(2);
    project.apply(SOON).expect(0);
    assert_clean(machine);
    project.plan(&[]).expect(0);
    // The old way is closed, and nothing is put back later.
    std::thread::sleep(Duration::from_secs(11));
    let known = std::fs::read_to_string(project.path("known_hosts")).unwrap();
    let line = known.lines().find(|line| line.starts_with(&format!("{address} "))).unwrap();
    let key = line.split_once(' ').unwrap().1;
    project.file("known_hosts", format!("{known}\n[{address}]:2222 {key}\n"));
    inventory(&new, ", privilege: sudo");
    project.plan(&[]).expect(0);
    inventory(&old, "");
    project.plan(&[]).expect(4);
}

#[test]
fn one_that_fails_takes_the_others_back_at_once() {
    let rig = Rig::start(&[Machine::systemd("droplet"), Machine::plain("box")]);
    for machine in rig.machines() {
        let before = machine.check("cat /etc/hosts.allow");
        let role = "\
- file: {path: /etc/hosts.allow, content: \"sshd: ALL\\n\"}
- file: {path: /etc/nowhere/file, content: x}
  guard: true
- file: {path: /etc/after, content: x}
  guard: true";
        let project = Project::new(&rig).machine(machine, "root", "", role);
        let begun = Instant::now();
        let ran = project.apply(&[]);
        ran.expect(5).says("1 put back").says("the folder /etc/nowhere is not there").says("1 skipped");
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
        assert_eq!(machine.check("cat /etc/hosts.allow"), before);
        assert!(!machine.exists("/etc/after"));
        assert_clean(machine);
    }
}

#[test]
fn what_a_checker_refuses_is_not_even_installed() {
    let rig = Rig::start(&[Machine::systemd("droplet")]);
    let machine = rig.machine("droplet");
    let project = Project::new(&rig).machine(machine, "root", "", "");
    for (path, content, says) in [
        ("/etc/ssh/sshd_config.d/test.conf", "Prot 22", "Bad configuration option: Prot"),
        ("/etc/sudoers.d/test", "everybody may", "syntax error"),
        ("/etc/nftables.conf", "tabel inet x {}", "syntax error"),
    ] {
        let before = machine.sh(&format!("cat {path}")).text();
        project.declare("droplet", &format!("- file: {{path: {path}, content: \"{content}\\n\"}}"));
        project.apply(&[]).expect(3).says(&format!("failed to use the new {path}")).says(says);
        assert_eq!(machine.sh(&format!("cat {path}")).text(), before);
        assert_clean(machine);
    }
}

#[test]
fn where_nothing_could_put_it_back_it_is_refused_and_the_rest_is_done() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let machine = rig.machine("box");
    machine.check("service cron stop");
    let role = "- file: {path: /etc/hosts.allow, content: x}\n- file: {path: /etc/harmless, content: x}";
    let project = Project::new(&rig).machine(machine, "root", "", role);
    let before = machine.read("/etc/hosts.allow");
    project.apply(&[]).expect(5).says("no crond runs on it").says("could not put this back by itself");
    assert_eq!(machine.read("/etc/hosts.allow"), before);
    assert_eq!(machine.read("/etc/harmless"), b"x");
    assert_clean(machine);
    machine.check("service cron start");
    project.converge();
    assert_clean(machine);
}

#[test]
fn a_user_without_rights_is_guarded_by_their_own_crontab() {
    let rig = Rig::start(&[Machine::systemd("droplet"), Machine::plain("box")]);
    for machine in rig.machines() {
        machine.check("printf '5 4 * * * true\\n' | crontab -u alice -");
        let project = Project::new(&rig).machine(machine, "alice", "", "");
        let before = machine.read("/home/alice/.ssh/authorized_keys");
        let keys = |content: &str| {
            format!("- file: {{path: ~/.ssh/authorized_keys, mode: '0600', content: \"{content}\\n\"}}")
        };
        project.declare(machine.name(), &keys("none"));
        locked_out(&project, machine);
        assert_eq!(machine.read("/home/alice/.ssh/authorized_keys"), before);
        let ours = String::from_utf8(before).unwrap().trim_end().replace('\n', "\\n");
        project.declare(machine.name(), &keys(&format!("{ours}\\n# more")));
        project.converge();
        assert_clean(machine);
        assert_eq!(machine.check("crontab -u alice -l"), "5 4 * * * true");
    }
}
