use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::json;

use super::*;
use crate::resource::testing::{
    Bench, agrees, compared, differs, left, on_every_shell, read_with, removal, shown,
};
use crate::resource::{Answers, Removal, Surroundings};

fn key(bench: &Bench) -> LinkKey {
    bench.with("ssh-keygen");
    let owner = std::os::unix::fs::MetadataExt::uid(&fs::metadata("/proc/self").unwrap()).to_string();
    LinkKey {
        name: "web".to_owned(),
        path: bench.path(".ssh/fleetprov-web"),
        owner,
        comment: "fleetprov:f:nas:web".to_owned(),
        lacks: None,
    }
}

fn made(bench: &Bench, key: &LinkKey) {
    let difference = differs(key, &bench.answer(&key.questions()));
    let said = bench.perform(&difference.operations);
    assert_eq!(said.status, 0, "{} on {}", said.text, bench.shell());
}

fn export(bench: &Bench, key: &LinkKey) -> Option<String> {
    let surroundings = Surroundings::default();
    key.export(Answers::new(&bench.answer(&key.questions()), &surroundings))
}

#[test]
fn a_pair_is_made_with_its_folder_and_tells_its_public_half() {
    on_every_shell(|bench| {
        let key = key(bench);
        assert_eq!(export(bench, &key), None);
        made(bench, &key);
        let answers = bench.answer(&key.questions());
        assert!(compared(&key, &answers).unwrap().is_none());
        agrees(&key, &answers);
        let mode = |name: &str| fs::metadata(bench.file(name)).unwrap().permissions().mode() & 0o7777;
        assert_eq!((mode(".ssh"), mode(".ssh/fleetprov-web")), (0o700, 0o600));
        let half = fs::read_to_string(bench.file(".ssh/fleetprov-web.pub")).unwrap();
        assert_eq!(half.trim(), format!("{} fleetprov:f:nas:web", export(bench, &key).unwrap()));
        assert_eq!(fs::read_dir(bench.file(".ssh")).unwrap().count(), 2, "nothing is left beside it");
        // Nothing of the private half is in what the machine said.
        let private = fs::read_to_string(bench.file(".ssh/fleetprov-web")).unwrap();
        for line in private.lines().filter(|line| !line.starts_with("-----")) {
            assert!(!format!("{answers:?}").contains(line), "{line}");
        }
    });
}

#[test]
fn what_is_there_is_taken_as_it_is_or_stays() {
    on_every_shell(|bench| {
        let key = key(bench);
        let make = |passphrase: &str| {
            let _ = fs::remove_dir_all(bench.file(".ssh"));
            fs::create_dir(bench.file(".ssh")).unwrap();
            let status = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", passphrase, "-C", "x", "-f"])
                .arg(bench.file(".ssh/fleetprov-web"))
                .status();
            assert!(status.unwrap().success());
        };
        make("");
        assert!(compared(&key, &bench.answer(&key.questions())).unwrap().is_none());
        // Others may read it: then ssh-keygen does not.
        fs::set_permissions(bench.file(".ssh/fleetprov-web"), fs::Permissions::from_mode(0o644)).unwrap();
        let difference = differs(&key, &bench.answer(&key.questions()));
        assert!(shown(&difference).starts_with("update\n  mode 0644 → 0600"), "{}", shown(&difference));
        assert_eq!(bench.perform(&difference.operations).status, 0);
        assert!(export(bench, &key).is_some());
        // It stays when it was there before.
        let answers = bench.answer(&left(&key).questions());
        let Removal::Release(reason) = removal(&key, &answers, &[ASPECT], &Surroundings::default()).unwrap()
        else {
            panic!("it goes")
        };
        assert!(reason.starts_with("it was there before fleetprov"), "{reason}");
        make("secret");
        let error = compared(&key, &bench.answer(&key.questions())).unwrap_err();
        assert!(error.to_string().ends_with("is no private key that opens without a passphrase"), "{error}");
        // A pair is never made over something.
        let operation = Operation {
            library: LIBRARY,
            call: Call::new("fp_link_key_make", [key.path.as_str(), "x"]),
            payload: None,
            within: None,
        };
        assert_eq!(bench.perform(&[operation]).status, 3);
    });
}

#[test]
fn a_pair_leaves_whole_and_its_folder_with_it() {
    on_every_shell(|bench| {
        let key = key(bench);
        made(bench, &key);
        fs::write(bench.file(".ssh/other"), "").unwrap();
        let going = || {
            let answers = bench.answer(&left(&key).questions());
            match removal(&key, &answers, &[], &Surroundings::default()).unwrap() {
                Removal::Remove(difference) => difference,
                other => panic!("{other:?}"),
            }
        };
        assert!(!shown(&going()).contains("fp_folder_remove"));
        fs::remove_file(bench.file(".ssh/other")).unwrap();
        let difference = going();
        assert!(shown(&difference).contains("fp_folder_remove"), "{}", shown(&difference));
        let said = bench.perform(&difference.operations);
        assert_eq!(said.status, 0, "{}", said.text);
        assert!(!bench.file(".ssh").exists());
        let answers = bench.answer(&left(&key).questions());
        assert!(matches!(removal(&key, &answers, &[], &Surroundings::default()), Ok(Removal::Gone)));
    });
}

#[test]
fn what_cannot_be_made_says_why() {
    on_every_shell(|bench| {
        let key = key(bench);
        let lacking = LinkKey { lacks: Some("web is not pinned".to_owned()), ..key.clone() };
        let error = compared(&lacking, &bench.answer(&key.questions())).unwrap_err();
        assert_eq!(error.to_string(), "web is not pinned");
        fs::create_dir_all(bench.file(".ssh/fleetprov-web")).unwrap();
        let error = compared(&key, &bench.answer(&key.questions())).unwrap_err();
        assert!(error.to_string().ends_with("fleetprov-web is a directory"), "{error}");
    });
}

#[test]
fn without_a_keygen_it_is_blocked() {
    on_every_shell(|bench| {
        if bench.shell() == "ash" {
            let key = LinkKey { path: bench.path("k"), ..key(bench) };
            fs::remove_file(bench.file("bin/ssh-keygen")).unwrap();
            let error = compared(&key, &bench.answer(&key.questions())).unwrap_err();
            assert!(error.to_string().contains("the package openssh-client has it"), "{error}");
        }
    });
}

#[test]
fn fields_are_checked() {
    let read = |fields| read_with(read, fields);
    let shown = |fields| format!("{:?}", read(fields).unwrap()[0].resource);
    assert!(shown(json!({"name": "nas"})).contains("/home/alice/.ssh/fleetprov-nas"));
    assert!(shown(json!({"name": "nas"})).contains("owner: \"alice\""));
    assert!(shown(json!({"name": "nas", "path": "/etc/key"})).contains("owner: \"root\""));
    for name in ["", "-x", "a/b", ".x", "known_hosts", "a b"] {
        let problems = read(json!({ "name": name })).unwrap_err();
        assert!(problems[0].contains("cannot be the name of a key"), "{problems:?}");
    }
}
