//! The command line as a stranger uses it: without machines, with wrong input.

use std::path::Path;
use std::process::{Command, Output};

fn fleetprov(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fleetprov"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("FLEETPROV_IDENTITY")
        .env_remove("SSH_AUTH_SOCK")
        .env("LC_ALL", "C.UTF-8")
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn project(inventory: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("fleet.yaml"), inventory).unwrap();
    std::fs::create_dir(folder.path().join("roles")).unwrap();
    std::fs::write(
        folder.path().join("roles/marker.yaml"),
        "role: marker\ndescription: one file\ninputs:\n  text: {type: text, default: hello}\nresources:\n  \
         - file: {path: /etc/marker, content: \"{{inputs.text}} from {{machine.name}}\\n\"}\n",
    )
    .unwrap();
    folder
}

const GOOD: &str = "fleet: small\n\
    tiers:\n  \
      servers: {pattern: hub-and-spoke, hub: web}\n\
    machines:\n  \
      web: {tier: servers, platform: debian, connect: {ssh: root@127.0.0.1:1, key: web.key}, roles: [marker]}\n  \
      pc: {tier: servers, platform: windows, connect: {ssh: me@127.0.0.1:2, key: pc.key}}\n";

#[test]
fn validate_says_what_is_there() {
    let folder = project(GOOD);
    let output = fleetprov(folder.path(), &["validate", "fleet.yaml"]);
    assert_eq!(text(&output.stderr), "");
    assert_eq!(
        text(&output.stdout),
        "fleet.yaml is valid: fleet small, 2 managed machines, 0 unmanaged, 0 backup legs\n"
    );
    assert_eq!(output.status.code(), Some(0));
    let output = fleetprov(folder.path(), &["validate", "fleet.yaml", "--json"]);
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((value["version"].as_u64(), value["valid"].as_bool()), (Some(1), Some(true)));
}

#[test]
fn the_worked_example_validates() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = fleetprov(root, &["validate", "inventories/wholetech.yaml"]);
    assert_eq!(text(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn render_prints_or_writes_every_file() {
    let folder = project(GOOD);
    let output = fleetprov(folder.path(), &["render", "fleet.yaml", "web"]);
    assert_eq!(text(&output.stdout), "==> web:/etc/marker <==\nhello from web\n\n");
    let output = fleetprov(folder.path(), &["render", "fleet.yaml", "--out", "out"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(
        std::fs::read_to_string(folder.path().join("out/web/etc/marker")).unwrap(),
        "hello from web\n"
    );
    let output = fleetprov(folder.path(), &["render", "fleet.yaml", "wbe"]);
    assert_eq!(output.status.code(), Some(6));
    assert_eq!(text(&output.stderr), "error: no managed machine is called `wbe`; did you mean `web`?\n");
}

#[test]
fn nothing_is_contacted_before_the_input_is_right() {
    let folder = project(&GOOD.replace("roles: [marker]", "roles: [markre]"));
    for command in [&["plan", "fleet.yaml"][..], &["apply", "fleet.yaml", "--yes"]] {
        let output = fleetprov(folder.path(), command);
        assert_eq!(output.status.code(), Some(6));
        assert_eq!(text(&output.stdout), "");
        let said = text(&output.stderr);
        assert!(said.contains("fleet.yaml:5:") && said.contains("did you mean `marker`?"), "{said}");
    }
}

#[test]
fn a_wrong_command_line_is_bad_input() {
    let folder = project(GOOD);
    for arguments in
        [&["plan"][..], &["aply", "fleet.yaml"], &["plan", "none.yaml"], &["plan", "fleet.yaml", "-m", "x"]]
    {
        let output = fleetprov(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(6), "{arguments:?}: {}", text(&output.stderr));
        assert!(text(&output.stderr).starts_with("error: "), "{arguments:?}");
    }
}

#[test]
fn without_a_terminal_nothing_is_asked() {
    let folder = project(GOOD);
    let output = fleetprov(folder.path(), &["apply", "fleet.yaml"]);
    assert_eq!(output.status.code(), Some(6));
    assert_eq!(
        text(&output.stderr),
        "error: there is no terminal to ask on; say --yes to apply without a question, or use `plan` to look\n"
    );
}

#[test]
fn a_machine_that_cannot_be_reached_and_one_that_is_not_supported_are_named() {
    let folder = project(GOOD);
    let output = fleetprov(folder.path(), &["plan", "fleet.yaml"]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("failed to connect to 127.0.0.1:1: Connection refused"), "{said}");
    assert!(said.find("web").unwrap() < said.find("pc ").unwrap(), "in the order of the inventory: {said}");
    assert!(said.contains("platform windows is not supported yet"), "{said}");
    let output = fleetprov(folder.path(), &["plan", "fleet.yaml", "-m", "pc"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
}

#[test]
fn programs_get_json_of_what_is_wrong_and_of_what_is_rendered() {
    let folder = project(&GOOD.replace("roles: [marker]", "roles: [markre]"));
    for command in ["validate", "render", "plan"] {
        let output = fleetprov(folder.path(), &[command, "fleet.yaml", "--json"]);
        assert_eq!(output.status.code(), Some(6));
        let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let problem = &value["problems"][0];
        assert_eq!((problem["file"].as_str(), problem["line"].as_u64()), (Some("fleet.yaml"), Some(5)));
        assert_eq!(problem["nearest"].as_str(), Some("marker"));
    }
    let folder = project(GOOD);
    let output = fleetprov(folder.path(), &["render", "fleet.yaml", "web", "--json"]);
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let file = &value["machines"][0]["files"][0];
    assert_eq!(
        (file["path"].as_str(), file["text"].as_str()),
        (Some("/etc/marker"), Some("hello from web\n"))
    );
}
