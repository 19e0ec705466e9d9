use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use super::*;
use crate::resource::testing::{
    Bench, compared, differs, going, left, on_every_shell, read_with, removal, seen, shown,
};
use crate::resource::{Comparison, Difference, Former, PathFacts, Removal, Surroundings};

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ6w5RvKVPXJlJH1kKmmqgbP7ZrZ0vVuP4ozf5w5n5kR alice@pc";
const OTHER: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ6w5RvKVPXJlJH1kKmmqgbP7ZrZ0vVuP4ozf5w5n5kQ alice@pc";

fn key(path: MachinePath, options: &str) -> AuthorizedKey {
    let key = PublicKey::parse(KEY).unwrap();
    AuthorizedKey {
        user: "alice".to_owned(),
        is_named: false,
        id: key.fingerprint(),
        path,
        home: None,
        key,
        options: options.to_owned(),
        comment: None,
    }
}

fn file(text: &str) -> [Answer; 2] {
    let facts = |what| PathFacts { what, ..PathFacts::absent() };
    let there = PathFacts { mode: 0o600, bytes: Some(text.as_bytes().to_vec()), ..facts(PathType::File) };
    [Answer::Path(there), Answer::Path(facts(PathType::Directory { mounted: false }))]
}

fn bare() -> &'static str {
    KEY.strip_suffix(" alice@pc").unwrap()
}

/// What a plan shows, without its operations.
fn planned(key: &AuthorizedKey, text: &str) -> String {
    let shown =
        compared(key, &file(text)).unwrap().map_or("in order".to_owned(), |difference| shown(&difference));
    shown.lines().filter(|line| !line.starts_with("  >")).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_key_is_known_by_itself_and_its_line_by_its_options() {
    let key = key(MachinePath::new("/home/alice/.ssh/authorized_keys").unwrap(), "restrict");
    let print = key.key.fingerprint();
    assert_eq!(planned(&key, "# mine\n"), format!("create\n  key {print}\n  options restrict"));
    assert_eq!(planned(&key, &format!("restrict {KEY}\n")), "in order");
    assert_eq!(planned(&key, &format!("restrict {} any comment\n", bare())), "in order");
    assert_eq!(planned(&key, &format!("{KEY}\n")), "update\n  options none → restrict");
    assert_eq!(
        planned(&key, &format!("restrict {KEY}\ncommand=\"x\" {KEY}\n")),
        "update\n  1 more lines with the same key go"
    );
    let named = AuthorizedKey { comment: Some("pc".to_owned()), ..key.clone() };
    assert_eq!(planned(&named, &format!("restrict {KEY}\n")), "update\n  comment alice@pc → pc");
    assert!(key.guards() && left(&key).guards());
    let aspects = |text: &str| seen(&key, &file(text));
    assert_eq!(aspects("")[0], "directory /home/alice/.ssh there");
    assert_eq!(aspects(&format!("no-pty {KEY}\n"))[2], format!("key {print} no-pty"));
    assert_eq!(aspects(&format!("{KEY}\n{KEY}\n"))[2], format!("key {print} 2 lines"));
}

#[test]
fn fields_are_read_and_what_is_wrong_is_pointed_at() {
    let declared = read_with(read, json!({"key": KEY, "options": "restrict"})).unwrap();
    let resource = &declared[0].resource;
    let print = PublicKey::parse(KEY).unwrap().fingerprint();
    assert_eq!(resource.id().to_string(), format!("authorized-key alice#{print}"));
    assert_eq!(resource.path().unwrap().as_str(), "/home/alice/.ssh/authorized_keys");
    assert_eq!(resource.questions().len(), 2, "the login user's home is known");
    let root = read_with(read, json!({"key": KEY, "user": "root", "id": "laptop"})).unwrap();
    assert_eq!(root[0].resource.id().to_string(), "authorized-key root#laptop");
    assert_eq!(root[0].resource.path().unwrap().as_str(), "/root/.ssh/authorized_keys");
    assert_eq!(root[0].resource.questions().len(), 3);
    let named =
        read_with(read, json!({"key": KEY, "user": "bob", "id": "x", "path": "/etc/ssh/keys/bob"})).unwrap();
    assert_eq!(named[0].resource.id().to_string(), "authorized-key /etc/ssh/keys/bob#x");
    let wrong =
        json!({"key": "ssh-dss AAAA", "options": "a b", "id": "a b", "comment": "x\ny", "user": "-x"});
    assert_eq!(
        read_with(read, wrong).unwrap_err(),
        [
            "`user`: `-x` is not the name of an account",
            "`key`: failed to take a key of type ssh-dss: OpenSSH does not accept those any more",
            "`options`: failed to use \"a b\" as the options of a key: they hold white space outside of quotes",
            "`comment`: it cannot stand in a line",
            "`id`: `a b` cannot be a name",
        ]
    );
    assert_eq!(read_with(read, json!({})).unwrap_err(), ["authorized-key has no `key`"]);
}

#[test]
fn a_home_elsewhere_than_thought_is_told() {
    let mut key = key(MachinePath::new("/home/alice/.ssh/authorized_keys").unwrap(), "");
    key.home = MachinePath::new("/home/alice").ok();
    let error = |said: &str| {
        let [file, folder] = file("");
        let answers = [file, folder, Answer::Lines(vec![said.to_owned()])];
        compared(&key, &answers).err().map(|error| error.to_string())
    };
    assert_eq!(error("nobody").unwrap(), "there is no user alice");
    assert_eq!(
        error("home L3Nydi9hbGljZQ==").unwrap(),
        "the home of alice is /srv/alice, not /home/alice; say with `path` where the keys are"
    );
    assert_eq!(error("home L2hvbWUvYWxpY2U="), None);
    on_every_shell(|bench| {
        let mut key = key.clone();
        key.user = "root".to_owned();
        key.home = MachinePath::new("/root").ok();
        bench.with("getent");
        let answers = bench.answer(&key.questions()[2..]);
        assert_eq!(answers, [Answer::Lines(vec!["home L3Jvb3Q=".to_owned()])]);
        key.user = "nobody-such".to_owned();
        assert_eq!(bench.answer(&key.questions()[2..]), [Answer::Lines(vec!["nobody".to_owned()])]);
    });
}

fn plan(bench: &Bench, key: &AuthorizedKey) -> Option<Difference> {
    compared(key, &bench.answer(&key.questions())).unwrap()
}

#[test]
fn a_key_comes_with_its_file_and_folder_and_goes_with_them() {
    on_every_shell(|bench| {
        let key = key(bench.path("home/.ssh/authorized_keys"), "restrict,command=\"/bin/true 'x'\"");
        fs::create_dir(bench.file("home")).unwrap();
        let difference = plan(bench, &key).unwrap();
        assert!(shown(&difference).contains("/.ssh (0700) for it\n  > fp_parent "), "{}", shown(&difference));
        let said = bench.perform(&difference.operations);
        assert_eq!((said.status, said.text.as_str()), (0, ""));
        assert!(plan(bench, &key).is_none());
        let mode = |name: &str| fs::metadata(bench.file(name)).unwrap().permissions().mode() & 0o7777;
        assert_eq!((mode("home/.ssh"), mode("home/.ssh/authorized_keys")), (0o700, 0o600));

        let leave = |adopted: &[&str]| {
            let answers = bench.answer(&left(&key).questions());
            match removal(&key, &answers, adopted, &Surroundings::default()).unwrap() {
                Removal::Remove(difference) => {
                    let said = bench.perform(&difference.operations);
                    assert_eq!((said.status, said.text.as_str()), (0, ""));
                }
                other => panic!("{other:?}"),
            }
        };
        leave(&[]);
        assert!(!bench.file("home/.ssh").exists() && bench.file("home").exists(), "the home is not ours");

        // With others in the file or in the folder, only the line goes.
        bench.perform(&plan(bench, &key).unwrap().operations);
        fs::write(bench.file("home/.ssh/known_hosts"), "").unwrap();
        leave(&[]);
        assert!(bench.file("home/.ssh").exists() && !bench.file("home/.ssh/authorized_keys").exists());
        fs::write(bench.file("home/.ssh/authorized_keys"), "# mine").unwrap();
        bench.perform(&plan(bench, &key).unwrap().operations);
        leave(&[]);
        assert_eq!(fs::read_to_string(bench.file("home/.ssh/authorized_keys")).unwrap(), "# mine\n");
        assert_eq!(going(&key, &bench.answer(&left(&key).questions()), &[]), "gone");
    });
}

#[test]
fn a_key_that_was_there_stays_and_one_that_is_exchanged_does_not() {
    let path = MachinePath::new("/home/alice/.ssh/authorized_keys").unwrap();
    let old = AuthorizedKey { id: "laptop".to_owned(), ..key(path.clone(), "") };
    let print = format!("key {}", old.key.fingerprint());
    let text = format!("{KEY}\n");
    assert_eq!(
        going(&old, &file(&text), &[&print]),
        "stays: it was there before fleetprov; it stays as it is"
    );
    let new = AuthorizedKey { key: PublicKey::parse(OTHER).unwrap(), ..old.clone() };
    let wanted = |adopted: &[&str], surroundings: &Surroundings| {
        let adopted = adopted.iter().map(|name| (*name).to_owned()).collect();
        let former = Former { remains: old.remains(), adopted };
        let answers = file(&text);
        let answers = Answers::new(&answers, surroundings).with_former(Some(&former));
        assert!(matches!(new.compare(answers).unwrap(), Comparison::Differs(_)));
        let foreseen = new.foreseen(answers);
        let (_, Answer::Path(facts)) = &foreseen[0] else { panic!("{foreseen:?}") };
        String::from_utf8(facts.bytes.clone().unwrap()).unwrap()
    };
    let none = Surroundings::default();
    assert_eq!(wanted(&[], &none), format!("{OTHER}\n"));
    assert_eq!(wanted(&[&print], &none), format!("{KEY}\n{OTHER}\n"));
    let elsewhere = Surroundings { wanted: [(KIND, path, print)].into(), ..Surroundings::default() };
    assert_eq!(wanted(&[], &elsewhere), format!("{KEY}\n{OTHER}\n"));
    assert!(differs(&new, &file(&text)).details.len() == 2);
}
