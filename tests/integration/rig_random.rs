//! Random sets of resources on a real machine: after an apply nothing is left to do, also when
//! somebody has changed things by hand in between.

use std::collections::BTreeMap;
use std::sync::Arc;

use fleetprov::event::Event;
use fleetprov::fleet::{Job, Run};
use fleetprov::format::block::{Comment, Position};
use fleetprov::format::json::Pointer;
use fleetprov::model::{MachinePath, Source, Span};
use fleetprov::plan::Plan;
use fleetprov::resource::block::Block;
use fleetprov::resource::directory::Directory;
use fleetprov::resource::file::File;
use fleetprov::resource::ini_keys::{IniKeys, IniValue};
use fleetprov::resource::json_keys::JsonKeys;
use fleetprov::resource::link::Link;
use fleetprov::resource::{Content, Declared, Origin};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::project::{Library, Project, runtime};
use crate::rig::{Machine, Rig, RunningMachine};

/// How many random sets; a thousand in the long variant.
fn sets() -> u32 {
    if std::env::var("FLEETPROV_LONG").is_ok_and(|long| long == "1") { 1000 } else { 20 }
}

/// What one path is to be.
#[derive(Clone, Debug)]
enum Thing {
    File { content: Vec<u8>, secret: bool, mode: u32, owner: &'static str, group: Option<&'static str> },
    Directory { mode: u32, owner: &'static str, group: Option<&'static str> },
    Link { target: String },
    Blocks { contents: Vec<String>, start: bool, others: bool },
    Json { values: BTreeMap<String, String>, others: bool },
    Ini { values: BTreeMap<(String, String), (String, bool)>, others: bool },
}

impl Thing {
    /// What stands in the file already, when somebody else owns it.
    fn others(&self) -> Option<&'static str> {
        match self {
            Self::Blocks { others: true, .. } => Some("# the other's\nline = 1\n\n"),
            Self::Json { others: true, .. } => Some("{\n  // the other's\n  \"-\": [1, {\"a\": null}]\n}\n"),
            Self::Ini { others: true, .. } => Some("; the other's\n[-]\nline = 1\n"),
            _ => None,
        }
    }
}

/// What a thing is when it belongs to alice, who cannot give it away and has to be able to read it.
fn hers(thing: Thing) -> Thing {
    match thing {
        Thing::File { content, secret, mode, .. } => {
            Thing::File { content, secret, mode: mode | 0o400, owner: "alice", group: None }
        }
        Thing::Directory { mode, .. } => Thing::Directory { mode, owner: "alice", group: None },
        other => other,
    }
}

/// A change by hand. Each finds its victim by number.
#[derive(Clone, Debug)]
enum Hand {
    Append(usize),
    Empty(usize),
    Mode(usize, u32),
    Owner(usize, &'static str),
    Delete(usize),
    Exchange(usize),
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z]{1,3}",
        1 => "[a-z]* ?[a-z'\"\\\\$`!#&;(){}<>|*?~%^=,.:@+-]{1,6}",
        1 => "[äßé☃日本]{1,3}",
        1 => "\\.[a-z]{1,3}",
        1 => "-[a-z]",
    ]
    .prop_filter("not a way up or nothing", |name| name != "." && name != ".." && !name.is_empty())
}

/// Below a few folders, so that things nest and collide.
fn path() -> impl Strategy<Value = String> {
    vec(name(), 1..4).prop_map(|names| names.join("/"))
}

fn owner() -> impl Strategy<Value = &'static str> {
    prop_oneof![4 => Just("root"), 1 => Just("alice"), 1 => Just("1002")]
}

fn group() -> impl Strategy<Value = Option<&'static str>> {
    prop_oneof![3 => Just(None), 1 => Just(Some("users")), 1 => Just(Some("root")), 1 => Just(Some("1001"))]
}

fn content() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => "[ -~\n]{0,200}".prop_map(String::into_bytes),
        2 => vec(any::<u8>(), 0..600),
        // Around the blocks in which the stream is read.
        1 => (prop_oneof![Just(65_535_usize), Just(65_536), Just(65_537), Just(131_072), Just(150_000)], any::<u8>())
            .prop_map(|(length, byte)| vec![byte; length]),
    ]
}

fn file_mode() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0o644), Just(0o600), Just(0o755), Just(0o4755), Just(0o2755), Just(0o000), 0_u32..0o1000]
}

/// Of a folder that root may act in: no other may write, or what is below is refused.
fn directory_mode() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0o755), Just(0o700), Just(0o2755), Just(0o1777), Just(0o750), Just(0o711)]
}

fn thing() -> impl Strategy<Value = Thing> {
    prop_oneof![
        3 => (content(), any::<bool>(), file_mode(), owner(), group())
            .prop_map(|(content, secret, mode, owner, group)| Thing::File { content, secret, mode, owner, group }),
        2 => (directory_mode(), group()).prop_map(|(mode, group)| Thing::Directory { mode, owner: "root", group }),
        1 => "[a-z/.' ]{1,20}".prop_map(|target| Thing::Link { target }),
        1 => (vec("[ -~äß]{0,30}", 1..4), any::<bool>(), any::<bool>())
            .prop_map(|(contents, start, others)| Thing::Blocks { contents, start, others }),
        1 => (btree_map("[a-z~/]{1,3}", ".{0,8}", 1..4), any::<bool>())
            .prop_map(|(values, others)| Thing::Json { values, others }),
        1 => (btree_map(("[a-z]{1,2}", "[a-z]{1,2}"), ("[!-~äß]([ -~]{0,6}[!-~])?", any::<bool>()), 1..4), any::<bool>())
            .prop_map(|(values, others)| Thing::Ini { values, others }),
    ]
}

/// A set in which nothing lies below a file or a link: such a set is no sensible wish.
fn set() -> impl Strategy<Value = BTreeMap<String, Thing>> {
    btree_map(path(), thing(), 1..16).prop_map(|things| {
        let leaves: Vec<String> = things
            .iter()
            .filter(|(_, thing)| !matches!(thing, Thing::Directory { .. }))
            .map(|(path, _)| format!("{path}/"))
            .collect();
        things
            .into_iter()
            .filter(|(path, _)| !leaves.iter().any(|leaf| path.starts_with(leaf.as_str())))
            .collect()
    })
}

fn hands() -> impl Strategy<Value = Vec<Hand>> {
    let hand = prop_oneof![
        any::<usize>().prop_map(Hand::Append),
        any::<usize>().prop_map(Hand::Empty),
        (any::<usize>(), 0_u32..0o1000).prop_map(|(victim, mode)| Hand::Mode(victim, mode)),
        (any::<usize>(), prop_oneof![Just("alice"), Just("operator")])
            .prop_map(|(victim, owner)| Hand::Owner(victim, owner)),
        any::<usize>().prop_map(Hand::Delete),
        any::<usize>().prop_map(Hand::Exchange),
    ];
    vec(hand, 0..5)
}

fn declare(root: &str, user: &str, set: &BTreeMap<String, Thing>) -> Vec<Declared> {
    let source = Source::new("random", "x");
    let origin = Origin { from: "random".to_owned(), span: Span::new(&source, 0, 1) };
    let mut declared = Vec::new();
    let mut made = std::collections::BTreeSet::new();
    for (below, thing) in set {
        // Files need the folders above them; a folder makes those above it by itself.
        let mut above = below.as_str();
        while let Some((folder, _)) = above.rsplit_once('/') {
            above = folder;
            if !set.contains_key(folder) && made.insert(folder.to_owned()) {
                let path = MachinePath::new(&format!("{root}/{folder}")).unwrap();
                let directory = Directory { path, owner: user.to_owned(), group: None, mode: 0o755 };
                declared.push(Declared::new(directory, origin.clone()));
            }
        }
        let path = MachinePath::new(&format!("{root}/{below}")).unwrap();
        let one = |resource: Declared| vec![resource];
        declared.extend(match thing.clone() {
            Thing::Blocks { contents, start, .. } => (0..)
                .zip(contents)
                .map(|(number, content)| {
                    let block = Block {
                        path: path.clone(),
                        id: format!("block-{number}"),
                        content,
                        comment: Comment::line("#").unwrap(),
                        position: if start { Position::Start } else { Position::End },
                        owner: None,
                        group: None,
                        mode: None,
                    };
                    Declared::new(block, origin.clone())
                })
                .collect(),
            Thing::Json { values, .. } => {
                let values = values
                    .into_iter()
                    .map(|(key, value)| (Pointer::new([key]).unwrap(), value.into()))
                    .collect();
                let (owner, group, mode) = (None, None, Some(0o640));
                let keys = JsonKeys { path, id: "keys".to_owned(), values, owner, group, mode };
                one(Declared::new(keys, origin.clone()))
            }
            Thing::Ini { values, .. } => {
                let values = values
                    .into_iter()
                    .map(|((section, key), (value, secret))| {
                        let value = if secret {
                            Content::Secret(fleetprov::model::Secret::new(value.into_bytes()))
                        } else {
                            Content::Bytes(Arc::from(value.into_bytes()))
                        };
                        IniValue { section: Some(section), key, value }
                    })
                    .collect();
                let owner = user.to_owned();
                let keys = IniKeys {
                    path,
                    id: "keys".to_owned(),
                    values,
                    sensitive: false,
                    owner,
                    group: None,
                    mode: None,
                };
                one(Declared::new(keys, origin.clone()))
            }
            Thing::File { content, secret, mode, owner, group } => {
                let content = if secret {
                    Content::Secret(fleetprov::model::Secret::new(content))
                } else {
                    Content::Bytes(Arc::from(content))
                };
                let group = group.map(str::to_owned);
                one(Declared::new(
                    File { path, content, owner: owner.to_owned(), group, mode },
                    origin.clone(),
                ))
            }
            Thing::Directory { mode, owner, group } => {
                let group = group.map(str::to_owned);
                one(Declared::new(Directory { path, owner: owner.to_owned(), group, mode }, origin.clone()))
            }
            Thing::Link { target } => {
                one(Declared::new(Link { path, target, owner: user.to_owned() }, origin.clone()))
            }
        });
    }
    declared
}

/// Puts what others own where fleetprov is to own a part.
fn settle(machine: &RunningMachine, root: &str, set: &BTreeMap<String, Thing>) -> bool {
    let mut script = format!("umask 022; cd {root} || exit\n");
    let mut settled = false;
    for (path, thing) in set {
        if let Some(text) = thing.others() {
            let path = fleetprov::shell::posix::quote(&format!("./{path}"));
            let text = fleetprov::shell::posix::quote(text);
            script.push_str(&format!(
                "file={path}; mkdir -p -- \"${{file%/*}}\"; printf %s {text} >\"$file\"\n"
            ));
            settled = true;
        }
    }
    machine.check(&script);
    settled
}

/// Does by hand what `hands` say, to what is there.
fn change(machine: &RunningMachine, root: &str, set: &BTreeMap<String, Thing>, hands: &[Hand]) {
    let mut script = format!("cd {root} || exit\n");
    for hand in hands {
        let victim = |number: &usize| {
            let (path, thing) = set.iter().nth(number % set.len()).unwrap();
            (fleetprov::shell::posix::quote(&format!("./{path}")), thing)
        };
        script.push_str(&match hand {
            Hand::Append(number) => match victim(number) {
                (path, Thing::File { .. } | Thing::Blocks { .. }) => {
                    format!("[ ! -f {path} ] || echo more >>{path}\n")
                }
                (path, _) => format!("touch -h {path}\n"),
            },
            Hand::Empty(number) => match victim(number) {
                (path, Thing::File { .. } | Thing::Blocks { .. }) => {
                    format!("[ ! -f {path} ] || : >{path}\n")
                }
                (path, _) => format!("touch -h {path}\n"),
            },
            Hand::Mode(number, mode) => {
                let (path, _) = victim(number);
                format!("[ -h {path} ] || chmod {mode:03o} {path}\n")
            }
            Hand::Owner(number, owner) => format!("chown -h {owner} {}\n", victim(number).0),
            Hand::Delete(number) => format!("rm -rf {}\n", victim(number).0),
            // Another type in its place, of those that fleetprov replaces.
            Hand::Exchange(number) => match victim(number) {
                (path, Thing::File { .. }) => format!("rm -rf {path}; ln -s /etc {path}\n"),
                (path, _) => format!("[ ! -h {path} ] || ln -sfn /etc {path}\n"),
            },
        });
    }
    machine.sh(&script);
}

/// Plans and applies; gives the plan before and the one after.
fn apply(library: &Library, declared: &[Declared]) -> (Plan, Plan) {
    let declared = declared.to_vec();
    let job = library.jobs().remove(0);
    let job = Job { resolve: Arc::new(move |_| Ok(declared.clone())), ..job };
    let tell = |_: Event| {};
    let run = Run::new(&library.connector, library.options(), &tell);
    runtime().block_on(async {
        let prepared = run.prepare(vec![job]).await;
        let before = (*prepared[0].result.as_ref().unwrap().plan).clone();
        let outcome = run.apply(prepared).await.remove(0);
        assert!(outcome.failure.is_none(), "{:?}", outcome.failure);
        let failed: Vec<_> = before
            .steps
            .iter()
            .zip(&outcome.steps)
            .filter(|(_, outcome)| **outcome != fleetprov::event::StepOutcome::Changed)
            .map(|(step, outcome)| (step.id.to_string(), outcome))
            .collect();
        assert!(failed.is_empty(), "{failed:?}");
        (before, (*outcome.left.unwrap()).clone())
    })
}

#[test]
fn whatever_is_declared_is_there_after_an_apply() {
    let rig = Rig::start(&[Machine::plain("box").size("256m")]);
    let machine = rig.machine("box");
    let project = Project::new(&rig).machine(machine, "root", "", "");
    let library = project.library();
    // Fixed, so that a failure can be looked at again; the long variant goes further along.
    let config = Config { failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let mut changes = 0;
    for number in 0..sets() {
        let (mut set, hands) = (set(), hands()).new_tree(&mut runner).unwrap().current();
        let (user, root) = match number % 4 {
            // What is in her home is made by her, and looked at by her.
            1 => ("alice", format!("/home/alice/set-{number}")),
            _ => ("root", format!("/srv/set-{number}")),
        };
        if user == "alice" {
            set = set.into_iter().map(|(path, thing)| (path, hers(thing))).collect();
        }
        let mode = if number % 3 == 0 { "2755" } else { "0755" };
        machine.check(&format!("rm -rf /srv/set-* /home/alice/set-*; mkdir -m {mode} {root}"));
        let declared = declare(&root, user, &set);
        let settled = settle(machine, &root, &set);
        machine.check(&format!("chown -R {user}: {root}"));
        let (first, left) = apply(&library, &declared);
        assert!(first.blocked.is_empty() && left.is_empty(), "set {number}: {set:?}\n{first:?}\n{left:?}");
        assert!(settled || first.steps.len() == declared.len(), "set {number}: {set:?}");
        let others: usize = set.values().filter(|thing| thing.others().is_some()).count();
        let kept = machine.check(&format!("grep -rlF \"the other's\" {root} | wc -l"));
        assert_eq!(kept, others.to_string(), "set {number}: {set:?}");
        if number % 5 < 3 {
            change(machine, &root, &set, &hands);
            if user == "alice" {
                machine.check(&format!("chown -hR alice: {root}; chmod -R u+r {root}"));
            }
            let (found, left) = apply(&library, &declared);
            assert!(left.is_empty(), "set {number} after {hands:?}: {set:?}\n{found:?}\n{left:?}");
            changes += found.steps.len();
        }
    }
    assert!(changes > 0, "the changes by hand were found");
    assert_eq!(machine.check("find /srv /home -name '.fleetprov-*'"), "");
}
