//! The rig is what it promises: real machines, real faults, nothing left.

mod leftovers;

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::rig::{Fault, Machine, Rig, RunningMachine};

/// What `ssh` did: whether it succeeded, and all it printed.
struct Login {
    success: bool,
    text: String,
}

/// Runs a script on a machine over OpenSSH, as a test's subject would reach it.
fn ssh(rig: &Rig, user: &str, machine: &str, script: &str) -> Login {
    ssh_within(rig, 10, user, machine, script)
}

/// The same, with the seconds the connection may take.
fn ssh_within(rig: &Rig, seconds: u32, user: &str, machine: &str, script: &str) -> Login {
    let output = Command::new("ssh")
        .arg("-F")
        .arg(rig.ssh_config())
        .args(["-o", "BatchMode=yes", "-l", user])
        .arg(format!("-oConnectTimeout={seconds}"))
        .args([machine, script])
        .stdin(Stdio::null())
        .output()
        .expect("ssh runs");
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    Login { success: output.status.success(), text }
}

fn assert_answers(rig: &Rig, machine: &str) {
    let login = ssh(rig, "root", machine, "hostname");
    assert!(login.success, "{machine}: {}", login.text);
    assert_eq!(login.text.trim(), machine);
}

fn assert_fails_with(rig: &Rig, machine: &str, expected: &str) {
    let login = ssh_within(rig, 1, "root", machine, "true");
    assert!(!login.success, "{machine} answers");
    assert!(login.text.contains(expected), "{machine}: {}", login.text);
}

/// Waits until something holds. Panics when it does not within ten seconds.
fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Gives a machine the key of the rig and the host keys of all machines, so that root on it can
/// log in to the others.
fn let_in_from(rig: &Rig, machine: &RunningMachine) {
    let key = std::fs::read(rig.client_key()).expect("the client's key");
    machine.write("/root/.ssh/id_ed25519", &key);
    machine.check("chmod 600 /root/.ssh/id_ed25519");
    let mut known = std::fs::read_to_string(rig.known_hosts()).expect("the known hosts");
    for machine in rig.machines() {
        known = known.replace(
            &format!("{} ", machine.address()),
            &format!("{},{} ", machine.name(), machine.address()),
        );
    }
    machine.write("/root/.ssh/known_hosts", known.as_bytes());
}

#[test]
fn a_systemd_machine_runs_without_a_failed_unit() {
    let rig = Rig::start(&[Machine::systemd("droplet")]);
    let droplet = rig.machine("droplet");
    assert_eq!(droplet.check("systemctl is-system-running"), "running");
    assert_eq!(droplet.check("systemctl --failed --no-legend"), "");
    assert_eq!(droplet.check("cat /proc/1/comm"), "systemd");
}

#[test]
fn timers_fire_and_outlive_a_reboot() {
    let rig = Rig::start(&[Machine::systemd("droplet")]);
    let droplet = rig.machine("droplet");
    droplet.write(
        "/etc/systemd/system/mark.service",
        b"[Service]\nType=oneshot\nExecStart=/bin/sh -c 'date >>/var/lib/mark'\n",
    );
    droplet.write(
        "/etc/systemd/system/mark.timer",
        b"[Timer]\nOnActiveSec=100ms\nAccuracySec=10ms\n[Install]\nWantedBy=timers.target\n",
    );
    droplet.check("systemctl daemon-reload && systemctl enable --now mark.timer");
    wait_until("the timer fires", || droplet.exists("/var/lib/mark"));
    let timers = droplet.check("systemctl list-timers --all --no-legend mark.timer");
    assert!(timers.contains("mark.service"), "{timers}");

    droplet.check("rm /var/lib/mark");
    droplet.fault(Fault::Reboot);
    wait_until("it fires again", || droplet.exists("/var/lib/mark"));
}

#[test]
fn user_services_linger() {
    let rig = Rig::start(&[Machine::systemd("droplet")]);
    let login = ssh(
        &rig,
        "root",
        "droplet",
        "loginctl enable-linger alice && systemctl --machine alice@ --user is-system-running --wait",
    );
    assert_eq!(login.text.trim(), "running");
}

#[test]
fn machines_mount_from_each_other() {
    let rig = Rig::start(&[Machine::systemd("droplet"), Machine::plain("hub")]);
    let (droplet, hub) = (rig.machine("droplet"), rig.machine("hub"));
    let_in_from(&rig, droplet);
    hub.check("mkdir /srv/share");
    hub.write("/srv/share/hello", b"from the hub\n");

    droplet.check("mkdir /mnt/by-hand && sshfs hub:/srv/share /mnt/by-hand");
    assert_eq!(droplet.read("/mnt/by-hand/hello"), b"from the hub\n");

    droplet.write(
        "/etc/systemd/system/mnt-unit.mount",
        b"[Mount]\nWhat=hub:/srv/share\nWhere=/mnt/unit\nType=fuse.sshfs\n",
    );
    droplet.write("/etc/systemd/system/mnt-unit.automount", b"[Automount]\nWhere=/mnt/unit\n");
    droplet.check("systemctl daemon-reload && systemctl start mnt-unit.automount");
    assert_eq!(droplet.read("/mnt/unit/hello"), b"from the hub\n");

    droplet.write(
        "/root/rclone.conf",
        b"[hub]\ntype = sftp\nhost = hub\nuser = root\nkey_file = /root/.ssh/id_ed25519\n",
    );
    droplet.check(
        "mkdir /mnt/rclone && rclone --config /root/rclone.conf mount --daemon hub:/srv/share /mnt/rclone",
    );
    assert_eq!(droplet.read("/mnt/rclone/hello"), b"from the hub\n");
}

#[test]
fn packages_install_without_a_network() {
    let rig = Rig::start(&[Machine::systemd("droplet"), Machine::plain("box")]);
    for machine in rig.machines() {
        machine.check("apt-get install --yes rig-world rig-daemon");
        assert_eq!(machine.check("rig-world"), "hello 1.1, world");
        machine.check("service rig-daemon status");
        wait_until("the daemon says so", || machine.exists("/var/log/rig-daemon.log"));
        machine.write("/etc/rig-daemon.conf", b"changed");
        machine.check("service rig-daemon restart");
        wait_until("the daemon has read its file", || {
            machine.check("cat /var/log/rig-daemon.log").contains("started with changed")
        });
        machine.check("apt-get install --yes --allow-downgrades rig-hello=1.0");
        assert_eq!(machine.check("rig-hello"), "hello 1.0");
        machine.check("apt-get purge --yes rig-world rig-daemon");
        assert!(!machine.exists("/usr/bin/rig-world"));
        assert!(!machine.exists("/etc/rig-daemon.conf"));
    }
}

#[test]
fn a_plain_machine_has_cron_and_no_systemd() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let plain = rig.machine("box");
    assert_eq!(plain.check("cat /proc/1/comm"), "sshd");
    plain.check("service cron status");
    assert!(!plain.exists("/run/systemd/system"));
    plain.check("echo '@reboot date >>/var/lib/mark' | crontab -");
    plain.fault(Fault::Reboot);
    wait_until("cron runs what it has", || plain.exists("/var/lib/mark"));
}

#[test]
fn every_user_is_what_the_rig_says() {
    let rig = Rig::start(&[Machine::systemd("droplet"), Machine::plain("box")]);
    for machine in ["droplet", "box"] {
        for (user, command, expected) in [
            ("root", "id -un", "root"),
            ("alice", "id -un", "alice"),
            ("operator", "sudo -n id -un", "root"),
            ("doer", "doas -n id -un", "root"),
        ] {
            let login = ssh(&rig, user, machine, command);
            assert_eq!(login.text.trim(), expected, "{user} on {machine}: {command}");
        }
        for user in ["alice", "sudoer"] {
            let login = ssh(&rig, user, machine, "sudo -n id -un");
            assert!(!login.success, "{user} on {machine}");
        }
        let with_password = format!("echo {} | sudo -S -p '' id -un", rig.password());
        let login = ssh(&rig, "sudoer", machine, &with_password);
        assert_eq!(login.text.trim(), "root");
    }
}

#[test]
fn machines_differ_where_real_ones_do() {
    let rig = Rig::start(&[Machine::systemd("one"), Machine::systemd("two"), Machine::plain("three")]);
    let facts = "cat /etc/machine-id; cut -d ' ' -f 2 /etc/ssh/ssh_host_ed25519_key.pub; hostname";
    let different: BTreeSet<String> = rig
        .machines()
        .iter()
        .flat_map(|machine| {
            let facts = machine.check(facts);
            facts.lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(different.len(), 9, "{different:?}");

    let before = rig.machine("one").check("cat /etc/machine-id");
    rig.machine("one").fault(Fault::Reboot);
    assert_eq!(rig.machine("one").check("cat /etc/machine-id"), before);
}

#[test]
fn network_faults_are_seen_by_a_client() {
    let rig = Rig::start(&[Machine::systemd("droplet"), Machine::plain("box")]);
    for machine in rig.machines() {
        let name = machine.name();
        machine.fault(Fault::Cut);
        assert_fails_with(&rig, name, "timed out");
        machine.fault(Fault::Join);
        assert_answers(&rig, name);

        machine.fault(Fault::Freeze);
        assert_fails_with(&rig, name, "timed out during banner exchange");
        machine.fault(Fault::Thaw);
        assert_answers(&rig, name);

        machine.fault(Fault::FreezeSshd);
        assert_fails_with(&rig, name, "timed out during banner exchange");
        machine.fault(Fault::ThawSshd);
        assert_answers(&rig, name);

        machine.fault(Fault::Stop);
        assert_fails_with(&rig, name, "Connection refused");
        assert!(!machine.sh("true").success(), "{name} is switched off");
        machine.fault(Fault::Start);
        assert_answers(&rig, name);
    }
}

#[test]
fn disk_faults_give_the_real_errors() {
    let rig = Rig::start(&[Machine::systemd("droplet").size("64m"), Machine::plain("box").size("32m")]);
    for machine in rig.machines() {
        machine.fault(Fault::Fill);
        let output = machine.sh("cp /etc/hostname /root/full");
        assert!(output.error_text().contains("No space left on device"), "{output:?}");
        assert_eq!(machine.read("/root/full"), b"", "an empty file stays behind");
        machine.fault(Fault::Unfill);
        machine.check("cp /etc/hostname /root/full");

        machine.fault(Fault::FillInodes);
        let output = machine.sh("touch /root/new");
        assert!(output.error_text().contains("No space left on device"), "{output:?}");
        machine.fault(Fault::UnfillInodes);
        machine.check("touch /root/new");

        machine.fault(Fault::ReadOnly("/etc"));
        let output = machine.sh("touch /etc/new");
        assert!(output.error_text().contains("Read-only file system"), "{output:?}");
        assert_answers(&rig, machine.name());
        machine.fault(Fault::Writable("/etc"));
        machine.check("touch /etc/new");
    }
}

#[test]
fn a_crash_keeps_the_disk_and_nothing_else() {
    let rig = Rig::start(&[Machine::systemd("droplet"), Machine::plain("box")]);
    for machine in rig.machines() {
        for fault in [Fault::Crash, Fault::Reboot] {
            machine.check("echo kept >/root/kept; echo lost >/run/lost; sleep 1000 >/dev/null 2>&1 &");
            machine.check("pidof sleep");
            machine.fault(fault);
            assert_eq!(machine.read("/root/kept"), b"kept\n");
            assert!(!machine.exists("/run/lost"), "{fault:?}");
            assert!(!machine.sh("pidof sleep").success(), "{fault:?}");
            assert_answers(&rig, machine.name());
        }
    }
}

#[test]
fn commands_and_files_pass_through_unchanged() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let machine = rig.machine("box");
    let bytes: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    machine.write("/root/every byte", &bytes);
    assert_eq!(machine.read("/root/every byte"), bytes);
    let output = machine.run(&["sh", "-c", "echo out; echo err >&2; exit 7"]);
    assert_eq!((output.code, output.text(), output.error_text()), (Some(7), "out".into(), "err".into()));
    assert_eq!(machine.run(&["echo", "a  b", "$HOME"]).text(), "a  b $HOME");
    assert!(!machine.exists("/root/nothing"));
}
