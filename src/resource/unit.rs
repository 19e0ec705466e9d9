//! `unit`: whether a systemd unit starts with the machine and whether it runs. Its files are resources of their own.

mod left;

use serde_json::{Value as Json, json};

use super::answer::{Answers, ObserveError, UnitFacts};
use super::declared::{Declared, Origin, Resource};
use super::difference::{Action, Comparison, Detail, Difference};
use super::operation::Operation;
use super::question::Question;
use super::reading::Reading;
use super::remnant::Touched;
use super::{aspects, way_in};
use crate::model::{Aspect, Aspects, Diagnostics, Fields, MachinePath, Node, ResourceId};
use crate::shell::{Call, Library};

pub(super) use left::recall;

/// The word of the inventory.
pub const KIND: &str = "unit";

const LIBRARY: Library = Library { name: KIND, posix: include_str!("unit.sh"), needs: &[] };

/// The suffixes of unit names (`systemd.unit(5)`, 252), and whether a unit of the sort is restarted
/// when its file changes. The others hold other units together: a restart would stop those.
const SUFFIXES: &[(&str, bool)] = &[
    ("service", true),
    ("timer", true),
    ("mount", true),
    ("automount", true),
    ("path", true),
    ("socket", true),
    ("swap", false),
    ("target", false),
    ("slice", false),
    ("scope", false),
    ("device", false),
];

/// A systemd unit of the system manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Its whole name, such as `nginx.service`.
    pub name: String,
    /// Whether it starts with the machine; left alone when not given.
    pub enabled: Option<bool>,
    /// Whether it runs; left alone when not given.
    pub active: Option<bool>,
    /// Other units whose changed files have to be read for this one: a timer's service.
    pub related: Vec<String>,
    /// Whether it is restarted, when it is active, after something it follows has changed. Otherwise
    /// systemd only reads its files again.
    pub restart: bool,
}

/// Checks a unit's whole name: a known suffix behind at most 255 bytes of `A-Z a-z 0-9 : - _ . \ @`
/// (`systemd.unit(5)`).
///
/// # Errors
/// A text that says what is wrong.
pub fn name_from(text: &str) -> Result<String, String> {
    let holds_well = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":-_.\\@".contains(&byte))
        && text.len() <= 255;
    let known = text
        .rsplit_once('.')
        .is_some_and(|(stem, suffix)| !stem.is_empty() && SUFFIXES.iter().any(|(name, _)| *name == suffix));
    if holds_well && known { Ok(text.to_owned()) } else { Err(format!("`{text}` is not a unit's name")) }
}

/// Reads `unit: {name, enabled, active, related, restart}`.
///
/// It follows the files `/etc/systemd/system/NAME` of itself and of the related units, where they
/// are declared.
pub fn read(
    node: &Node,
    origin: &Origin,
    _reading: &Reading<'_>,
    problems: &mut Diagnostics,
) -> Vec<Declared> {
    let expected = "a unit's whole name such as nginx.service";
    let Some(mut fields) = Fields::open(node, KIND, problems) else { return Vec::new() };
    let name = fields.required("name", expected, name_from);
    let enabled = fields.flag("enabled");
    let active = fields.flag("active");
    let mut related = Vec::new();
    for text in fields.texts("related") {
        match name_from(&text.value) {
            Ok(name) => related.push(name),
            Err(message) => fields.problems().push(
                crate::model::Diagnostic::at(&text.span, format!("`related`: {message}")).expected(expected),
            ),
        }
    }
    let restart = fields.flag("restart");
    fields.close();
    let Some(name) = name else { return Vec::new() };
    let restart = restart.unwrap_or_else(|| restarts(&name));
    let unit = Unit { name, enabled, active, related, restart };
    let files = unit.files();
    vec![Declared::new(unit, origin.clone()).follows(files)]
}

fn restarts(name: &str) -> bool {
    name.rsplit_once('.')
        .and_then(|(_, suffix)| SUFFIXES.iter().find(|(known, _)| *known == suffix))
        .is_some_and(|(_, restarts)| *restarts)
}

fn is_active(facts: &UnitFacts) -> bool {
    // A unit on its way up counts as up, or every plan made in that moment would start it again.
    matches!(facts.active.as_str(), "active" | "activating" | "reloading" | "refreshing")
}

/// Whether a `UnitFileState` means that the unit starts with the machine. A generated unit comes
/// from another file (`/etc/fstab`, `/etc/init.d`), which decides that.
fn is_enabled(facts: &UnitFacts) -> bool {
    matches!(facts.file.as_str(), "enabled" | "alias" | "generated")
}

fn active_word(is_active: bool) -> Aspect {
    Aspect::plain(if is_active { "active" } else { "inactive" })
}

impl Unit {
    /// The files that define it and its related units, when fleetprov writes them.
    #[must_use]
    pub fn files(&self) -> Vec<ResourceId> {
        std::iter::once(&self.name)
            .chain(&self.related)
            .map(|name| ResourceId::new("file", format!("/etc/systemd/system/{name}")))
            .collect()
    }

    fn operation(
        function: &'static str,
        arguments: impl IntoIterator<Item = impl Into<String>>,
    ) -> Operation {
        Operation { library: LIBRARY, call: Call::new(function, arguments), payload: None, within: None }
    }

    fn reload(&self) -> Operation {
        Self::operation("fp_unit_reload", std::iter::once(&self.name).chain(&self.related))
    }

    fn refuse_masked(&self, facts: &UnitFacts) -> Result<(), ObserveError> {
        let masked = facts.load == "masked" || facts.file.starts_with("masked");
        if masked && (self.enabled == Some(true) || self.active == Some(true)) {
            return Err(ObserveError::Conflict(format!(
                "{name} is masked, so it can neither be enabled nor started; `systemctl unmask {name}` undoes that",
                name = self.name
            )));
        }
        if facts.file == "generated" && self.enabled == Some(false) {
            return Err(ObserveError::Conflict(format!(
                "{} is generated from another file such as /etc/fstab or a script in /etc/init.d, which decides whether it starts with the machine",
                self.name
            )));
        }
        Ok(())
    }

    /// A unit whose file is ours does what that file says, or the plan would not tell what runs. A
    /// drop-in somebody else made (`systemctl edit`) is not ours to remove.
    fn refuse_drop_ins(&self, answers: Answers<'_>) -> Result<(), ObserveError> {
        for (index, name) in std::iter::once(&self.name).chain(&self.related).enumerate() {
            let declared = |path: &str| MachinePath::new(path).is_ok_and(|path| answers.is_declared(&path));
            if !declared(&format!("/etc/systemd/system/{name}")) {
                continue;
            }
            let own = format!("/{name}.d/");
            let foreign =
                answers.unit(index)?.drop_ins.iter().find(|path| path.contains(&own) && !declared(path));
            if let Some(path) = foreign {
                return Err(ObserveError::Conflict(format!(
                    "{name} is changed by {path}, which fleetprov does not own; remove that file, or declare it"
                )));
            }
        }
        Ok(())
    }

    fn enabling(&self, facts: &UnitFacts) -> Option<(Detail, Operation)> {
        let wanted = self.enabled?;
        if wanted == is_enabled(facts) && facts.file != "enabled-runtime" {
            return None;
        }
        let from = match facts.file.as_str() {
            "" | "disabled" => "no".to_owned(),
            "enabled" => "yes".to_owned(),
            "enabled-runtime" => "until the next start of the machine".to_owned(),
            other if wanted => format!("no ({other})"),
            other => format!("yes ({other})"),
        };
        let (to, word) = if wanted { ("yes", "enable") } else { ("no", "disable") };
        Some((
            Detail::value("enabled", Some(&from), to),
            Self::operation("fp_unit_file", [self.name.as_str(), word]),
        ))
    }

    fn activating(&self, facts: &UnitFacts) -> Option<(Detail, Operation)> {
        let wanted = self.active?;
        // A failed unit does not run, which is all that `active: false` asks.
        if wanted == is_active(facts) {
            return None;
        }
        let from = if facts.active.is_empty() { "inactive" } else { &facts.active };
        let (to, function) = if wanted { ("active", "fp_unit_start") } else { ("inactive", "fp_unit_stop") };
        Some((Detail::value("active", Some(from), to), Self::operation(function, [&self.name])))
    }

    fn restarting(&self, facts: &UnitFacts) -> Option<Operation> {
        (self.restart && self.active != Some(false) && is_active(facts))
            .then(|| Self::operation("fp_unit_restart", [&self.name]))
    }
}

impl Resource for Unit {
    fn id(&self) -> ResourceId {
        ResourceId::new(KIND, &self.name)
    }

    fn questions(&self) -> Vec<Question> {
        std::iter::once(&self.name).chain(&self.related).cloned().map(Question::Unit).collect()
    }

    fn compare(&self, answers: Answers<'_>) -> Result<Comparison, ObserveError> {
        let facts = answers.unit(0)?;
        self.refuse_masked(facts)?;
        self.refuse_drop_ins(answers)?;
        let mut stale = facts.needs_reload;
        for index in 1..=self.related.len() {
            stale |= answers.unit(index)?.needs_reload;
        }
        let mut details = Vec::new();
        let mut operations = Vec::new();
        for (detail, operation) in [self.enabling(facts), self.activating(facts)].into_iter().flatten() {
            details.push(detail);
            operations.push(operation);
        }
        let mut action = if facts.load == "not-found" { Action::Create } else { Action::Update };
        if stale {
            // Its file was written and the rest was cut off: what should have followed is made up for.
            details.push(Detail::value("unit file in use", Some("an older one"), "the present one"));
            if let Some(restart) = self.restarting(facts) {
                if operations.is_empty() {
                    action = Action::Restart;
                }
                operations.push(restart);
            }
        }
        if details.is_empty() {
            return Ok(Comparison::InOrder);
        }
        // The files may be written by this very plan, so whether they have to be read is asked then.
        operations.insert(0, self.reload());
        Ok(Comparison::Differs(Difference { action, details, operations }))
    }

    fn follow(&self, answers: Answers<'_>, because: &[ResourceId]) -> Option<Difference> {
        let facts = answers.unit(0).ok()?;
        let names: Vec<String> = because.iter().map(ToString::to_string).collect();
        let names = names.join(", ");
        // What systemd says of a unit counts only the folders of drop-ins it knows already (252, measured).
        let is_drop_in = |id: &ResourceId| {
            id.target.strip_prefix("/etc/systemd/system/").is_some_and(|below| below.contains(".d/"))
        };
        let reload = if because.iter().any(is_drop_in) {
            Self::operation("fp_unit_reload_all", [""; 0])
        } else {
            self.reload()
        };
        let mut operations = vec![reload];
        let (action, note) = match self.restarting(facts) {
            Some(restart) => {
                operations.push(restart);
                (Action::Restart, format!("restarts for {names}"))
            }
            // Whatever else is done to a unit begins with reading its files.
            None if !matches!(self.compare(answers), Ok(Comparison::InOrder)) => return None,
            None => (Action::Update, format!("reads its files again for {names}")),
        };
        Some(Difference { action, details: vec![Detail::Note(note)], operations })
    }

    fn guards(&self) -> bool {
        way_in::needs_unit(&self.name)
    }

    fn wanted(&self) -> Aspects {
        let enabled = self.enabled.map(|flag| ("enabled".to_owned(), aspects::flag(flag)));
        let active = self.active.map(|flag| ("active".to_owned(), active_word(flag)));
        enabled.into_iter().chain(active).collect()
    }

    fn observed(&self, answers: Answers<'_>) -> Result<Aspects, ObserveError> {
        let facts = answers.unit(0)?;
        if facts.load == "not-found" {
            return Ok(Aspects::new());
        }
        let is_enabled = is_enabled(facts) && facts.file != "enabled-runtime";
        let enabled = self.enabled.map(|_| ("enabled".to_owned(), aspects::flag(is_enabled)));
        let active = self.active.map(|_| ("active".to_owned(), active_word(is_active(facts))));
        Ok(enabled.into_iter().chain(active).collect())
    }

    fn remains(&self) -> Json {
        json!({})
    }

    fn touches(&self) -> Vec<Touched> {
        vec![Touched::Unit(self.name.clone())]
    }

    /// One whose file fleetprov wrote did not come with anybody else.
    fn rests_on(&self) -> Vec<ResourceId> {
        self.files().into_iter().take(1).collect()
    }
}

#[cfg(test)]
mod tests;
