//! Every unit file that is emitted, through systemd's own eyes.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use fleetprov::desired::{Library, resolve_all};
use fleetprov::inventory::parse;
use fleetprov::model::{Secret, Source};
use fleetprov::resource::Content;

/// Everything that becomes a unit: each kind of mount, each form of schedule, legs and the built-in
/// roles that have any.
const FLEET: &str = "\
fleet: lab
tiers: {servers: {pattern: mesh}}
machines:
  hub: {tier: servers, platform: windows, connect: {ssh: 'share@[2001:db8::9]:2222'}}
  spoke:
    tier: servers
    platform: debian
    connect: {ssh: root@192.0.2.1}
    roles:
      - units
      - spoke: {hub: hub, folder: /srv/fleet}
      - secondary: {repository: notes}
      - notifier: {service: bell}
  other:
    tier: servers
    platform: debian
    connect: {ssh: root@192.0.2.2}
    roles: [{spoke: {hub: hub, folder: /srv/fleet, by: rclone}}]
services:
  notes: {kind: git, remote: 'git@git.example:notes.git'}
  bell: {kind: notify, url: 'https://bell.example', topic: {secret: open}}
backups:
  pull: {run-on: spoke, from: 'hub:/srv', to: /srv/pull, at: '30 2 1 * 1', zone: Europe/Berlin, spread: 10m, catch-up: true}
  boot: {run-on: spoke, from: 'hub:/srv', to: /srv/boot, at: '@boot'}
";

const ROLE: &str = r##"
role: units
resources:
  - mount: {path: /mnt/nfs, kind: nfs, host: 192.0.2.9, from: /export, read-only: true, options: [soft]}
  - mount: {path: /mnt/smb, kind: smb, host: nas.example, from: share/folder, username: me, password: open}
  - mount: {path: /mnt/guest, kind: smb, host: nas.example, from: share, options: [guest], automount: true}
  - mount: {path: "/mnt/on demand-1", kind: sshfs, machine: hub, host: "2001:db8::9", from: /srv, automount: true, idle: 10m, shared: true}
  - mount: {path: "/mnt/a b", kind: rclone, from: "store:bucket/100% of $HOME", shared: true, options: [--dir-cache-time, 1m]}
  - schedule: {name: plain, at: '0 0 1 * 1', command: 'echo 100% "$HOME" \ ''x'''}
  - schedule: {name: full, at: '*/7 3-5 * jan,dec 0', zone: UTC, command: 'false', user: www-data, spread: 5m, catch-up: true, timeout: 1h, after-failure: 'logger "$MAINPID" failed', network: true, description: Full of 50% everything}
  - schedule: {name: scripted, at: '@boot', script: "#!/bin/sh\n"}
"##;

/// The unit files of all machines that run systemd, and the scripts beside them, by path.
fn rendered(machine: &str) -> BTreeMap<String, Vec<u8>> {
    let mut library = Library::built_in();
    library.roles.insert("units".to_owned(), Source::new("roles/units.yaml", ROLE));
    library.secrets.insert("open".to_owned(), Content::Secret(Secret::new(b"x".to_vec())));
    let fleet = parse(&Source::new("fleet.yaml", FLEET), None).unwrap();
    let machines = resolve_all(&fleet, &library).unwrap();
    let (_, declared) = machines.iter().find(|(name, _)| name.as_str() == machine).unwrap();
    declared
        .iter()
        .flat_map(|declared| declared.resource.rendered())
        .filter(|file| file.path.starts_with('/') && !file.path.contains('#'))
        .map(|file| match file.content {
            Content::Bytes(bytes) => (file.path, bytes.to_vec()),
            Content::Secret(secret) => (file.path, secret.expose().to_vec()),
            other => panic!("{other:?}"),
        })
        .collect()
}

fn write(root: &Path, path: &str, bytes: &[u8], mode: u32) {
    let path = root.join(path.trim_start_matches('/'));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, bytes).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// A root folder with systemd's own units, the programs units start, and these files.
fn root(files: &BTreeMap<String, Vec<u8>>) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let own = PathBuf::from("/usr/lib/systemd/system");
    for entry in std::fs::read_dir(&own).unwrap() {
        let path = entry.unwrap().path();
        // Links of aliases and `.wants` folders are not needed to load a unit.
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            write(root.path(), path.to_str().unwrap(), &bytes, 0o644);
        }
    }
    for program in ["/bin/sh", "/bin/umount", "/usr/bin/rclone"] {
        write(root.path(), program, b"#!/bin/sh\n", 0o755);
    }
    for (path, bytes) in files {
        write(root.path(), path, bytes, if path.starts_with("/etc/") { 0o644 } else { 0o755 });
    }
    root
}

/// What `systemd-analyze verify` says of all units of a root together. It exits with 0 after a
/// misspelt key and after a timer without its service (measured, 252), so every word of it counts.
fn verified(root: &Path, units: &[String]) -> String {
    let output = Command::new("systemd-analyze")
        .args(["verify", "--man=no", "--root"])
        .arg(root)
        .args(units)
        .env("SYSTEMD_LOG_LEVEL", "warning")
        .output()
        .unwrap();
    let mut said = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        said.push_str(&format!("exit: {}\n", output.status));
    }
    said
}

fn units(files: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    files.keys().filter_map(|path| path.strip_prefix("/etc/systemd/system/")).map(str::to_owned).collect()
}

#[test]
fn systemd_takes_every_unit_without_a_word() {
    for (machine, least) in [("spoke", 18), ("other", 1)] {
        let files = rendered(machine);
        let units = units(&files);
        assert!(units.len() >= least, "{units:?}");
        for timer in units.iter().filter_map(|unit| unit.strip_suffix(".timer")) {
            assert!(units.contains(&format!("{timer}.service")), "{timer} starts nothing");
        }
        for mount in units.iter().filter_map(|unit| unit.strip_suffix(".automount")) {
            assert!(units.contains(&format!("{mount}.mount")), "{mount} mounts nothing");
        }
        let root = root(&files);
        assert_eq!(verified(root.path(), &units), "", "{units:?}");
    }
}

#[test]
fn the_check_itself_finds_what_it_should() {
    let mut files = rendered("spoke");
    let timer = "/etc/systemd/system/fleetprov-full.timer";
    let text = String::from_utf8(files[timer].clone()).unwrap();
    files.insert(timer.to_owned(), text.replace("Persistent=", "Persistant=").into_bytes());
    let root = root(&files);
    let said = verified(root.path(), &units(&files));
    assert!(said.contains("Persistant"), "{said}");
}

#[test]
fn every_script_is_clean_for_shellcheck_and_two_shells() {
    let mut scripts = 0;
    for machine in ["spoke", "other"] {
        let files = rendered(machine);
        let folder = tempfile::tempdir().unwrap();
        for (path, bytes) in files.iter().filter(|(_, bytes)| bytes.starts_with(b"#!/bin/sh\n")) {
            scripts += 1;
            write(folder.path(), path, bytes, 0o755);
            let file = folder.path().join(path.trim_start_matches('/'));
            for (program, arguments) in
                [("shellcheck", &["-s", "sh"][..]), ("dash", &["-n"]), ("busybox", &["ash", "-n"])]
            {
                let output = Command::new(program).args(arguments).arg(&file).output().unwrap();
                let said = String::from_utf8_lossy(&output.stdout).into_owned()
                    + &String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success() && said.is_empty(), "{program} on {path}:\n{said}");
            }
        }
    }
    assert!(scripts >= 6, "only {scripts} scripts were found");
}
