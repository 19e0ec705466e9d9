//! The lockout guard on real machines: what cuts the way in is put back by the machine itself, whatever
//! becomes of the controller; what does not is confirmed over a new connection, and leaves nothing behind.

use std::time::{Duration, Instant};

use crate::project::{Project, Ran};
use crate::rig::{Machine, Rig, RunningMachine};

/// What every test waits for at most: the guard's time, which is ten seconds, and what it takes to put
/// everything back.
const BACK: Duration = Duration::from_secs(25);

const SOON: &[&str] = &["--guard-timeout", "10"];

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
fn assert_clean(machine: &RunningMachine) {
    wait_until_clean(machine, Duration::from_secs(3));
}

/// Applies what locks us out, and asserts that the machine is as before and says so.
fn locked_out(project: &Project, machine: &RunningMachine) -> Ran {
    let begun = Instant::now();
    let ran = project.apply(SOON);
    ran.expect(5).says("prove the new way in").says("the machine has put back what could cut it off");
    assert!(begun.elapsed() < BACK, "{:?}", begun.elapsed());
    assert_clean(machine);
    // It can be logged in to, and what was put back is planned again, with a word on why.
    project.plan(&[]).expect(2).says("was put back by the machine");
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
