//! Inventories as files: what is read, and every message about what is refused.
//!
//! Each `tests/cases/inventory/NAME.yaml` is read, with `NAME.overlay.yaml` over it when that is
//! there, and what a person would see is compared with `NAME.txt`. `UPDATE_CASES=1` writes the
//! `.txt` files anew; the difference is then for the author to read.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use fleetprov::architecture;
use fleetprov::inventory::{Fleet, Membership, parse};
use fleetprov::model::{Diagnostics, Source};
use fleetprov::report::{Style, diagnostics};
use proptest::prelude::*;

const ASCII: Style = Style { unicode: false, ..Style::PLAIN };

const WHOLETECH: &str = include_str!("../../inventories/wholetech.yaml");

fn load(source: &Arc<Source>, overlay: Option<&Arc<Source>>) -> Result<Fleet, Diagnostics> {
    let fleet = parse(source, overlay)?;
    let problems = architecture::check(&fleet);
    if problems.is_empty() { Ok(fleet) } else { Err(problems) }
}

fn seen(source: &Arc<Source>, overlay: Option<&Arc<Source>>) -> String {
    match load(source, overlay) {
        Ok(fleet) => format!("valid: {} machines\n", fleet.machines.len()),
        Err(problems) => diagnostics(&problems, ASCII),
    }
}

fn names(folder: &Path, ending: &str) -> std::io::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        names.extend(name.to_string_lossy().strip_suffix(ending).map(str::to_owned));
    }
    Ok(names)
}

#[test]
fn every_case_shows_what_it_should() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cases/inventory");
    let all = names(&folder, ".yaml").unwrap();
    let cases: BTreeSet<String> = all.iter().filter(|name| !name.ends_with(".overlay")).cloned().collect();
    let read = |name: &str| {
        let file = format!("{name}.yaml");
        let bytes = std::fs::read(folder.join(&file)).unwrap();
        Source::new(file, String::from_utf8(bytes).unwrap())
    };
    let update = std::env::var_os("UPDATE_CASES").is_some();
    let mut wrong = Vec::new();
    for case in &cases {
        let overlay = format!("{case}.overlay");
        let overlay = all.contains(&overlay).then(|| read(&overlay));
        let shown = seen(&read(case), overlay.as_ref());
        let expected = folder.join(format!("{case}.txt"));
        if update {
            std::fs::write(&expected, &shown).unwrap();
        }
        if std::fs::read_to_string(&expected).ok().as_ref() != Some(&shown) {
            wrong.push(format!("== {case}\n{shown}"));
        }
    }
    assert_eq!(names(&folder, ".txt").unwrap(), cases, "cases and expectations are not the same set");
    assert!(wrong.is_empty(), "not as expected:\n{}", wrong.join("\n"));
    assert!(cases.len() >= 40, "only {} cases were found", cases.len());
}

#[test]
fn the_worked_example_is_valid_and_whole() {
    let fleet = load(&Source::new("wholetech.yaml", WHOLETECH), None).unwrap();
    let managed: Vec<&str> = fleet.managed().map(|(machine, _)| machine.name.as_str()).collect();
    assert_eq!(managed, ["cc-pc", "hs-pc", "droplet", "hs-nas", "cc-nas"]);
    let unmanaged: Vec<(&str, &str)> = fleet
        .machines
        .iter()
        .filter_map(|machine| match &machine.membership {
            Membership::Unmanaged(word) => Some((machine.name.as_str(), word.value.as_str())),
            Membership::Managed(_) => None,
        })
        .collect();
    assert_eq!(unmanaged, [("iphone", "phone"), ("android", "phone"), ("managed-agents", "cloud-agent")]);
    assert_eq!(fleet.backups.len(), 6);
    let roles = |name| {
        let roles = architecture::roles(&fleet, fleet.machine(name).unwrap());
        roles.iter().map(|role| role.role.value.as_str().to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(roles("cc-pc"), "base spoke primary");
    assert_eq!(roles("hs-pc"), "base spoke secondary");
    assert_eq!(roles("droplet"), "base web-host notifier spoke");
}

#[test]
fn failing_over_is_one_word() {
    let text = WHOLETECH.replace("primary: cc-pc ", "primary: hs-pc ");
    assert_ne!(text, WHOLETECH);
    let fleet = load(&Source::new("wholetech.yaml", text), None).unwrap();
    let part = |name| architecture::part(&fleet, fleet.machine(name).unwrap());
    assert_eq!(part("hs-pc"), fleetprov::inventory::Part::Primary);
    assert_eq!(part("cc-pc"), fleetprov::inventory::Part::Secondary);
}

fn large(machines: usize) -> String {
    let mut text = String::from("fleet: large\ntiers:\n  all: {pattern: mesh}\nmachines:\n");
    for number in 0..machines {
        text.push_str(&format!(
            "  m{number}: {{tier: all, platform: debian, connect: {{ssh: \"root@10.{}.{}.{}\", key: keys/m{number}}}, roles: [base]}}\n",
            number / 65536,
            number / 256 % 256,
            number % 256
        ));
    }
    text
}

/// Far above what it takes unoptimised on a busy two-core machine, far below what anything
/// quadratic would take.
const BOUND: Duration = Duration::from_secs(20);

#[test]
fn twenty_thousand_machines_are_read_in_bounded_time() {
    let source = Source::new("large.yaml", large(20_000));
    let start = Instant::now();
    let fleet = load(&source, None).unwrap();
    let links = architecture::links(&fleet);
    assert_eq!((fleet.machines.len(), links.len()), (20_000, 0));
    assert!(start.elapsed() < BOUND, "took {:?}", start.elapsed());
}

#[test]
fn twenty_thousand_mistakes_are_shown_in_bounded_time() {
    let text = large(20_000).replace("platform: debian", "platfrom: debian");
    let start = Instant::now();
    let shown = seen(&Source::new("large.yaml", text), None);
    assert!(shown.ends_with("20000 problems in large.yaml\n"), "{}", shown.lines().last().unwrap());
    assert!(start.elapsed() < BOUND, "took {:?}", start.elapsed());
}

/// A text made of what YAML is made of, and of what inventories are made of.
fn yaml_like() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just(": ".to_owned()),
        Just("\n".to_owned()),
        Just("\n  ".to_owned()),
        Just("\n- ".to_owned()),
        Just("\r\n".to_owned()),
        "[\\[\\]{},&*!|>'\"%@`#?~<-]",
        "[a-c]{1,3}",
        any::<char>().prop_map(String::from),
        Just("fleet: f\n".to_owned()),
        Just("machines:\n  a: ".to_owned()),
        Just("tier".to_owned()),
        Just("\u{feff}".to_owned()),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// The worked example with pieces taken out, doubled and put in.
fn mutated() -> impl Strategy<Value = String> {
    let change = (any::<prop::sample::Index>(), 0_usize..40, ".{0,4}", 0_u8..3);
    proptest::collection::vec(change, 1..6).prop_map(|changes| {
        let mut text: Vec<char> = WHOLETECH.chars().collect();
        for (at, length, put, kind) in changes {
            let start = at.index(text.len());
            let end = (start + length).min(text.len());
            let old: Vec<char> = text[start..end].to_vec();
            let new: Vec<char> = match kind {
                0 => Vec::new(),
                1 => put.chars().collect(),
                _ => old.iter().chain(&old).copied().collect(),
            };
            text.splice(start..end, new);
        }
        text.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_gives_a_fleet_or_problems_that_can_be_drawn(
        text in yaml_like(), width in 0_usize..120, colour: bool, unicode: bool
    ) {
        let source = Source::new("t.yaml", text);
        if let Err(problems) = load(&source, None) {
            prop_assert!(!problems.is_empty());
            let drawn = diagnostics(&problems, Style { colour, unicode, width });
            prop_assert!(drawn.ends_with('\n'));
        }
    }

    #[test]
    fn a_damaged_inventory_gives_a_fleet_or_problems(text in mutated(), as_overlay: bool) {
        let source = Source::new("t.yaml", text);
        let whole = Source::new("wholetech.yaml", WHOLETECH);
        let read = if as_overlay { load(&whole, Some(&source)) } else { load(&source, None) };
        if let Err(problems) = read {
            for problem in problems.sorted() {
                prop_assert!(problem.span.is_some(), "no place: {}", problem.message);
                prop_assert!(problem.expected.is_some() || problem.message.starts_with("not valid YAML"), "{}", problem.message);
            }
            prop_assert!(diagnostics(&problems, ASCII).contains(" in "));
        }
    }
}
