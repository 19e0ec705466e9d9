//! Random histories of a machine: the inventory moves, people move things by hand, runs are cut. After one
//! more apply the machine is as one that has only ever seen the last inventory.

mod history;

use std::collections::BTreeMap;
use std::time::Instant;

use crate::boundary::Watch;
use crate::listing::{Entry, Listing, units};
use crate::project::Project;
use crate::rig::{Machine, Rig, RunningMachine};
use history::{Event, History, Inventory};

/// What belongs to others, beside what comes and goes.
const FOREIGN: &str = r#"
rm -rf /srv/h /srv/shared
mkdir /srv/h /srv/shared
printf 'the other one\nlast line\n' >/srv/shared/notes
printf '{\n  "foreign": [1, 2],\n  "last": 1\n}\n' >/srv/shared/settings.json
printf '[foreign]\nkey = value\n' >/srv/shared/app.ini
for n in 0 1 2; do printf 'there before\n' >/srv/shared/a$n; done
rm -rf /srv/git
git init -q --bare -b main /srv/git
rm -rf /tmp/work
git clone -q /srv/git /tmp/work 2>/dev/null
(cd /tmp/work && git checkout -q -b main && echo hello >hello && git add hello &&
	git -c user.email=a@example.com -c user.name=a commit -q -m hello && git push -q origin main) || exit 1
printf '# the other one\n0 1 1 1 * /bin/true\n' | crontab -
"#;

/// Which of the packages that come and go are installed.
const PACKAGES: &str = "dpkg-query --show --showformat='package ${Package} ${db:Status-Status}\\n' 'rig-*' 2>/dev/null | grep ' installed$'; :";

/// A machine with its project.
struct Subject<'a> {
    machine: &'a RunningMachine,
    project: Project,
}

impl<'a> Subject<'a> {
    fn new(rig: &Rig, machine: &'a RunningMachine) -> Self {
        let project = Project::new(rig).machine(machine, "root", "", "");
        for variant in 0..history::VARIANTS {
            project.secret(&format!("secret-{variant}"), format!("secret {variant}").as_bytes());
        }
        machine.check(FOREIGN);
        Self { machine, project }
    }

    /// Reaches an inventory with one apply; the next plan is empty.
    fn reach(&self, inventory: &Inventory, story: &str) {
        self.declare(inventory);
        let ran = self.project.apply(&["--allow-prune"]);
        assert_eq!(ran.code, Some(0), "{story}\n{ran}");
        let plan = self.project.plan(&[]);
        assert_eq!(plan.code, Some(0), "{story}\n{ran}\n{plan}");
        // What is in order is known to be so: another apply writes nothing down.
        let record =
            || std::fs::read(self.machine.root().join("var/lib/fleetprov/record")).unwrap_or_default();
        let before = record();
        let again = self.project.apply(&[]);
        assert_eq!(again.code, Some(0), "{story}\n{again}");
        assert!(record() == before, "{story}\n{ran}\n{again}");
    }

    fn declare(&self, inventory: &Inventory) {
        self.project.declare(self.machine.name(), &inventory.resources());
    }

    /// What is there, in a form in which the order of lines in a shared file says nothing.
    fn listing(&self) -> Listing {
        let mut listing = Listing::with(self.machine, &(units("'h-*' 'fleetprov-h-*'") + PACKAGES));
        for (path, entry) in &mut listing.0 {
            // It says which role it is from, and that is called as the machine is.
            if path.starts_with("/etc/systemd/system/fleetprov-h-") {
                let text = String::from_utf8_lossy(&entry.content);
                let role = format!("From role {}, ", self.machine.name());
                entry.content = text.replace(&role, "From a role, ").into_bytes();
            }
            if path.starts_with("/srv/shared/") || path.starts_with("/var/spool/cron/") {
                let text = String::from_utf8_lossy(&entry.content).into_owned();
                let mut lines: Vec<&str> = text
                    .lines()
                    .map(|line| line.trim().trim_end_matches(','))
                    .filter(|line| !line.is_empty())
                    .collect();
                lines.sort_unstable();
                entry.content = lines.join("\n").into_bytes();
            }
        }
        listing
    }
}

/// What differs between two machines, but for what tells machines apart; the mode of a folder that is
/// there only because of what others put into it is nobody's wish.
fn differences(wanted: &Listing, now: &Listing, inventory: &Inventory) -> Vec<String> {
    let plain = |listing: &Listing| {
        let kept = listing.0.iter().filter(|(path, _)| {
            ![
                "/srv/git/",
                "/etc/ssh/",
                "/etc/hostname",
                "/etc/machine-id",
                "/etc/hosts",
                "/etc/shadow",
                "/root/.ssh",
                "/home/",
            ]
            .iter()
            .any(|start| path.starts_with(start))
        });
        let mut plain: BTreeMap<String, Entry> =
            kept.map(|(path, entry)| (path.clone(), entry.clone())).collect();
        for (path, entry) in &mut plain {
            if path.starts_with("/srv/h/")
                && !inventory.has_folder(path)
                && entry.mode & 0o170_000 == 0o040_000
            {
                entry.mode = 0o040_000;
            }
        }
        Listing(plain)
    };
    plain(wanted).differences(&plain(now))
}

/// Lives through a history on one machine, and compares it with the other.
fn live(subject: &Subject<'_>, fresh: &Subject<'_>, history: &History) -> usize {
    let story = format!("{history:#?}");
    let mut inventory = Inventory::default();
    let mut cuts = 0;
    for event in &history.events {
        match event {
            Event::Edit(edit) => inventory.edit(edit),
            Event::Apply => subject.reach(&inventory, &story),
            Event::Hand(hand) => {
                subject.machine.check(&hand.script());
            }
            Event::Foreign(foreign) => {
                subject.machine.check(&foreign.script());
                fresh.machine.check(&foreign.script());
            }
            Event::Cut { step, boundary, harm } => {
                subject.declare(&inventory);
                let watch = Watch::new(subject.machine, *step, *boundary);
                let mut running =
                    subject.project.start("apply", &["--yes", "--allow-prune", "--allow-older"]);
                match watch.wait(|| running.is_running()) {
                    Some(held) => {
                        harm.inflict(subject.machine, running, watch, &held);
                        cuts += 1;
                    }
                    // There was nothing to do.
                    None => {
                        drop(watch);
                        running.finish().expect(0);
                    }
                }
            }
        }
    }
    subject.reach(&inventory, &story);
    fresh.reach(&inventory, &story);
    let differences_now = differences(&fresh.listing(), &subject.listing(), &inventory);
    assert!(differences_now.is_empty(), "{story}\n{differences_now:#?}");
    // And everything goes again, but what others brought.
    let none = Inventory::default();
    subject.reach(&none, &story);
    fresh.reach(&none, &story);
    let left = differences(&fresh.listing(), &subject.listing(), &none);
    assert!(left.is_empty(), "{story}\nleft behind: {left:#?}");
    let leftovers = subject.machine.check("find / -xdev -name '.fleetprov-*'");
    assert_eq!(leftovers, "", "{story}");
    subject.machine.check(FOREIGN);
    fresh.machine.check(FOREIGN);
    cuts
}

#[test]
fn any_history_ends_in_what_is_wanted() {
    let is_long = std::env::var("FLEETPROV_LONG").is_ok_and(|long| long == "1");
    let seed = std::env::var("FLEETPROV_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1_u64);
    let count = if is_long { 300 } else { 5 };
    let rig = Rig::start(&[Machine::systemd("lived"), Machine::systemd("fresh")]);
    let subject = Subject::new(&rig, rig.machine("lived"));
    let fresh = Subject::new(&rig, rig.machine("fresh"));
    let (mut events, mut cuts) = (0, 0);
    for number in 0..count {
        let began = Instant::now();
        let history = History::random(seed + number);
        events += history.events.len();
        cuts += live(&subject, &fresh, &history);
        if std::env::var("FLEETPROV_SHOW").is_ok() {
            eprintln!("history {} in {:?}", seed + number, began.elapsed());
        }
    }
    // Shown by the runner also when all is well.
    eprintln!(
        "histories: {count} with {events} events, {cuts} of them cut runs, from seed {seed}: all as wanted"
    );
    assert!(cuts > 0, "no run was cut");
}
