//! A schedule as a systemd timer and its service.

use super::super::systemd;
use super::{Job, Schedule, zone};
use crate::format::calendar::{self, Trigger};
use crate::format::cron::CronExpression;
use crate::format::unit::{UnitError, UnitFile, Value};
use crate::model::{Diagnostic, Diagnostics, Facts, MachinePath};
use crate::resource::unit::Unit;
use crate::resource::{Declared, Origin};

type Settings = Vec<(&'static str, Value)>;

impl Schedule {
    /// The units. A run at boot needs no timer: boot starts its service, and an apply does not, as a
    /// timer with `OnBootSec=` would (systemd.timer(5): one whose time is past elapses at once).
    pub(super) fn timer(
        &self,
        expression: &CronExpression,
        script: Option<&MachinePath>,
        origin: &Origin,
        facts: &Facts,
        problems: &mut Diagnostics,
    ) -> Vec<Declared> {
        if !facts.root {
            problems.push(systemd::needs_root("a schedule on systemd", &origin.span));
            return Vec::new();
        }
        if let Some(problem) = self.zone.as_ref().and_then(zone::unknown) {
            problems.push(problem);
            return Vec::new();
        }
        let zone = self.zone.as_ref().map(|zone| zone.value.as_str());
        let trigger = match calendar::on_calendar(expression, zone) {
            Ok(trigger) => trigger,
            Err(error) => {
                let span = self.zone.as_ref().map_or(&self.at.span, |zone| &zone.span);
                problems.push(
                    Diagnostic::at(span, format!("failed to {error}"))
                        .expected("the name of a time zone such as Europe/Berlin, or UTC"),
                );
                return Vec::new();
            }
        };
        let service = format!("fleetprov-{}.service", self.name);
        let timer = format!("fleetprov-{}.timer", self.name);
        let at_boot = trigger == Trigger::Boot;
        let unit = self.service_file(script, at_boot);
        let Some(service_file) = systemd::file(&service, unit, origin, &origin.span, problems) else {
            return Vec::new();
        };
        let Trigger::Calendar(lines) = trigger else {
            let unit = Unit {
                name: service,
                enabled: Some(true),
                active: None,
                related: Vec::new(),
                restart: false,
            };
            return vec![service_file, systemd::unit(unit, origin)];
        };
        let unit = self.timer_file(&lines);
        let Some(timer_file) = systemd::file(&timer, unit, origin, &origin.span, problems) else {
            return Vec::new();
        };
        let unit = Unit {
            name: timer,
            enabled: Some(true),
            active: Some(true),
            related: vec![service],
            restart: true,
        };
        vec![service_file, timer_file, systemd::unit(unit, origin)]
    }

    fn timer_file(&self, lines: &[String]) -> Result<UnitFile, UnitError> {
        let mut timer: Settings = Vec::new();
        for line in lines {
            timer.push(("OnCalendar", Value::verbatim(line)?));
        }
        // The default lets a run be up to a minute late.
        timer.push(("AccuracySec", Value::verbatim("1s")?));
        if let Some(spread) = &self.spread {
            timer.push(("RandomizedDelaySec", Value::verbatim(&format!("{}s", spread.value))?));
            timer.push(("FixedRandomDelay", Value::verbatim("true")?));
        }
        if self.catch_up.as_ref().is_some_and(|flag| flag.value) {
            timer.push(("Persistent", Value::verbatim("true")?));
        }
        Ok(UnitFile::default()
            .with_section("Unit", vec![("Description", Value::text(&self.description)?)])
            .with_section("Timer", timer)
            .with_section("Install", vec![("WantedBy", Value::verbatim("timers.target")?)]))
    }

    fn service_file(&self, script: Option<&MachinePath>, at_boot: bool) -> Result<UnitFile, UnitError> {
        let mut unit: Settings = vec![("Description", Value::text(&self.description)?)];
        if self.network {
            unit.push(("Wants", Value::verbatim("network-online.target")?));
            unit.push(("After", Value::verbatim("network-online.target")?));
        }
        let mut service: Settings = vec![
            ("Type", Value::verbatim("oneshot")?),
            // Also for root: only with `User=` are HOME and USER set (systemd.exec(5)).
            ("User", Value::text(&self.user)?),
        ];
        let start = match (&self.job, script) {
            (Job::Command(command), _) => Value::command("/bin/sh", &["-c", &command.value])?,
            (Job::Program(program), _) => Value::command(program.as_str(), &[])?,
            (Job::Script(_), script) => {
                Value::command(script.map_or("/bin/false", MachinePath::as_str), &[])?
            }
        };
        service.push(("ExecStart", start));
        if let Some(command) = &self.after_failure {
            let line = format!("test \"$SERVICE_RESULT\" = success || {{ {}; }}", command.value);
            service.push(("ExecStopPost", Value::command("/bin/sh", &["-c", &line])?));
        }
        if let Some(seconds) = self.timeout {
            service.push(("TimeoutStartSec", Value::verbatim(&format!("{seconds}s"))?));
        }
        let file = UnitFile::default().with_section("Unit", unit).with_section("Service", service);
        Ok(if at_boot {
            file.with_section("Install", vec![("WantedBy", Value::verbatim("multi-user.target")?)])
        } else {
            file
        })
    }
}
