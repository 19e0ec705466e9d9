//! Roles and templates as files: what a machine gets of them, and every message about what is wrong.
//!
//! Each folder `tests/cases/desired/NAME` holds `roles/` and, where they matter, `templates/`,
//! `fleet.yaml` and `overlay.yaml`. What a person would see is compared with `expected.txt`.
//! `UPDATE_CASES=1` writes those anew; the difference is then for the author to read.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fleetprov::desired::{Library, resolve_all};
use fleetprov::inventory::parse;
use fleetprov::model::{Secret, Source};
use fleetprov::report::{Style, diagnostics};
use fleetprov::resource::{Content, Declared};

const ASCII: Style = Style { unicode: false, ..Style::PLAIN };

/// The fleet of the cases that bring none.
const FLEET: &str = "\
fleet: lab
vars: {root: /srv, names: [a, b], nothing: null, site: {name: one}}
tiers:
  servers: {pattern: hub-and-spoke, hub: alpha}
machines:
  alpha: {tier: servers, platform: debian, connect: {ssh: root@192.0.2.1}, roles: [case]}
  beta: {tier: servers, platform: debian, init: sysv, connect: {ssh: ops@192.0.2.2}}
services:
  notes: {kind: git, remote: 'git@git.example:notes.git'}
";

fn text(path: &Path) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

/// The files of a folder below a case, by the name a role knows them by.
fn sources(folder: &Path, below: &str) -> Vec<(String, Arc<Source>)> {
    let Ok(entries) = std::fs::read_dir(folder.join(below)) else { return Vec::new() };
    let mut files: Vec<_> = entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let source = Source::new(format!("{below}/{name}"), text(&path).unwrap());
            (name, source)
        })
        .collect();
    files.sort_by(|one, other| one.0.cmp(&other.0));
    files
}

fn library(folder: &Path) -> Library {
    let mut library = Library::built_in();
    for (name, source) in sources(folder, "roles") {
        library.roles.insert(name.trim_end_matches(".yaml").to_owned(), source);
    }
    library.templates.extend(sources(folder, "templates"));
    library.secrets.insert("open".to_owned(), Content::Secret(Secret::new(b"marker\n".to_vec())));
    library.secrets.insert("sealed".to_owned(), Content::Sealed("sealed".to_owned()));
    library
}

/// A machine's resources with what comes before them and the files they would write.
fn shown(declared: &[Declared]) -> String {
    let mut shown = String::new();
    for declared in declared {
        shown.push_str(&format!("{}\n", declared.resource.id()));
        for (word, ids) in [("after", &declared.after), ("follows", &declared.follows)] {
            for id in ids {
                shown.push_str(&format!("  {word} {id}\n"));
            }
        }
        for file in declared.resource.rendered() {
            match file.content {
                Content::Bytes(bytes) => {
                    for line in String::from_utf8(bytes.to_vec()).unwrap().lines() {
                        shown.push_str(format!("  | {line}").trim_end());
                        shown.push('\n');
                    }
                }
                Content::Secret(_) => shown.push_str("  <secret>\n"),
                other => shown.push_str(&format!("  {other:?}\n")),
            }
        }
    }
    shown
}

fn seen(folder: &Path) -> String {
    let fleet = text(&folder.join("fleet.yaml")).unwrap_or_else(|| FLEET.to_owned());
    let fleet = Source::new("fleet.yaml", fleet);
    let overlay = text(&folder.join("overlay.yaml")).map(|text| Source::new("overlay.yaml", text));
    let fleet = match parse(&fleet, overlay.as_ref()) {
        Ok(fleet) => fleet,
        Err(problems) => return format!("the case's fleet is wrong:\n{}", diagnostics(&problems, ASCII)),
    };
    match resolve_all(&fleet, &library(folder)) {
        Ok(machines) => machines
            .iter()
            .filter(|(_, declared)| !declared.is_empty())
            .map(|(name, declared)| format!("== {name}\n{}", shown(declared)))
            .collect(),
        Err(problems) => diagnostics(&problems, ASCII),
    }
}

#[test]
fn every_case_shows_what_it_should() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cases/desired");
    let mut cases: Vec<PathBuf> =
        std::fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    let update = std::env::var_os("UPDATE_CASES").is_some();
    let mut wrong = Vec::new();
    for case in &cases {
        let shown = seen(case);
        let expected = case.join("expected.txt");
        if update {
            std::fs::write(&expected, &shown).unwrap();
        }
        if text(&expected).as_ref() != Some(&shown) {
            wrong.push(format!("== {}\n{shown}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "not as expected:\n{}", wrong.join("\n"));
    assert!(cases.len() >= 30, "only {} cases were found", cases.len());
}
