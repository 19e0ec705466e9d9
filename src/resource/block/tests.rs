use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use super::*;
use crate::model::Digest;
use crate::resource::testing::{compared, differs, on_every_shell, read_with, shown};
use crate::resource::{PathFacts, PathType};

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
