use std::fs;

use serde_json::json;

use super::*;
use crate::resource::directory::Directory;
use crate::resource::testing::{Bench, agrees, differs, left, on_every_shell, removal, seen, shown};
use crate::resource::{Answer, Resource as _, Surroundings};

fn directory(path: MachinePath) -> Directory {
    let owner = std::os::unix::fs::MetadataExt::uid(&fs::metadata("/proc/self").unwrap()).to_string();
    Directory { path, owner, group: None, mode: 0o750 }
}

/// The folders of the test itself: they were there before.
fn before(bench: &Bench) -> Vec<String> {
    std::iter::successors(Some(bench.path("x").parent()), |path| Some(path.parent()))
        .take_while(|path| path.as_str() != "/")
        .map(|path| aspects::folder(&path))
        .collect()
}

fn going(bench: &Bench, directory: &Directory, surroundings: &Surroundings) -> Result<Difference, String> {
    let answers = bench.answer(&left(directory).questions());
    let before = before(bench);
    let adopted: Vec<&str> = before.iter().map(String::as_str).collect();
    match removal(directory, &answers, &adopted, surroundings).unwrap() {
        Removal::Gone => Err("gone".to_owned()),
        Removal::Release(reason) => Err(reason.replace(bench.file("").to_str().unwrap(), "/T/")),
        Removal::Remove(difference) => Ok(difference),
    }
}

fn made(bench: &Bench, name: &str) -> Directory {
    let directory = directory(bench.path(name));
    let operations = differs(&directory, &bench.answer(&directory.questions())).operations;
    assert_eq!(bench.perform(&operations).status, 0);
    agrees(&directory, &bench.answer(&directory.questions()));
    directory
}

#[test]
fn an_empty_directory_goes_with_the_folders_made_on_the_way() {
    on_every_shell(|bench| {
        let directory = made(bench, "a/b/c");
        let removal = going(bench, &directory, &Surroundings::default()).unwrap();
        let text = shown(&removal).replace(bench.file("").to_str().unwrap(), "/T/");
        assert_eq!(
            text,
            "remove\n  /T/a/b, made on the way to it, goes with it\n  /T/a, made on the way to it, goes with it\n  \
             > fp_folder_remove /T/a/b/c\n  > fp_folder_remove /T/a/b\n  > fp_folder_remove /T/a"
        );
        assert_eq!(bench.perform(&removal.operations).status, 0);
        assert!(!bench.file("a").exists() && bench.file("").exists());
        assert_eq!(going(bench, &directory, &Surroundings::default()).unwrap_err(), "gone");
        // Once more does no harm: a run that was cut is gone on with.
        assert_eq!(bench.perform(&removal.operations).status, 0);
    });
}

#[test]
fn what_holds_something_stays_and_says_what() {
    on_every_shell(|bench| {
        let directory = made(bench, "a/b");
        let reason = |surroundings: &Surroundings| going(bench, &directory, surroundings).unwrap_err();
        let none = Surroundings::default();
        fs::write(bench.file("a/b/x y"), "").unwrap();
        assert_eq!(reason(&none), "it holds x y; it stays as it is");
        fs::write(bench.file("a/b/.z"), "").unwrap();
        fs::create_dir(bench.file("a/b/w")).unwrap();
        assert_eq!(reason(&none), "it holds .z, w and 1 more; it stays as it is");
        for number in 0..2050 {
            fs::write(bench.file(&format!("a/b/{number}")), "").unwrap();
        }
        assert_eq!(reason(&none), "it holds .z and much more; it stays as it is");
        fs::remove_dir_all(bench.file("a/b")).unwrap();
        fs::create_dir(bench.file("a/b")).unwrap();
        let below = Surroundings { declared: [bench.path("a/b/new")].into(), ..Surroundings::default() };
        assert_eq!(reason(&below), "it holds /T/a/b/new, which is declared; it stays as it is");

        // What this plan removes does not count; what came meanwhile does.
        fs::write(bench.file("a/b/x"), "").unwrap();
        let leaving = Surroundings { leaving: [bench.path("a/b/x")].into(), ..Surroundings::default() };
        let removal = going(bench, &directory, &leaving).unwrap();
        let said = bench.perform(&removal.operations);
        assert_eq!((said.status, said.text.ends_with("a/b is not empty\n")), (3, true), "{}", said.text);
        fs::remove_file(bench.file("a/b/x")).unwrap();
        assert_eq!(bench.perform(&removal.operations).status, 0);
        assert!(!bench.file("a").exists());
    });
}

#[test]
fn folders_on_the_way_stay_while_anything_else_is_in_them_or_they_are_declared() {
    on_every_shell(|bench| {
        let directory = made(bench, "a/b");
        let alone = |surroundings: &Surroundings| {
            going(bench, &directory, surroundings).unwrap().operations.len() == 1
        };
        fs::write(bench.file("a/other"), "").unwrap();
        assert!(alone(&Surroundings::default()));
        fs::remove_file(bench.file("a/other")).unwrap();
        assert!(alone(&Surroundings { declared: [bench.path("a")].into(), ..Surroundings::default() }));
        assert!(alone(&Surroundings { declared: [bench.path("a/new")].into(), ..Surroundings::default() }));
        assert!(!alone(&Surroundings::default()));
        // It is gone already: they go by themselves.
        fs::remove_dir(bench.file("a/b")).unwrap();
        let removal = going(bench, &directory, &Surroundings::default()).unwrap();
        assert_eq!(bench.perform(&removal.operations).status, 0);
        assert!(!bench.file("a").exists());
    });
}

#[test]
fn what_was_there_is_mounted_on_or_is_something_else_stays() {
    let directory = Directory { owner: "root".to_owned(), ..directory(MachinePath::new("/a").unwrap()) };
    let facts = |what| crate::resource::PathFacts {
        what,
        user: "root".to_owned(),
        mode: 0o750,
        ..crate::resource::PathFacts::absent()
    };
    let empty = Answer::Lines(vec!["names 0 ".to_owned()]);
    let reason = |what, adopted: &[&str]| {
        let answers = [Answer::Path(facts(what)), empty.clone()];
        match removal(&directory, &answers, adopted, &Surroundings::default()).unwrap() {
            Removal::Release(reason) => reason,
            other => format!("{other:?}"),
        }
    };
    let folder = PathType::Directory { mounted: false };
    assert_eq!(reason(folder.clone(), &["directory /a"]), "it was there before fleetprov; it stays as it is");
    assert_eq!(reason(PathType::Absent, &["directory /a"]), "Gone");
    assert_eq!(reason(PathType::Directory { mounted: true }, &[]), "/a is a mount point, which stays");
    assert_eq!(reason(PathType::Link("/b".to_owned()), &[]), "/a is a link, which stays");
    assert!(reason(folder.clone(), &[]).starts_with("Remove"));
    // The owner and mode of what is mounted there are nobody's business.
    let mounted = [Answer::Path(crate::resource::PathFacts {
        mode: 0,
        ..facts(PathType::Directory { mounted: true })
    })];
    agrees(&directory, &mounted);
    assert_eq!(
        seen(&directory, &[Answer::Path(facts(folder))]),
        ["directory /a there", "mode 0750", "owner root"]
    );
    assert!(recall("/", &json!({})).is_none() && recall("a", &json!({})).is_none());
}
