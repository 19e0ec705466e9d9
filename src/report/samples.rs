//! Machines, plans and outcomes that the tests of several reports show.

use crate::event::{Failure, FailureKind, StepOutcome};
use crate::model::{MachineName, ResourceId, Source, Span};
use crate::plan::{Blocked, Plan, Step};
use crate::report::{MachineReport, Style};
use crate::resource::{Action, Detail, Difference, Origin};

/// A fleet after its plan and after its apply.
pub(super) struct Sample {
    names: Vec<MachineName>,
    notes: Vec<String>,
    plan: Plan,
    empty: Plan,
    left: Plan,
    outcomes: Vec<StepOutcome>,
    unreachable: Failure,
    refused: Failure,
}

pub(super) const NARROW: Style = Style { colour: false, width: 80, unicode: true };
pub(super) const WIDE: Style = Style { colour: true, width: 120, unicode: true };
pub(super) const ASCII: Style = Style { colour: false, width: 80, unicode: false };

/// Escape codes made visible, for a snapshot that a person can read.
pub(super) fn visible(text: &str) -> String {
    text.replace('\u{1b}', "␛")
}

pub(super) fn origin(from: &str) -> Origin {
    let file = from.split_once(' ').map_or(from.to_owned(), |(sort, name)| format!("{sort}s/{name}.yaml"));
    let source = Source::new(file, "inputs: {}\nresources:\n  - file: x\n");
    Origin { from: from.to_owned(), span: Span::new(&source, 26, 30) }
}

pub(super) fn step(
    kind: &'static str,
    target: &str,
    from: &str,
    action: Action,
    details: Vec<Detail>,
) -> Step {
    let difference = Difference { action, details, operations: Vec::new() };
    Step::new(ResourceId::new(kind, target), origin(from), difference, Vec::new())
}

pub(super) fn value(name: &str, from: Option<&str>, to: &str) -> Detail {
    Detail::Value { name: name.to_owned(), from: from.map(str::to_owned), to: to.to_owned() }
}

pub(super) fn text(name: &str, from: Option<&str>, to: &str) -> Detail {
    let bytes = |text: &str| text.as_bytes().to_vec();
    Detail::Text { name: name.to_owned(), from: from.map(bytes), to: bytes(to) }
}

pub(super) fn plan(steps: Vec<Step>, in_order: usize) -> Plan {
    Plan { steps, in_order, ..Plan::default() }
}

const SITE: &str = "\
# written by fleetprov
server {
\tlisten 80;
\tlisten [::]:80;
\tserver_name wholetech.example;
\troot /srv/sites/wholetech;

\tlocation / {
\t\ttry_files $uri $uri/ =404;
\t}

\taccess_log /var/log/nginx/wholetech.access.log;
\terror_log /var/log/nginx/wholetech.error.log;
}
";

fn steps() -> Vec<Step> {
    let site = "/etc/nginx/sites-available/wholetech.conf";
    let new_site = SITE
        .replace(
            "\tlisten 80;\n\tlisten [::]:80;\n",
            "\tlisten 443 ssl;\n\tlisten [::]:443 ssl;\n\thttp2 on;\n",
        )
        .replace("error.log;\n}", "error.log warn;\n}");
    let timer = "[Unit]\nDescription=Pull the sites\n\n[Timer]\nOnCalendar=*-*-* 03:10:00\nPersistent=true\n\n[Install]\nWantedBy=timers.target\n";
    vec![
        step("package", "rclone", "leg sites-cc-nas", Action::Create, vec![value("version", None, "any")]),
        step(
            "directory",
            "/srv/sites",
            "role web-host",
            Action::Create,
            vec![
                value("owner", None, "www-data"),
                value("group", None, "www-data"),
                value("mode", None, "2775"),
                Detail::Note("makes /srv (0755) on the way".to_owned()),
            ],
        ),
        step(
            "file",
            site,
            "role web-host",
            Action::Update,
            vec![
                value("owner", Some("deploy"), "root"),
                value("mode", Some("0664"), "0644"),
                text(site, Some(SITE), &new_site),
            ],
        ),
        step(
            "file",
            "/etc/rclone/rclone.conf",
            "service b2",
            Action::Update,
            vec![
                value("mode", Some("0644"), "0600"),
                Detail::Secret { name: "/etc/rclone/rclone.conf".to_owned(), existed: true },
            ],
        ),
        step(
            "file",
            "/usr/local/bin/notify",
            "role notifier",
            Action::Update,
            vec![Detail::Summary {
                name: "/usr/local/bin/notify".to_owned(),
                from: Some("5242880 bytes, sha256 9f86d081884c".to_owned()),
                to: "5242912 bytes, sha256 60303ae22b99".to_owned(),
            }],
        ),
        step(
            "link",
            "/etc/nginx/sites-enabled/wholetech.conf",
            "role web-host",
            Action::Replace,
            vec![
                value("target", Some("../sites-available/default"), "../sites-available/wholetech.conf"),
                Detail::Note("a file is in its place now".to_owned()),
            ],
        ),
        step(
            "schedule",
            "pull-sites",
            "leg sites-cc-nas",
            Action::Create,
            vec![
                text("/etc/systemd/system/pull-sites.timer", None, timer),
                value("enabled", Some("no"), "yes"),
            ],
        ),
        step(
            "file",
            "/etc/cron.d/old-pull",
            "role web-host",
            Action::Remove,
            vec![text("/etc/cron.d/old-pull", Some("10 3 * * * root /usr/local/bin/pull\n"), "")],
        ),
        step(
            "service",
            "nginx",
            "role web-host",
            Action::Restart,
            vec![Detail::Note(format!("because file {site} changes"))],
        ),
    ]
}

impl Sample {
    pub(super) fn new() -> Self {
        let names = ["cc-nas", "cc-pc", "droplet", "hs-nas", "hs-pc", "build-server-in-the-attic"];
        let mut plan = plan(steps(), 28);
        plan.blocked.push(Blocked {
            id: ResourceId::new("file", "/var/www"),
            origin: origin("role web-host"),
            reason: "/var/www is a directory; it is not replaced by a file".to_owned(),
        });
        plan.blocked.push(Blocked {
            id: ResourceId::new("link", "/var/www/current"),
            origin: origin("role web-host"),
            reason: "it needs file /var/www, which is blocked".to_owned(),
        });
        let mut left = Plan { in_order: 33, blocked: plan.blocked.clone(), ..Plan::default() };
        left.steps.extend([2, 3, 6, 7, 8].iter().map(|index| plan.steps[*index].clone()));
        let outcomes = vec![
            StepOutcome::Changed,
            StepOutcome::Changed,
            StepOutcome::Failed(
                "nginx: [emerg] unknown directive \"http2\" in /etc/nginx/sites-available/wholetech.conf:5\n\
                 nginx: configuration file \u{1b}[31mtest failed\u{1b}[0m\n"
                    .to_owned(),
            ),
            StepOutcome::Refused("/etc/rclone/rclone.conf has changed since it was looked at".to_owned()),
            StepOutcome::Changed,
            StepOutcome::Changed,
            StepOutcome::Changed,
            StepOutcome::NotReached,
            StepOutcome::Skipped(2),
        ];
        Self {
            names: names.iter().map(|name| MachineName::new(name).unwrap()).collect(),
            notes: vec!["its services are run by sysv, not systemd".to_owned()],
            plan,
            empty: Plan { in_order: 32, ..Plan::default() },
            left,
            outcomes,
            unreachable: Failure {
                kind: FailureKind::Unreachable,
                message: "reach 192.168.2.30:22: no answer in 10 s".to_owned(),
            },
            refused: Failure {
                kind: FailureKind::Refused,
                message: "log in to 143.198.182.180:22 as root: its host key is not the pinned one \
                          (SHA256:Rn0kq5vQ0YtK4u9o5oZ7m8o0m8m3yq0p6Yb1hQ8nO2c); if it was replaced on purpose, \
                          pin the new one"
                    .to_owned(),
            },
        }
    }

    fn reports(&self) -> Vec<MachineReport<'_>> {
        let mut reports: Vec<MachineReport<'_>> = self.names.iter().map(MachineReport::new).collect();
        reports[0].failure = Some(&self.unreachable);
        reports[1].unsupported = Some("the platform windows is not supported yet");
        reports[2].plan = Some(&self.plan);
        reports[3].plan = Some(&self.empty);
        reports[3].notes = &self.notes;
        reports[4].plan = Some(&self.empty);
        reports[5].failure = Some(&self.refused);
        reports
    }

    /// As it is before the question.
    pub(super) fn planned(&self) -> Vec<MachineReport<'_>> {
        self.reports()
    }

    /// As it is after the apply.
    pub(super) fn applied(&self) -> Vec<MachineReport<'_>> {
        let mut reports = self.reports();
        reports[2].steps = &self.outcomes;
        reports[2].left = Some(&self.left);
        reports[3].left = Some(&self.empty);
        reports[4].left = Some(&self.empty);
        reports
    }
}
