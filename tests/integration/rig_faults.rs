//! The fault matrix: whatever happens at whichever boundary of whichever step, nothing is half-written,
//! the lock is free, and one more apply reaches exactly what was wanted.
//!
//! Each run goes from one inventory to another that differs in everything, so that every kind is created,
//! updated and removed. A sample in `.ci/run`, all of it in `.ci/long`; both print what they counted.

mod harm;
mod worlds;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::{Duration, Instant};

use crate::boundary::{Boundary, Held, Watch};
use crate::listing::Listing;
use crate::project::Project;
use crate::rig::{Machine, Rig, RunningMachine};
use harm::Harm;
use worlds::World;

/// How long a machine may take to free the lock of a run that is gone.
const FREE: Duration = Duration::from_secs(45);

/// One fault that is to be injected.
#[derive(Clone, Copy, Debug)]
struct Injection {
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
            "faults: {} injected, {} survived; {} kinds, {triples} different kinds with fault and boundary",
            self.injected,
            self.survived,
            kinds.len()
        )
    }
}

/// A machine that goes to and fro between two worlds.
struct Subject<'a> {
    machine: &'a RunningMachine,
    project: Project,
    is_booted: bool,
    worlds: [(Listing, String); 2],
    at: World,
    steps: usize,
}

impl<'a> Subject<'a> {
    fn new(rig: &Rig, machine: &'a RunningMachine, is_booted: bool) -> Self {
        let project = Project::new(rig).machine(machine, "root", "", "");
        worlds::furnish(machine, &project);
        let mut worlds = Vec::new();
        // Twice, so that each world is seen as it is when the other one came before.
        for world in [World::A, World::B, World::A, World::B] {
            project.declare(machine.name(), &worlds::resources(world, is_booted));
            project.converge();
            worlds.push((Listing::of(machine), worlds::condition(machine, is_booted)));
        }
        let worlds: [_; 2] = worlds.split_off(2).try_into().expect("two worlds");
        Self { machine, project, is_booted, worlds, at: World::B, steps: 0 }
    }

    /// Sets out for the other world, and lets something happen on the way. What is wrong afterwards is
    /// the error.
    fn inject(&mut self, injection: Injection, count: &mut Count) -> Result<(), String> {
        let aim = self.at.other();
        self.project.declare(self.machine.name(), &worlds::resources(aim, self.is_booted));
        let watch = Watch::new(self.machine, injection.step, injection.boundary);
        let mut running = self.project.start("apply", &["--yes"]);
        let Some(held) = watch.wait(|| running.is_running()) else {
            drop(watch);
            return Err(format!("the run ended before it came there\n{}", running.finish()));
        };
        self.steps = held.steps.len();
        self.at = aim;
        let (id, _) = &held.steps[held.step];
        let kind = id.split(' ').next().unwrap_or_default().to_owned();
        count.injected += 1;
        count.met.entry((kind, injection.harm)).or_default().insert(injection.boundary);
        let ran = injection.harm.inflict(self.machine, running, watch, &held);
        let told = |wrong: String| format!("{} at {}: {wrong}\n{ran}", injection.harm_at(), id);
        self.survived(&held).map_err(told)
    }

    fn survived(&self, held: &Held) -> Result<(), String> {
        self.lock_is_free()?;
        let listings = [self.worlds[0].0.clone(), self.worlds[1].0.clone()];
        let torn = worlds::torn(&Listing::of(self.machine), &listings);
        if !torn.is_empty() {
            return Err(format!("half-written: {torn:#?}"));
        }
        let progress = std::fs::read_to_string(held.folder.join("progress")).unwrap_or_default();
        let again = self.project.apply(&[]);
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
        let plan = self.project.plan(&[]);
        if plan.code != Some(0) {
            return Err(format!("something is left to do: {plan}"));
        }
        let (listing, condition) = &self.worlds[usize::from(self.at == World::B)];
        let differences = listing.differences(&Listing::of(self.machine));
        if !differences.is_empty() {
            return Err(format!("not what was wanted: {differences:#?}\n{progress}\n{again}"));
        }
        let now = worlds::condition(self.machine, self.is_booted);
        if now != *condition {
            return Err(format!("not what was wanted: {condition}\nbut: {now}"));
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

impl Injection {
    fn harm_at(&self) -> String {
        format!("{:?} when it is {:?}", self.harm, self.boundary)
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
                        match subject.inject(injection, &mut count) {
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
    let is_long = std::env::var("FLEETPROV_LONG").is_ok_and(|long| long == "1");
    let seed = std::env::var("FLEETPROV_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1_u64);
    let rig = Rig::start(&[Machine::plain("plain"), Machine::systemd("booted")]);
    let plans = [("plain", false), ("booted", true)]
        .into_iter()
        .map(|(name, is_booted)| {
            let all = if is_long { matrix() } else { sample(seed + u64::from(is_booted), 15) };
            (rig.machine(name), is_booted, all)
        })
        .collect();
    let count = go(&rig, plans);
    // Shown by the runner also when all is well.
    eprintln!("{count} (seed {seed})");
    assert!(count.failures.is_empty(), "{}", count.failures.join("\n\n"));
    assert_eq!(count.survived, count.injected);
    assert!(count.injected >= if is_long { 1000 } else { 30 }, "{count}");
}

/// Every boundary of every step with every fault, in both directions: more steps than there are, since
/// they are counted round.
fn matrix() -> Vec<Injection> {
    let mut all = Vec::new();
    for step in 0..60 {
        for boundary in Boundary::ALL {
            for harm in Harm::ALL {
                // There and back.
                all.extend([Injection { step, boundary, harm }; 2]);
            }
        }
    }
    all
}

/// Some of them: every fault and every boundary about equally often, at steps by the seed.
fn sample(seed: u64, size: usize) -> Vec<Injection> {
    let mut state = seed;
    (0..size)
        .map(|number| {
            // Knuth's constants; any spread will do.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let step = usize::try_from(state >> 40).expect("24 bits");
            let harm = Harm::ALL[number % Harm::ALL.len()];
            Injection { step, boundary: Boundary::ALL[(number + number / 7) % 3], harm }
        })
        .collect()
}
