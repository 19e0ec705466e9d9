//! The scripts that roles and legs write, run for real: rclone between folders, git between
//! repositories, curl to a server.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use fleetprov::desired::{Library, resolve_all};
use fleetprov::inventory::parse;
use fleetprov::model::{Secret, Source};
use fleetprov::resource::Content;

/// A machine without root and systemd whose login user's home is a folder here, so that every path of
/// its scripts lies in that folder.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        // With a blank and a quote, which every script has to survive.
        Self(tempfile::Builder::new().prefix("it's a home").tempdir().unwrap())
    }

    fn path(&self, below: &str) -> PathBuf {
        self.0.path().join(below)
    }

    fn write(&self, below: &str, text: &str) {
        let path = self.path(below);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn read(&self, below: &str) -> Option<String> {
        std::fs::read_to_string(self.path(below)).ok()
    }

    /// Writes the files that a fleet with these parts gives the machine `here`, as `apply` would.
    fn apply(&self, parts: &str) {
        let home = self.0.path().to_str().unwrap();
        let fleet = format!(
            "fleet: lab\n\
             tiers: {{servers: {{pattern: mesh}}}}\n\
             machines:\n\
             \x20 here: {{tier: servers, platform: debian, init: sysv, home: \"{home}\", connect: {{ssh: ops@192.0.2.1}}, roles: [ROLES]}}\n\
             {parts}"
        );
        let (roles, fleet) = match fleet.split_once("#roles ") {
            Some((before, roles)) => (roles.trim().to_owned(), before.to_owned()),
            None => (String::new(), fleet),
        };
        let fleet = fleet.replace("ROLES", &roles).replace("HOME", home);
        let fleet = parse(&Source::new("fleet.yaml", fleet), None)
            .unwrap_or_else(|problems| panic!("{:?}", problems.sorted()));
        let mut library = Library::built_in();
        library.secrets.insert("topic".to_owned(), Content::Secret(Secret::new(b"hidden\n".to_vec())));
        let machines =
            resolve_all(&fleet, &library).unwrap_or_else(|problems| panic!("{:?}", problems.sorted()));
        for declared in machines.iter().flat_map(|(_, declared)| declared) {
            if declared.resource.id().kind == "directory" {
                std::fs::create_dir_all(declared.resource.path().unwrap().as_str()).unwrap();
            }
            for file in declared.resource.rendered() {
                let path = PathBuf::from(file.path.split('#').next().unwrap());
                let bytes = match &file.content {
                    Content::Bytes(bytes) => bytes.to_vec(),
                    Content::Secret(secret) => secret.expose().to_vec(),
                    other => panic!("{other:?}"),
                };
                if path.starts_with(self.0.path()) {
                    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                    std::fs::write(&path, bytes).unwrap();
                    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
                }
            }
        }
    }

    fn run(&self, script: &str, environment: &[(&str, &str)]) -> Output {
        Command::new(self.path(script))
            .env("HOME", self.0.path())
            .envs(environment.iter().copied())
            .output()
            .unwrap()
    }

    /// Runs the leg `it`, with an rclone that counts its calls.
    fn leg(&self) -> Leg {
        let real = which("rclone");
        let counter = self.path("calls");
        let text = format!(
            "#!/bin/sh\nprintf '%s\\n' \"$1\" >>\"{}\"\nexec {} \"$@\"\n",
            counter.display(),
            real.display()
        );
        self.write("bin/rclone", &text);
        std::fs::set_permissions(self.path("bin/rclone"), std::fs::Permissions::from_mode(0o755)).unwrap();
        let _ = std::fs::remove_file(&counter);
        let path = format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap());
        let output = self.run(".local/lib/fleetprov/legs/it.sh", &[("PATH", &path)]);
        Leg {
            code: output.status.code().unwrap(),
            said: String::from_utf8(output.stderr).unwrap(),
            calls: self.read("calls").unwrap_or_default().lines().map(str::to_owned).collect(),
            log: self.read(".local/state/fleetprov/legs/it.log").unwrap_or_default(),
        }
    }

    /// Files below a folder with their texts.
    fn tree(&self, below: &str) -> BTreeMap<String, String> {
        let root = self.path(below);
        let mut files = BTreeMap::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            let Ok(entries) = std::fs::read_dir(&folder) else { continue };
            for entry in entries {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                    files.insert(name, std::fs::read_to_string(&path).unwrap());
                }
            }
        }
        files
    }
}

/// What one run of a leg did.
struct Leg {
    code: i32,
    said: String,
    calls: Vec<String>,
    log: String,
}

impl Leg {
    /// The log's lines that are JSON, by level and message. The others are what rclone said before it
    /// knew of the log.
    fn logged(&self, level: &str, message: &str) -> bool {
        self.log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok()).any(|line| {
            line["level"] == level && line["msg"].as_str().is_some_and(|text| text.contains(message))
        })
    }
}

fn which(program: &str) -> PathBuf {
    std::env::split_paths(&std::env::var_os("PATH").unwrap())
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("{program} is not installed"))
}

fn files(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn a_copy_adds_and_replaces_and_deletes_nothing() {
    let home = Home::new();
    home.apply(
        "backups:\n  it: {run-on: here, from: ~/source, to: '~/the $target', at: '@daily', \
         bandwidth: 100M, filters: ['- *.tmp', \"- it's*\"]}\n",
    );
    home.write("source/a", "new");
    home.write("source/sub/b", "b");
    home.write("source/c.tmp", "no");
    home.write("source/it's not", "no");
    home.write("the $target/a", "old, and longer");
    home.write("the $target/kept", "kept");
    let run = home.leg();
    assert_eq!((run.code, run.said.as_str()), (0, ""), "{}", run.log);
    assert_eq!(home.tree("the $target"), files(&[("a", "new"), ("kept", "kept"), ("sub/b", "b")]));
    assert!(
        run.logged("info", "started") && run.logged("info", "Copied") && run.logged("info", "done"),
        "{}",
        run.log
    );
    assert_eq!(run.calls, ["copy"]);
}

#[test]
fn a_sync_puts_what_it_replaces_and_deletes_aside() {
    let home = Home::new();
    home.apply(
        "backups:\n  it: {run-on: here, from: ~/source, to: ~/target, at: '@daily', mode: sync, backup-dir: '~/gone by'}\n",
    );
    home.write("source/a", "new");
    home.write("target/a", "old, and longer");
    home.write("target/extra", "extra");
    let run = home.leg();
    assert_eq!(run.code, 0, "{}", run.log);
    assert_eq!(home.tree("target"), files(&[("a", "new")]));
    let gone = home.tree("gone by");
    let names: Vec<&str> = gone.keys().map(|name| name.split_once('/').unwrap().1).collect();
    assert_eq!(names, ["a", "extra"]);
    assert!(gone.values().any(|text| text == "old, and longer"), "{gone:?}");
    let folder = gone.keys().next().unwrap().split('/').next().unwrap().to_owned();
    assert!(folder.starts_with("20") && folder.ends_with('Z'), "{folder}");
}

#[test]
fn a_sync_stops_at_its_limit_of_deletions() {
    let home = Home::new();
    home.apply(
        "backups:\n  it: {run-on: here, from: ~/source, to: ~/target, at: '@daily', mode: sync, max-delete: 2}\n",
    );
    home.write("source/a", "a");
    for number in 0..10 {
        home.write(&format!("target/{number}"), "x");
    }
    let run = home.leg();
    assert_ne!(run.code, 0, "{}", run.log);
    assert!(run.logged("error", "--max-delete threshold reached"), "{}", run.log);
    assert!(run.said.contains("rclone ended with code"), "{}", run.said);
    let left = home.tree("target").keys().filter(|name| *name != "a").count();
    assert!((8..10).contains(&left), "{left} of 10 are left");
}

#[test]
fn a_missing_sentinel_stops_a_leg_before_rclone() {
    let home = Home::new();
    home.apply(
        "backups:\n  it: {run-on: here, from: ~/source, to: ~/target, at: '@daily', mode: sync, sentinel: .here}\n",
    );
    home.write("source/a", "a");
    home.write("target/precious", "x");
    let run = home.leg();
    assert_eq!((run.code, run.calls.len()), (75, 0), "{}", run.log);
    assert_eq!(run.said, "it: the sentinel is not in the source\n");
    assert_eq!(home.tree("target"), files(&[("precious", "x")]));
    home.write("source/.here", "");
    let run = home.leg();
    assert_eq!((run.code, run.calls.len()), (0, 1), "{}", run.log);
    assert_eq!(home.tree("target"), files(&[(".here", ""), ("a", "a")]));
}

#[test]
fn a_sentinel_on_a_remote_is_looked_for_there() {
    let home = Home::new();
    home.apply(
        "services:\n  store: {kind: rclone, type: alias, remote: \"HOME/far\"}\n\
         backups:\n  it: {run-on: here, from: 'store:source', to: ~/target, at: '@daily', mode: sync, sentinel: deep/.here}\n",
    );
    home.write("far/source/a", "a");
    home.write("target/precious", "x");
    let run = home.leg();
    assert_eq!((run.code, run.calls), (75, vec!["lsf".to_owned()]), "{}", run.log);
    assert_eq!(home.tree("target"), files(&[("precious", "x")]));
    home.write("far/source/deep/.here", "");
    let run = home.leg();
    assert_eq!(run.code, 0, "{}", run.log);
    assert_eq!(home.tree("target"), files(&[("a", "a"), ("deep/.here", "")]));
}

#[test]
fn a_sync_without_a_sentinel_refuses_an_empty_or_absent_source() {
    let home = Home::new();
    home.apply("backups:\n  it: {run-on: here, from: ~/source, to: ~/target, at: '@daily', mode: sync}\n");
    home.write("target/precious", "x");
    for state in ["absent", "empty"] {
        let run = home.leg();
        assert_eq!((run.code, run.said.as_str()), (75, "it: the source is empty or not there\n"), "{state}");
        assert!(!run.calls.contains(&"sync".to_owned()), "{state}");
        std::fs::create_dir_all(home.path("source")).unwrap();
    }
    assert_eq!(home.tree("target"), files(&[("precious", "x")]));
}

#[test]
fn a_move_empties_the_source_and_leaves_its_sentinel() {
    let home = Home::new();
    home.apply(
        "backups:\n  it: {run-on: here, from: ~/source, to: ~/target, at: '@daily', mode: move, sentinel: 'a[1]/.here'}\n",
    );
    home.write("source/a[1]/.here", "");
    for round in ["one", "two"] {
        for number in 0..20 {
            home.write(&format!("source/{round}-{number}"), round);
        }
        let run = home.leg();
        assert_eq!(run.code, 0, "{}", run.log);
        assert_eq!(home.tree("source"), files(&[("a[1]/.here", "")]));
    }
    assert_eq!(home.tree("target").len(), 40);
}

#[test]
fn one_run_of_a_leg_at_a_time() {
    let home = Home::new();
    home.apply("backups:\n  it: {run-on: here, from: ~/source, to: ~/target, at: '@daily'}\n");
    home.write("source/a", "a");
    let lock = std::fs::File::create(home.path(".local/state/fleetprov/legs/it.log.lock")).unwrap();
    lock.lock().unwrap();
    let run = home.leg();
    assert_eq!((run.code, run.calls.len()), (75, 0));
    assert_eq!(run.said, "it: another run is going on\n");
    drop(lock);
    assert_eq!(home.leg().code, 0);
    assert_eq!(home.tree("target"), files(&[("a", "a")]));
}

#[test]
fn a_long_log_makes_room_for_a_new_one() {
    let home = Home::new();
    home.apply("backups:\n  it: {run-on: here, from: ~/source, to: ~/target, at: '@daily'}\n");
    home.write("source/a", "a");
    home.write(".local/state/fleetprov/legs/it.log", &"x".repeat(10 * 1024 * 1024 + 1));
    let run = home.leg();
    assert_eq!(run.code, 0);
    assert!(run.log.len() < 10_000 && run.logged("info", "done"), "{} bytes", run.log.len());
    assert!(home.path(".local/state/fleetprov/legs/it.log.1").is_file());
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["-c", "user.name=t", "-c", "user.email=t@t.example", "-c", "init.defaultBranch=main"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_secondary_pulls_and_writes_down_what_it_found() {
    let home = Home::new();
    home.apply(
        "services:\n  notes: {kind: git, remote: 'git@git.example:notes.git'}\n\
         #roles {secondary: {repository: notes, catch-up: false, spread: 0s, packages: [], log: ~/fleet/log}}",
    );
    std::fs::create_dir_all(home.path("origin")).unwrap();
    let origin = home.path("origin");
    git(&origin, &["init", "--quiet"]);
    home.write("origin/settings.json", "{}");
    git(&origin, &["add", "."]);
    git(&origin, &["commit", "--quiet", "-m", "one"]);
    git(home.0.path(), &["clone", "--quiet", "origin", ".claude"]);
    let clone = home.path(".claude");
    let pull = || {
        let output = home.run(".local/lib/fleetprov/schedules/settings-pull", &[]);
        let log = home.read("fleet/log").unwrap();
        (
            output.status.code().unwrap(),
            log.lines().last().unwrap().split_once(" settings-pull ").unwrap().1.to_owned(),
        )
    };

    home.write("origin/settings.json", "{\"a\": 1}");
    git(&origin, &["commit", "--quiet", "-a", "-m", "two"]);
    let head = git(&origin, &["rev-parse", "--short", "HEAD"]);
    assert_eq!(pull(), (0, format!("code=0 head={head} ahead=0 behind=0 changed=0")));
    assert_eq!(home.read(".claude/settings.json").unwrap(), "{\"a\": 1}");

    // What `--ff-only` does not notice: a change beside, and a commit of one's own.
    home.write(".claude/settings.json", "{\"b\": 2}");
    assert_eq!(pull(), (0, format!("code=0 head={head} ahead=0 behind=0 changed=1")));
    git(&clone, &["commit", "--quiet", "-a", "-m", "mine"]);
    let mine = git(&clone, &["rev-parse", "--short", "HEAD"]);
    assert_eq!(pull(), (0, format!("code=0 head={mine} ahead=1 behind=0 changed=0")));

    // Diverged: nothing is thrown away, and the line is written all the same.
    home.write("origin/other", "x");
    git(&origin, &["add", "."]);
    git(&origin, &["commit", "--quiet", "-m", "three"]);
    let (code, line) = pull();
    assert_ne!(code, 0);
    assert_eq!(line, format!("code={code} head={mine} ahead=1 behind=1 changed=0"));
    assert_eq!(home.read(".claude/settings.json").unwrap(), "{\"b\": 2}");

    std::fs::rename(&origin, home.path("away")).unwrap();
    let (code, line) = pull();
    assert_ne!(code, 0);
    assert!(line.ends_with(" ahead=1 behind=1 changed=0"), "{line}");
}

/// Answers one request with 200 and gives back what came.
fn answer_one(listener: &std::net::TcpListener) -> String {
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
    let mut request = Vec::new();
    let mut buffer = [0_u8; 4096];
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(str::to_owned))
                .map_or(0, |length| length.parse::<usize>().unwrap());
            if body.len() >= length {
                break;
            }
        }
        let count = stream.read(&mut buffer).unwrap();
        assert!(count > 0, "the request ended early");
        request.extend_from_slice(&buffer[..count]);
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
    String::from_utf8(request).unwrap()
}

#[test]
fn a_notifier_sends_a_message_and_hides_its_topic() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let home = Home::new();
    home.apply(&format!(
        "services:\n  bell: {{kind: notify, url: 'http://{address}', topic: {{secret: topic}}}}\n\
         #roles {{notifier: {{service: bell, packages: []}}}}"
    ));
    // A curl that notes the arguments every process list would show.
    let text = format!(
        "#!/bin/sh\nprintf '%s\\n' \"$*\" >\"{}\"\nexec {} \"$@\"\n",
        home.path("arguments").display(),
        which("curl").display()
    );
    home.write("bin/curl", &text);
    std::fs::set_permissions(home.path("bin/curl"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", home.path("bin").display(), std::env::var("PATH").unwrap());
    let server = std::thread::spawn(move || answer_one(&listener));
    let output = Command::new(home.path(".local/bin/fleetprov-notify"))
        .args(["a \"title\"\nwith \\ more", "line one\nline two"])
        .env("PATH", path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let request = server.join().unwrap();
    assert!(request.starts_with("POST /hidden HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("\r\nTitle: a titlewith  more\r\n"), "{request}");
    assert!(request.ends_with("\r\n\r\nline one\nline two"), "{request}");
    assert!(!home.read("arguments").unwrap().contains("hidden"));
}
