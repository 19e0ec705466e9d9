//! A bare machine becomes a managed one with one command.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::killed::{CALLS, Killed, killed_at};
use crate::project::Ran;
use crate::rig::{Machine, Rig, RunningMachine};

/// An inventory as a person keeps it, with comments, an anchor and Windows' line ends, and no machine of the rig.
const INVENTORY: &str = "# Mine.\r\nfleet: lab\r\nvars: {greeting: &hello hi}\r\n\r\ntiers:\r\n  all:\r\n    \
    pattern: mesh   # everybody writes\r\n    roles: [greeter]\r\n\r\nmachines:\r\n  # Sleeps in the attic.\r\n  \
    old: {tier: all, platform: debian, connect: {ssh: \"root@192.0.2.1\"}}\r\n\r\n  # Nobody logs in.\r\n  phone: \
    {tier: all, unmanaged: phone}\r\n\r\nservices:\r\n  git: {kind: git, remote: \"git@example.org:a.git\"}\r\n";

/// A seat with an inventory, that has no key for any machine.
struct SeatWithout {
    folder: tempfile::TempDir,
}

impl SeatWithout {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("fleetprov-project-").tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("roles")).unwrap();
        std::fs::write(
            folder.path().join("roles/greeter.yaml"),
            "role: greeter\nresources:\n  - file: {path: /srv/greeting, content: hello}\n",
        )
        .unwrap();
        std::fs::write(folder.path().join("inventory.yaml"), INVENTORY).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    fn command(&self, words: &[&str]) -> Command {
        let (name, more) = words.split_first().expect("a command");
        let mut command = Command::new(env!("CARGO_BIN_EXE_fleetprov"));
        command
            .arg(name)
            .arg(self.path("inventory.yaml"))
            .args(more)
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("HOME", self.path("home"))
            .env_remove("SSH_AUTH_SOCK")
            .stdin(Stdio::null());
        command
    }

    fn run(&self, words: &[&str]) -> Ran {
        Ran::of(self.command(words).output().expect("fleetprov runs"))
    }
}

/// Takes every key from a machine and lets people in with a password.
fn bare(machine: &RunningMachine, user: &str, password: &str) {
    machine.check("rm -f /root/.ssh/authorized_keys /home/*/.ssh/authorized_keys");
    machine.check(&format!("echo '{user}:{password}' | chpasswd"));
    machine.check(
        "printf 'PermitRootLogin yes\\nPasswordAuthentication yes\\n' >/etc/ssh/sshd_config.d/50-cloud-init.conf; \
         systemctl restart ssh",
    );
}

fn fingerprint(machine: &RunningMachine) -> String {
    let said = machine.check("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub");
    said.split(' ').nth(1).expect("a fingerprint").to_owned()
}

/// The lines of a text that another one does not have.
fn added(before: &str, after: &str) -> Vec<String> {
    let before: Vec<&str> = before.split_inclusive('\n').collect();
    after.split_inclusive('\n').filter(|line| !before.contains(line)).map(str::to_owned).collect()
}

#[test]
fn a_bare_machine_with_roots_password_is_managed_after_one_command() {
    let rig = Rig::start(&[Machine::systemd("box")]);
    let machine = rig.machine("box");
    bare(machine, "root", "toor-toor");
    let seat = SeatWithout::new();
    std::fs::write(seat.path("password"), "toor-toor\n").unwrap();
    let login = format!("root@{}", machine.address());
    let (password, print) = (seat.path("password"), fingerprint(machine));
    let mut words = vec!["onboard", "box", login.as_str(), "--seat", "here", "--yes"];
    // Nothing is taken on trust.
    seat.run(&words).expect(5).says("its host key is not pinned").says(&print);
    words.extend(["--password-file", password.to_str().unwrap()]);
    let wrong = [&words[..], &["--host-key-fingerprint", "SHA256:nothing"]].concat();
    seat.run(&wrong).expect(5).says("nothing was pinned");
    assert_eq!(seat.text("known_hosts"), "");
    words.extend(["--host-key-fingerprint", &print]);
    let dry = seat.run(&[&words[..], &["--dry-run"]].concat());
    dry.expect(2)
        .says("+ box: {tier: all")
        .says("file /srv/greeting")
        .says("Debian GNU/Linux")
        .hides("toor-toor");
    assert_eq!((seat.text("inventory.yaml").as_str(), seat.text("known_hosts").as_str()), (INVENTORY, ""));
    assert!(!seat.path("keys").exists() && !seat.path("config").join("fleetprov/lab").exists());
    let ran = seat.run(&[&words[..], &["--keys-only"]].concat());
    ran.expect(0).says("its own key opens it").hides("toor-toor");
    // The inventory has the entry, and every other byte is as it was.
    let after = seat.text("inventory.yaml");
    let new = added(INVENTORY, &after);
    assert_eq!(new.len(), 1, "{new:?}");
    assert!(
        new[0].starts_with("  box: {tier: all, platform: debian, connect: {ssh: ")
            && new[0].ends_with("\r\n")
    );
    assert_eq!(after.replace(&new[0], "").replace("\r\n\r\n\r\n", "\r\n\r\n"), INVENTORY);
    assert_eq!(machine.read("/srv/greeting"), b"hello");
    assert_eq!(machine.check("sshd -T | grep -c '^passwordauthentication no$'"), "1");
    // Once more, with the same words and without the password, which opens nothing any more.
    let again = seat.run(&["onboard", "box", &login, "--yes"]);
    again.expect(0).says("nothing to do on 1 machine");
    assert_eq!(seat.text("inventory.yaml"), after);
    std::fs::remove_file(&password).unwrap();
    seat.run(&["plan", "-m", "box"]).expect(0);
}

#[test]
fn a_bare_machine_with_sudo_and_a_password_is_managed_after_one_command() {
    let rig = Rig::start(&[Machine::systemd("box")]);
    let machine = rig.machine("box");
    bare(machine, "sudoer", "sudo-sudo");
    let seat = SeatWithout::new();
    std::fs::write(seat.path("password"), "sudo-sudo\n").unwrap();
    let login = format!("sudoer@{}", machine.address());
    let (password, print) = (seat.path("password"), fingerprint(machine));
    let words = [
        "onboard",
        "box",
        &login,
        "--yes",
        "--seat",
        "here",
        "--password-file",
        password.to_str().unwrap(),
        "--host-key-fingerprint",
        &print,
    ];
    seat.run(&words).expect(0).says("sealed as the secret box-sudo").hides("sudo-sudo");
    std::fs::remove_file(&password).unwrap();
    assert!(seat.text("inventory.yaml").contains("privilege: {sudo: {password: {secret: box-sudo}}}"));
    assert!(!seat.text("secrets/box-sudo.age").contains("sudo-sudo"));
    seat.run(&["onboard", "box", &login, "--yes"]).expect(0).says("nothing to do on 1 machine");
    assert_eq!(machine.read("/srv/greeting"), b"hello");
}

#[test]
fn an_arrival_that_is_killed_anywhere_is_finished_by_the_next() {
    let rig = Rig::start(&[Machine::systemd("box")]);
    let machine = rig.machine("box");
    let print = fingerprint(machine);
    let login = format!("root@{}", machine.address());
    let mut killed = 0;
    for call in CALLS {
        for at in 1.. {
            bare(machine, "root", "toor-toor");
            machine.check("rm -rf /var/lib/fleetprov /srv/greeting");
            let seat = SeatWithout::new();
            std::fs::write(seat.path("password"), "toor-toor\n").unwrap();
            let password = seat.path("password");
            let words = [
                "onboard",
                "box",
                &login,
                "--yes",
                "--seat",
                "here",
                "--password-file",
                password.to_str().unwrap(),
                "--host-key-fingerprint",
                &print,
            ];
            let place = format!("killed at {call} {at}");
            match killed_at(&seat.command(&words), call, at) {
                Killed::Ended(ran) => {
                    ran.expect(0);
                    break;
                }
                Killed::Yes => killed += 1,
            }
            let inventory = seat.text("inventory.yaml");
            assert!(inventory == INVENTORY || inventory.contains("  box: {"), "{place}: {inventory}");
            let again = seat.run(&words);
            assert_eq!(again.code, Some(0), "{place}: {again}");
            assert_eq!(machine.check("grep -c fleetprov: /root/.ssh/authorized_keys"), "1", "{place}");
            assert_eq!(machine.read("/srv/greeting"), b"hello", "{place}");
            std::fs::remove_file(&password).unwrap();
            seat.run(&["plan", "-m", "box"]).expect(0);
        }
    }
    eprintln!("onboard: killed at {killed} changes of its files; finished by the next each time");
    assert!(killed >= 6, "{killed}");
}
