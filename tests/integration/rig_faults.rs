//! The fault matrix: whatever happens at whichever boundary of whichever step, nothing is half-written,
//! the lock is free, and one more apply reaches exactly what was wanted.
//!
//! Each run takes a part of an inventory to another one that differs in everything, so that every kind is
//! created, updated and removed. A sample in `.ci/run`, all of it in `.ci/long`; both print what they counted.

pub(crate) mod harm;
mod worlds;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::{Duration, Instant};

use crate::boundary::{Boundary, Held, Watch};
use crate::listing::Listing;
use crate::project::Project;
use crate::rig::{Machine, Rig, RunningMachine};
use harm::Harm;
use worlds::{Part, World};

/// How long a machine may take to free the lock of a run that is gone.
const FREE: Duration = Duration::from_secs(45);

/// One fault that is to be injected.
#[derive(Clone, Copy, Debug)]
struct Injection {
    /// The number of the part that moves.
    part: usize,
    /// The number of the step, counted round.
    step: usize,
    boundary: Boundary,
    harm: Harm,
}

/// What was injected, by what it met and whether it was survived.
#[derive(Default)]
struct Count {
    injected: usize,
    survived: usize,
    met: BTreeMap<(String, Harm), BTreeSet<Boundary>>,
    failures: Vec<String>,
}

impl Count {
    fn add(&mut self, other: Self) {
        self.injected += other.injected;
        self.survived += other.survived;
        self.failures.extend(other.failures);
        for (what, boundaries) in other.met {
            self.met.entry(what).or_default().extend(boundaries);
        }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds: BTreeSet<&str> = self.met.keys().map(|(kind, _)| kind.as_str()).collect();
        let triples: usize = self.met.values().map(BTreeSet::len).sum();
        write!(
            formatter,
            "faults: {} injected, {} survived; {} actions on kinds, {triples} with fault and boundary",
            self.injected,
            self.survived,
            kinds.len()
        )
    }
}

/// A machine whose parts go to and fro between two worlds.
struct Subject<'a> {
    machine: &'a RunningMachine,
    project: Project,
    is_booted: bool,
    /// All parts in one world, and in the other.
    worlds: [Listing; 2],
    /// The paths of each part.
    paths: BTreeMap<String, Part>,
    /// How many steps it takes a part, by its number, to get to a world.
    steps: BTreeMap<(usize, World), usize>,
    at: [World; Part::ALL.len()],
}

impl<'a> Subject<'a> {
    fn new(rig: &Rig, machine: &'a RunningMachine, is_booted: bool) -> Self {
        let project = Project::new(rig).machine(machine, "root", "", "");
        worlds::furnish(machine, &project);
        let (at, worlds) = ([World::B; Part::ALL.len()], [Listing::default(), Listing::default()]);
        let mut subject =
            Self { machine, project, is_booted, worlds, paths: BTreeMap::new(), steps: BTreeMap::new(), at };
        subject.reach();
        // Each world is kept as it is when the other one came before.
        subject.at = [World::A; Part::ALL.len()];
        let mut before = subject.reach();
        subject.worlds[0] = before.clone();
        for (index, part) in Part::ALL.into_iter().enumerate() {
            subject.at[index] = World::B;
            let now = subject.reach();
            let all = before.0.keys().chain(now.0.keys());
            let moved = all.filter(|path| before.0.get(*path) != now.0.get(*path));
            subject.paths.extend(moved.map(|path| (path.clone(), part)));
            before = now;
        }
        subject.worlds[1] = before;
        subject
    }

    fn declare(&self) {
        self.project.declare(self.machine.name(), &worlds::resources(self.at, self.is_booted));
    }

    fn reach(&self) -> Listing {
        self.declare();
        self.project.apply(&["--allow-prune"]).expect(0);
        worlds::listing(self.machine, self.is_booted)
    }

    /// What has to be there now.
    fn wanted(&self) -> Listing {
        let [a, b] = &self.worlds;
        let mut wanted = a.clone();
        for (path, part) in &self.paths {
            let index = Part::ALL.iter().position(|one| one == part).expect("a part");
            let world = if self.at[index] == World::A { a } else { b };
            match world.0.get(path) {
                Some(entry) => wanted.0.insert(path.clone(), entry.clone()),
                None => wanted.0.remove(path),
            };
        }
        wanted
    }

    /// Sets out with a part for the other world, and lets something happen on the way. What is wrong
    /// afterwards is the error.
    fn inject(&mut self, injection: Injection, count: &mut Count) -> Result<(), String> {
        let aim = self.at[injection.part].other();
        self.at[injection.part] = aim;
        self.declare();
        let watch = Watch::new(self.machine, injection.step, injection.boundary);
        let mut running = self.project.start("apply", &["--yes", "--allow-prune", "--allow-older"]);
        let Some(held) = watch.wait(|| running.is_running()) else {
            drop(watch);
            return Err(format!("{injection:?}: the run ended before it came there\n{}", running.finish()));
        };
        self.steps.insert((injection.part, aim), held.steps.len());
        let (id, action) = &held.steps[held.step];
        let kind = id.split(' ').next().unwrap_or_default();
        count.injected += 1;
        let met = (format!("{action} {kind}"), injection.harm);
        count.met.entry(met).or_default().insert(injection.boundary);
        let ran = injection.harm.inflict(self.machine, running, watch, &held);
        let (harm, boundary) = (injection.harm, injection.boundary);
        self.survived(&held)
            .map_err(|wrong| format!("{harm:?} at {boundary:?} of {action} {id}: {wrong}\n{ran}"))
    }

    /// Whether the part is known not to have so many steps on its way; then it goes there in peace.
    fn passes(&mut self, injection: Injection) -> bool {
        let aim = self.at[injection.part].other();
        let is_past = self.steps.get(&(injection.part, aim)).is_some_and(|steps| injection.step >= *steps);
        if is_past {
            self.at[injection.part] = aim;
            self.reach();
        }
        is_past
    }

    fn survived(&self, held: &Held) -> Result<(), String> {
        self.lock_is_free()?;
        let torn = worlds::torn(&Listing::of(self.machine), &self.worlds);
        if !torn.is_empty() {
            return Err(format!("half-written: {torn:#?}"));
        }
        let progress = std::fs::read_to_string(held.folder.join("progress")).unwrap_or_default();
        let again = self.project.apply(&["--allow-prune"]);
        if again.code != Some(0) {
            return Err(format!("the next apply failed: {again}"));
        }
        if !progress.lines().any(|line| line == "end") {
            let changed = progress.lines().find_map(|line| line.strip_suffix(" changed"));
            let done =
                changed.and_then(|index| Some(held.steps.get(index.parse::<usize>().ok()?)?.0.as_str()));
            let words = again.words();
            if !words.contains(&format!("was cut off: {}", done.unwrap_or_default())) {
                return Err(format!(
                    "the next apply does not say what was done, {done:?}: {progress}\n{again}"
                ));
            }
        }
        let now = worlds::listing(self.machine, self.is_booted);
        let differences = self.wanted().differences(&now);
        if !differences.is_empty() {
            return Err(format!("not what was wanted: {differences:#?}\n{progress}\n{again}"));
        }
        Ok(())
    }

    /// Waits until nobody holds the machine's lock.
    fn lock_is_free(&self) -> Result<(), String> {
        let lock = std::fs::File::open(self.machine.root().join("var/lib/fleetprov/lock"))
            .map_err(|error| format!("there is no lock: {error}"))?;
        let deadline = Instant::now() + FREE;
        while lock.try_lock().is_err() {
            if Instant::now() > deadline {
                return Err("the lock is still held".to_owned());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

/// Goes through injections on one machine each of several; a machine that failed takes no more.
fn go(rig: &Rig, plans: Vec<(&RunningMachine, bool, Vec<Injection>)>) -> Count {
    let mut count = Count::default();
    std::thread::scope(|scope| {
        let threads: Vec<_> = plans
            .into_iter()
            .map(|(machine, is_booted, injections)| {
                scope.spawn(move || {
                    let mut count = Count::default();
                    let mut subject = Subject::new(rig, machine, is_booted);
                    for injection in injections {
                        let began = Instant::now();
                        if is_set("FLEETPROV_LONG") && subject.passes(injection) {
                            continue;
                        }
                        let survived = subject.inject(injection, &mut count);
                        if is_set("FLEETPROV_SHOW") {
                            eprintln!("{}: {injection:?} in {:?}", machine.name(), began.elapsed());
                        }
                        match survived {
                            Ok(()) => count.survived += 1,
                            Err(wrong) => {
                                count.failures.push(format!("{}: {wrong}", machine.name()));
                                break;
                            }
                        }
                    }
                    count
                })
            })
            .collect();
        for thread in threads {
            count.add(thread.join().expect("a machine's thread"));
        }
    });
    count
}

#[test]
fn every_step_survives_every_fault() {
    let is_long = is_set("FLEETPROV_LONG");
    let seed = std::env::var("FLEETPROV_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1_u64);
    // Much of a fault is waiting: several machines wait side by side.
    let each = if is_long { 3 } else { 1 };
    let names: Vec<(String, bool)> =
        (0..2 * each).map(|number| (format!("m{number}"), number % 2 == 1)).collect();
    let machines: Vec<Machine> = names
        .iter()
        .map(|(name, is_booted)| if *is_booted { Machine::systemd(name) } else { Machine::plain(name) })
        .collect();
    let rig = Rig::start(&machines);
    let plans = names
        .iter()
        .enumerate()
        .map(|(number, (name, is_booted))| {
            let share = |all: Vec<Injection>| {
                // There and back stay together.
                all.chunks(2).skip(number / 2).step_by(each).flatten().copied().collect()
            };
            let all = if is_long {
                share(matrix(seed + u64::from(*is_booted)))
            } else {
                sample(seed + u64::from(*is_booted), 15)
            };
            (rig.machine(name), *is_booted, all)
        })
        .collect();
    let count = go(&rig, plans);
    // Shown by the runner also when all is well.
    eprintln!("{count} (seed {seed})");
    assert!(count.failures.is_empty(), "{}", count.failures.join("\n\n"));
    assert_eq!(count.survived, count.injected);
    assert!(count.injected >= if is_long { 1000 } else { 30 }, "{count}");
}

fn is_set(variable: &str) -> bool {
    std::env::var(variable).is_ok_and(|value| value == "1")
}

/// More steps than any part has, since they are counted round.
const STEPS: usize = 12;

/// Every boundary of every step of every part with every fault, there and back; in an order by the seed, so that
/// as many as there is time for are of all sorts.
fn matrix(seed: u64) -> Vec<Injection> {
    let mut all: Vec<[Injection; 2]> = Vec::new();
    for step in 0..STEPS {
        for boundary in Boundary::ALL {
            for harm in Harm::ALL {
                all.extend((0..Part::ALL.len()).map(|part| [Injection { part, step, boundary, harm }; 2]));
            }
        }
    }
    let mut next = dice(seed);
    for end in (1..all.len()).rev() {
        all.swap(end, next(end + 1));
    }
    all.into_iter().flatten().collect()
}

/// Numbers below a bound, by a seed.
fn dice(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed;
    move |below| {
        // Knuth's constants; any spread will do.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 40).expect("24 bits") % below
    }
}

/// Some of them: every part, fault and boundary about equally often, at steps by the seed.
fn sample(seed: u64, size: usize) -> Vec<Injection> {
    let mut next = dice(seed);
    let (parts, harms) = (Part::ALL.len(), Harm::ALL.len());
    let first = [next(parts), next(harms)];
    (0..size)
        .map(|number| Injection {
            part: (first[0] + number) % parts,
            step: next(STEPS),
            boundary: Boundary::ALL[next(3)],
            harm: Harm::ALL[(first[1] + number) % harms],
        })
        .collect()
}
