use proptest::prelude::*;

use super::*;
use crate::event::FailureKind;
use crate::model::{MachineName, ResourceId};
use crate::plan::Step;
use crate::report::samples::{ASCII, NARROW, Sample, WIDE, origin, plan, step, text, value, visible};
use crate::resource::{Action, Detail};

fn drawn(plan: &Plan, style: Style) -> String {
    let name = MachineName::new("droplet").unwrap();
    plans(&[MachineReport { plan: Some(plan), ..MachineReport::new(&name) }], style)
}

/// Without colours.
fn bare(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |bare, part| bare + part.split_once('m').unwrap().1)
}

#[test]
fn a_fleet() {
    let sample = Sample::new();
    insta::assert_snapshot!("fleet_80", plans(&sample.planned(), NARROW));
    insta::assert_snapshot!("fleet_120_colour", visible(&plans(&sample.planned(), WIDE)));
    insta::assert_snapshot!("fleet_80_ascii", plans(&sample.planned(), ASCII));
}

#[test]
fn colour_adds_nothing_but_colour() {
    let sample = Sample::new();
    for width in [0, 60, 80, 120, 200] {
        let style = Style { width, ..NARROW };
        let coloured = plans(&sample.planned(), Style { colour: true, ..style });
        assert_eq!(bare(&coloured), plans(&sample.planned(), style));
    }
}

#[test]
fn without_unicode_everything_is_ascii() {
    let sample = Sample::new();
    let shown = plans(&sample.planned(), ASCII);
    assert!(shown.is_ascii(), "{shown}");
}

#[test]
fn nothing_to_do_is_one_line() {
    assert_eq!(drawn(&plan(Vec::new(), 32), NARROW), "droplet  nothing to do (32 in order)\n");
    assert_eq!(plans(&[], NARROW), "");
}

#[test]
fn a_report_about_drift_says_what_it_does_not_show() {
    let name = MachineName::new("droplet").unwrap();
    let drawn = |plan: &Plan, pending: usize| {
        let report = MachineReport { plan: Some(plan), pending: Some(pending), ..MachineReport::new(&name) };
        (plans(&[report], NARROW), crate::report::closing(&[report]))
    };
    let empty = plan(Vec::new(), 32);
    assert_eq!(drawn(&empty, 0).0, "droplet  no drift (32 in order)\n");
    let (shown, closing) = drawn(&empty, 3);
    assert_eq!(shown, "droplet  no drift (32 in order, 3 pending not shown)\n");
    assert_eq!(closing, "no drift on 1 machine");
    let mut one = step("file", "/etc/motd", "role base", Action::Update, Vec::new());
    one.class = crate::plan::Class::Drifted;
    let (shown, closing) = drawn(&plan(vec![one], 32), 1);
    assert_eq!(
        shown,
        "droplet  1 to update, 32 in order, 1 pending not shown\n  \
         ~ update   file /etc/motd  (role base, drifted)\n"
    );
    assert_eq!(closing, "1 resource drifted on 1 machine");
}

/// A step of each sort that says more than what it changes.
fn circumstances() -> Plan {
    use crate::model::Aspect;
    use crate::plan::{Class, Threefold};
    let plain = |text: &str| Some(Aspect::plain(text));
    let mode = vec![value("mode", Some("0666"), "0600")];
    let mut both = step("file", "/etc/app.conf", "role web-host", Action::Update, mode.clone());
    both.class = Class::Both;
    let threefold = |name: &str, desired, applied, observed| Threefold {
        name: name.to_owned(),
        desired,
        applied,
        observed,
        class: Class::Both,
    };
    let secret = || Some(Aspect::Keyed(crate::model::Digest::of(b"x")));
    both.aspects.push(threefold("mode", plain("0600"), plain("0644"), plain("0666")));
    both.aspects.push(threefold("owner", plain("root"), plain("deploy"), None));
    both.aspects.push(threefold("content", secret(), secret(), secret()));
    let mut waits =
        step("unit", "srv-fleet-backup-of-everything.mount", "role spoke", Action::Create, Vec::new());
    waits.awaits = ["hs-nas", "cc-nas"].map(|name| MachineName::new(name).unwrap()).to_vec();
    waits.class = Class::Drifted;
    plan(vec![both, waits, step("file", "/etc/stale", "role web-host", Action::Update, mode)], 3)
}

#[test]
fn who_moved_what_it_waits_for_and_what_is_stale_are_said() {
    let plan = circumstances();
    let name = MachineName::new("droplet").unwrap();
    let reason = "the machine has moved since the plan was saved: its content was sha256 0123456789ab, is \
                  sha256 ba9876543210; its owner was as desired, is alice";
    let stale = std::collections::BTreeMap::from([(2, reason.to_owned())]);
    let report = MachineReport { plan: Some(&plan), stale: Some(&stale), ..MachineReport::new(&name) };
    insta::assert_snapshot!("circumstances_80", plans(&[report], NARROW));
    insta::assert_snapshot!("circumstances_120_colour", visible(&plans(&[report], WIDE)));
    insta::assert_snapshot!("circumstances_80_ascii", plans(&[report], ASCII));
    assert_eq!(crate::report::closing(&[report]), "2 changes to make on 1 machine");
}

#[test]
fn machines_that_only_have_something_blocked_show_it() {
    let id = ResourceId::new("file", "/etc/shadow");
    let reason = "/etc/shadow is a directory; it is not replaced by a file".to_owned();
    let blocked = vec![Blocked { id, origin: origin("role base"), reason }];
    let expected = "droplet  1 blocked, 3 in order\n  1 blocked, left as it is\n  \
                    ! blocked  file /etc/shadow  (role base)\n      \
                    /etc/shadow is a directory; it is not replaced by a file\n";
    assert_eq!(drawn(&Plan { blocked, in_order: 3, ..Plan::default() }, NARROW), expected);
}

#[test]
fn a_machine_that_was_not_begun_says_so() {
    let name = MachineName::new("droplet").unwrap();
    assert_eq!(plans(&[MachineReport::new(&name)], NARROW), "droplet  not reached\n");
}

#[test]
fn a_line_to_copy_stays_whole() {
    let name = MachineName::new("droplet").unwrap();
    let key = format!("203.0.113.7 ssh-rsa {}", "A".repeat(716));
    let failure = Failure {
        kind: FailureKind::Refused,
        message: format!(
            "trust 203.0.113.7:22: its host key is not pinned; add this line to known_hosts once you have compared it:\n    {key}"
        ),
    };
    let mut report = MachineReport::new(&name);
    report.failure = Some(&failure);
    let shown = plans(&[report], NARROW);
    assert!(shown.ends_with(&format!("compared it:\n    {key}\n")), "{shown}");
}

#[test]
fn long_names_and_values_are_broken_and_nothing_of_them_is_lost() {
    let path = format!("/srv/{}end", "folder/".repeat(12));
    let command = |name: &str| format!("/usr/bin/{name} --config {path}");
    let details = vec![
        value("mode", None, "0644"),
        value("command", Some(&command("old")), &command("new")),
        value("user", Some(""), "a, b"),
        value("group", None, " x"),
    ];
    insta::assert_snapshot!(
        "long_80",
        drawn(&plan(vec![step("file", &path, "role web-host", Action::Update, details)], 0), NARROW)
    );
}

#[test]
fn values_that_look_the_same_are_spelt_out() {
    let details = vec![value("target", Some("a\tb"), "a   b"), value("name", Some("a\u{301}"), "á")];
    let shown = drawn(&plan(vec![step("link", "/l", "role x", Action::Update, details)], 0), NARROW);
    assert!(shown.contains("target a\\tb → a   b, name a\u{301} → á"), "{shown}");
}

#[test]
fn secrets_and_summaries_of_a_part_keep_its_name() {
    let details = vec![
        Detail::Secret { name: "the token".to_owned(), existed: false },
        Detail::Summary { name: "archive".to_owned(), from: None, to: "12 bytes".to_owned() },
    ];
    let shown = drawn(&plan(vec![step("file", "/f", "role x", Action::Create, details)], 0), NARROW);
    assert!(shown.ends_with("      the token <secret>\n      archive 12 bytes\n"), "{shown}");
}

fn foreign() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,120}",
        "[ -~\t\n]{0,200}",
        prop::collection::vec(any::<char>(), 0..60).prop_map(String::from_iter)
    ]
}

fn detail() -> impl Strategy<Value = Detail> {
    let old = || prop::option::of(foreign());
    prop_oneof![
        (foreign(), old(), foreign()).prop_map(|(name, from, to)| value(&name, from.as_deref(), &to)),
        (foreign(), old(), foreign()).prop_map(|(name, from, to)| text(&name, from.as_deref(), &to)),
        (foreign(), old(), foreign()).prop_map(|(name, from, to)| Detail::Summary { name, from, to }),
        (foreign(), any::<bool>()).prop_map(|(name, existed)| Detail::Secret { name, existed }),
        foreign().prop_map(Detail::Note),
    ]
}

fn any_step() -> impl Strategy<Value = Step> {
    let actions = [Action::Create, Action::Update, Action::Replace, Action::Remove, Action::Restart].to_vec();
    let parts = (foreign(), prop::sample::select(actions), prop::collection::vec(detail(), 0..5));
    parts.prop_map(|(target, action, details)| step("file", &target, "role x", action, details))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whatever_a_machine_says_the_rows_are_harmless_and_fit(
        steps in prop::collection::vec(any_step(), 0..5),
        reason in foreign(),
        width in 0_usize..160,
        unicode: bool,
    ) {
        let mut plan = plan(steps, 1);
        let id = ResourceId::new("file", reason.clone());
        plan.blocked.push(Blocked { id, origin: origin("role x"), reason });
        let style = Style { colour: false, width, unicode };
        let shown = drawn(&plan, style);
        prop_assert!(shown.ends_with('\n'));
        for row in shown.lines() {
            prop_assert!(!row.chars().any(safe::is_harmful), "{row:?}");
            prop_assert!(unicode || row.is_ascii(), "{row:?}");
            prop_assert!(safe::columns(row) <= width.max(40), "{row:?} is wider than {width}");
        }
        let coloured = drawn(&plan, Style { colour: true, ..style });
        prop_assert_eq!(bare(&coloured), shown);
    }
}
