use std::collections::BTreeSet;

use super::*;
use crate::inventory::parse;
use crate::model::Source;

/// "Who talks to whom" of the seed's worked example, cell by cell.
const SEED: &str = "
From          | To               | Via                | What
CC PC         | HS PC            | git push / pull    | Config updates
CC PC         | droplet          | ssh + scp          | Site deploys, remote Claude invocations
droplet       | CC NAS / HS NAS  | pull-model rclone  | Nightly backup mirror
CC PC         | B2 + Drive       | rclone push        | Nightly off-site backup
iOS / Android | claude.ai        | HTTPS              | Threads, voice, camera, share-sheet
CC PC         | claude.ai        | HTTPS              | Managed agent kick-offs; web threads
droplet cron  | CC PC + phone    | ntfy push          | Notifications (sitemap rebuild, cert renewal)
";

/// What follows from the inventory and the seed's table leaves out: the two legs from the CC PC to
/// the NAS boxes, which are among its six, and the way to the queue, which it shows in its drawing.
const BEYOND: &str = "
From                            | To              | Via         | What
CC PC                           | HS NAS + CC NAS | rclone push | Nightly backup mirror
CC PC / HS PC / droplet / CC NAS | HS NAS         | hub mount   | Queue and fleet log
";

/// The seed's names and the members they mean. Its phone is 'an iPhone or Android'.
const NAMES: &[(&str, &[&str])] = &[
    ("CC PC", &["cc-pc"]),
    ("HS PC", &["hs-pc"]),
    ("droplet", &["droplet"]),
    ("droplet cron", &["droplet"]),
    ("CC NAS", &["cc-nas"]),
    ("HS NAS", &["hs-nas"]),
    ("B2", &["b2"]),
    ("Drive", &["drive"]),
    ("iOS", &["iphone"]),
    ("Android", &["android"]),
    ("phone", &["iphone", "android"]),
    ("claude.ai", &["claude-ai"]),
];

type Row = (BTreeSet<String>, BTreeSet<String>, String, String);

fn rows(table: &str) -> Vec<Row> {
    let ends = |cell: &str| {
        cell.split([',', '/', '+'])
            .flat_map(|name| {
                let found = NAMES.iter().find(|(seed, _)| *seed == name.trim());
                found.unwrap_or_else(|| panic!("`{name}` is no name of the seed")).1
            })
            .map(|name| (*name).to_owned())
            .collect()
    };
    table
        .trim()
        .lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let [from, to, via, what] = cells[..] else { panic!("{line}") };
            (ends(from), ends(to), via.to_owned(), what.to_owned())
        })
        .collect()
}

fn derived(text: &str) -> Vec<(Row, Origin)> {
    let fleet = parse(&Source::new("f.yaml", text), None).unwrap();
    links(&fleet)
        .into_iter()
        .map(|link| {
            let set = |members: &[Member]| names(members).into_iter().collect();
            ((set(&link.from), set(&link.to), link.via, link.purpose), link.origin)
        })
        .collect()
}

#[test]
fn the_worked_example_talks_as_the_seed_says() {
    let links = derived(include_str!("../../../inventories/wholetech.yaml"));
    let found: BTreeSet<Row> = links.iter().map(|(row, _)| row.clone()).collect();
    assert_eq!(found.len(), links.len(), "no row stands twice");
    let expected: BTreeSet<Row> = rows(SEED).into_iter().chain(rows(BEYOND)).collect();
    assert_eq!(rows(SEED).len(), 7);
    assert_eq!(found, expected);
}

#[test]
fn only_three_rows_of_the_worked_example_had_to_be_declared() {
    let links = derived(include_str!("../../../inventories/wholetech.yaml"));
    let declared: Vec<&str> = links
        .iter()
        .filter_map(|(_, origin)| match origin {
            Origin::Declared(name) => Some(name.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(declared, ["deploy", "agents", "notify"]);
    let legs = Origin::Backups(vec!["sites-hs-nas".to_owned(), "sites-cc-nas".to_owned()]);
    assert!(links.iter().any(|(_, origin)| *origin == legs));
}

#[test]
fn a_mesh_talks_both_ways_and_a_leg_within_one_machine_does_not_talk() {
    let links = derived(
        "fleet: f\n\
         tiers: {peers: {pattern: mesh}}\n\
         machines:\n\
         \x20 a: {tier: peers, platform: debian, connect: {ssh: r@a}}\n\
         \x20 b: {tier: peers, platform: debian, connect: {ssh: r@b}}\n\
         surfaces: {memory: {tier: peers, paths: [memory/]}}\n\
         backups:\n\
         \x20 within: {run-on: a, from: /x, to: /y, at: '@daily'}\n\
         \x20 from-b: {run-on: a, from: 'b:/x', to: /z, at: '0 12 * * *'}\n",
    );
    let both: BTreeSet<String> = ["a", "b"].map(str::to_owned).into();
    let one = |name: &str| BTreeSet::from([name.to_owned()]);
    assert_eq!(
        links.into_iter().map(|(row, _)| row).collect::<Vec<_>>(),
        [
            (both.clone(), both, "Syncthing".to_owned(), "memory".to_owned()),
            (one("b"), one("a"), "pull-model rclone".to_owned(), "Daily backup mirror".to_owned()),
        ]
    );
}
