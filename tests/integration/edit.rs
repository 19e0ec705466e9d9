//! Edits of inventories as a person would see them.
//!
//! Each folder `tests/cases/edit/NAME` holds `before.yaml` and `edit.yaml`, which says what is to be done.
//! `after.yaml` is the new text, byte for byte, when there is one; `said.txt` is what is to be told: that
//! there is nothing to do, why it is refused, where a removed machine is still named.
//! `UPDATE_CASES=1` writes both anew; the difference is then for the author to read.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use fleetprov::inventory::edit::{Content, Edit, add_machine, remove_field, remove_machine, set_field};
use fleetprov::inventory::read_yaml;
use fleetprov::model::{Diagnostics, MachineName, Node, Source, Value};
use fleetprov::report::{Style, diagnostics};

const ASCII: Style = Style { unicode: false, ..Style::PLAIN };

fn content(node: &Node) -> Content {
    match &node.value {
        Value::Null => Content::Text(String::new()),
        Value::Scalar { text, plain: true } if text == "true" || text == "false" => {
            Content::Flag(text == "true")
        }
        Value::Scalar { text, plain: true } if text.parse::<i64>().is_ok() => {
            Content::Number(text.parse().unwrap())
        }
        Value::Scalar { text, .. } => Content::Text(text.clone()),
        Value::List(items) => Content::List(items.iter().map(content).collect()),
        Value::Map(entries) => Content::Map(
            entries.iter().map(|entry| (entry.key.text.clone(), content(&entry.value))).collect(),
        ),
    }
}

/// The new text, if there is one, and what is told.
fn done(folder: &Path) -> (Option<String>, String) {
    let read = |name: &str| String::from_utf8(std::fs::read(folder.join(name)).unwrap()).unwrap();
    let before = Source::new("before.yaml", read("before.yaml"));
    let mut problems = Diagnostics::new();
    let what = read_yaml(&Source::new("edit.yaml", read("edit.yaml")), &mut problems).unwrap();
    assert!(problems.is_empty(), "{problems:?}");
    let word = |node: &Node, key: &str| node.get(key).unwrap().as_text().unwrap().to_owned();
    let mut said = String::new();
    let result = if let Some(add) = what.get("add") {
        let Content::Map(fields) = content(add.get("as").unwrap()) else { panic!("no map") };
        add_machine(&before, &MachineName::new(&word(add, "name")).unwrap(), &fields)
    } else if let Some(name) = what.get("remove") {
        remove_machine(&before, name.as_text().unwrap()).map(|removal| {
            for mention in &removal.mentions {
                let (line, column) = mention.span.line_and_column();
                let sure = if mention.certain { "" } else { " (perhaps)" };
                writeln!(said, "still named at {line}:{column}, {}{sure}", mention.way).unwrap();
            }
            if !removal.problems.is_empty() {
                said.push_str(&diagnostics(&removal.problems, ASCII));
            }
            removal.edit
        })
    } else if let Some(set) = what.get("set") {
        let field = word(set, "field");
        set_field(&before, &word(set, "machine"), &field.split('.').collect::<Vec<_>>(), &word(set, "to"))
    } else {
        let unset = what.get("unset").unwrap();
        let field = word(unset, "field");
        remove_field(&before, &word(unset, "machine"), &field.split('.').collect::<Vec<_>>())
    };
    match result {
        Ok(Edit::Changed(text)) => (Some(text), said),
        Ok(Edit::Unchanged) => (None, format!("{said}nothing to do\n")),
        Err(problems) => (None, format!("{said}{}", diagnostics(&problems, ASCII))),
    }
}

#[test]
fn every_edit_does_and_says_what_it_should() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cases/edit");
    let mut cases: Vec<PathBuf> =
        std::fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    let update = std::env::var_os("UPDATE_CASES").is_some();
    let mut wrong = Vec::new();
    for case in &cases {
        let (text, said) = done(case);
        let said = Some(said).filter(|said| !said.is_empty());
        for (name, found) in [("after.yaml", &text), ("said.txt", &said)] {
            let file = case.join(name);
            if update {
                match found {
                    Some(found) => std::fs::write(&file, found).unwrap(),
                    None => drop(std::fs::remove_file(&file)),
                }
            }
            let expected = std::fs::read(&file).ok().map(|bytes| String::from_utf8(bytes).unwrap());
            if expected != *found {
                wrong.push(format!("== {}\n{}", file.display(), found.as_deref().unwrap_or("(none)")));
            }
        }
    }
    assert!(wrong.is_empty(), "not as expected:\n{}", wrong.join("\n"));
    assert!(cases.len() >= 20, "only {} cases were found", cases.len());
}
