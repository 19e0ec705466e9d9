//! The worked example on five real machines: `inventories/wholetech.yaml` with an overlay that gives
//! the rig's addresses, Debian for every platform, and folders in place of the clouds.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::rig::{Machine, Rig};

const MACHINES: [&str; 5] = ["cc-pc", "hs-pc", "droplet", "hs-nas", "cc-nas"];

/// The fleet, and what a person at the primary PC has on disk.
struct WholeTech {
    rig: Rig,
    overlay: PathBuf,
}

impl WholeTech {
    fn start() -> Self {
        let rig = Rig::start(&MACHINES.map(Machine::systemd));
        let folder = rig.directory().to_path_buf();
        for name in MACHINES {
            let key = folder.join(format!("{name}.key"));
            make_key(&key);
            authorize(&rig, name, &std::fs::read_to_string(key.with_extension("key.pub")).unwrap());
        }
        // The settings' repository.
        rig.machine("droplet").check(
            "git init -q --bare -b main /srv/git/dotfiles.git && git init -q -b main /tmp/seed && cd /tmp/seed && \
             echo '# Settings' >CLAUDE.md && echo '{}' >settings.json && git add . && \
             git -c user.name=rig -c user.email=rig@rig commit -qm 'Begin' && git push -q /srv/git/dotfiles.git main",
        );
        rig.machine("cc-pc")
            .check("mkdir -p ~/work/site && echo thesis >~/work/thesis.txt && echo x >~/work/site/x");
        let overlay = folder.join("overlay.yaml");
        std::fs::write(&overlay, overlay_text(&rig)).unwrap();
        Self { rig, overlay }
    }

    fn fleetprov(&self, command: &str, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_fleetprov"))
            .arg(command)
            .arg("inventories/wholetech.yaml")
            .arg("--overlay")
            .arg(&self.overlay)
            .args(arguments)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Runs `plan` or `apply` and demands an exit code; gives what it printed.
    fn expect(&self, command: &str, arguments: &[&str], code: i32) -> String {
        let output = self.fleetprov(command, arguments);
        let said =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{command} {arguments:?} said:\n{said}");
        said
    }
}

fn make_key(path: &Path) {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "rig", "-f"])
        .arg(path)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(made.status.success(), "ssh-keygen: {}", String::from_utf8_lossy(&made.stderr));
}

fn authorize(rig: &Rig, name: &str, public: &str) {
    let line = public.trim();
    rig.machine(name).check(&format!("printf '%s\\n' '{line}' >>/root/.ssh/authorized_keys"));
}

fn overlay_text(rig: &Rig) -> String {
    let mut text = String::from("machines:\n");
    for name in MACHINES {
        let address = rig.machine(name).address();
        text.push_str(&format!(
            "  {name}:\n    platform: debian\n    privilege: ~\n    \
             connect: {{local: ~, ssh: \"root@{address}\", key: {name}.key}}\n"
        ));
    }
    let droplet = rig.machine("droplet").address();
    text.push_str(&format!(
        "known-hosts: known_hosts\n\
         services:\n  \
           dotfiles: {{kind: git, remote: \"ssh://root@{droplet}/srv/git/dotfiles.git\"}}\n  \
           b2: {{kind: rclone, type: local, root: /srv/clouds/b2}}\n  \
           drive: {{kind: rclone, type: local, root: /srv/clouds/drive}}\n  \
           ntfy: {{kind: notify, url: \"http://127.0.0.1:9\", topic: fleet}}\n"
    ));
    text
}

#[test]
fn rig_the_worked_example_is_applied_and_then_there_is_nothing_to_do() {
    let fleet = WholeTech::start();
    let rig = &fleet.rig;

    let shown = fleet.expect("plan", &[], 2);
    for name in MACHINES {
        assert!(shown.contains(name), "{name} is not in:\n{shown}");
    }
    let said = fleet.expect("apply", &["--yes"], 0);
    assert!(said.contains("5 machines changed"), "{said}");
    for _ in 0..20 {
        let said = fleet.expect("apply", &["--yes"], 0);
        assert!(said.contains("nothing to do on 5 machines"), "{said}");
    }

    timers_are_listed(rig);
    legs_move_files(rig);
    the_hub_is_mounted(rig);
    let head = rig.machine("droplet").check("git -C /srv/git/dotfiles.git rev-parse main");
    for name in ["cc-pc", "hs-pc"] {
        assert_eq!(rig.machine(name).check("git -C ~/.claude rev-parse HEAD"), head, "{name}");
    }
    let pushed = rig.machine("hs-pc").sh("git -C ~/.claude push origin HEAD:main");
    assert!(!pushed.success(), "a secondary could push");
    // Nor past the URL that is switched off: its key is held to reading.
    let commit = "cd ~/.claude && git -c user.name=x -c user.email=x@x commit -q --allow-empty -m x && \
                  git push -q $(git config remote.origin.url) HEAD:other";
    let pushed =
        rig.machine("hs-pc").sh(&format!("{commit}; code=$?; git reset -q --hard HEAD~; exit $code"));
    assert!(!pushed.success(), "a secondary could push");
    let pushed = rig.machine("cc-pc").sh("cd ~/.claude && git push -q origin HEAD:refs/heads/other");
    assert!(pushed.success(), "the primary could not push: {pushed:?}");

    what_is_changed_by_hand_is_found_and_put_back(&fleet);
}

fn timers_are_listed(rig: &Rig) {
    let legs = [
        ("cc-pc", "fleetprov-leg-work-b2.timer"),
        ("cc-pc", "fleetprov-leg-work-drive.timer"),
        ("cc-pc", "fleetprov-leg-work-hs-nas.timer"),
        ("cc-pc", "fleetprov-leg-work-cc-nas.timer"),
        ("hs-nas", "fleetprov-leg-sites-hs-nas.timer"),
        ("cc-nas", "fleetprov-leg-sites-cc-nas.timer"),
        ("hs-pc", "fleetprov-settings-pull.timer"),
        ("droplet", "fleetprov-job-report.timer"),
    ];
    for (name, timer) in legs {
        let listed = rig.machine(name).check("systemctl list-timers --all --no-legend --no-pager");
        assert!(listed.contains(timer), "{timer} is not among {name}'s timers:\n{listed}");
    }
}

fn legs_move_files(rig: &Rig) {
    rig.machine("droplet").check("mkdir -p /srv/sites/a && echo '<h1>a</h1>' >/srv/sites/a/index.html");
    let runs = [
        ("cc-pc", "work-b2", "cc-pc", "/srv/clouds/b2/wholetech/cc-pc/thesis.txt"),
        ("cc-pc", "work-drive", "cc-pc", "/srv/clouds/drive/wholetech/cc-pc/thesis.txt"),
        ("cc-pc", "work-hs-nas", "hs-nas", "/volume1/backup/cc-pc/thesis.txt"),
        ("cc-pc", "work-cc-nas", "cc-nas", "/share/backup/cc-pc/thesis.txt"),
        ("hs-nas", "sites-hs-nas", "hs-nas", "/volume1/backup/sites/a/index.html"),
        ("cc-nas", "sites-cc-nas", "cc-nas", "/share/backup/sites/a/index.html"),
    ];
    for (runs_on, leg, there, path) in runs {
        let started = rig.machine(runs_on).sh(&format!("systemctl start fleetprov-leg-{leg}.service"));
        let log = rig.machine(runs_on).sh("cat /var/log/fleetprov/legs/*.log");
        assert!(started.success(), "{leg}: {started:?}\n{}", log.text());
        assert!(rig.machine(there).exists(path), "{leg} did not bring {path}:\n{}", log.text());
        let own = rig.machine(runs_on).check(&format!("cat /var/log/fleetprov/legs/{leg}.log"));
        assert!(own.contains("\"msg\":\"done\"") && own.contains("Copied"), "{leg} logged:\n{own}");
    }
}

fn the_hub_is_mounted(rig: &Rig) {
    rig.machine("hs-nas").check("echo from the hub >/volume1/fleet/log/known");
    for (name, path) in [("cc-pc", "/root/fleet"), ("hs-pc", "/root/fleet"), ("droplet", "/mnt/fleet")] {
        let machine = rig.machine(name);
        assert_eq!(machine.check(&format!("cat {path}/log/known")).trim(), "from the hub", "{name}");
        let mounts = machine.check("cat /proc/self/mounts");
        assert!(mounts.contains(&format!(" {path} fuse.sshfs ")), "{name}:\n{mounts}");
    }
}

fn what_is_changed_by_hand_is_found_and_put_back(fleet: &WholeTech) {
    let rig = &fleet.rig;
    let pc = rig.machine("cc-pc");
    let timer = "/etc/systemd/system/fleetprov-leg-work-b2.timer";
    let before = pc.read(timer);
    pc.check(&format!("sed -i 's/^OnCalendar=.*/OnCalendar=*-*-* 12:00:00/' {timer}"));
    pc.check("systemctl disable -q --now fleetprov-leg-work-drive.timer");
    rig.machine("hs-nas").check("chmod 777 /volume1/fleet/queue/new && echo x >>/etc/fleetprov/machine");
    let shown = fleet.expect("plan", &[], 2);
    for part in [
        "- OnCalendar=*-*-* 12:00:00",
        "unit fleetprov-leg-work-drive.timer",
        "enabled no → yes",
        "mode 0777 → 0750",
        "- x",
        "cc-pc",
        "hs-nas",
    ] {
        assert!(shown.contains(part), "`{part}` is not in:\n{shown}");
    }
    fleet.expect("apply", &["--yes"], 0);
    assert_eq!(pc.read(timer), before);
    assert_eq!(pc.check("systemctl is-enabled fleetprov-leg-work-drive.timer").trim(), "enabled");
    assert_eq!(pc.check("systemctl is-active fleetprov-leg-work-drive.timer").trim(), "active");
    let next = pc.check("systemctl show -P TimersCalendar fleetprov-leg-work-b2.timer");
    assert!(!next.contains("12:00:00"), "systemd still has the old time: {next}");
    assert_eq!(rig.machine("hs-nas").check("stat -c %a /volume1/fleet/queue/new").trim(), "750");
    fleet.expect("plan", &[], 0);
}

#[test]
fn rig_a_crontab_line_changed_by_hand_is_put_back_and_the_others_stay() {
    let rig = Rig::start(&[Machine::plain("web")]);
    let web = rig.machine("web");
    web.check("printf '# mine\\n1 2 3 4 5 true\\n' | crontab -u root -");
    let folder = rig.directory().join("project");
    std::fs::create_dir_all(folder.join("roles")).unwrap();
    std::fs::write(
        folder.join("roles/jobs.yaml"),
        "role: jobs\ndescription: a job\nresources:\n  - schedule: {name: hello, at: \"*/5 * * * *\", command: \"date >/tmp/hello\"}\n",
    )
    .unwrap();
    std::fs::write(
        folder.join("fleet.yaml"),
        format!(
            "fleet: small\nknown-hosts: ../known_hosts\ntiers: {{servers: {{pattern: hub-and-spoke, hub: web}}}}\n\
             machines:\n  web: {{tier: servers, platform: debian, init: sysv, roles: [jobs], \
             connect: {{ssh: \"root@{}\", key: ../client_key}}}}\n",
            web.address()
        ),
    )
    .unwrap();
    let fleetprov = |command: &[&str], code: i32| {
        let output = Command::new(env!("CARGO_BIN_EXE_fleetprov"))
            .args(command)
            .arg("fleet.yaml")
            .current_dir(&folder)
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(code), "{said}{}", String::from_utf8_lossy(&output.stderr));
        said
    };
    fleetprov(&["apply", "--yes"], 0);
    let before = web.check("crontab -l -u root");
    assert!(before.starts_with("# mine\n1 2 3 4 5 true\n"), "{before}");
    assert!(before.contains("*/5 * * * * date >/tmp/hello\n"), "{before}");
    web.check("crontab -l -u root | sed 's/^\\*\\/5/7/' | crontab -u root -");
    let shown = fleetprov(&["plan"], 2);
    assert!(shown.contains("- 7 * * * *") && shown.contains("+ */5 * * * *"), "{shown}");
    fleetprov(&["apply", "--yes"], 0);
    assert_eq!(web.check("crontab -l -u root"), before);
}
