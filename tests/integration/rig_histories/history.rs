//! What can happen to a machine, at random but the same for the same seed.

use std::collections::BTreeMap;

use crate::boundary::Boundary;
use crate::rig_faults::harm::Harm;

/// How many ways there are to be for each thing.
pub(super) const VARIANTS: u8 = 3;
/// How many things of each kind there can be.
const NUMBERS: u8 = 3;

/// The kinds of things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Folder,
    File,
    Secret,
    Link,
    Block,
    Json,
    Ini,
    Crontab,
    Service,
    Schedule,
    /// A file that was there before, just as it is declared.
    Adopted,
    Checkout,
    Package,
}

impl Kind {
    const ALL: [Self; 13] = [
        Self::Folder,
        Self::File,
        Self::Secret,
        Self::Link,
        Self::Block,
        Self::Json,
        Self::Ini,
        Self::Crontab,
        Self::Service,
        Self::Schedule,
        Self::Adopted,
        Self::Checkout,
        Self::Package,
    ];
}

/// What is wanted: each thing in one of its variants.
#[derive(Clone, Debug, Default)]
pub(super) struct Inventory(BTreeMap<(Kind, u8), u8>);

/// A change of the inventory.
#[derive(Clone, Debug)]
pub(super) enum Edit {
    /// Adds a thing, or changes it.
    Set(Kind, u8, u8),
    Remove(Kind, u8),
    /// The same under another name.
    Rename(Kind, u8, u8),
}

impl Inventory {
    pub(super) fn edit(&mut self, edit: &Edit) {
        match edit {
            Edit::Set(kind, number, variant) => {
                self.0.insert((*kind, *number), *variant);
            }
            Edit::Remove(kind, number) => {
                self.0.remove(&(*kind, *number));
            }
            Edit::Rename(kind, from, to) => {
                if let Some(variant) = self.0.remove(&(*kind, *from)) {
                    self.0.insert((*kind, *to), variant);
                }
            }
        }
    }

    /// Whether a folder of that path is wanted.
    pub(super) fn has_folder(&self, path: &str) -> bool {
        let folders = self.0.keys().filter(|(kind, _)| *kind == Kind::Folder);
        folders.into_iter().any(|(_, number)| path == format!("/srv/h/d{number}"))
    }

    /// As a role has it. A file lies in the folder of its number where that is wanted, too.
    pub(super) fn resources(&self) -> String {
        let mut text = String::from("- directory: {path: /srv/h}\n");
        let (mut json, mut ini) = (String::new(), String::new());
        for ((kind, number), variant) in &self.0 {
            let place = if self.has_folder(&format!("/srv/h/d{number}")) {
                format!("/srv/h/d{number}")
            } else {
                "/srv/h".to_owned()
            };
            text.push_str(&match kind {
                Kind::Folder => format!("- directory: {{path: /srv/h/d{number}, mode: \"07{variant}{variant}\"}}\n"),
                Kind::File => format!(
                    "- file: {{path: {place}/f{number}, content: \"content {variant}\\n\", mode: \"06{variant}0\"}}\n"
                ),
                Kind::Secret => format!("- file: {{path: {place}/s{number}, secret: secret-{variant}}}\n"),
                Kind::Link => format!("- link: {{path: {place}/l{number}, target: \"to-{variant}\"}}\n"),
                Kind::Block => format!(
                    "- block: {{path: /srv/shared/notes, id: b{number}, content: \"block {number} is {variant}\"}}\n"
                ),
                Kind::Crontab => {
                    format!("- crontab-entry: {{id: c{number}, lines: [\"{variant} 2 3 4 * echo {number}\"]}}\n")
                }
                Kind::Service => format!(
                    "- file:\n    path: /etc/systemd/system/h-{number}.service\n    content: \"[Service]\\nExecStart=/bin/sleep infinity\\nEnvironment=ME={variant}\\n[Install]\\nWantedBy=multi-user.target\\n\"\n\
                     - unit: {{name: h-{number}.service, enabled: {}, active: true}}\n",
                    *variant == 0
                ),
                Kind::Schedule => format!(
                    "- schedule: {{name: h-s{number}, at: \"{variant} 3 * * *\", script: \"#!/bin/sh\\necho {variant}\\n\"}}\n"
                ),
                Kind::Adopted => {
                    format!("- file: {{path: /srv/shared/a{number}, content: \"there before\\n\"}}\n")
                }
                Kind::Checkout => {
                    format!("- checkout: {{path: {place}/c{number}, remote: /srv/git, owner: root}}\n")
                }
                // Each takes seconds.
                Kind::Package if *number == 0 => "- package: rig-hello\n".to_owned(),
                Kind::Package => String::new(),
                Kind::Json => {
                    json.push_str(&format!("      j{number}: \"{variant}\"\n"));
                    String::new()
                }
                Kind::Ini => {
                    ini.push_str(&format!("        i{number}: \"{variant}\"\n"));
                    String::new()
                }
            });
        }
        if !json.is_empty() {
            text.push_str(&format!("- json-keys:\n    path: /srv/shared/settings.json\n    values:\n{json}"));
        }
        if !ini.is_empty() {
            text.push_str(&format!(
                "- ini-keys:\n    path: /srv/shared/app.ini\n    sections:\n      owned:\n{ini}"
            ));
        }
        text
    }
}

/// A change by hand of what fleetprov may own; of what is not there it changes nothing.
#[derive(Clone, Debug)]
pub(super) struct Hand {
    kind: Kind,
    number: u8,
    way: u8,
}

impl Hand {
    pub(super) fn script(&self) -> String {
        let (n, way) = (self.number, self.way % 3);
        let each = |name: &str, ways: [&str; 3]| {
            let act = ways[usize::from(way)];
            format!(
                "for p in /srv/h/{name}{n} /srv/h/d{n}/{name}{n}; do [ -f \"$p\" ] || [ -h \"$p\" ] || continue; {act}; done"
            )
        };
        let edit = |file: &str, from: &str, to: &str| format!("sed -i 's/{from}/{to}/' {file}");
        match self.kind {
            Kind::Folder => format!("[ ! -d /srv/h/d{n} ] || chmod 0711 /srv/h/d{n}"),
            Kind::File | Kind::Secret => {
                let name = if self.kind == Kind::File { "f" } else { "s" };
                each(name, ["echo by hand >>\"$p\"", ": >\"$p\"", "rm \"$p\""])
            }
            Kind::Link => each("l", ["ln -sfn /nowhere \"$p\"", "rm \"$p\"", ":"]),
            Kind::Block => match way {
                0 => edit("/srv/shared/notes", &format!("^block {n} is"), &format!("block {n} was")),
                1 => format!("sed -i '/^block {n} is/d' /srv/shared/notes"),
                _ => format!("sed -i '/b{n}/,/b{n}/d' /srv/shared/notes"),
            },
            Kind::Json => {
                edit("/srv/shared/settings.json", &format!("\"j{n}\": \"."), &format!("\"j{n}\": \"h"))
            }
            Kind::Ini => match way {
                0 => edit("/srv/shared/app.ini", &format!("^i{n} *=.*"), &format!("i{n} = h")),
                _ => format!("sed -i '/^i{n} *=/d' /srv/shared/app.ini"),
            },
            Kind::Crontab => {
                format!("crontab -l | sed 's/^[0-9] 2 3 4 \\* echo {n}$/9 9 9 9 * echo {n}/' | crontab -")
            }
            Kind::Schedule => {
                let units = format!("fleetprov-h-s{n}");
                let act = match way {
                    0 => format!("systemctl --quiet stop {units}.timer"),
                    1 => format!("systemctl --quiet disable --now {units}.timer"),
                    // Only its files are deleted: it is still there.
                    _ => format!(
                        "rm -f /etc/systemd/system/{units}.timer /etc/systemd/system/{units}.service; systemctl daemon-reload"
                    ),
                };
                format!("[ ! -e /etc/systemd/system/{units}.timer ] || {{ {act}; }}")
            }
            Kind::Adopted => match way {
                0 => format!("echo by hand >>/srv/shared/a{n}"),
                1 => format!("chmod 0600 /srv/shared/a{n}"),
                _ => format!("rm -f /srv/shared/a{n}"),
            },
            Kind::Checkout => format!("rm -rf /srv/h/c{n} /srv/h/d{n}/c{n}"),
            Kind::Package => ":".to_owned(),
            Kind::Service if self.way % 4 == 3 => {
                format!("rm -f /etc/systemd/system/h-{n}.service; systemctl daemon-reload")
            }
            Kind::Service => {
                let act = ["stop", "disable", "enable"][usize::from(way)];
                format!("[ ! -e /etc/systemd/system/h-{n}.service ] || systemctl --quiet {act} h-{n}.service")
            }
        }
    }
}

/// Something that others put there: it stays.
#[derive(Clone, Debug)]
pub(super) struct Foreign {
    way: u8,
    number: u8,
}

impl Foreign {
    /// A file where one of ours was.
    const TAKES: u8 = u8::MAX;

    pub(super) fn script(&self) -> String {
        let n = self.number;
        if self.way == Self::TAKES {
            return format!("mkdir -p /srv/h && echo theirs >/srv/h/f{n}");
        }
        match self.way % 5 {
            0 => format!("mkdir -p /srv/h/d{n} && echo foreign >/srv/h/d{n}/foreign"),
            1 => format!("echo 'foreign line {n}' >>/srv/shared/notes"),
            2 => format!("(crontab -l; echo '7 7 7 7 * echo foreign {n}') | crontab -"),
            3 => format!(
                "grep -q foreign-{n} /srv/shared/settings.json || sed -i '1a \\  \"foreign-{n}\": 1,' /srv/shared/settings.json"
            ),
            _ => format!(
                "grep -q foreign-{n} /srv/shared/app.ini || sed -i '/^\\[foreign\\]/a foreign-{n} = 1' /srv/shared/app.ini"
            ),
        }
    }
}

/// The number of the file that leaves the inventory and is deleted, and that others make anew.
const TAKEN: u8 = NUMBERS;

/// Something that happens.
#[derive(Clone, Debug)]
pub(super) enum Event {
    Edit(Edit),
    /// A whole run.
    Apply,
    Hand(Hand),
    Foreign(Foreign),
    /// A run that is cut in the middle.
    Cut {
        step: usize,
        boundary: Boundary,
        harm: Harm,
    },
}

/// A history, and where it came from.
#[derive(Clone, Debug)]
pub(super) struct History {
    #[expect(dead_code, reason = "shown when a history fails")]
    pub(super) seed: u64,
    pub(super) events: Vec<Event>,
}

/// Numbers that are the same for the same seed (Steele, Lea and Flood's SplitMix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) >> 16).expect("48 bits") % limit
    }

    fn small(&mut self, limit: u8) -> u8 {
        u8::try_from(self.below(usize::from(limit))).expect("small")
    }

    fn edit(&mut self) -> Edit {
        let kind = Kind::ALL[self.below(Kind::ALL.len())];
        let number = self.small(NUMBERS);
        match self.below(5) {
            0 => Edit::Remove(kind, number),
            1 => Edit::Rename(kind, number, (number + 1) % NUMBERS),
            _ => Edit::Set(kind, number, self.small(VARIANTS)),
        }
    }
}

impl History {
    /// Some rounds: the inventory moves and a run follows, whole or cut; then people move things.
    pub(super) fn random(seed: u64) -> Self {
        let mut chance = Chance(seed);
        let mut events = Vec::new();
        let mut is_taken = false;
        for _ in 0..2 + chance.below(3) {
            for _ in 0..4 + chance.below(8) {
                events.push(Event::Edit(chance.edit()));
            }
            if chance.below(2) == 0 {
                let (step, harm) = (chance.below(24), Harm::ALL[chance.below(Harm::ALL.len())]);
                events.push(Event::Cut { step, boundary: Boundary::ALL[chance.below(3)], harm });
            } else {
                events.push(Event::Apply);
            }
            if !is_taken && chance.below(3) == 0 {
                is_taken = true;
                events.push(Event::Edit(Edit::Set(Kind::File, TAKEN, chance.small(VARIANTS))));
                events.push(Event::Apply);
                events.push(Event::Edit(Edit::Remove(Kind::File, TAKEN)));
                events.push(Event::Hand(Hand { kind: Kind::File, number: TAKEN, way: 2 }));
                events.push(Event::Apply);
                events.push(Event::Foreign(Foreign { way: Foreign::TAKES, number: TAKEN }));
            }
            for _ in 0..chance.below(6) {
                let (number, way) = (chance.small(NUMBERS), chance.small(30));
                let kind = Kind::ALL[chance.below(Kind::ALL.len())];
                events.push(if chance.below(3) == 0 {
                    Event::Foreign(Foreign { way, number })
                } else {
                    Event::Hand(Hand { kind, number, way })
                });
            }
        }
        Self { seed, events }
    }
}
