use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use super::*;
use crate::model::Digest;
use crate::resource::testing::{
    compared, differs, going, left, on_every_shell, read_with, removal, seen, shown,
};
use crate::resource::{Former, PathFacts, PathType, Removal, Surroundings};

fn block(path: MachinePath) -> Block {
    Block {
        path,
        id: "hub".to_owned(),
        content: "192.168.1.30 hub\n".to_owned(),
        comment: Comment::line("#").unwrap(),
        position: Position::End,
        owner: None,
        group: None,
        mode: None,
    }
}

fn hosts() -> Block {
    block(MachinePath::new("/etc/hosts").unwrap())
}

fn file(text: &str) -> Answer {
    Answer::Path(PathFacts {
        what: PathType::File,
        mode: 0o644,
        user: "root".to_owned(),
        group: "root".to_owned(),
        size: text.len() as u64,
        digest: Some(Digest::of(text.as_bytes())),
        bytes: Some(text.as_bytes().to_vec()),
        acting: None,
        ..PathFacts::absent()
    })
}

const MARKED: &str = "127.0.0.1 localhost\n# BEGIN fleetprov hub (managed: edits here are overwritten)\n192.168.1.30 hub\n# END fleetprov hub\n";

#[test]
fn states_become_details_and_operations() {
    let digest = |text: &str| Digest::of(text.as_bytes());
    let added = differs(&hosts(), &[file("127.0.0.1 localhost\n")]);
    assert_eq!(
        shown(&added),
        format!(
            "create\n  /etc/hosts#hub: None → \"192.168.1.30 hub\\n\"\n  > fp_edited_write /etc/hosts|{}|-|-|-|{}|{}",
            digest("127.0.0.1 localhost\n"),
            MARKED.len(),
            digest(MARKED)
        )
    );
    assert_eq!(added.operations[0].within.as_ref().unwrap().as_str(), "/etc");
    assert!(compared(&hosts(), &[file(MARKED)]).unwrap().is_none());
    let moved = shown(&differs(&hosts(), &[file(&MARKED.replace(".30", ".31"))]));
    assert!(
        moved
            .starts_with("update\n  /etc/hosts#hub: Some(\"192.168.1.31 hub\\n\") → \"192.168.1.30 hub\\n\""),
        "{moved}"
    );
    let noted = shown(&differs(&hosts(), &[file(&MARKED.replace("edits here", "edits"))]));
    assert!(noted.starts_with("update\n  its marker lines or line endings are written anew\n"), "{noted}");
    let mut strict = hosts();
    strict.owner = Some("alice".to_owned());
    strict.mode = Some(0o600);
    assert_eq!(
        shown(&differs(&strict, &[file(MARKED)])),
        "update\n  owner root → alice\n  mode 0644 → 0600\n  > fp_edited_attributes /etc/hosts|alice|-|0600"
    );
    let new = shown(&differs(&strict, &[Answer::Path(PathFacts::absent())]));
    assert!(
        new.contains("\n  owner alice\n  mode 0600\n  > fp_edited_write /etc/hosts|absent|alice|-|0600|"),
        "{new}"
    );
}

#[test]
fn what_cannot_be_edited_is_a_conflict() {
    let as_found = |what: PathType, size: u64| Answer::Path(PathFacts { what, size, ..PathFacts::absent() });
    let cases = [
        (as_found(PathType::Link("/x".to_owned()), 0), "/etc/hosts is a link to /x; name the file itself"),
        (
            as_found(PathType::Directory { mounted: false }, 0),
            "/etc/hosts is a directory; only a file can be edited",
        ),
        (
            as_found(PathType::File, 5_000_000),
            "/etc/hosts has 5000000 bytes; files above 4 MiB are not edited",
        ),
        (
            file("# END fleetprov hub\n"),
            "/etc/hosts cannot be edited: failed to find the beginning of the block that ends on line 1",
        ),
    ];
    for (answer, expected) in cases {
        assert_eq!(compared(&hosts(), &[answer]).unwrap_err().to_string(), expected);
    }
}

#[test]
fn fields_are_read() {
    let fields = json!({"path": "~/.profile", "id": "fleet", "content": "export A=b"});
    let declared = read_with(read, fields).unwrap();
    assert_eq!(declared[0].resource.id().to_string(), "block /home/alice/.profile#fleet");
    let fields = json!({"path": "/srv/x.html", "id": "fleet", "template": "t", "comment": "<!-- -->", "position": "start"});
    assert_eq!(read_with(read, fields).unwrap()[0].resource.rendered()[0].path, "/srv/x.html#fleet");
    let fields = json!({"path": "/x", "id": "a b", "content": "x", "template": "x", "position": "middle"});
    assert_eq!(
        read_with(read, fields).unwrap_err(),
        [
            "`id`: use \"a b\" as a block id: it must be letters, digits and . _ : / @ + - only, without the comment's own end",
            "block has more than one content",
            "`position` is `middle`"
        ]
    );
    let fields = json!({"path": "/x", "id": "a", "content": "# END fleetprov b"});
    assert_eq!(
        read_with(read, fields).unwrap_err(),
        ["failed to put line 1 of the content into a block: it is a marker line itself"]
    );
}

#[test]
fn a_block_is_written_where_it_was_looked_at() {
    on_every_shell(|bench| {
        let block = block(bench.path("hosts"));
        let path = bench.file("hosts");
        let plan = || compared(&block, &bench.answer(&block.questions())).unwrap();
        // A new file, then one that somebody else made, with its own mode.
        for before in [None, Some("127.0.0.1 localhost\r\nlast"), Some("\n")] {
            if let Some(text) = before {
                fs::write(&path, text).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
            }
            let said = bench.perform(&plan().unwrap().operations);
            assert_eq!((said.status, said.text.as_str()), (0, ""));
            assert!(plan().is_none(), "a second plan is empty");
            let after = fs::read_to_string(&path).unwrap();
            assert!(after.starts_with(before.unwrap_or_default()), "{after:?}");
            let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
            assert_eq!(mode, if before.is_some() { 0o640 } else { 0o644 });
        }
        fs::write(&path, "a\n").unwrap();
        let stale = plan().unwrap();
        fs::write(&path, "b\n").unwrap();
        let said = bench.perform(&stale.operations);
        assert_eq!(said.status, 3);
        assert!(said.text.ends_with("hosts has changed since it was looked at\n"), "{}", said.text);
        assert_eq!(fs::read_to_string(&path).unwrap(), "b\n");
    });
}

#[test]
fn blocks_of_one_file_build_on_each_other() {
    on_every_shell(|bench| {
        let first = block(bench.path("hosts"));
        let mut second = first.clone();
        second.id = "nas".to_owned();
        second.mode = Some(0o600);
        let answers = bench.answer(&first.questions());
        let surroundings = crate::resource::Surroundings::default();
        let mut foreseen = first.foreseen(Answers::new(&answers, &surroundings));
        let (question, answer) = foreseen.remove(0);
        assert_eq!(vec![question], second.questions());
        let mut operations = differs(&first, &answers).operations;
        operations.extend(differs(&second, &[answer]).operations);
        assert_eq!(bench.perform(&operations).status, 0);
        for block in [&first, &second] {
            assert!(compared(block, &bench.answer(&block.questions())).unwrap().is_none());
        }
    });
}

#[test]
fn a_block_that_leaves_takes_its_file_along_when_that_came_with_it() {
    on_every_shell(|bench| {
        let block = block(bench.path("x"));
        let path = bench.file("x");
        let place = format!("file {}", bench.path("x"));
        let goes = |adopted: &[&str]| {
            let answers = bench.answer(&left(&block).questions());
            match removal(&block, &answers, adopted, &Surroundings::default()).unwrap() {
                Removal::Remove(difference) => bench.perform(&difference.operations).status,
                other => panic!("{other:?}"),
            }
        };
        let make = |text: &str| fs::write(&path, block.set(text.as_bytes()).unwrap()).unwrap();
        for text in ["a\n", "a", "\n\n#\n", "\u{feff}a\r\n"] {
            make(text);
            assert_eq!(goes(&[]), 0);
            assert_eq!(fs::read_to_string(&path).unwrap(), text, "the rest stays to the byte");
        }
        make("");
        assert_eq!(goes(&[&place]), 0);
        assert_eq!(fs::read(&path).unwrap(), b"", "an empty file that was there stays");
        make("");
        assert_eq!(goes(&[]), 0);
        assert!(!path.exists());
        assert_eq!(going(&block, &bench.answer(&left(&block).questions()), &[]), "gone");
    });
}

#[test]
fn what_is_not_the_block_that_was_made_stays() {
    let block = hosts();
    let changed = MARKED.replace("192.168.1.30 hub", "by hand");
    assert!(going(&block, &[file(&changed)], &[]).contains("by hand"), "what is between the markers is ours");
    assert_eq!(
        going(&block, &[file(MARKED)], &["block hub"]),
        "stays: it was there before fleetprov; it stays as it is"
    );
    assert_eq!(going(&block, &[file("127.0.0.1 localhost\n")], &[]), "gone");
    let link = PathFacts { what: PathType::Link("x".to_owned()), ..PathFacts::absent() };
    assert_eq!(going(&block, &[Answer::Path(link)], &[]), "stays: /etc/hosts is a link now, which stays");
    let broken = going(&block, &[file("# END fleetprov hub\n")], &[]);
    assert!(
        broken.starts_with("error: /etc/hosts cannot be edited: failed to find the beginning"),
        "{broken}"
    );
    assert_eq!(seen(&block, &[file(MARKED)]), ["block hub sha256 4cc749b12bc5", "file /etc/hosts there"]);
    assert_eq!(seen(&block, &[file("")]), ["file /etc/hosts there"]);
    assert!(seen(&block, &[Answer::Path(PathFacts::absent())]).is_empty());
}

#[test]
fn markers_that_change_leave_no_twin() {
    let mut block = hosts();
    let remains = block.remains();
    block.comment = Comment::line("//").unwrap();
    let wanted = |adopted: &[&str]| {
        let adopted = adopted.iter().map(|name| (*name).to_owned()).collect();
        let former = Former { remains: remains.clone(), adopted };
        let surroundings = Surroundings::default();
        let answers = [file(MARKED)];
        let answers = Answers::new(&answers, &surroundings).with_former(Some(&former));
        let (_, foreseen) = block.foreseen(answers).remove(0);
        let Answer::Path(facts) = foreseen else { panic!("{foreseen:?}") };
        String::from_utf8(facts.bytes.unwrap()).unwrap()
    };
    assert_eq!(wanted(&[]).matches("BEGIN fleetprov hub").count(), 1);
    assert!(wanted(&[]).contains("// BEGIN fleetprov hub"));
    assert_eq!(wanted(&["block hub"]).matches("BEGIN fleetprov hub").count(), 2);
}
