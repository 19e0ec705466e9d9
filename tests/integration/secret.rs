//! `fleetprov secret` as a person and a program use it. All keys are made while the tests run.
//!
//! What is said about a mistake is compared with `tests/cases/secret/NAME.txt`; `UPDATE_CASES=1` writes
//! those anew, and the difference is for the author to read.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use age::secrecy::{ExposeSecret as _, SecretString};
use age::x25519;
use fleetprov::desired::resolve_all;
use fleetprov::resource::Content;
use fleetprov::store::{Identities, ProjectOptions, load};

use crate::project::Ran;

/// A project with an identity, and the seat that has it.
struct Seat {
    folder: tempfile::TempDir,
    mine: x25519::Identity,
}

const FLEET: &str = "\
fleet: small
tiers:
  servers: {pattern: hub-and-spoke, hub: web}
services:
  bell: {kind: notify, url: \"https://ntfy.example\", topic: {secret: topic}}
machines:
  web:
    tier: servers
    platform: debian
    privilege: {sudo: {password: {secret: web-sudo}}}
    connect: {ssh: me@127.0.0.1:1, key: web.key}
    roles: [tokens]
";

const ROLE: &str = "\
role: tokens
resources:
  - file: {path: /etc/token, secret: token}
  - ini-keys: {path: /etc/app.ini, sections: {main: {password: {secret: other}}}}
";

impl Seat {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let seat = Self { folder, mine: x25519::Identity::generate() };
        seat.write("fleet.yaml", FLEET);
        seat.write("roles/tokens.yaml", ROLE);
        seat.write("config/fleetprov/identity", seat.mine.to_string().expose_secret());
        seat
    }

    fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        for name in ["FLEETPROV_IDENTITY", "SSH_AUTH_SOCK", "VISUAL", "EDITOR", "LANG", "LC_CTYPE"] {
            command.env_remove(name);
        }
        command
            .current_dir(self.folder.path())
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("HOME", self.folder.path())
            .env("LC_ALL", "C")
            .env("COLUMNS", "80");
        command
    }

    /// Runs fleetprov with something on its standard input.
    fn run_with(&self, arguments: &[&str], input: &[u8]) -> Ran {
        let mut command = self.command(env!("CARGO_BIN_EXE_fleetprov"));
        fed(command.args(arguments), input)
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, b"")
    }

    /// Runs `secret edit` of the token with an editor.
    fn edit(&self, editor: &str) -> Ran {
        let mut command = self.command(env!("CARGO_BIN_EXE_fleetprov"));
        fed(command.args(["secret", "edit", "fleet.yaml", "token"]).env("EDITOR", editor), b"")
    }

    /// Runs fleetprov on a terminal: waits for each text, then types the answer to it.
    fn on_terminal(&self, arguments: &str, dialogue: &[(&str, &str)]) -> (String, Option<i32>) {
        let line = format!("{} {arguments}", env!("CARGO_BIN_EXE_fleetprov"));
        self.shell_on_terminal(&line, dialogue)
    }

    fn shell_on_terminal(&self, line: &str, dialogue: &[(&str, &str)]) -> (String, Option<i32>) {
        use std::io::Read as _;
        let mut child = self
            .command("script")
            .args(["-qefc", line, "/dev/null"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this test needs script(1)");
        let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (mut shown, mut from, mut buffer) = (Vec::new(), 0, [0; 4096]);
        let mut dialogue = dialogue.iter().peekable();
        loop {
            let count = stdout.read(&mut buffer).unwrap();
            if count == 0 {
                break;
            }
            shown.extend_from_slice(&buffer[..count]);
            if let Some((question, answer)) = dialogue.peek()
                && String::from_utf8_lossy(&shown[from..]).contains(question)
            {
                from = shown.len();
                stdin.write_all(answer.as_bytes()).unwrap();
                stdin.flush().unwrap();
                dialogue.next();
            }
        }
        let status = child.wait().unwrap();
        let shown = String::from_utf8(shown).unwrap();
        assert_eq!(dialogue.next(), None, "not asked: {shown}");
        (shown, status.code())
    }

    /// What the seat's identity opens.
    fn opened(&self, name: &str) -> Vec<u8> {
        let sealed = std::fs::read(self.path(&format!("secrets/{name}.age"))).unwrap();
        age::decrypt(&self.mine, &sealed).unwrap()
    }
}

fn fed(command: &mut Command, input: &[u8]) -> Ran {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A program that ends before it reads is no fault of this one.
    let _ = child.stdin.take().unwrap().write_all(input);
    Ran::of(child.wait_with_output().unwrap())
}

fn public(identity: &x25519::Identity) -> String {
    identity.to_public().to_string()
}

fn with_passphrase(passphrase: &str, value: &[u8]) -> Vec<u8> {
    let mut recipient = age::scrypt::Recipient::new(SecretString::from(passphrase.to_owned()));
    recipient.set_work_factor(2);
    age::encrypt(&recipient, value).unwrap()
}

#[test]
fn a_value_goes_in_and_comes_out_as_it_was() {
    let seat = Seat::new();
    let value = b"two\nlines \x00\xff\n";
    let ran = seat.run_with(&["secret", "set", "fleet.yaml", "token"], value);
    ran.expect(0).says("secrets/token.age: new, sealed to 1 recipient");
    assert_eq!(ran.stdout, "");
    assert_eq!(seat.opened("token"), value);
    let output = seat
        .command(env!("CARGO_BIN_EXE_fleetprov"))
        .args(["secret", "show", "fleet.yaml", "token"])
        .output();
    assert_eq!(output.unwrap().stdout, value);
    seat.write("value", b"from a file");
    seat.run(&["secret", "set", "fleet.yaml", "token", "--file", "value"]).expect(0).says("changed");
    assert_eq!(seat.opened("token"), b"from a file");
    let files = std::fs::read_dir(seat.path("secrets")).unwrap().count();
    assert_eq!(files, 1, "nothing is left beside it");
}

#[test]
fn a_seat_without_identity_gets_one_with_its_first_secret() {
    let seat = Seat::new();
    let identity = seat.path("config/fleetprov/identity");
    std::fs::remove_file(&identity).unwrap();
    let ran = seat.run_with(&["secret", "set", "fleet.yaml", "token"], b"hush");
    ran.expect(0).says("made an identity for this seat:").says("sealed to 1 recipient");
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(std::fs::metadata(&identity).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(seat.run(&["secret", "show", "fleet.yaml", "token"]).expect(0).stdout, "hush");
    seat.run_with(&["secret", "set", "fleet.yaml", "other"], b"hush").expect(0).hides("made an identity");
    // Nobody at home: there is no place for an identity.
    let mut command = seat.command(env!("CARGO_BIN_EXE_fleetprov"));
    command.args(["secret", "set", "fleet.yaml", "third"]).env_remove("HOME").env_remove("XDG_CONFIG_HOME");
    fed(&mut command, b"hush").expect(6).says("failed to find somebody to seal to");
}

#[test]
fn a_secret_can_be_sealed_to_one_seat_alone() {
    let seat = Seat::new();
    let theirs = x25519::Identity::generate();
    let set = ["secret", "set", "fleet.yaml", "token", "--recipient", &public(&theirs)];
    seat.run_with(&set, b"hush").expect(0);
    let sealed = std::fs::read(seat.path("secrets/token.age")).unwrap();
    assert_eq!(age::decrypt(&theirs, &sealed).unwrap(), b"hush");
    assert!(age::decrypt(&seat.mine, &sealed).is_err());
    let list = std::fs::read_to_string(seat.path("secrets/token.recipients")).unwrap();
    assert_eq!(list, format!("{}\n", public(&theirs)));
    // It stays so when it is set anew without saying it again.
    seat.run_with(&["secret", "set", "fleet.yaml", "token"], b"new").expect(0);
    let sealed = std::fs::read(seat.path("secrets/token.age")).unwrap();
    assert_eq!(age::decrypt(&theirs, &sealed).unwrap(), b"new");
    assert!(age::decrypt(&seat.mine, &sealed).is_err());
}

#[test]
fn rekey_seals_to_whoever_is_enrolled_now() {
    let seat = Seat::new();
    for name in ["token", "other"] {
        seat.run_with(&["secret", "set", "fleet.yaml", name], name.as_bytes()).expect(0);
    }
    let second = x25519::Identity::generate();
    seat.write("keys/seats/hs-pc/recipient", public(&second));
    seat.run(&["secret", "rekey", "fleet.yaml", "token"]).expect(0);
    let opens = |name: &str, identity: &x25519::Identity| {
        age::decrypt(identity, &std::fs::read(seat.path(&format!("secrets/{name}.age"))).unwrap()).is_ok()
    };
    assert!(opens("token", &second) && opens("token", &seat.mine) && !opens("other", &second));
    // One that was sealed by somebody else stays, is named, and keeps nobody from the rest.
    seat.write("secrets/theirs.age", age::encrypt(&second.to_public(), b"x").unwrap());
    let ran = seat.run(&["secret", "rekey", "fleet.yaml", "--json"]);
    ran.expect(3).says("theirs: failed to open the secret: none of the identities opens it");
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(json["rekeyed"], serde_json::json!(["other", "token"]));
    assert_eq!(json["closed"][0]["name"], "theirs");
    assert!(opens("other", &second) && !opens("theirs", &seat.mine));
    // A wrong list of recipients is found before anything is touched.
    let before = std::fs::read(seat.path("secrets/other.age")).unwrap();
    seat.write("secrets/token.recipients", "nobody\n");
    seat.run(&["secret", "rekey", "fleet.yaml"]).expect(6).says("secrets/token.recipients:1:1");
    assert_eq!(std::fs::read(seat.path("secrets/other.age")).unwrap(), before);
}

#[test]
fn list_says_what_opens_and_who_uses_it() {
    let seat = Seat::new();
    seat.run_with(&["secret", "set", "fleet.yaml", "token"], b"hush").expect(0);
    seat.run_with(&["secret", "set", "fleet.yaml", "unused"], b"hush").expect(0);
    let theirs = x25519::Identity::generate();
    seat.write("secrets/topic.age", age::encrypt(&theirs.to_public(), b"x").unwrap());
    let ran = seat.run(&["secret", "list", "fleet.yaml"]);
    assert_eq!(
        ran.expect(0).stdout,
        "other     missing  web\n\
         token     opens    web\n\
         topic     closed   service bell\n\
         unused    opens    used by nobody\n\
         web-sudo  missing  web\n"
    );
    let ran = seat.run(&["secret", "list", "fleet.yaml", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&ran.expect(0).stdout).unwrap();
    assert_eq!(
        json["secrets"][1],
        serde_json::json!({"name": "token", "status": "opens", "used_by": ["web"]})
    );
    seat.run(&["validate", "fleet.yaml"]).expect(0).says("not at hand: the secrets other, web-sudo;");
}

#[test]
fn the_seats_identity_is_used_when_none_is_named() {
    let seat = Seat::new();
    seat.run_with(&["secret", "set", "fleet.yaml", "web-sudo"], b"hush").expect(0);
    seat.run(&["plan", "fleet.yaml"]).expect(4).says("Connection refused");
    std::fs::rename(seat.path("config/fleetprov/identity"), seat.path("identity")).unwrap();
    seat.run(&["plan", "fleet.yaml"]).says("failed to open the secret web-sudo, the password for sudo");
    seat.run(&["plan", "fleet.yaml", "--identity", "identity"]).expect(4).says("Connection refused");
}

#[test]
fn an_editor_gets_a_private_file_that_goes() {
    let seat = Seat::new();
    seat.run_with(&["secret", "set", "fleet.yaml", "token"], b"before\n").expect(0);
    let editor = "sh -c 'stat -c \"%a %n\" \"$1\" \"${1%/*}\" >seen; cp \"$1\" \"$1~\"; sed -i s/before/after/ \"$1\"' x";
    seat.edit(editor).expect(0).says("secrets/token.age: changed, sealed to 1 recipient");
    assert_eq!(seat.opened("token"), b"after\n");
    let seen = std::fs::read_to_string(seat.path("seen")).unwrap();
    let lines: Vec<(&str, &str)> = seen.lines().map(|line| line.split_once(' ').unwrap()).collect();
    assert_eq!((lines[0].0, lines[1].0), ("600", "700"), "{seen}");
    assert!(lines[0].1.starts_with("/dev/shm/") && lines[0].1.ends_with("/token"), "{seen}");
    assert!(!Path::new(lines[1].1).exists(), "{seen}");
}

#[test]
fn an_edit_that_changes_nothing_writes_nothing() {
    let seat = Seat::new();
    seat.run_with(&["secret", "set", "fleet.yaml", "token"], b"before\n").expect(0);
    let before = std::fs::read(seat.path("secrets/token.age")).unwrap();
    seat.edit("true").expect(0).says("token: unchanged");
    seat.edit("echo after >").expect(0);
    seat.edit("sh -c 'echo wrong >\"$1\"; exit 3' x").expect(1).says("the editor failed (exit status: 3)");
    seat.edit("truncate -s 0").expect(6).says("what the editor left is empty");
    seat.edit("rm").expect(1).says("failed to read what the editor left");
    seat.edit("no-such-editor").expect(1);
    assert_eq!(seat.opened("token"), b"after\n");
    assert_ne!(std::fs::read(seat.path("secrets/token.age")).unwrap(), before);
    // Somebody else was faster.
    let other = format!(
        "cp {} {}; echo mine >",
        seat.path("old").display(),
        seat.path("secrets/token.age").display()
    );
    seat.write("old", &before);
    seat.edit(&other).expect(5).says("changed by somebody else");
    assert_eq!(seat.opened("token"), b"before\n");
    // A new one.
    std::fs::remove_file(seat.path("secrets/token.age")).unwrap();
    seat.edit("echo new >").expect(0).says("new, sealed to");
    assert_eq!(seat.opened("token"), b"new\n");
}

#[test]
fn whoever_is_ended_while_somebody_edits_leaves_nothing() {
    let seat = Seat::new();
    let editor = "echo \"${1%/*}\" >seen.new\necho half >\"$1\"\nmv seen.new seen\nexec sleep 60\n";
    seat.write("editor", editor);
    let child = seat
        .command(env!("CARGO_BIN_EXE_fleetprov"))
        .args(["secret", "edit", "fleet.yaml", "token"])
        .env("EDITOR", "sh editor")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !seat.path("seen").exists() {
        assert!(std::time::Instant::now() < deadline, "the editor was not started");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let status = Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(status.success());
    let ran = Ran::of(child.wait_with_output().unwrap());
    ran.expect(130);
    assert!(deadline > std::time::Instant::now(), "the editor was not ended");
    let place = std::fs::read_to_string(seat.path("seen")).unwrap();
    assert!(place.starts_with("/dev/shm/") && !Path::new(place.trim()).exists(), "{place}");
    assert!(!seat.path("secrets/token.age").exists());
}

#[test]
fn a_key_that_ends_the_editor_leaves_nothing_either() {
    let seat = Seat::new();
    seat.write("editor", "#!/bin/sh\necho \"${1%/*}\" >seen\necho half >\"$1\"\necho ready\nexec sleep 60\n");
    let line = format!("EDITOR='sh editor' {} secret edit fleet.yaml token", env!("CARGO_BIN_EXE_fleetprov"));
    let (shown, _) = seat.shell_on_terminal(&line, &[("ready", "\x03")]);
    assert!(shown.contains("the editor failed") && shown.contains("nothing is changed"), "{shown}");
    let place = std::fs::read_to_string(seat.path("seen")).unwrap();
    assert!(place.starts_with("/dev/shm/") && !Path::new(place.trim()).exists(), "{place}");
    assert!(!seat.path("secrets/token.age").exists());
}

#[test]
fn on_a_terminal_a_value_is_asked_for_twice_and_never_shown() {
    let seat = Seat::new();
    let dialogue = [("which is not shown: ", "hu\x7fush\r"), ("Once more: ", "hush\r")];
    let (shown, code) = seat.on_terminal("secret set fleet.yaml token", &dialogue);
    assert_eq!(code, Some(0), "{shown}");
    assert!(!shown.contains("hush") && !shown.contains('h'.to_string().repeat(2).as_str()), "{shown}");
    assert_eq!(seat.opened("token"), b"hush");
    let dialogue = [("which is not shown: ", "hush\r"), ("Once more: ", "husk\r")];
    let (shown, code) = seat.on_terminal("secret set fleet.yaml other", &dialogue);
    assert_eq!(code, Some(6), "{shown}");
    assert!(shown.contains("what was typed differs") && !seat.path("secrets/other.age").exists(), "{shown}");
    // Ctrl-C, and the terminal shows again what is typed.
    let line =
        format!("{} secret set fleet.yaml other; echo code $?; stty -a", env!("CARGO_BIN_EXE_fleetprov"));
    let (shown, _) = seat.shell_on_terminal(&line, &[("which is not shown: ", "hu\x03")]);
    assert!(shown.contains("code 130") && shown.contains(" echo ") && shown.contains(" icanon"), "{shown}");
}

#[test]
fn on_a_terminal_a_value_cannot_steer_it() {
    let seat = Seat::new();
    seat.run_with(&["secret", "set", "fleet.yaml", "token"], b"a\x1b]0;title\x07b\r\nc").expect(0);
    let (shown, code) = seat.on_terminal("secret show fleet.yaml token", &[]);
    assert_eq!(code, Some(0));
    assert!(!shown.contains('\x1b') && !shown.contains('\x07'), "{shown:?}");
    assert!(shown.contains("\\x1b]0;title") && shown.ends_with("c\r\n"), "{shown:?}");
    seat.run_with(&["secret", "set", "fleet.yaml", "token"], b"\xff\x00").expect(0);
    let (shown, code) = seat.on_terminal("secret show fleet.yaml token", &[]);
    assert_eq!(code, Some(1));
    assert!(shown.contains("its 2 bytes are no text"), "{shown}");
}

#[test]
fn a_passphrase_is_asked_for_once() {
    let seat = Seat::new();
    for name in ["one", "two"] {
        seat.run_with(&["secret", "set", "fleet.yaml", name], name.as_bytes()).expect(0);
    }
    let text = seat.mine.to_string();
    let locked = with_passphrase("correct horse", text.expose_secret().as_bytes());
    seat.write("config/fleetprov/identity", locked);
    let question = [("Passphrase for the identity ", "correct horse\r")];
    let (shown, code) = seat.on_terminal("secret list fleet.yaml", &question);
    assert_eq!(code, Some(0), "{shown}");
    assert_eq!(shown.matches("Passphrase").count(), 1, "{shown}");
    assert_eq!(shown.matches("opens").count(), 2, "{shown}");
    assert!(!shown.contains("correct horse"));
    let (shown, code) =
        seat.on_terminal("secret show fleet.yaml one", &[("Passphrase for the identity ", "wrong\r")]);
    assert_eq!(code, Some(6), "{shown}");
    assert!(shown.contains("the passphrase is wrong"), "{shown}");
    // Nobody needs the values for these.
    for command in ["validate", "render"] {
        seat.run(&[command, "fleet.yaml"]).expect(0);
    }
    seat.run(&["plan", "fleet.yaml"]).expect(6).says("there is no terminal to ask for it on");
    seat.write("secrets/three.age", with_passphrase("battery staple", b"three"));
    std::fs::remove_file(seat.path("config/fleetprov/identity")).unwrap();
    let question = [("Passphrase for the secret three: ", "battery staple\r")];
    let (shown, code) = seat.on_terminal("secret show fleet.yaml three", &question);
    assert_eq!((code, shown.ends_with("three\r\n")), (Some(0), true), "{shown}");
}

/// What `secret seal` prints, indented to stand below a key.
fn sealed_in_place(seat: &Seat, value: &[u8], indent: usize) -> String {
    let ran = seat.run_with(&["secret", "seal", "fleet.yaml"], value);
    ran.expect(0);
    assert!(ran.stdout.starts_with("sealed: |\n  -----BEGIN AGE ENCRYPTED FILE-----\n"), "{ran}");
    let indent = " ".repeat(indent);
    ran.stdout.lines().map(|line| format!("{indent}{line}\n")).collect()
}

#[test]
fn a_value_sealed_in_place_is_the_same_as_a_secret() {
    let seat = Seat::new();
    let one_line = sealed_in_place(&seat, b"topic-marker", 0).lines().skip(1).collect::<Vec<_>>().join("");
    seat.write(
        "fleet.yaml",
        format!(
            "{}vars:\n  password:\n{}",
            FLEET.replace("{secret: topic}", &format!("{{sealed: \"{one_line}\"}}")),
            sealed_in_place(&seat, b"var-marker", 4)
        ),
    );
    seat.write(
        "roles/tokens.yaml",
        format!(
            "role: tokens\nresources:\n  - file:\n      path: /etc/token\n{}  - file: {{path: /etc/filled, template: filled}}\n  \
             - ini-keys:\n      path: /etc/app.ini\n      sections:\n        main:\n          password:\n{}",
            sealed_in_place(&seat, b"file-marker", 6),
            sealed_in_place(&seat, b"ini-marker", 12),
        ),
    );
    seat.write(
        "templates/filled",
        "{{secret vars.password}} {{secret (lookup services \"bell\" \"topic-secret\")}}",
    );
    seat.run(&["validate", "fleet.yaml"]).expect(0);
    let mut identities = Identities::default();
    identities.add_file(&seat.path("config/fleetprov/identity")).unwrap();
    let options = ProjectOptions {
        inventory: seat.path("fleet.yaml"),
        identities: Arc::new(identities),
        ..ProjectOptions::default()
    };
    let values = |options: &ProjectOptions| -> Vec<String> {
        let project = load(options).unwrap();
        let machines = resolve_all(&project.fleet, &project.library).unwrap();
        let rendered =
            machines.iter().flat_map(|(_, declared)| declared).flat_map(|one| one.resource.rendered());
        rendered
            .map(|one| match one.content {
                Content::Secret(secret) => String::from_utf8(secret.expose().to_vec()).unwrap(),
                other => format!("{other:?}"),
            })
            .collect()
    };
    let found = values(&options);
    assert_eq!(found[..2], ["file-marker", "var-marker topic-marker"]);
    assert!(!found[2].contains("ini-marker"), "an INI file is rendered without its secrets");
    let closed = values(&ProjectOptions { inventory: seat.path("fleet.yaml"), ..ProjectOptions::default() });
    assert!(closed[..2].iter().all(|content| content.starts_with("Sealed(")), "{closed:?}");
    for command in ["render", "validate", "plan"] {
        seat.run(&[command, "fleet.yaml"]).hides("marker");
    }
    // They cannot be sealed anew where they stand, so they are named.
    let ran = seat.run(&["secret", "rekey", "fleet.yaml"]);
    ran.expect(0).says("4 sealed values in the inventory and its roles stay as they are");
    for place in ["fleet.yaml:5:", "fleet.yaml:15:5", "roles/tokens.yaml:5:7"] {
        ran.says(place);
    }
}

/// Compares what is said with the file of the case, and gives what differs.
fn differs(name: &str, ran: &Ran) -> Option<String> {
    let code = ran.code.unwrap();
    let said = format!("{}{}exit code {code}\n", ran.stdout, ran.stderr);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/cases/secret/{name}.txt"));
    if std::env::var_os("UPDATE_CASES").is_some() {
        std::fs::write(&path, &said).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    (expected != said).then(|| format!("== {name}\n{said}"))
}

#[test]
fn every_mistake_is_explained() {
    let seat = Seat::new();
    let theirs = x25519::Identity::generate();
    seat.run_with(&["secret", "set", "fleet.yaml", "token"], b"hush").expect(0);
    seat.write("secrets/theirs.age", age::encrypt(&theirs.to_public(), b"x").unwrap());
    seat.write("secrets/damaged.age", "not an age file\n");
    seat.write("secrets/phrase.age", with_passphrase("correct horse", b"x"));
    let key = theirs.to_string();
    seat.write("locked", with_passphrase("correct horse", key.expose_secret().as_bytes()));
    seat.write("empty-identity", "# nothing\n");
    seat.write("secrets/lists.recipients", "# ours\nage1nobody\n\n  me@example.org\n");
    seat.write("secrets/nobody.recipients", "# not yet\n");
    seat.write("secrets/leak.recipients", key.expose_secret());
    seat.write("wrong.yaml", "fleet: small\nmachnes: {}\n");
    seat.write("in-place.yaml", FLEET.replace("{secret: topic}", "{sealed: hunter2}"));
    seat.write("both.yaml", FLEET.replace("{secret: topic}", "{secret: topic, sealed: x}"));
    seat.write("neither.yaml", FLEET.replace("{secret: topic}", "{name: topic}"));
    let mut wrong = Vec::new();
    let mut case = |name: &str, arguments: &[&str], input: &[u8]| {
        let ran = seat.run_with(arguments, input);
        assert!(!matches!(ran.code, Some(0) | None), "{name}: {ran}");
        ran.hides(key.expose_secret()).hides("hush");
        wrong.extend(differs(name, &ran));
    };
    for (name, arguments) in [
        ("unknown", &["show", "fleet.yaml", "tokne"][..]),
        ("unknown-rekey", &["rekey", "fleet.yaml", "token", "tokne"]),
        ("path-in-name", &["set", "fleet.yaml", "../token"]),
        ("name", &["edit", "fleet.yaml", "My_Token"]),
        ("not-ours", &["show", "fleet.yaml", "theirs"]),
        ("not-ours-edit", &["edit", "fleet.yaml", "theirs"]),
        ("not-ours-rekey", &["rekey", "fleet.yaml", "theirs"]),
        ("damaged", &["show", "fleet.yaml", "damaged"]),
        ("passphrase", &["show", "fleet.yaml", "phrase"]),
        ("locked", &["show", "fleet.yaml", "theirs", "--identity", "locked"]),
        ("no-identity", &["show", "fleet.yaml", "token", "--identity", "none"]),
        ("empty-identity", &["show", "fleet.yaml", "token", "--identity", "empty-identity"]),
        ("empty-value", &["set", "fleet.yaml", "token"]),
        ("empty-sealed", &["seal", "fleet.yaml"]),
        ("no-file", &["set", "fleet.yaml", "token", "--file", "none"]),
        ("recipient", &["set", "fleet.yaml", "token", "--recipient", "age1nobody"]),
        ("recipients", &["set", "fleet.yaml", "lists"]),
        ("recipients-empty", &["set", "fleet.yaml", "nobody"]),
        ("recipients-secret", &["set", "fleet.yaml", "leak"]),
        ("inventory", &["list", "wrong.yaml"]),
        ("no-inventory", &["set", "none.yaml", "token"]),
        ("in-place", &["list", "in-place.yaml"]),
        ("in-place-and-named", &["list", "both.yaml"]),
        ("in-place-nor-named", &["list", "neither.yaml"]),
    ] {
        case(name, &[&["secret"], arguments].concat(), b"");
    }
    case("too-large", &["secret", "set", "fleet.yaml", "token"], &vec![b'x'; 4 * 1024 * 1024 + 1]);
    let secret_key = ["secret", "set", "fleet.yaml", "token", "--recipient", key.expose_secret()];
    case("recipient-secret", &secret_key, b"hush");
    std::fs::remove_file(seat.path("config/fleetprov/identity")).unwrap();
    case("no-identity-here", &["secret", "show", "fleet.yaml", "token"], b"");
    assert!(wrong.is_empty(), "not as expected:\n{}", wrong.join("\n"));
}
