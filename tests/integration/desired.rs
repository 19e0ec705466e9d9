//! Roles and templates as files: what a machine gets of them, and every message about what is wrong.
//!
//! Each folder `tests/cases/desired/NAME` holds `roles/` and, where they matter, `templates/`,
//! `fleet.yaml` and `overlay.yaml`. What a person would see is compared with `expected.txt`.
//! `UPDATE_CASES=1` writes those anew; the difference is then for the author to read.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fleetprov::desired::{Library, resolve_all};
use fleetprov::inventory::parse;
use fleetprov::model::{Secret, SecretFrom, Source};
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
    library.secrets.insert("sealed".to_owned(), Content::Sealed(SecretFrom::Name("sealed".to_owned())));
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
        for machine in &declared.awaits {
            shown.push_str(&format!("  awaits {machine}\n"));
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

const WHOLETECH: &str = include_str!("../../inventories/wholetech.yaml");

/// The worked example with every machine a Debian, so that all of it is resolved.
fn wholetech(library: &Library) -> Vec<(String, Vec<Declared>)> {
    let overlay: String = ["cc-pc", "hs-pc", "droplet", "hs-nas", "cc-nas"]
        .iter()
        .zip(1..)
        .map(|(machine, number)| {
            format!(
                "  {machine}: {{platform: debian, init: systemd, connect: {{local: false, ssh: ops@192.0.2.{number}}}, privilege: sudo}}\n"
            )
        })
        .collect();
    let overlay = Source::new("overlay.yaml", format!("machines:\n{overlay}"));
    let fleet = parse(&Source::new("wholetech.yaml", WHOLETECH), Some(&overlay)).unwrap();
    let machines = resolve_all(&fleet, library).unwrap_or_else(|problems| {
        panic!("{}", diagnostics(&problems, ASCII));
    });
    machines.into_iter().map(|(name, declared)| (name.as_str().to_owned(), declared)).collect()
}

const MARKER: &str = "Poison4711";

/// The built-in library, and secrets that hold a marker.
fn poisoned() -> Library {
    let mut library = Library::built_in();
    for name in ["b2-account", "b2-key", "drive-token", "ntfy-topic"] {
        let secret = Content::Secret(Secret::new(format!("{MARKER}-{name}\n").into_bytes()));
        library.secrets.insert(name.to_owned(), secret);
    }
    library
}

#[test]
fn the_worked_example_resolves_on_every_machine() {
    let machines = wholetech(&poisoned());
    let ids = |machine: &str| -> Vec<String> {
        let (_, declared) = machines.iter().find(|(name, _)| name == machine).unwrap();
        declared.iter().map(|declared| declared.resource.id().to_string()).collect()
    };
    for (machine, wanted) in [
        (
            "cc-pc",
            &[
                "checkout /home/ops/.claude",
                "unit home-ops-fleet.mount",
                "unit fleetprov-leg-work-b2.timer",
                "unit fleetprov-leg-work-drive.timer",
                "unit fleetprov-leg-work-hs-nas.timer",
                "unit fleetprov-leg-work-cc-nas.timer",
                "ini-keys /root/.config/rclone/rclone.conf#legs",
            ][..],
        ),
        ("hs-pc", &["checkout /home/ops/.claude", "unit fleetprov-settings-pull.timer"]),
        ("droplet", &["directory /srv/sites", "unit fleetprov-job-report.timer", "unit mnt-fleet.mount"]),
        (
            "hs-nas",
            &["directory /volume1/fleet/queue/needs-decision", "unit fleetprov-leg-sites-hs-nas.timer"],
        ),
        ("cc-nas", &["file /etc/fleetprov/machine", "unit fleetprov-leg-sites-cc-nas.timer"]),
    ] {
        let ids = ids(machine);
        for id in wanted {
            assert!(ids.iter().any(|found| found == id), "{machine} has no {id}: {ids:#?}");
        }
    }
    assert!(!ids("cc-pc").iter().any(|id| id.contains("settings-pull")), "the primary pulls nothing");
}

#[test]
fn what_comes_first_is_never_in_a_circle() {
    for (machine, declared) in wholetech(&poisoned()) {
        let ids: Vec<_> = declared.iter().map(|declared| declared.resource.id()).collect();
        let before = |declared: &Declared| {
            declared
                .after
                .iter()
                .chain(&declared.follows)
                .filter(|id| ids.contains(id))
                .cloned()
                .collect::<Vec<_>>()
        };
        let mut waiting: Vec<(_, Vec<_>)> =
            declared.iter().map(|declared| (declared.resource.id(), before(declared))).collect();
        let mut edges = 0;
        while !waiting.is_empty() {
            let left: Vec<_> = waiting.iter().map(|(id, _)| id.clone()).collect();
            let count = left.len();
            waiting.retain(|(_, first)| {
                edges += first.len();
                first.iter().any(|id| left.contains(id))
            });
            assert!(waiting.len() < count, "{machine}: {waiting:?}");
        }
        assert!(edges > 0 || machine == "cc-nas", "{machine} has no order at all");
    }
}

#[test]
fn no_secret_shows_in_what_is_declared() {
    let machines = wholetech(&poisoned());
    let mut secrets = 0;
    for (machine, declared) in &machines {
        for declared in declared {
            secrets += usize::from(declared.resource.is_secret());
            let shown = format!(
                "{declared:?} {:?} {:?}",
                declared.resource.rendered(),
                declared.resource.questions()
            );
            assert!(!shown.contains(MARKER), "{machine}: {}", declared.resource.id());
        }
    }
    assert!(secrets >= 2, "only {secrets} secrets were at work");
}

/// Breaks a text at some places: bytes taken out, doubled, or replaced.
fn broken(text: &str, edits: &[(usize, u8)]) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for (at, edit) in edits {
        let at = at % characters.len();
        match edit % 8 {
            0 => drop(characters.remove(at)),
            1 => characters.insert(at, characters[at]),
            2 => characters[at] = '{',
            3 => characters[at] = '\'',
            4 => characters[at] = ':',
            5 => characters[at] = '\n',
            6 => characters[at] = ' ',
            _ => characters[at] = 'ü',
        }
    }
    characters.into_iter().collect()
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]

    /// A broken role or template gives resources or problems with places, and nothing else.
    #[test]
    fn broken_roles_and_templates_have_places(
        which in 0_usize..100,
        edits in proptest::collection::vec((0_usize..100_000, 0_u8..8), 1..6),
    ) {
        let mut library = poisoned();
        let names: Vec<String> = library.roles.keys().cloned().collect();
        let templates: Vec<String> = library.templates.keys().cloned().collect();
        let pick = which % (names.len() + templates.len());
        if let Some(name) = names.get(pick) {
            let text = broken(library.roles[name].text(), &edits);
            library.roles.insert(name.clone(), Source::new(format!("roles/{name}.yaml"), text));
        } else {
            let name = &templates[pick - names.len()];
            let text = broken(library.templates[name].text(), &edits);
            library.templates.insert(name.clone(), Source::new(format!("templates/{name}"), text));
        }
        let fleet = parse(&Source::new("wholetech.yaml", WHOLETECH), None).unwrap();
        if let Err(problems) = resolve_all(&fleet, &library) {
            for problem in problems.sorted() {
                proptest::prop_assert!(problem.span.is_some(), "{problem:?}");
            }
            proptest::prop_assert!(!diagnostics(&problems, ASCII).contains(MARKER));
        }
    }
}
