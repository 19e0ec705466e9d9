//! The rig is what it promises: real machines, real faults, nothing left.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
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

/// Traces that only this test's machine leaves: everything of a machine carries its name.
fn traces_of(machine: &str) -> Vec<String> {
    let mut traces = Vec::new();
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").expect("the mounts");
    traces.extend(mounts.lines().filter(|line| line.contains(machine)).map(str::to_owned));
    for entry in std::fs::read_dir("/proc").expect("the processes").flatten() {
        // One that has ended waits only for this computer's init to notice.
        let status = std::fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        if status.contains("State:\tZ") {
            continue;
        }
        for file in ["cmdline", "cgroup"] {
            // A process that ends while we look has no trace to show.
            let contents = std::fs::read(entry.path().join(file)).unwrap_or_default();
            if String::from_utf8_lossy(&contents).contains(machine) {
                traces.push(format!("{}: {}", entry.path().display(), String::from_utf8_lossy(&contents)));
            }
        }
    }
    for folder in ["/run/fleetprov-rig", "/sys/fs/cgroup"] {
        let found = Command::new("find")
            .args([folder, "-name"])
            .arg(format!("*{machine}*"))
            .output()
            .expect("find runs");
        traces.extend(String::from_utf8_lossy(&found.stdout).lines().map(str::to_owned));
    }
    traces
}

/// Waits until a machine has no trace. Panics when some are still there after ten seconds.
fn wait_until_nothing_is_left_of(machine: &str) {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let traces = traces_of(machine);
        if traces.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "left behind: {traces:#?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The cables and bridges of the rig, by the kernel's index, which is not used twice.
fn links(number: &str) -> BTreeSet<String> {
    std::fs::read_dir("/sys/class/net")
        .expect("the network's links")
        .flatten()
        .filter(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            name == format!("rig{number}") || name.starts_with(&format!("rig{number}-"))
        })
        .filter_map(|entry| std::fs::read_to_string(entry.path().join("ifindex")).ok())
        .collect()
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rig/rig")
}

#[test]
fn nothing_is_left() {
    let names = ["a", "b"].map(|name| format!("left-{name}-{}", std::process::id()));
    let rig = Rig::start(&[Machine::systemd(&names[0]), Machine::plain(&names[1])]);
    // The worst moment: one machine restarted, one frozen, with a disk that is full.
    rig.machine(&names[0]).fault(Fault::Crash);
    rig.machine(&names[0]).fault(Fault::ReadOnly("/usr"));
    rig.machine(&names[1]).fault(Fault::Fill);
    rig.machine(&names[1]).fault(Fault::Freeze);
    for name in &names {
        assert!(traces_of(name).len() > 5, "{:?}", traces_of(name));
    }
    let number = std::fs::read_to_string(rig.directory().join("instance")).expect("the number");
    let before = links(number.trim());
    assert_eq!(before.len(), 3, "a bridge and two cables");

    let directory = rig.directory().to_owned();
    drop(rig);
    assert!(!directory.exists());
    for name in &names {
        assert_eq!(traces_of(name), Vec::<String>::new());
    }
    assert!(links(number.trim()).is_disjoint(&before));
}

#[test]
fn a_rig_that_cannot_start_leaves_nothing_and_says_why() {
    let name = format!("small-{}", std::process::id());
    let directory = tempfile::tempdir().expect("a temporary folder");
    let output = Command::new(script())
        .arg("up")
        .arg(directory.path())
        .args([format!("{name}:systemd"), format!("{name}-too:plain:4k")])
        .output()
        .expect("tests/rig/rig runs");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("No space left on device"), "{said}");
    assert_eq!(traces_of(&name), Vec::<String>::new());
    assert_eq!(std::fs::read_dir(directory.path()).expect("the folder").count(), 0);
}

#[test]
fn a_rig_ends_with_its_owner() {
    let name = format!("owned-{}", std::process::id());
    let directory = tempfile::tempdir().expect("a temporary folder");
    let mut owner = Command::new("sleep").arg("1000").spawn().expect("sleep runs");
    let status = Command::new(script())
        .args(["up", "--owner", &owner.id().to_string()])
        .arg(directory.path())
        .arg(format!("{name}:plain"))
        .status()
        .expect("tests/rig/rig runs");
    assert!(status.success());
    assert!(!traces_of(&name).is_empty());
    owner.kill().expect("the owner can be killed");
    owner.wait().expect("the owner is dead");
    wait_until_nothing_is_left_of(&name);
}

#[test]
fn a_rig_whose_start_was_killed_is_cleaned_up() {
    let names = ["a", "b", "c"].map(|name| format!("killed-{name}-{}", std::process::id()));
    let directory = tempfile::tempdir().expect("a temporary folder");
    let mut starting = Command::new(script())
        .arg("up")
        .arg(directory.path())
        .args(names.iter().map(|name| format!("{name}:systemd")))
        .spawn()
        .expect("tests/rig/rig runs");
    wait_until("its number is known", || directory.path().join("instance").exists());
    let number = std::fs::read_to_string(directory.path().join("instance")).expect("the number");
    let disk = format!("/run/fleetprov-rig/{}/machines/{}/disk/upper", number.trim(), names[0]);
    wait_until("a machine is half made", || Path::new(&disk).exists());
    starting.kill().expect("the start can be killed");
    starting.wait().expect("the start is dead");
    assert!(!directory.path().join("machines.tsv").exists(), "it was killed too late");

    let status = Command::new(script()).args(["down", "--all"]).status().expect("tests/rig/rig runs");
    assert!(status.success());
    for name in &names {
        // The start of another test's rig may be cleaning up at the same time.
        wait_until_nothing_is_left_of(name);
    }
}

#[test]
fn a_rig_can_be_left_standing_to_play_with() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = Command::new(script())
        .arg("play")
        .env("TMPDIR", folder.path())
        .stdin(Stdio::null())
        .output()
        .expect("tests/rig/rig runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let line = |word: &str| said.lines().find(|line| line.contains(word)).expect(word).trim();
    let down = line(" down ");

    let login =
        Command::new("sh").args(["-c", &format!("{} hostname", line("ssh -F"))]).output().expect("ssh");
    assert_eq!(String::from_utf8_lossy(&login.stdout), "droplet\n");
    assert_eq!(said.matches("10.77.").count(), 5, "{said}");

    let status = Command::new("sh").args(["-c", down]).status().expect("the command to take it down");
    assert!(status.success());
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 0);
}
