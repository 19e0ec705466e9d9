//! The new way in on real machines: it is tried with the new settings in force, and with everything that
//! it leads through.

use crate::project::Project;
use crate::rig::{Machine, Rig};
use crate::rig_guard::{SOON, assert_clean, locked_out};

#[test]
fn a_file_that_sshd_has_not_read_yet_is_not_confirmed() {
    let rig = Rig::start(&[Machine::systemd("droplet"), Machine::plain("box")]);
    for machine in rig.machines() {
        let role = "- file: {path: /etc/ssh/sshd_config.d/10-x.conf, content: \"DenyUsers *\\n\"}";
        let project = Project::new(&rig).machine(machine, "root", "", role);
        project.plan(&[]).expect(2).says("sshd reads it").says("before the new way in is tried");
        locked_out(&project, machine);
        assert!(!machine.exists("/etc/ssh/sshd_config.d/10-x.conf"));
    }
}

#[test]
fn rules_that_a_running_firewall_has_not_read_yet_are_not_confirmed() {
    let rig = Rig::start(&[Machine::systemd("droplet")]);
    let machine = rig.machine("droplet");
    let drop = "table inet test {\\n chain input {\\n  type filter hook input priority 0;\\n  tcp dport 22 drop\\n }\\n}\\n";
    let role = format!("- file: {{path: /etc/nftables.conf, mode: '0755', content: \"{drop}\"}}");
    let project = Project::new(&rig).machine(machine, "root", "", &role);
    let before = machine.read("/etc/nftables.conf");
    machine.check("systemctl start nftables");
    locked_out(&project, machine);
    assert_eq!(machine.read("/etc/nftables.conf"), before);
    assert_eq!(machine.check("nft list ruleset | grep -c 'dport 22' || true"), "0");
    assert_eq!(machine.check("systemctl is-active nftables"), "active");
    // Where it does not run nothing is claimed.
    machine.check("systemctl stop nftables");
    project.apply(SOON).expect(0).says("nftables").says("not in force");
    assert_clean(machine);
}

#[test]
fn what_would_leave_no_way_in_after_the_next_start_is_refused() {
    let rig = Rig::start(&[Machine::systemd("droplet")]);
    let machine = rig.machine("droplet");
    let no_way = "the machine would have no way in after its next start";
    let project = Project::new(&rig).machine(machine, "root", "", "");
    for role in [
        "- unit: {name: ssh.service, enabled: false}",
        "- file: {path: /etc/ssh/sshd_not_to_be_run, content: \"\"}",
    ] {
        project.declare("droplet", role);
        project.apply(SOON).expect(5).says(no_way);
        assert_eq!(
            machine.check("systemctl is-enabled ssh; ls /etc/ssh | grep -c not_to_be || true"),
            "enabled\n0"
        );
        assert_clean(machine);
    }
}

#[test]
fn a_change_of_the_server_is_in_force_when_it_is_confirmed_and_so_is_its_undo() {
    let rig = Rig::start(&[Machine::systemd("droplet"), Machine::plain("box")]);
    for machine in rig.machines() {
        let role = "- file: {path: /etc/ssh/sshd_config.d/10-x.conf, content: \"Port 22\\nPort 2022\\n\"}";
        let project = Project::new(&rig).machine(machine, "root", "", role);
        // 2022 is 07E6.
        let listens = || machine.check("grep -c ':07E6 .* 0A ' /proc/net/tcp || true");
        assert_eq!(listens(), "0");
        project.converge();
        assert_clean(machine);
        assert_eq!(listens(), "1");
        let run = machine.check("ls -t /var/lib/fleetprov/runs | head -n 1");
        project.run("undo", &[&run, "--yes", "--guard-timeout", "10"]).expect(0);
        assert_eq!(listens(), "0");
    }
}

#[test]
fn what_a_login_shell_reads_and_what_is_mounted_over_a_home_is_guarded() {
    let rig = Rig::start(&[Machine::systemd("droplet")]);
    let machine = rig.machine("droplet");
    let project = Project::new(&rig).machine(machine, "root", "", "");
    machine.check("mkdir -p /srv/users && usermod -m -d /srv/users/alice alice && chmod 755 /srv/users");
    let shell = "- file: {path: /root/.bashrc, content: \"exec cat\\n\"}";
    let mount = "\
- file: {path: /etc/systemd/system/root.mount, content: \"[Mount]\\nWhat=tmpfs\\nWhere=/root\\nType=tmpfs\\n\"}
  id: over
- unit: {name: root.mount, active: true}
  follows: [over]";
    for role in [shell, mount] {
        eprintln!("{role}");
        project.declare("droplet", role);
        locked_out(&project, machine);
    }
    // A machine has one login; the next one is another fleet's, as far as it knows.
    machine.check("rm -rf /var/lib/fleetprov*");
    let project = Project::new(&rig).machine(
        machine,
        "alice",
        "home: /srv/users/alice",
        "- directory: {path: /srv/users/alice, mode: '0777'}",
    );
    locked_out(&project, machine);
    machine.check("rm -rf /srv/users/alice/.local/state/fleetprov*");
    // Keys elsewhere, as the server says that runs there.
    machine.check(
        "mkdir -p /etc/keys && cp /root/.ssh/authorized_keys /etc/keys/root && \
         printf 'AuthorizedKeysFile /etc/keys/%%u\\n' >/etc/ssh/sshd_config.d/05-keys.conf && systemctl reload ssh",
    );
    let project = Project::new(&rig).machine(machine, "root", "", "");
    machine.check("cp /root/.ssh/authorized_keys /etc/keys/root");
    project.declare("droplet", "- file: {path: /etc/keys/root, mode: '0600', content: none}");
    locked_out(&project, machine);
}

#[test]
fn the_line_of_the_guard_is_no_change_of_a_crontab() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let machine = rig.machine("box");
    machine.check("printf '5 4 * * * true\\n' | crontab -u alice -");
    let project = Project::new(&rig).machine(machine, "alice", "", "");
    let role = "- crontab-entry: {id: mine, lines: ['7 3 * * * true']}\n  guard: true";
    project.declare("box", role);
    project.converge();
    assert_clean(machine);
    let table = machine.check("crontab -u alice -l");
    assert!(table.starts_with("5 4 * * * true") && table.contains("7 3 * * *"), "{table}");
    assert!(!table.contains("fleetprov-revert"), "{table}");
    // So it is with what takes it back: a key of theirs that is lost in the same transaction.
    project.declare(
        "box",
        "- crontab-entry: {id: mine, lines: ['8 3 * * * true']}\n  guard: true\n\
         - file: {path: ~/.ssh/authorized_keys, mode: '0600', content: none}",
    );
    locked_out(&project, machine);
    assert_eq!(machine.check("crontab -u alice -l"), table);
}
