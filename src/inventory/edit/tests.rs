//! Random inventories in random layouts: what is added is all that changes, and goes again.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::inventory::{Fleet, parse};
use crate::model::{MachineName, Source};

/// How one entry is written.
#[derive(Clone, Debug)]
struct Entry {
    flow: bool,
    quotes: usize,
    heading: Option<usize>,
    trailing: bool,
    inner_comment: bool,
    gap: bool,
    roles: usize,
    anchored: bool,
}

/// How a file is written.
#[derive(Clone, Debug)]
struct Shape {
    entries: Vec<Entry>,
    carriage: bool,
    mark: bool,
    final_newline: bool,
    step: usize,
    padded: bool,
    aligned: bool,
    /// 0: lines; 1: braces on one line; 2: braces over lines; 3: the same with a comma behind the last.
    section: usize,
    /// 0: the machines end the file; 1: a section follows; 2: one follows behind a blank line; 3: a
    /// comment follows.
    behind: usize,
}

fn entry() -> impl Strategy<Value = Entry> {
    let some = proptest::option::weighted(0.3, 1_usize..3);
    (any::<bool>(), 0_usize..3, some, any::<bool>(), any::<bool>(), any::<bool>(), 0_usize..4, any::<bool>())
        .prop_map(|(flow, quotes, heading, trailing, inner_comment, gap, roles, anchored)| Entry {
            flow,
            quotes,
            heading,
            trailing,
            inner_comment,
            gap,
            roles,
            anchored,
        })
}

fn shape() -> impl Strategy<Value = Shape> {
    let file = (any::<bool>(), any::<bool>(), any::<bool>(), prop_oneof![Just(2_usize), Just(4), Just(3)]);
    let habits = (any::<bool>(), any::<bool>(), prop_oneof![4 => Just(0_usize), 1 => 1_usize..4], 0_usize..4);
    (proptest::collection::vec(entry(), 0..6), file, habits).prop_map(
        |(entries, (carriage, mark, final_newline, step), (padded, aligned, section, behind))| Shape {
            entries,
            carriage,
            mark,
            final_newline,
            step,
            padded,
            aligned,
            section,
            behind,
        },
    )
}

impl Shape {
    fn braces(&self, inside: &str) -> String {
        if self.padded { format!("{{ {inside} }}") } else { format!("{{{inside}}}") }
    }

    fn entry(&self, number: usize, entry: &Entry) -> Vec<String> {
        let address = format!("root@10.0.0.{number}");
        let address = match entry.quotes {
            0 => address,
            1 => format!("\"{address}\""),
            _ => format!("'{address}'"),
        };
        let connect = self.braces(&format!("ssh: {address}, key: keys/m{number}"));
        let anchor = if entry.anchored { format!("&r{number} ") } else { String::new() };
        let roles = match entry.roles {
            0 => String::new(),
            1 => "[base]".to_owned(),
            _ if number > 0 && self.entries[number - 1].anchored && self.entries[number - 1].roles == 1 => {
                format!("*r{}", number - 1)
            }
            _ => "[base, {web: {folder: /srv}}]".to_owned(),
        };
        let roles = if entry.roles == 1 && entry.anchored { format!("{anchor}{roles}") } else { roles };
        let trailing = if entry.trailing { "  # näheres: {, } #" } else { "" };
        let indent = " ".repeat(self.step);
        let mut lines = Vec::new();
        for line in 0..entry.heading.unwrap_or(0) {
            lines.push(format!("{indent}# heading {line} of m{number}: , }}"));
        }
        let spaces = if self.aligned { "   " } else { " " };
        if entry.flow || self.section > 0 {
            let roles = if roles.is_empty() { String::new() } else { format!(", roles: {roles}") };
            let map = self.braces(&format!("tier: all, platform: debian, connect: {connect}{roles}"));
            lines.push(format!("{indent}m{number}:{spaces}{map}{trailing}"));
            return lines;
        }
        lines.push(format!("{indent}m{number}:{trailing}"));
        let deeper = indent.repeat(2);
        lines.push(format!("{deeper}tier: all"));
        lines.push(format!("{deeper}platform: debian{trailing}"));
        lines.push(format!("{deeper}connect: {connect}"));
        match entry.roles {
            0 => {}
            3 if !roles.starts_with('*') => {
                lines.push(format!("{deeper}roles:"));
                lines.push(format!("{deeper}- base{trailing}"));
                lines.push(format!("{deeper}- web: {{folder: /srv}}"));
            }
            _ => lines.push(format!("{deeper}roles: {roles}")),
        }
        if entry.inner_comment {
            lines.push(format!("{deeper}# further: {{soon"));
        }
        lines
    }

    fn text(&self) -> String {
        let mut lines: Vec<String> = vec!["# The fleet.".into(), "fleet: f".into(), "tiers:".into()];
        lines.push(format!("{}all: {{pattern: mesh}}", " ".repeat(self.step)));
        lines.push(String::new());
        let entries = self.entries.iter().enumerate().map(|(number, entry)| self.entry(number, entry));
        match self.section {
            _ if self.entries.is_empty() => lines.push("machines: {}  # none yet".into()),
            0 => {
                lines.push("machines:  # all of them".into());
                for (shape, entry) in self.entries.iter().zip(entries) {
                    if shape.gap {
                        lines.push(String::new());
                    }
                    lines.extend(entry);
                }
            }
            1 => {
                let bare = |shape: &Entry| Entry { heading: None, trailing: false, ..shape.clone() };
                let all: Vec<String> = self
                    .entries
                    .iter()
                    .enumerate()
                    .flat_map(|(number, shape)| self.entry(number, &bare(shape)))
                    .map(|line| line.trim_start().to_owned())
                    .collect();
                lines.push(format!("machines: {}", self.braces(&all.join(", "))));
            }
            _ => {
                lines.push("machines: {".into());
                let last = self.entries.len() - 1;
                for (number, mut entry) in entries.enumerate() {
                    if let Some(line) = entry.last_mut()
                        && (number < last || self.section == 3)
                    {
                        let end = line.rfind("  # n").unwrap_or(line.len());
                        line.insert(end, ',');
                    }
                    lines.extend(entry);
                }
                lines.push("}".into());
            }
        }
        match self.behind {
            0 => {}
            1 => lines.extend(["vars:".into(), format!("{}x: y", " ".repeat(self.step))]),
            2 => lines.extend([String::new(), "vars: {x: y}  # z".into()]),
            _ => lines.extend([format!("{}# m9: {{commented: out}}", " ".repeat(self.step)), String::new()]),
        }
        let end = if self.carriage { "\r\n" } else { "\n" };
        let mark = if self.mark { "\u{feff}" } else { "" };
        let last = if self.final_newline { end } else { "" };
        format!("{mark}{}{last}", lines.join(end))
    }
}

fn source(text: &str) -> Arc<Source> {
    Source::new("f.yaml", text)
}

fn fleet(text: &str) -> Fleet {
    parse(&source(text), None).unwrap_or_else(|problems| panic!("{problems:?}\n{text}"))
}

fn names(fleet: &Fleet) -> Vec<String> {
    fleet.machines.iter().map(|machine| machine.name.to_string()).collect()
}

fn new_machine(roles: bool) -> Vec<(String, Content)> {
    let connect = [("ssh", "root@new.example:2222"), ("key", "keys/new: one")];
    let mut fields: Vec<(String, Content)> = vec![
        ("tier".into(), "all".into()),
        ("platform".into(), "debian".into()),
        ("connect".into(), Content::Map(connect.map(|(key, text)| (key.to_owned(), text.into())).to_vec())),
    ];
    if roles {
        let web = Content::Map(vec![("folder".into(), "/srv".into()), ("count".into(), Content::Number(3))]);
        fields.push((
            "roles".into(),
            Content::List(vec!["base".into(), Content::Map(vec![("web".into(), web)])]),
        ));
    }
    fields
}

fn changed(edit: Edit) -> String {
    match edit {
        Edit::Changed(text) => text,
        Edit::Unchanged => panic!("nothing was changed"),
    }
}

/// How many bytes two texts share at their start and, behind that, at their end.
fn shared(one: &str, other: &str) -> usize {
    let length = one.len().min(other.len());
    let front = one.bytes().zip(other.bytes()).take_while(|(left, right)| left == right).count();
    let back = one.bytes().rev().zip(other.bytes().rev()).take_while(|(left, right)| left == right).count();
    front + back.min(length - front)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, ..ProptestConfig::default() })]

    #[test]
    fn what_is_added_is_all_that_changes_and_goes_again(shape in shape(), roles: bool) {
        let before = shape.text();
        let name = MachineName::new("new").unwrap();
        let fields = new_machine(roles);
        let after = changed(add_machine(&source(&before), &name, &fields).unwrap());
        let mut expected = names(&fleet(&before));
        expected.push("new".to_owned());
        let fleet = fleet(&after);
        prop_assert_eq!(names(&fleet), expected, "{}", after);

        // In one place, but for a comma before a comment.
        if !shape.entries.is_empty() {
            let comma = 1 + "  # näheres: {, } #".len();
            prop_assert!(shared(&before, &after) + comma >= before.len(), "{}\n{}", before, after);
        }
        if shape.section == 0 && !shape.entries.is_empty() {
            prop_assert_eq!(shared(&before, &after), before.len(), "{}\n{}", before, after);
        }
        prop_assert_eq!(after.matches('\n').count() == after.matches("\r\n").count(), before.contains('\r') || !after.contains('\n'));

        let again = add_machine(&source(&after), &name, &fields).unwrap();
        prop_assert_eq!(again, Edit::Unchanged);
        let removal = remove_machine(&source(&after), "new").unwrap();
        prop_assert_eq!(&removal.mentions, &[]);
        prop_assert!(removal.problems.is_empty());
        prop_assert_eq!(changed(removal.edit), before);
    }

    #[test]
    fn what_is_removed_leaves_the_others_as_they_are(shape in shape(), at: prop::sample::Index) {
        prop_assume!(!shape.entries.is_empty());
        let before = shape.text();
        let number = at.index(shape.entries.len());
        let name = format!("m{number}");
        let removed = remove_machine(&source(&before), &name);
        let used = format!("*r{number}");
        if before.contains(&used) {
            let problems = removed.unwrap_err();
            let problem = problems.sorted()[0];
            let span = problem.span.as_ref().unwrap();
            prop_assert_eq!(&before[span.start()..span.end()], used);
            return Ok(());
        }
        let after = changed(removed.unwrap().edit);
        let mut expected = names(&fleet(&before));
        expected.retain(|other| *other != name);
        prop_assert_eq!(names(&fleet(&after)), expected, "{}", after);
        // Every line of the rest is there, in order: only what speaks of the machine is gone.
        if shape.section == 0 && shape.entries.len() > 1 {
            let own = |line: &&str| !line.trim().is_empty();
            let kept: Vec<&str> = after.lines().filter(own).collect();
            let mut wanted = before.lines().filter(own);
            for line in &kept {
                prop_assert!(wanted.any(|other| other == *line), "{:?} is new\n{}", line, after);
            }
            let gone = before.lines().filter(own).count() - kept.len();
            let lines = shape.entry(number, &shape.entries[number]).len();
            prop_assert!(gone <= lines && gone + 2 >= lines, "{} of {} lines\n{}\n{}", gone, lines, before, after);
        }
    }

    #[test]
    fn a_field_that_is_set_is_all_that_changes(shape in shape(), at: prop::sample::Index, text in "[a-z]{1,8}@[a-z#: ,'\"}é]{1,6}[a-z]") {
        prop_assume!(!shape.entries.is_empty());
        let before = shape.text();
        let number = at.index(shape.entries.len());
        let name = format!("m{number}");
        let key = format!("keys/{text}");
        let after = changed(set_field(&source(&before), &name, &["connect", "key"], &key).unwrap());
        let quoted = key.len() + 2 + key.matches(['"', '\'']).count();
        prop_assert!(shared(&before, &after) + quoted >= before.len().min(after.len()), "{}\n{}", before, after);
        let fleet = fleet(&after);
        let machine = fleet.machine(&name).unwrap();
        let crate::inventory::Membership::Managed(managed) = &machine.membership else { panic!() };
        prop_assert_eq!(&managed.connect.key.as_ref().unwrap().value, &key);
        let old = format!("keys/m{number}");
        prop_assert_eq!(set_field(&source(&after), &name, &["connect", "key"], &key).unwrap(), Edit::Unchanged);
        // Back again, with the quotes it may have got.
        let back = changed(set_field(&source(&after), &name, &["connect", "key"], &old).unwrap());
        prop_assert_eq!(back.replace(&format!("\"{old}\""), &old), before.as_str());

        let with = changed(set_field(&source(&before), &name, &["connect", "was"], "root@old").unwrap());
        let without = changed(remove_field(&source(&with), &name, &["connect", "was"]).unwrap());
        prop_assert_eq!(&without, &before);
        prop_assert_eq!(remove_field(&source(&without), &name, &["connect", "was"]).unwrap(), Edit::Unchanged);
    }
}
