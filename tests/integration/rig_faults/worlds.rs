//! Two inventories that differ in everything: what one has and the other has not, and what both have in
//! different ways, of every kind. Going from one to the other creates, updates and removes.

use std::collections::BTreeSet;

use crate::listing::{Entry, Listing, units};
use crate::project::Project;
use crate::rig::RunningMachine;

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum World {
    A,
    B,
}

impl World {
    pub(super) fn other(self) -> Self {
        if self == Self::A { Self::B } else { Self::A }
    }
}

/// The parts of an inventory, each of which goes from one world to the other by itself: a run is shorter so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// Folders, files, secrets, links.
    Whole,
    /// Parts of files that others own.
    Shared,
    /// Crontabs and schedules.
    Times,
    /// Units and init scripts, packages.
    Services,
    /// Checkouts.
    Checkouts,
}

impl Part {
    pub(super) const ALL: [Self; 5] =
        [Self::Whole, Self::Shared, Self::Times, Self::Services, Self::Checkouts];
}

/// What is there before fleetprov and belongs to others.
const FOREIGN: &str = r#"
export DEBIAN_FRONTEND=noninteractive
mkdir /srv/foreign /srv/m
printf 'the other one\nlast line\n' >/srv/foreign/notes
printf '{\n  // the other one\n  "foreign": [1, 2]\n}\n' >/srv/foreign/settings.json
printf '; the other one\n[foreign]\nkey = value\n' >/srv/foreign/app.ini
printf 'foreign' >/srv/m/foreign
printf '# the other one\n0 1 1 1 * /bin/true\n' | crontab -
git init -q --bare -b main /srv/foreign/origin.git
git init -q -b main /root/seed
cd /root/seed
git -c user.name=a -c user.email=a@b commit -q --allow-empty -m one
git push -q /srv/foreign/origin.git main
rm -r /root/seed
apt-get install -qq --yes rig-daemon >/dev/null
"#;

/// Makes what belongs to others.
pub(super) fn furnish(machine: &RunningMachine, project: &Project) {
    machine.check(FOREIGN);
    project.secret("token-a", b"secret of a");
    project.secret("token-b", b"secret of b");
}

/// The resources of a machine whose parts are in these worlds.
pub(super) fn resources(worlds: [World; Part::ALL.len()], is_booted: bool) -> String {
    let parts = Part::ALL.into_iter().zip(worlds);
    let texts =
        parts.map(|(part, world)| part_in(part, if world == World::A { "a" } else { "b" }, is_booted));
    texts.collect()
}

/// The resources of a part in the world of that name.
fn part_in(part: Part, me: &str, is_booted: bool) -> String {
    let is_a = me == "a";
    match part {
        Part::Whole => {
            let (mode, large) = (if is_a { "0755" } else { "0700" }, me.repeat(70_000));
            format!(
                r#"
- directory: {{path: /srv/m}}
- directory: {{path: /srv/m/folder, mode: "{mode}"}}
- directory: {{path: /srv/m/folder-{me}/deep}}
- file: {{path: /srv/m/folder-{me}/deep/file, content: "{me}"}}
- file: {{path: /srv/m/file, content: "{large}", mode: "{mode}"}}
- file: {{path: /srv/m/file-{me}, content: "{me}", mode: "0640"}}
- file: {{path: /srv/m/token, secret: token-{me}}}
- file: {{path: /srv/m/token-{me}, secret: token-{me}}}
- link: {{path: /srv/m/link, target: {me}}}
- link: {{path: /srv/m/link-{me}, target: file-{me}}}
"#
            )
        }
        Part::Shared => format!(
            r#"
- block: {{path: /srv/foreign/notes, id: both, content: "both of {me}"}}
- block: {{path: /srv/foreign/notes, id: only-{me}, content: "only of {me}"}}
- block: {{path: /srv/m/notes-{me}, id: only, content: "only of {me}"}}
- json-keys: {{path: /srv/foreign/settings.json, values: {{both: {me}, /deep/{me}: [{me}]}}}}
- json-keys: {{path: /srv/m/settings-{me}.json, values: {{only: {me}}}}}
- ini-keys:
    path: /srv/foreign/app.ini
    sections: {{foreign: {{both: {me}, only-{me}: x}}, of-{me}: {{token: {{secret: token-{me}}}}}}}
- ini-keys: {{path: /srv/m/app-{me}.ini, sections: {{only: {{key: {me}}}}}}}
- rclone-remote: {{name: only-{me}, type: sftp, options: {{host: "{me}", pass: {{secret: token-{me}}}}}}}
"#
        ),
        Part::Times => format!(
            r#"
- crontab-entry: {{id: both, lines: ["1 2 3 4 * echo {me}"]}}
- crontab-entry: {{id: only-{me}, lines: ["2 3 4 5 * echo {me}"]}}
- schedule: {{name: both, at: "3 4 5 6 *", command: "echo {me}"}}
- schedule: {{name: only-{me}, at: "4 5 6 7 *", command: "echo {me}"}}
"#
        ),
        Part::Services if is_booted => ["both", &format!("only-{me}")].map(|name| {
            format!(
                r#"
- file:
    path: /etc/systemd/system/m-{name}.service
    content: "[Service]\nExecStart=/bin/sleep infinity\nEnvironment=ME={me}\n[Install]\nWantedBy=multi-user.target\n"
- unit: {{name: m-{name}.service, enabled: true, active: true}}
"#
            )
        }).concat(),
        Part::Services => {
            let package = if is_a { "\n- package: rig-hello\n" } else { "\n" };
            format!("{package}- init-script: {{name: rig-daemon, enabled: {is_a}, running: {is_a}}}\n")
        }
        Part::Checkouts => format!(
            r#"
- checkout: {{path: /srv/m/checkout, remote: /srv/foreign/origin.git, push-url: "{me}"}}
- checkout: {{path: /srv/m/checkout-{me}, remote: /srv/foreign/origin.git}}
"#
        ),
    }
}

/// What is on a machine, with what it is beside its files: units, packages, services.
pub(super) fn listing(machine: &RunningMachine, is_booted: bool) -> Listing {
    let service = "service rig-daemon status >/dev/null && echo daemon runs".to_owned();
    let more = if is_booted { units("'m-*' 'fleetprov-*'") } else { service };
    let packages = "dpkg-query --show --showformat 'package ${Package} ${db:Status-Status}\n' 'rig-*'";
    Listing::with(machine, &format!("{packages} | grep ' installed$'\n{more}"))
}

/// What of a machine is neither as in one world nor as in the other, one line each.
pub(super) fn torn(now: &Listing, worlds: &[Listing; 2]) -> Vec<String> {
    let mut torn = Vec::new();
    let paths: BTreeSet<&String> =
        worlds.iter().flat_map(|world| world.0.keys()).chain(now.0.keys()).collect();
    // What is said beside the files is no file.
    for path in paths.into_iter().filter(|path| path.starts_with('/')) {
        let known: Vec<Option<&Entry>> = worlds.iter().map(|world| world.0.get(path)).collect();
        let there = now.0.get(path);
        // What is there in one world only may be there or not; when it is in none, it must not be, but for
        // what a run that was cut has not cleared away.
        let name = path.rsplit('/').next().unwrap_or_default();
        if there.is_none() || known.contains(&there) || name.starts_with(".fleetprov-") {
            if there.is_none() && known.iter().all(Option::is_some) {
                torn.push(format!("gone: {path}"));
            }
            continue;
        }
        let Some(there) = there else { continue };
        // Parts of several resources in one file: each of its lines is known.
        let lines = |entry: &Entry| -> BTreeSet<String> {
            let text = String::from_utf8_lossy(&entry.content).into_owned();
            text.lines().map(|line| line.trim().trim_end_matches(',').to_owned()).collect()
        };
        let all: BTreeSet<String> = known.iter().flatten().flat_map(|entry| lines(entry)).collect();
        let is_file = there.mode & 0o170_000 == 0o100_000;
        let is_part = path.starts_with("/srv/foreign/")
            || path.starts_with("/var/spool/cron")
            || path.ends_with("rclone.conf");
        // A folder on its way may not have its mode and owner yet.
        let is_folder = there.mode & 0o170_000 == 0o040_000;
        let is_whole = is_folder || (is_file && is_part && lines(there).is_subset(&all));
        if !is_whole {
            torn.push(format!("{path}: {there:?}"));
        }
    }
    torn
}
